//! Retiring a volume and giving its tags back: nothing is lost, and nothing is ever too much.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::TagChange;
use super::super::parking::{Unfit, discovery, give_back, is_retired, originals, retire};
use super::fixtures::{id, now, old_volume, tags_of, volume_id};
use crate::tags::{self, Tags};
use crate::volume::Volume;

/// Texts that a careless packing would stumble over.
fn texts(least: usize, most: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        vec(any::<char>(), least..=most).prop_map(String::from_iter),
        vec(prop::sample::select(vec!['0', '1', '2', ':', ';', '/', 'ä', '🦀']), least..=most)
            .prop_map(String::from_iter),
        vec(Just('𝄞'), most).prop_map(String::from_iter),
        vec(prop::sample::select(vec!['0', '1', '2', ':', ';']), least..=(least + 4)).prop_map(String::from_iter),
    ]
}

/// A tag of kops by which a program finds a volume, its value as long as EC2 takes.
fn discovery_tags() -> impl Strategy<Value = Tags> {
    let keys = prop_oneof![
        Just(tags::NAME.to_owned()),
        Just(tags::CLUSTER.to_owned()),
        texts(0, 116).prop_map(|rest| format!("{}{rest}", tags::ETCD_PREFIX)),
        texts(0, 106).prop_map(|rest| format!("{}{rest}", tags::OWNED_PREFIX)),
        texts(0, 116).prop_map(|rest| format!("{}{rest}", tags::ROLE_PREFIX)),
    ];
    btree_map(keys, texts(0, 256), 0..12)
}

/// Anything else: cost labels, AWS's own tags, and ours of other kinds.
fn other_tags(most: usize) -> impl Strategy<Value = Tags> {
    let keys = prop_oneof![
        8 => texts(1, 128),
        1 => texts(1, 100).prop_map(|rest| format!("aws:{rest}")),
        1 => texts(1, 100).prop_map(|rest| format!("etcd-backup/x{rest}")),
        1 => prop::sample::select(vec!["etcd-backup/keep", "etcd-backup/verified", "k8s.io/x"]).prop_map(str::to_owned),
    ];
    btree_map(keys, texts(0, 256), 0..=most)
        .prop_map(|tags| tags.into_iter().filter(|(key, _)| !tags::is_discovery(key)).collect())
}

fn tag_sets() -> impl Strategy<Value = Tags> {
    let sets = (prop_oneof![2 => Just(old_volume("a").tags), 3 => discovery_tags()], other_tags(40));
    let sets = sets.prop_map(|(discovery, other)| discovery.into_iter().chain(other).take(60).collect::<Tags>());
    sets.prop_filter("EC2 has no such resource", |tags| tags::count(tags.keys()) <= tags::MOST)
}

fn with(tags: Tags) -> Volume {
    Volume { tags, ..old_volume("a") }
}

fn retirement(volume: &Volume) -> Result<TagChange, Unfit> {
    retire(volume, Some(&id()), Some(&volume_id("vol-new")), now())
}

fn written(mut volume: Volume, change: &TagChange) -> Volume {
    volume.write(change);
    volume
}

