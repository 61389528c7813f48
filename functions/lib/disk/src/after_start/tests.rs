//! A db's alarms and members, and what follows.

use super::*;
use crate::Verdict::{self, Corrupt, Degraded, Ok as Sound};
use crate::bbolt::Db;
use crate::bbolt::testing::{DbFile, value};
use crate::protobuf::testing::number;
use crate::store;
use crate::tests::Held;

/// The member itself.
const OWN: u64 = 10;

fn judged(file: &DbFile) -> (Verdict, String) {
    let held = Held(file.bytes());
    let store = store::read(&Db::open(&held).expect("sound")).expect("sound");
    let mut findings = Findings::default();
    judge(&store, OWN, &mut findings);
    let (verdict, reason) = findings.verdict();
    (verdict, reason.unwrap_or_default())
}

fn alarm(member: u64, kind: u64) -> DbFile {
    DbFile::etcd_of("3.6.0", 7, 8)
        .with_bucket("alarm", vec![value(&[number(1, member), number(2, kind)].concat(), b"")])
}

#[test]
fn an_alarm_is_what_etcd_makes_of_it() {
    for (member, kind, verdict, words) in [
        (OWN, 1, Degraded, "the alarm NOSPACE is set for member a: etcd takes no writes"),
        (11, 1, Degraded, "NOSPACE is set for member b"),
        (OWN, 2, Corrupt, "this member's data differ from the others'"),
        (11, 2, Degraded, "etcd answers nobody until `etcdctl alarm disarm`"),
        (11, 7, Degraded, "an alarm that is not known here"),
    ] {
        let (found, reason) = judged(&alarm(member, kind));
        assert_eq!(found, verdict, "{reason}");
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!(judged(&DbFile::etcd_of("3.6.0", 7, 8).with_bucket("alarm", Vec::new())), (Sound, String::new()));
}

#[test]
fn without_members_etcd_starts_up_to_3_5_alone() {
    for (version, verdict) in [("3.4.0", Degraded), ("3.5.0", Degraded), ("3.6.0", Corrupt), ("3.8.0", Corrupt)] {
        let (found, reason) = judged(&DbFile::etcd_of(version, 7, 8).with_bucket("members", Vec::new()));
        assert_eq!(found, verdict, "{version}: {reason}");
        assert!(reason.starts_with("the db has no members"), "{reason}");
    }
    let young = DbFile::etcd_of("3.6.0", 7, 8).with_bucket("cluster", Vec::new()).with_bucket("members", Vec::new());
    assert_eq!(judged(&young).0, Sound, "a cluster without a version yet");
}

/// Members by their ids, those above 100 as learners, and what raft says of them.
fn members(ids: &[u64], conf_state: &str) -> (Verdict, String) {
    let member = |id: &u64| {
        let learner = if *id > 100 { r#","isLearner":true"# } else { "" };
        value(format!("{id:016x}").as_bytes(), format!(r#"{{"id":{id},"name":"x"{learner}}}"#).as_bytes())
    };
    let file = DbFile::etcd_3_5(8, conf_state, &1_u64.to_be_bytes());
    judged(&file.with_bucket("members", ids.iter().map(member).collect()))
}

#[test]
fn members_that_raft_does_not_count_would_come_back() {
    let raft = r#"{"voters":[10,11],"learners":[101]}"#;
    assert_eq!(members(&[10, 11, 101], raft), (Sound, String::new()));
    assert_eq!(members(&[10, 11], raft).0, Sound, "etcd's own list alone counts");
    let (verdict, reason) = members(&[10, 11, 12], raft);
    assert_eq!(verdict, Degraded);
    assert!(reason.starts_with("members that were removed are still listed (c)"), "{reason}");
    let (verdict, reason) = members(&[10, 101], r#"{"voters":[10,101]}"#);
    assert_eq!(verdict, Degraded);
    assert!(reason.starts_with("members that have a vote are listed as learners (65)"), "{reason}");
    let file =
        DbFile::etcd_of("3.4.0", 7, 8).with_bucket("members_removed", vec![value(b"91bc3c398fb3c146", b"removed")]);
    assert!(judged(&file).1.starts_with("members that were removed are still listed (91bc3c398fb3c146)"));
    let other = DbFile::etcd_of("3.4.0", 7, 8).with_bucket("members_removed", vec![value(b"ff", b"removed")]);
    assert_eq!(judged(&other).0, Sound);
    let of_another = r#"{"voters":[20,21]}"#;
    assert_eq!(members(&[10, 11, 12], of_another).0, Sound, "what `etcdutl snapshot restore` leaves of raft's");
}
