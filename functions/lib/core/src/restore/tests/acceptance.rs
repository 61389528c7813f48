//! What the three programs find, against a second telling of what their sources say (docs of kops and etcd-manager).

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::filters::{claimants, claims};
use super::super::{Acceptance, Expected, acceptance};
use super::fixtures::{lineage, live_volume, old_volume, old_volumes, volume_id};
use crate::ids::Zone;
use crate::tags::{self, Tags};
use crate::volume::{Volume, VolumeState};

/// protokube's `FindVolumes`, run by the master of a zone, and `ParseEtcdClusterSpec`.
fn protokube_finds(volume: &Volume, zone: &str, member: &str) -> bool {
    let tag = |key: &str| volume.tags.get(key).map(String::as_str);
    let filters = tag("KubernetesCluster") == Some("k8s.example.com")
        && tag("k8s.io/role/master").is_some()
        && volume.zone.as_str() == zone;
    let Some(spec) = tag("k8s.io/etcd/main").filter(|_| filters) else { return false };
    let tokens: Vec<&str> = spec.trim().split('/').collect();
    tokens.len() == 2 && tokens[0] == member && tokens[1].split(',').any(|node| node == member)
}

/// etcd-manager's `--volume-tag`s, as kops of either generation passes them; its node is named by what is before `/`.
fn etcd_manager_finds(volume: &Volume, zone: &str, member: &str, generation: &str) -> bool {
    let asked = ["kubernetes.io/cluster/k8s.example.com=owned", "k8s.io/etcd/main", generation];
    let matches = |asked: &&str| match asked.split_once('=') {
        Some((key, value)) => volume.tags.get(key).is_some_and(|found| found == value),
        None => volume.tags.contains_key(*asked),
    };
    let node = volume.tags.get("k8s.io/etcd/main").map(|value| value.split('/').collect::<Vec<_>>()[0]);
    volume.zone.as_str() == zone && asked.iter().all(matches) && node == Some(member)
}

const GENERATIONS: [&str; 2] = ["k8s.io/role/control-plane=1", "k8s.io/role/master=1"];

/// kops' IAM policy of the masters.
fn may_be_attached(volume: &Volume) -> bool {
    let asked = [("k8s.io/role/master", "1"), ("KubernetesCluster", "k8s.example.com")];
    asked.iter().all(|(key, value)| volume.tags.get(*key).is_some_and(|found| found == value))
}

/// kops' `EBSVolume.Find`: no state, no zone.
fn kops_finds(volume: &Volume, member: &str) -> bool {
    let asked =
        [("Name", format!("{member}.etcd-main.k8s.example.com")), ("KubernetesCluster", "k8s.example.com".into())];
    asked.iter().all(|(key, value)| volume.tags.get(*key) == Some(value))
}

const ZONES: [&str; 2] = ["eu-central-1a", "eu-central-1b"];

/// Whether the masters of all zones find that volume, in its own zone, and nothing else.
fn found_alone(volumes: &[Volume], expected: &Expected, finds: impl Fn(&Volume, &str) -> bool) -> bool {
    let everywhere = ZONES.iter().flat_map(|zone| volumes.iter().map(move |volume| (*zone, volume)));
    let found =
        everywhere.filter(|(zone, volume)| finds(volume, zone)).map(|(zone, volume)| (zone, volume.id.as_str()));
    found.collect::<Vec<_>>() == [(expected.zone.as_str(), expected.volume.as_str())]
}

/// Of each key mostly what kops writes, often a near miss, sometimes nothing.
fn tag(
    key: &'static str,
    right: &'static str,
    near: &'static [&'static str],
) -> impl Strategy<Value = Option<(String, String)>> {
    let pair = move |value: &str| Some((key.to_owned(), value.to_owned()));
    prop_oneof![12 => Just(pair(right)), 2 => select(near.to_vec()).prop_map(pair), 1 => Just(None)]
}

fn tag_sets() -> impl Strategy<Value = Tags> {
    const NEAR: [&str; 9] = ["b/a,b,c", " a/a ", "a/a/a", "a", "a/b,c", "a/ a", "", "a/b,a", "aa/aa"];
    let tags = [
        tag("Name", "a.etcd-main.k8s.example.com", &["b.etcd-main.k8s.example.com", "a.etcd-events.k8s.example.com"])
            .boxed(),
        tag("KubernetesCluster", "k8s.example.com", &["other.example.com", ""]).boxed(),
        tag("k8s.io/etcd/main", "a/a,b,c", &NEAR).boxed(),
        tag("k8s.io/role/master", "1", &["", "true"]).boxed(),
        tag("k8s.io/role/control-plane", "1", &["", "0"]).boxed(),
        tag("kubernetes.io/cluster/k8s.example.com", "owned", &["shared", ""]).boxed(),
    ];
    // A volume of somebody else, so that exactly one is found often enough.
    prop_oneof![1 => Just(Tags::new()), 1 => tags.to_vec().prop_map(|tags| tags.into_iter().flatten().collect())]
}

