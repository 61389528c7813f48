//! A run that dies at any call: before EC2 gets it, or after EC2 did it and before the answer comes. Then the same event
//! again, then undo, or undo at once; the promises hold at every moment, by the account's state and call log alone.

use std::sync::Arc;
use std::time::Duration;

use scenarios::ledger::Ledger;
use scenarios::observed::Volume;
use scenarios::{Account, LocalAws};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::*;

/// Where a run is cut, and what follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cut {
    /// The call, from 1.
    pub(super) call: usize,
    /// EC2 does that call, and only its answer is lost.
    pub(super) after: bool,
    /// The apply is sent again first.
    pub(super) repeat: bool,
}

pub(super) struct Scene {
    pub(super) account: Account,
    before: Vec<Volume>,
    pub(super) apply: Value,
}

impl Scene {
    /// Three living members, to be rolled back; the call log is empty.
    async fn set() -> Self {
        Self::rolling_back(false).await
    }

    /// The same, whose members must start in stages: c and a, then b.
    pub(super) async fn in_stages() -> Self {
        Self::rolling_back(true).await
    }

    /// The same, where b and c are rolled back, and a joins empty.
    async fn with_one_that_joins_empty() -> Self {
        let account = LocalAws::account();
        let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
        cluster.verified_point("main", POINT).with_state("a", "error").await;
        let before = account.volumes().await;
        let event = json!({"recovery_point": POINT, "replace": true, "members": ["b", "c"], "others": "empty"});
        let apply = planned(&restore(&account).await, main(event)).await;
        account.forget_calls().await;
        drop(cluster);
        Self { account, before, apply }
    }

    async fn rolling_back(in_stages: bool) -> Self {
        let account = LocalAws::account();
        let cluster = Kops::cluster(CLUSTER).etcd(["main"]).create(&account).await;
        let point = cluster.verified_point("main", POINT);
        if in_stages {
            point.that_needs_stages().await
        } else {
            point.await
        };
        let before = account.volumes().await;
        let apply = planned(&restore(&account).await, main(json!({"recovery_point": POINT, "replace": true}))).await;
        account.forget_calls().await;
        drop(cluster);
        Self { account, before, apply }
    }

    /// From the cut on EC2 is out of reach, and the run is killed.
    pub(super) async fn die(&self, event: &Value, cut: Cut) {
        self.die_after(0, event, cut).await;
    }

    /// After so many calls of runs before this one.
    pub(super) async fn die_after(&self, before: usize, event: &Value, cut: Cut) {
        let skip = u32::try_from(cut.call - 1).unwrap();
        if cut.after {
            self.account.fail_next("*").after(skip).losing_the_answer().await;
        }
        self.account.fail_next("*").after(skip).losing_the_request().always().await;
        let dying = restore(&self.account).await;
        tokio::select! {
            _ = dying.invoke(event.clone()) => {}
            () = self.cut_off(before + cut.call) => dying.kill(&self.account).await,
        }
        self.account.clear_faults().await;
    }

