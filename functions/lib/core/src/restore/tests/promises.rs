//! What a restore promises, cut off after any call: it goes on, and it can be taken back.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::parking::discovery;
use super::super::{Allow, RestoreRequest};
use super::account::{Account, CutOff};
use super::fixtures::{SLOT, kops_tags, old_volume, snapshots};
use crate::backup::tests::fixtures::MEMBERS;
use crate::tags::Tags;
use crate::volume::Volume;

/// More than any run here makes.
const MANY: usize = 40;

/// Of every member none, one, or so many old volumes, with labels up to the most that fit.
fn accounts(most: usize) -> impl Strategy<Value = Account> {
    let old = (prop_oneof![1 => Just(0), 4 => Just(1), 1 => Just(most)], 0..=40_usize);
    vec(old, MEMBERS.len()).prop_map(|old| {
        let volumes = MEMBERS.iter().zip(old).flat_map(|(member, (volumes, labels))| {
            (0..volumes).map(move |n| {
                let volume = old_volume(member).named(&format!("vol-{member}{n}"));
                (0..labels).fold(volume, |volume, n| volume.tagged(&format!("label-{n}"), "x"))
            })
        });
        Account::new(volumes.collect(), snapshots())
    })
}

fn requests() -> impl Strategy<Value = RestoreRequest> {
    let all = RestoreRequest::of_slot(SLOT).replacing();
    let some = all.clone().of_members(&["a", "c"]).allowing(Allow::Rollback);
    prop_oneof![3 => Just(all), 1 => Just(some)]
}

fn nobodys(volumes: &[Volume]) -> bool {
    volumes.iter().all(|volume| discovery(&volume.tags).is_empty())
}

/// Sends the same event until it goes through, cut off after these numbers of calls.
fn applied(mut account: Account, request: &RestoreRequest, cuts: &[usize]) -> Account {
    for cut in cuts {
        account = account.cut_off_after(*cut);
        if account.apply(request).is_ok() {
            return account.again();
        }
    }
    account = account.again();
    account.apply(request).expect("it goes through");
    account
}

fn undone(mut account: Account, cuts: &[usize]) -> Account {
    let made = account.made();
    for cut in cuts {
        account = account.cut_off_after(*cut);
        if account.undo(made.clone()).is_ok() {
            return account.again();
        }
    }
    account = account.again();
    account.undo(made).expect("it goes through");
    account
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_restore_that_was_cut_off_anywhere_goes_on_to_the_same_end(
        account in accounts(2), request in requests(), cuts in vec(0..MANY / 2, 0..3),
    ) {
        let straight = applied(account.clone(), &request, &[]);
        let cut = applied(account, &request, &cuts);
        prop_assert_eq!(&cut.volumes, &straight.volumes);
        for volume in cut.new_ones() {
            prop_assert_eq!(&volume.tags, &kops_tags(&volume.id.as_str()["vol-new-".len()..]));
        }
    }

    #[test]
    fn the_same_event_again_writes_nothing(account in accounts(2), request in requests()) {
        let done = applied(account, &request, &[]);
        let mut again = done.clone().cut_off_after(0);
        prop_assert_eq!(again.apply(&request), Ok(done.made()));
        prop_assert_eq!(again.volumes, done.volumes);
    }

    #[test]
    fn an_undo_that_was_cut_off_anywhere_leaves_the_old_volumes_as_before(
        account in accounts(1), request in requests(), cuts in vec(0..MANY / 2, 0..3),
    ) {
        let before = account.old();
        let after = undone(applied(account, &request, &[]), &cuts);
        prop_assert_eq!(after.old(), before);
        prop_assert!(nobodys(&after.new_ones()));
    }

    #[test]
    fn an_undo_of_several_old_volumes_that_was_cut_off_anywhere_goes_on(
        account in accounts(2), request in requests(), cuts in vec(0..MANY / 2, 0..3),
    ) {
        let before = account.old();
        let after = undone(applied(account, &request, &[]), &cuts);
        prop_assert_eq!(after.old(), before);
        prop_assert!(nobodys(&after.new_ones()));
    }

    #[test]
    fn a_restore_that_was_cut_off_anywhere_can_be_taken_back(
        account in accounts(2), request in requests(), cut in 1..MANY,
    ) {
        let before = account.old();
        let mut begun = account.cut_off_after(cut);
        let _: Result<_, CutOff> = begun.apply(&request);
        let after = undone(begun, &[]);
        prop_assert_eq!(after.old(), before);
        prop_assert!(nobodys(&after.new_ones()));
    }
}

#[test]
fn a_volume_for_inspection_is_made_once_and_is_nobodys() {
    let account = Account::new(MEMBERS.map(old_volume).to_vec(), snapshots());
    let request = RestoreRequest::of_slot(SLOT).for_inspection();
    for cuts in [&[][..], &[1, 0, 1]] {
        let done = applied(account.clone(), &request, cuts);
        assert_eq!((done.old(), done.new_ones().len()), (account.volumes.clone(), 3));
        let kops_tags = |volume: &Volume| discovery(&volume.tags).into_keys().collect::<Vec<_>>();
        assert!(done.new_ones().iter().all(|volume| kops_tags(volume) == ["Name"]));
        let mut again = done.cut_off_after(0);
        assert!(again.apply(&request).is_ok());
    }
}

#[test]
fn a_restore_of_a_lost_cluster_needs_no_old_volume() {
    let done = applied(Account::new(Vec::new(), snapshots()), &RestoreRequest::of_slot(SLOT), &[2, 1, 3]);
    assert_eq!(done.new_ones().len(), 3);
    let after = undone(done, &[1]);
    assert!(nobodys(&after.new_ones()));
    assert_eq!(after.old().iter().map(|volume| volume.tags.clone()).collect::<Vec<Tags>>(), []);
}
