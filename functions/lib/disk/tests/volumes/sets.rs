//! Sets of members of a real etcd, copied some time apart: where each stands is what etcd's own log says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use etcd_backup_disk::{Depth, Examined, Verdict, examine};
use serde_json::Value;

use crate::image::Image;

const MEMBERS: [&str; 3] = ["a", "b", "c"];

fn sets() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sets");
    let files = std::fs::read_dir(folder).expect("the folder").map(|file| file.expect("a file").path());
    let truths = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    truths.map(|path| serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")).collect()
}

fn examined(set: &Value, depth: Depth) -> BTreeMap<&'static str, Examined> {
    let name = set["set"].as_str().expect("a name");
    let of = |member: &'static str| {
        let path = format!("{}/tests/fixtures/sets/{name}-{member}.img.zst", env!("CARGO_MANIFEST_DIR"));
        let image = Image::open(Path::new(&path));
        (member, examine(Arc::new(image), depth).expect("it can be read"))
    };
    MEMBERS.into_iter().map(of).collect()
}

#[test]
fn every_member_stands_where_etcd_says() {
    let sets = sets();
    assert_eq!(sets.len(), 3);
    for set in &sets {
        for depth in [Depth::Shallow, Depth::Deep] {
            let members = examined(set, depth);
            for (member, found) in &members {
                assert_eq!(found.verdict, Verdict::Ok, "{set}: {member}: {found:?}");
                assert_eq!(found.wal_last_index, set["last"][member].as_u64(), "{set}: {member}");
                assert_eq!(found.commit, set["commit"][member].as_u64(), "{set}: {member}");
                assert_eq!(found.wal_last_term, set["last_term"][member].as_u64(), "{set}: {member}");
                assert!(found.wal_last_term <= found.term && found.commit_term <= found.term, "{found:?}");
            }
            let all = |of: fn(&Examined) -> Option<u64>| members.values().filter_map(of).collect::<BTreeSet<u64>>();
            assert_eq!((all(|one| one.cluster_id).len(), all(|one| one.wal_last_term).len()), (1, 1), "{set}");
            let ids = all(|one| one.member_id);
            for found in members.values() {
                let voters: BTreeSet<u64> = found.voters.clone().expect("they are known").into_iter().collect();
                assert_eq!((&voters, voters.len()), (&ids, 3), "{set}");
            }
        }
    }
}
