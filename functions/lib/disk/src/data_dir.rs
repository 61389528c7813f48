//! Where on a volume etcd's data is.

use crate::fault::Fault;
use crate::files::{Entry, Files, Kind};

/// The most directories that are looked into. There is one, or those of a few etcds.
const MOST: usize = 64;

/// The paths of all data directories, by the first layout that has one.
///
/// etcd-manager's is `data/<token>` (what it has put away is in `data-trashcan`), protokube's `var/etcd/data*`: `data`
/// for main, `data-events` for events. A volume that came from protokube to etcd-manager may have both: etcd-manager
/// runs the first.
pub(crate) fn find(files: &dyn Files) -> Result<Vec<String>, Fault> {
    let managed = with_member(files, "data", |_| true)?;
    if !managed.is_empty() {
        return Ok(managed);
    }
    with_member(files, "var/etcd", |name| name.starts_with("data") && name != "data-trashcan")
}

/// The directories in `parent` that etcd has made its own: it puts everything into `member`.
fn with_member(files: &dyn Files, parent: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    let mut candidates = directories(files, parent)?;
    candidates.retain(|entry| wanted(&entry.name));
    if candidates.len() > MOST {
        return Err(Fault::Unsupported(format!("/{parent}: more than {MOST} directories")));
    }
    for directory in candidates {
        let path = format!("{parent}/{}", directory.name);
        if directories(files, &path)?.iter().any(|entry| entry.name == "member") {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The directories in a directory; none if it is not there.
fn directories(files: &dyn Files, path: &str) -> Result<Vec<Entry>, Fault> {
    match files.list(path) {
        Ok(mut entries) => {
            entries.retain(|entry| entry.kind == Kind::Directory);
            Ok(entries)
        }
        Err(Fault::Missing(_)) => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Tree;

    #[test]
    fn not_each_of_a_million_names_is_looked_into() {
        let names: Vec<String> = (0..=MOST).map(|at| format!("data/{at}/member/x")).collect();
        let tree = |count: usize| Tree::new(names[..count].iter().map(|name| (name.as_str(), Vec::new())));
        assert_eq!(find(&tree(MOST)).map(|found| found.len()), Ok(MOST));
        assert!(matches!(find(&tree(MOST + 1)), Err(Fault::Unsupported(_))));
    }

    fn found(paths: &[&str]) -> Vec<String> {
        find(&Tree::new(paths.iter().map(|path| (*path, Vec::new())))).expect("sound")
    }

    #[test]
    fn both_layouts_are_found_and_the_trashcan_is_not() {
        let managed = ["data/token/member/snap/db", "data-trashcan/old/member/snap/db", "state"];
        assert_eq!(found(&managed), ["data/token"]);
        let legacy = ["var/etcd/data-events/member/snap/db", "var/etcd/data-trashcan/member/snap/db"];
        assert_eq!(found(&legacy), ["var/etcd/data-events"]);
        assert_eq!(found(&["var/etcd/data/member/x", "data/token/member/x"]), ["data/token"]);
        assert_eq!(found(&["data/token/other/x", "lost+found/x"]), [""; 0]);
    }
}