fn count(volume: &Volume) -> usize {
    tags::count(volume.tags.keys())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_retired_and_given_back_is_as_before(tags in tag_sets()) {
        let before = with(tags);
        let Ok(retirement) = retirement(&before) else { return Ok(()) };
        let parked = written(before.clone(), &retirement);
        prop_assert!(count(&parked) <= tags::MOST, "written: {}", count(&parked));
        prop_assert_eq!(originals(&parked.tags), Some(discovery(&before.tags)));
        let retired = parked.changed(&retirement);
        prop_assert!(is_retired(&retired.tags) && discovery(&retired.tags).is_empty());
        prop_assert!(count(&retired) <= tags::MOST, "retired: {}", count(&retired));
        let give_back = give_back(&retired).expect("what was parked can be read");
        let given = written(retired, &give_back);
        prop_assert!(count(&given) <= tags::MOST, "given back: {}", count(&given));
        prop_assert_eq!(given.changed(&give_back), before);
    }

    #[test]
    fn what_is_refused_is_accepted_with_that_many_labels_fewer(tags in tag_sets(), room in 0..14_usize) {
        let bare = with(tags);
        let fillers = tags::MOST.saturating_sub(room + count(&bare));
        let filled = |fillers| (0..fillers).fold(bare.clone(), |volume, n| volume.tagged(&format!("filler-{n}"), "x"));
        let full = filled(fillers);
        prop_assert!(count(&full) <= tags::MOST);
        let Err(Unfit::TooManyTags(over)) = retirement(&full) else { return Ok(()) };
        prop_assume!(over <= fillers);
        prop_assert_eq!(retirement(&filled(fillers - over + 1)), Err(Unfit::TooManyTags(1)));
        prop_assert!(retirement(&filled(fillers - over)).is_ok());
    }

    #[test]
    fn no_parked_value_is_longer_than_ec2_takes(tags in tag_sets()) {
        let Ok(retirement) = retirement(&with(tags)) else { return Ok(()) };
        for (key, value) in &retirement.write {
            prop_assert!(value.encode_utf16().count() <= 256, "{key}");
            prop_assert!(key.starts_with(tags::OURS_PREFIX), "{key}");
        }
    }

    #[test]
    fn a_retirement_that_was_interrupted_goes_on_and_loses_nothing(
        tags in tag_sets(), taken in vec(any::<Index>(), 0..12),
    ) {
        let before = with(tags);
        let Ok(first) = retirement(&before) else { return Ok(()) };
        let mut half = written(before.clone(), &first);
        let keys: Vec<&String> = first.take.keys().collect();
        for index in taken.into_iter().filter(|_| !keys.is_empty()) {
            half.tags.remove(*index.get(keys.as_slice()));
        }
        let again = retirement(&half).expect("it fitted before");
        prop_assert!(again.write.is_empty(), "what is parked is parked");
        let retired = half.changed(&again);
        prop_assert!(discovery(&retired.tags).is_empty());
        let given = retired.clone().changed(&give_back(&retired).expect("it can be read"));
        prop_assert_eq!(given, before);
    }

    #[test]
    fn giving_back_that_was_interrupted_goes_on(tags in tag_sets()) {
        let before = with(tags);
        let Ok(retirement) = retirement(&before) else { return Ok(()) };
        let retired = before.clone().changed(&retirement);
        let half = written(retired.clone(), &give_back(&retired).expect("it can be read"));
        let again = give_back(&half).expect("it can be read");
        prop_assert_eq!(half.changed(&again), before);
    }

    #[test]
    fn a_parked_value_that_is_missing_or_cut_is_noticed(tags in tag_sets(), pick: Index, cut in prop::option::of(any::<Index>())) {
        let before = with(tags);
        let Ok(retirement) = retirement(&before) else { return Ok(()) };
        let mut retired = before.changed(&retirement);
        let keys: Vec<String> =
            retired.tags.keys().filter(|key| key.starts_with(tags::WAS_PREFIX)).cloned().collect();
        let key = pick.get(keys.as_slice());
        let value = retired.tags.remove(key).expect("it is there");
        if let Some(cut) = cut {
            let length = cut.index(value.chars().count());
            retired.tags.insert(key.clone(), value.chars().take(length).collect());
        }
        prop_assert_eq!(originals(&retired.tags), None);
        prop_assert_eq!(give_back(&retired), None);
    }
}