    async fn cut_off(&self, call: usize) {
        loop {
            let calls = self.account.all_calls().await;
            if calls.len() >= call && calls[..call].iter().all(|call| call.ended.is_some()) {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// The volumes that were made, by member.
    pub(super) async fn made(&self) -> Value {
        let mut made = serde_json::Map::new();
        for call in self.account.calls("CreateVolume").await {
            let member = call.tags()["etcd-backup/lineage"].split_once('/').unwrap().1.to_owned();
            if let Some(volume) = call.made {
                let same = made.insert(member.clone(), json!(volume)).is_none_or(|before| before == json!(volume));
                assert!(same, "member {member} has two volumes");
            }
        }
        Value::Object(made)
    }

    async fn check_all_is_as_before(&self, cut: Cut) {
        let after = self.account.volumes().await;
        for old in &self.before {
            assert!(after.contains(old), "{cut:?}: {old:?} is {:?}", after.iter().find(|one| one.id == old.id));
        }
    }

    /// What the first stage leaves: nobody finds the volume of the second.
    pub(super) async fn check_waits(&self, cut: Cut) {
        let (_, now) = Ledger::from(&self.before).moments(&self.account.all_calls().await).pop().unwrap();
        let found = MEMBERS.map(|member| now.claimants(CLUSTER, "main", member).len());
        assert_eq!(found, [1, 0, 1], "{cut:?}");
    }

    pub(super) async fn undo(&self, restore: &RunningFunction, made: Value, cut: Cut) {
        if !made.as_object().unwrap().is_empty() {
            let undone = restore.invoke(undo_of(&self.account, made).await).await;
            let undone = undone.unwrap_or_else(|error| panic!("{cut:?}: undo: {error}"));
            assert_eq!(undone["outcome"], "undone", "{cut:?}");
        }
        self.check_all_is_as_before(cut).await;
        self.check_every_moment(cut).await;
    }

    async fn check_every_moment(&self, cut: Cut) {
        let calls = self.account.all_calls().await;
        for (moment, ledger) in Ledger::from(&self.before).moments(&calls) {
            for member in MEMBERS {
                let claimants = ledger.claimants(CLUSTER, "main", member);
                assert!(claimants.len() <= 1, "{cut:?}: {moment}: {claimants:?} claim {member}");
            }
            assert!(!ledger.is_mixed(CLUSTER, "main", &MEMBERS), "{cut:?}: {moment}: old and new side by side");
        }
        for call in &calls {
            assert!(!call.action.starts_with("Delete") || call.action == "DeleteTags", "{cut:?}: {}", call.action);
            assert!(call.action != "CreateVolume" || call.param("SnapshotId").is_some(), "{cut:?}: a blank volume");
        }
    }
}

async fn survive(cut: Cut) {
    let scene = Scene::set().await;
    scene.die(&scene.apply, cut).await;
    let restore = restore(&scene.account).await;
    let mut made = scene.made().await;
    if cut.repeat {
        let result = restore.invoke(scene.apply.clone()).await.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
        assert!(is_accepted(&result), "{cut:?}: {result:#}");
        made = scene.made().await;
        assert_eq!(scene.account.volumes().await.len(), 6, "{cut:?}: one new volume a member");
        assert_eq!(result["undo"]["volumes"], made, "{cut:?}");
        for (volume, old) in each(&result, "new_volume").into_iter().zip(&scene.before) {
            let new = scene.account.volume(volume).await.unwrap();
            assert_eq!(new.tags.keys().collect::<Vec<_>>(), old.tags.keys().collect::<Vec<_>>(), "{cut:?}");
        }
    }
    if made.as_object().unwrap().is_empty() {
        assert_eq!(scene.account.volumes().await, scene.before, "{cut:?}");
        return;
    }
    let undo = undo_of(&scene.account, made).await;
    let undone = restore.invoke(undo).await.unwrap_or_else(|error| panic!("{cut:?}: undo: {error}"));
    assert_eq!(undone["outcome"], "undone", "{cut:?}");
    scene.check_all_is_as_before(cut).await;
    scene.check_every_moment(cut).await;
}

/// As [`survive`], where the volume was lost: nothing tells of the restore but what it makes.
async fn survive_without_old(cut: Cut) {
    let account = LocalAws::account();
    single(&account).await.lose("main", "a").await;
    let before = account.volumes().await;
    let apply = planned(&restore(&account).await, main(json!({"replace": true}))).await;
    account.forget_calls().await;
    let scene = Scene { account, before, apply };
    scene.die(&scene.apply, cut).await;

    let result = restore(&scene.account).await.invoke(scene.apply.clone()).await;

    let result = result.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
    assert!(is_accepted(&result), "{cut:?}: {result:#}");
    assert_eq!(scene.account.volumes().await.len(), scene.before.len() + 1, "{cut:?}: one new volume");
    restore(&scene.account).await.invoke(result["undo"].clone()).await.unwrap();
    scene.check_all_is_as_before(cut).await;
    scene.check_every_moment(cut).await;
}

async fn survive_in_undo(cut: Cut) {
    let scene = Scene::set().await;
    let result = restore(&scene.account).await.invoke(scene.apply.clone()).await.unwrap();
    let made_by = scene.account.all_calls().await;
    scene.account.forget_calls().await;
    scene.die(&result["undo"], cut).await;

    match restore(&scene.account).await.invoke(result["undo"].clone()).await {
        Ok(undone) => assert_eq!(undone["outcome"], "undone", "{cut:?}"),
        Err(error) => assert_eq!(error.error_type, "NothingToUndo", "{cut:?}: {error}"),
    }

    scene.check_all_is_as_before(cut).await;
    let (_, applied) = Ledger::from(&scene.before).moments(&made_by).pop().unwrap();
    for (moment, ledger) in applied.moments(&scene.account.all_calls().await) {
        for member in MEMBERS {
            assert!(ledger.claimants(CLUSTER, "main", member).len() <= 1, "{cut:?}: {moment}");
        }
        assert!(!ledger.is_mixed(CLUSTER, "main", &MEMBERS), "{cut:?}: {moment}: old and new side by side");
    }
}

/// All cuts of a run of so many calls, some at a time.
pub(super) async fn each_cut<F: Future<Output = ()> + Send + 'static>(
    calls: usize,
    repeat: &[bool],
    survive: fn(Cut) -> F,
) {
    let at_once = Arc::new(Semaphore::new(4));
    let mut cases = JoinSet::new();
    for call in 1..=calls {
        for (after, repeat) in repeat.iter().flat_map(|repeat| [(false, *repeat), (true, *repeat)]) {
            let at_once = Arc::clone(&at_once);
            cases.spawn(async move {
                let _turn = at_once.acquire().await.unwrap();
                survive(Cut { call, after, repeat }).await;
            });
        }
    }
    cases.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_an_apply_dies_at_it_goes_on_or_is_undone_and_nothing_is_lost() {
    let whole = Scene::set().await;
    restore(&whole.account).await.invoke(whole.apply.clone()).await.unwrap();
    let calls = whole.account.all_calls().await.len();
    assert!(calls >= 25, "{calls} calls: is that a whole restore?");
    each_cut(calls, &[true, false], survive).await;
}

/// As [`survive`], where a's volume is retired too and replaced by none.
async fn survive_with_one_that_joins_empty(cut: Cut) {
    let scene = Scene::with_one_that_joins_empty().await;
    scene.die(&scene.apply, cut).await;
    let restore = restore(&scene.account).await;
    if cut.repeat {
        let result = restore.invoke(scene.apply.clone()).await.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
        assert!(is_accepted(&result), "{cut:?}: {result:#}");
        let (_, now) = Ledger::from(&scene.before).moments(&scene.account.all_calls().await).pop().unwrap();
        let found = MEMBERS.map(|member| now.claimants(CLUSTER, "main", member).len());
        assert_eq!(found, [0, 1, 1], "{cut:?}: a joins empty");
    }
    scene.undo(&restore, scene.made().await, cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_it_dies_at_while_one_is_to_join_empty_it_goes_on_or_is_undone_and_nothing_is_lost() {
    let whole = Scene::with_one_that_joins_empty().await;
    restore(&whole.account).await.invoke(whole.apply.clone()).await.unwrap();
    let calls = whole.account.all_calls().await.len();
    assert!(calls >= 20, "{calls} calls: is that a whole restore?");
    each_cut(calls, &[true, false], survive_with_one_that_joins_empty).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_an_undo_dies_at_it_goes_on_and_nothing_is_lost() {
    let whole = Scene::set().await;
    let result = restore(&whole.account).await.invoke(whole.apply.clone()).await.unwrap();
    whole.account.forget_calls().await;
    restore(&whole.account).await.invoke(result["undo"].clone()).await.unwrap();
    let calls = whole.account.all_calls().await.len();
    assert!(calls >= 20, "{calls} calls: is that a whole undo?");
    each_cut(calls, &[true], survive_in_undo).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_a_restore_of_a_lost_volume_dies_at_it_goes_on() {
    let account = LocalAws::account();
    single(&account).await.lose("main", "a").await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({}))).await;
    account.forget_calls().await;
    restore.invoke(apply).await.unwrap();
    let calls = account.all_calls().await.len();
    assert!(calls >= 14, "{calls} calls: is that a whole restore?");
    each_cut(calls, &[true], survive_without_old).await;
}
