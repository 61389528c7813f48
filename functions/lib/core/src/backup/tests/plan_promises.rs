//! What a whole plan promises, over random histories of several etcd clusters.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::super::{BackupPlan, Observed, Request, Settings, plan};
use super::fixtures::{MEMBERS, our_snapshot};
use super::histories::{Run, runs};
use crate::ids::{Cluster, EtcdCluster, EtcdClusterId, SnapshotId};
use crate::retention::tests::policies::policies;
use crate::snapshot::{Snapshot, SnapshotState};
use crate::tags;
use crate::volume::{Volume, VolumeState};

/// What the account has of one etcd cluster: volumes, snapshots of ours, and their copies.
#[derive(Debug, Clone)]
struct Account {
    volumes: Vec<Volume>,
    snapshots: Vec<Snapshot>,
    copies: Vec<Snapshot>,
    of: EtcdClusterId,
}

/// One etcd cluster with its own history and ids.
fn account(cluster: &'static str, etcd_cluster: &'static str) -> impl Strategy<Value = Account> {
    let state = prop_oneof![8 => Just(VolumeState::InUse), 1 => Just(VolumeState::Available),
        1 => Just(VolumeState::Error), 1 => Just(VolumeState::Deleting)];
    let volumes = prop::collection::vec(prop::option::weighted(0.9, state), MEMBERS.len());
    (runs(), volumes).prop_map(move |(Run { points, .. }, states)| {
        let of = EtcdClusterId {
            cluster: Cluster::parse(cluster).expect("a cluster"),
            etcd_cluster: EtcdCluster::parse(etcd_cluster).expect("an etcd cluster"),
        };
        let snapshots: Vec<Snapshot> = points
            .into_iter()
            .flat_map(|point| point.snapshots)
            .map(|mut snapshot| {
                snapshot.lineage.of = of.clone();
                snapshot.id = SnapshotId::parse(&format!("{}-{cluster}-{etcd_cluster}", snapshot.id)).expect("an id");
                snapshot.observed()
            })
            .collect();
        let volume = |(member, state): (&str, Option<VolumeState>)| {
            let volume = Volume::of_member(member).named(&format!("vol-{member}0")).tagged(tags::CLUSTER, cluster);
            let key = format!("{}{etcd_cluster}", tags::ETCD_PREFIX);
            Some(volume.in_state(state?).without_tag("k8s.io/etcd/main").tagged(&key, &format!("{member}/a,b,c")))
        };
        let copies = snapshots.iter().cloned().map(Snapshot::copied).collect();
        Account { volumes: MEMBERS.into_iter().zip(states).filter_map(volume).collect(), snapshots, copies, of }
    })
}

fn accounts() -> impl Strategy<Value = Vec<Account>> {
    (account("one", "main"), account("one", "events"), account("two", "main"))
        .prop_map(|(main, events, two)| vec![main, events, two])
}

fn observed(accounts: &[Account]) -> Observed {
    Observed {
        volumes: accounts.iter().flat_map(|account| account.volumes.clone()).collect(),
        snapshots: accounts.iter().flat_map(|account| [&account.snapshots[..], &account.copies].concat()).collect(),
        ..Observed::default()
    }
}

/// The scope of a run: everything, one cluster, or one etcd cluster of it.
fn requests() -> impl Strategy<Value = Request> {
    let run = || Request::scheduled("2026-11-23T02:00:00Z");
    prop_oneof![
        Just(run()),
        Just(run().of_clusters(&["one"])),
        Just(run().of_clusters(&["one", "two"]).of_etcd_cluster("main")),
        Just(run().of_etcd_cluster("events")),
    ]
}

fn deleted(plan: &BackupPlan) -> BTreeSet<SnapshotId> {
    let deletions = plan.etcd_clusters.iter().flat_map(|of| &of.prune.deletions);
    deletions.map(|deletion| deletion.snapshot.clone()).collect()
}