#[test]
fn a_kops_volume_parks_its_tags_in_words_that_a_person_can_read() {
    let retirement = retirement(&old_volume("a").tagged("team", "x")).expect("it fits");
    assert_eq!(retirement.take, super::fixtures::kops_tags("a"));
    let was = "6;17:15:KubernetesClusterk8s.example.com4:27:Namea.etcd-main.k8s.example.com16:7:k8s.io/etcd/main\
               a/a,b,c25:1:k8s.io/role/control-plane118:1:k8s.io/role/master137:5:kubernetes.io/cluster/k8s.example.\
               comowned";
    assert_eq!(
        retirement.write,
        tags_of([
            ("etcd-backup/retired-at", "2026-11-23T02:30:00Z"),
            ("etcd-backup/restore", super::fixtures::ID),
            ("etcd-backup/replaced-by", "vol-new"),
            ("etcd-backup/was/1", was),
        ])
    );
}

#[test]
fn what_was_added_to_a_parked_value_is_noticed() {
    let before = old_volume("a");
    let retired = before.clone().changed(&retirement(&before).expect("it fits"));
    assert!(originals(&retired.tags).is_some());
    let longer = format!("{}x", retired.tags["etcd-backup/was/1"]);
    for changed in [
        retired.clone().tagged("etcd-backup/was/1", &longer),
        retired.clone().tagged("etcd-backup/was/2", "1:1:kv"),
        retired.clone().tagged("etcd-backup/was/x", ""),
        retired.clone().tagged("etcd-backup/was/1", ""),
        retired.clone().tagged("etcd-backup/was/1", "99999999999999999999;"),
        retired.tagged("etcd-backup/was/1", "1;99:1:kv"),
    ] {
        assert_eq!((originals(&changed.tags), give_back(&changed)), (None, None), "{:?}", changed.tags);
    }
}

#[test]
fn of_a_longer_parking_in_an_earlier_life_nothing_remains() {
    let before = old_volume("a");
    let marked = (1..=4).fold(before.clone(), |volume, n| volume.tagged(&format!("etcd-backup/was/{n}"), "old"));
    let retired = marked.clone().changed(&retirement(&marked).expect("it fits"));
    assert_eq!(retired.clone().changed(&give_back(&retired).expect("it can be read")), before);
}

#[test]
fn a_tag_that_was_changed_after_it_was_parked_comes_back_as_it_was_last() {
    let before = old_volume("a");
    let mut half = before.clone();
    half.write(&retirement(&before).expect("it fits"));
    let changed = half.tagged(tags::NAME, "another");
    let again = retirement(&changed).expect("it fits");
    let retired = changed.changed(&again);
    assert!(discovery(&retired.tags).is_empty());
    let given = retired.clone().changed(&give_back(&retired).expect("it can be read"));
    assert_eq!(given, before.tagged(tags::NAME, "another"));
}

#[test]
fn a_tag_that_was_changed_between_writing_and_taking_stays() {
    let retirement = retirement(&old_volume("a")).expect("it fits");
    let changed = old_volume("a").tagged(tags::NAME, "another").changed(&retirement);
    assert_eq!(discovery(&changed.tags), tags_of([(tags::NAME, "another")]));
    assert!(!retirement.is_taken(&[old_volume("a")]) && retirement.is_taken(&[changed]));
}

#[test]
fn a_retirement_of_which_some_was_taken_is_not_gone_on_with_over_what_cannot_be_read() {
    let before = old_volume("a");
    let mut half = before.clone();
    half.write(&retirement(&before).expect("it fits"));
    let changed = half.without_tag(tags::NAME).tagged("etcd-backup/was/1", "changed");
    let again = retirement(&changed);
    assert!(again.is_err() || !again.is_ok_and(|change| change.write.contains_key("etcd-backup/was/1")));
}

#[test]
fn beside_leftovers_of_an_earlier_life_what_is_parked_can_be_read_at_every_step() {
    let before = old_volume("a");
    let marked = (1..=4).fold(before.clone(), |volume, n| volume.tagged(&format!("etcd-backup/was/{n}"), "old"));
    let mut written = marked.clone();
    written.write(&retirement(&marked).expect("it fits"));
    assert_eq!(originals(&written.tags), Some(discovery(&before.tags)));
}