fn volume_sets() -> impl Strategy<Value = Vec<Volume>> {
    let zones = prop_oneof![4 => Just(ZONES[0]), 1 => Just(ZONES[1])];
    let states = prop_oneof![8 => Just(VolumeState::Available), 2 => Just(VolumeState::InUse),
        1 => Just(VolumeState::Deleting), 1 => Just(VolumeState::Error), 1 => Just(VolumeState::Creating)];
    let volumes = vec((tag_sets(), zones, states), 1..4);
    volumes.prop_map(|volumes| {
        let volume = |(n, (tags, zone, state))| {
            let volume = old_volume("a").named(&format!("vol-{n}")).in_state(state);
            Volume { tags, zone: Zone::parse(zone).expect("a zone"), ..volume }
        };
        volumes.into_iter().enumerate().map(volume).collect()
    })
}

fn expected_of_a(volume: &str) -> Expected {
    Expected { lineage: lineage("a"), volume: volume_id(volume), zone: Zone::parse(ZONES[0]).expect("a zone") }
}

fn verdicts(acceptance: &Acceptance) -> [bool; 3] {
    [&acceptance.protokube, &acceptance.etcd_manager, &acceptance.kops].map(|said| said == "ok")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn a_program_is_said_to_be_ok_exactly_when_it_finds_that_volume_alone(volumes in volume_sets()) {
        let expected = expected_of_a("vol-0");
        let said = acceptance(&volumes, std::slice::from_ref(&expected));
        let there: Vec<Volume> = volumes.into_iter().filter(|volume| !volume.is_leaving()).collect();
        let by_generation = |generation: &str| {
            found_alone(&there, &expected, |volume, zone| etcd_manager_finds(volume, zone, "a", generation))
        };
        let attachable = there.iter().any(|volume| volume.id == expected.volume && may_be_attached(volume));
        let truth = [
            found_alone(&there, &expected, |volume, zone| protokube_finds(volume, zone, "a")),
            GENERATIONS.iter().all(|generation| by_generation(generation)) && attachable,
            // kops looks into every zone: what counts is how many there are, and that it is the one.
            there.iter().filter(|volume| kops_finds(volume, "a")).map(|volume| &volume.id).eq([&expected.volume])
                && there.iter().any(|volume| volume.id == expected.volume && volume.zone == expected.zone),
        ];
        prop_assert_eq!(verdicts(&said), truth, "{:?}", said);
        prop_assert_eq!(said.is_ok(), truth == [true; 3]);
    }

    #[test]
    fn a_volume_claims_a_member_exactly_when_protokube_or_etcd_manager_finds_it(volumes in volume_sets()) {
        let truth = |volume: &&Volume| {
            let zone = volume.zone.as_str();
            !volume.is_leaving()
                && (protokube_finds(volume, zone, "a")
                    || GENERATIONS.iter().any(|generation| etcd_manager_finds(volume, zone, "a", generation)))
        };
        let found: Vec<&Volume> = claimants(&volumes, &lineage("a")).collect();
        prop_assert_eq!(found, volumes.iter().filter(truth).collect::<Vec<_>>());
    }
}

#[test]
fn what_kops_writes_is_accepted_and_claims_its_own_member_alone() {
    let expected: Vec<Expected> = old_volumes()
        .iter()
        .zip(["a", "b", "c"])
        .map(|(volume, member)| Expected {
            lineage: lineage(member),
            volume: volume.id.clone(),
            zone: volume.zone.clone(),
        })
        .collect();
    let said = acceptance(&old_volumes(), &expected);
    assert!(said.is_ok(), "{said:?}");
    assert!(claims(&old_volume("a").tags, &lineage("a")) && !claims(&old_volume("a").tags, &lineage("b")));
}

#[test]
fn a_complaint_says_what_each_program_would_do_instead() {
    let of = |volumes: &[Volume]| acceptance(volumes, &[expected_of_a("vol-a")]);
    let none = of(&[]);
    assert_eq!(none.protokube, "member a: it does not find vol-a");
    assert_eq!(none.etcd_manager, "member a: with k8s.io/role/control-plane: it does not find vol-a");
    assert_eq!(none.kops, "member a: it does not find vol-a");
    let two = of(&[old_volume("a"), live_volume("a")]);
    assert_eq!(two.protokube, "member a: it finds vol-a, vol-new-a: which it takes is chance");
    assert_eq!(
        two.kops,
        "member a: it finds vol-a, vol-new-a: it stops with an error, found multiple Volumes with name"
    );
    assert_eq!(of(&[live_volume("a")]).kops, "member a: it finds vol-new-a, not vol-a");
    let zone = Zone::parse("eu-central-1b").expect("a zone");
    assert_eq!(
        of(&[Volume { zone, ..old_volume("a") }]).protokube,
        "member a: it finds vol-a in eu-central-1b, while its master is in eu-central-1a"
    );
    let unattachable = of(&[old_volume("a").without_tag(tags::CLUSTER)]);
    assert_eq!(unattachable.etcd_manager, "member a: its role may not attach vol-a, which lacks kops' tags");
}