fn now(hours: i64) -> jiff::Timestamp {
    let slot: jiff::Timestamp = "2026-11-23T02:00:09Z".parse().expect("a time");
    slot + SignedDuration::from_hours(hours)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn only_our_snapshots_within_the_scope_are_deleted(
        accounts in accounts(), request in requests(), policy in policies(),
    ) {
        let plan = plan(&observed(&accounts), &request, &Settings::keeping(policy), now(0));
        let deletable: BTreeSet<SnapshotId> = accounts
            .iter()
            .filter(|account| request.scope.contains(&account.of))
            .flat_map(|account| account.snapshots.iter().map(|snapshot| snapshot.id.clone()))
            .collect();
        prop_assert!(deleted(&plan).is_subset(&deletable));
    }

    #[test]
    fn an_etcd_cluster_with_a_finding_or_without_volumes_is_not_pruned(
        accounts in accounts(), request in requests(), policy in policies(),
    ) {
        let plan = plan(&observed(&accounts), &request, &Settings::keeping(policy), now(0));
        for of in &plan.etcd_clusters {
            let account = accounts.iter().find(|account| account.of == of.of).expect("it was observed");
            let sound = |volume: &&Volume| volume.state.can_be_snapshotted();
            if account.volumes.iter().filter(sound).count() < MEMBERS.len() {
                prop_assert_eq!(&of.prune.deletions, &[]);
                prop_assert!(of.members.is_empty() || of.members.iter().any(|member| member.finding.is_some()));
            } else {
                prop_assert!(of.members.iter().all(|member| member.finding.is_none()));
            }
        }
    }

    #[test]
    fn neighbours_and_copies_change_no_deletion(accounts in accounts(), policy in policies()) {
        let request = Request::scheduled("2026-11-23T02:00:00Z");
        let together = plan(&observed(&accounts), &request, &Settings::keeping(policy), now(0));
        let mut alone = BTreeSet::new();
        for mut account in accounts {
            account.copies.clear();
            alone.extend(deleted(&plan(&observed(&[account]), &request, &Settings::keeping(policy), now(0))));
        }
        prop_assert_eq!(deleted(&together), alone);
    }

    #[test]
    fn the_clock_alone_deletes_nothing(
        accounts in accounts(), request in requests(), policy in policies(), hours in 0..200_000_i64,
    ) {
        let observed = observed(&accounts);
        let at = |hours| deleted(&plan(&observed, &request, &Settings::keeping(policy), now(hours)));
        // Years after every point.
        let later = 100_000;
        prop_assert_eq!(at(later + hours), at(later));
        // Set back, points come to lie in the future: then less goes, never more.
        prop_assert!(at(later - hours).is_subset(&at(later)));
    }

    #[test]
    fn beside_a_point_of_the_future_nothing_goes(accounts in accounts(), policy in policies()) {
        let mut observed = observed(&accounts);
        observed.snapshots.extend(MEMBERS.iter().flat_map(|member| accounts.iter().map(|account| {
            let mut future = our_snapshot("2096-11-23T02:00:00Z", member, SnapshotState::Completed);
            future.lineage.of = account.of.clone();
            future.observed().started_at("2026-11-23T02:00:00Z")
        })));
        let plan = plan(&observed, &Request::scheduled("2026-11-23T02:00:00Z"), &Settings::keeping(policy), now(0));
        prop_assert_eq!(deleted(&plan), BTreeSet::new());
    }

    #[test]
    fn a_run_that_does_not_prune_deletes_nothing(
        accounts in accounts(), request in requests(), policy in policies(), by_setting: bool,
    ) {
        let settings = Settings { prune: !by_setting, ..Settings::keeping(policy) };
        let request = Request { prune: by_setting, ..request };
        prop_assert_eq!(deleted(&plan(&observed(&accounts), &request, &settings, now(0))), BTreeSet::new());
    }

    #[test]
    fn the_same_is_planned_in_whatever_order_ec2_lists(accounts in accounts(), policy in policies()) {
        let (request, settings) = (Request::scheduled("2026-11-23T02:00:00Z"), Settings::keeping(policy));
        let listed = observed(&accounts);
        let mut reversed = listed.clone();
        reversed.volumes.reverse();
        reversed.snapshots.reverse();
        let (one, other) =
            (plan(&listed, &request, &settings, now(0)), plan(&reversed, &request, &settings, now(0)));
        prop_assert_eq!(deleted(&one), deleted(&other));
        for (one, other) in one.etcd_clusters.iter().zip(&other.etcd_clusters) {
            prop_assert_eq!(&one.members, &other.members);
            prop_assert_eq!(&one.prune.points, &other.prune.points);
        }
    }
}
