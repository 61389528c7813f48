//! What the readers say of volumes of a real etcd is what the kernel and etcd's own tools say.

use std::fmt::Write;
use std::sync::Arc;

use etcd_backup_disk::files::{self, Fault, File};
use etcd_backup_disk::{Depth, EtcdMember, Examined, Verdict, examine};
use sha2::{Digest, Sha256};

use crate::image::{Fixture, fixtures};

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Degraded => "degraded",
        Verdict::Corrupt => "corrupt",
        Verdict::Unsupported => "unsupported",
    }
}

#[test]
fn every_fixture_is_judged_as_expected() {
    for fixture in fixtures() {
        for depth in [Depth::Shallow, Depth::Deep] {
            let image = fixture.image();
            let examined = examine(Arc::new(image.clone()), depth).expect("it can be read");
            let (read, hinted, present) = image.blocks();
            println!("{} {depth:?}: {read} of {present} blocks read, {hinted} hinted", fixture.name);
            assert_eq!(word(examined.verdict), fixture.expected_verdict(), "{} {depth:?}: {examined:?}", fixture.name);
            if examined.verdict == Verdict::Unsupported {
                assert_eq!(examined.revision, None, "{}", fixture.name);
            } else {
                agree(&fixture, &examined);
            }
        }
    }
}

fn agree(fixture: &Fixture, examined: &Examined) {
    let name = &fixture.name;
    let id = |key| fixture.text(key).map(|id| u64::from_str_radix(id, 16).expect("hexadecimal"));
    assert_eq!(examined.data_dir.as_deref(), fixture.text("data_dir"), "{name}");
    assert_eq!(examined.cluster_id, id("cluster_id"), "{name}");
    assert_eq!(examined.member_id, id("member_id"), "{name}");
    assert_eq!(examined.revision.map(i64::cast_unsigned), fixture.number("revision"), "{name}");
    for (read, key) in [
        (examined.consistent_index, "consistent_index"),
        (examined.wal_last_index, "wal_last_index"),
        (examined.wal_last_term, "wal_last_term"),
        (examined.term, "raft_term"),
        (examined.commit, "commit_index"),
    ] {
        assert_eq!(read, fixture.number(key), "{name}: {key}");
    }
    let version = fixture.text("etcd_version").expect("a version");
    let minor = examined.etcd_version.as_deref().expect("set long before");
    assert!(format!("{version}.").starts_with(&format!("{minor}.")), "{name}: {version} {minor}");
    let members: Vec<EtcdMember> = fixture.truth["members"].as_array().expect("members").iter().map(member).collect();
    assert_eq!(sorted(&examined.members), sorted(&members), "{name}");
    let ids: Vec<u64> = sorted(&members).iter().filter(|one| !one.is_learner).map(|one| one.id).collect();
    let has_a_vote = ids.contains(&examined.member_id.expect("known"));
    let voters = examined.voters.clone().map(|mut voters| {
        voters.sort_unstable();
        voters
    });
    assert_eq!(voters, has_a_vote.then_some(ids), "{name}: the members are those of its last raft configuration");
    assert!(examined.commit_term <= examined.term && examined.commit_term > Some(0), "{name}: {examined:?}");
    let db = format!("{}/member/snap/db", fixture.text("data_dir").expect("a data directory"));
    assert_eq!(examined.db_bytes, fixture.truth["files"][&db]["size"].as_u64(), "{name}");
}

fn member(truth: &serde_json::Value) -> EtcdMember {
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    EtcdMember {
        id: u64::from_str_radix(&text(&truth["id"]), 16).expect("hexadecimal"),
        name: text(&truth["name"]),
        peer_urls: truth["peer_urls"].as_array().expect("URLs").iter().map(text).collect(),
        is_learner: truth["is_learner"].as_bool().unwrap_or_default(),
    }
}

fn sorted(members: &[EtcdMember]) -> Vec<EtcdMember> {
    let mut members = members.to_vec();
    members.sort_by_key(|member| member.id);
    members
}

#[test]
fn every_file_is_the_kernels() {
    for fixture in fixtures().iter().filter(|fixture| fixture.expected_verdict() != "unsupported") {
        let files = files::mount(Arc::new(fixture.image())).expect("mounted");
        for (path, truth) in fixture.truth["files"].as_object().expect("files") {
            let file = files.open(path).expect("opened");
            assert_eq!(Some(file.size()), truth["size"].as_u64(), "{} {path}", fixture.name);
            assert_eq!(Some(&*sha256(file.as_ref())), truth["sha256"].as_str(), "{} {path}", fixture.name);
        }
        assert!(matches!(files.open("no/such/file"), Err(Fault::Missing(_))));
    }
}

fn sha256(file: &dyn File) -> String {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 1 << 20];
    let mut at = 0;
    while at < file.size() {
        let length = usize::try_from(file.size() - at).expect("small").min(chunk.len());
        file.read_at(at, &mut chunk[..length]).expect("read");
        hash.update(&chunk[..length]);
        at += length as u64;
    }
    hexadecimal(&hash.finalize())
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("into memory");
        text
    })
}
