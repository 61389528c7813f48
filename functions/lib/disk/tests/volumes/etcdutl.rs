//! etcd's own tool for snapshot files, where it is installed.

use std::ffi::OsStr;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The tool, and a folder for what it reads and writes.
pub(crate) struct Etcdutl {
    pub(crate) version: String,
    folder: PathBuf,
}

/// What it says of a db.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) hash: u64,
    pub(crate) revision: i64,
    /// Of all buckets, until 3.5.
    pub(crate) total_keys: u64,
}

impl Etcdutl {
    /// None, where there is none on the `PATH`: that is said past the test's own output, which is not shown when it passes.
    pub(crate) fn installed() -> Option<Self> {
        let mut out = std::io::stderr();
        let Some(said) = run(["version"]) else {
            writeln!(out, "SKIPPED: no etcdutl on the PATH, so no snapshot file is shown to one")
                .expect("standard error");
            return None;
        };
        let said = said.expect("its version");
        let version = said.lines().find_map(|line| line.strip_prefix("etcdutl version: ")).expect(&said).to_owned();
        writeln!(out, "etcdutl {version} is shown every snapshot file").expect("standard error");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("etcdutl-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        Some(Self { version, folder })
    }

    /// `snapshot status` of a snapshot file.
    pub(crate) fn status(&self, file: &[u8]) -> Result<Status, String> {
        status_of(&self.written(file))
    }

    /// `snapshot restore` of a snapshot file, which checks its SHA-256, and the status of the db that comes of it.
    pub(crate) fn restore(&self, file: &[u8]) -> Result<Status, String> {
        let (file, into) = (self.written(file), self.folder.join("restored"));
        let arguments: [&OsStr; 5] =
            ["snapshot".as_ref(), "restore".as_ref(), file.as_ref(), "--data-dir".as_ref(), into.as_ref()];
        let done = run(arguments).expect("installed");
        let status = done.and_then(|_| status_of(&into.join("member/snap/db")));
        // It may have refused before it made one.
        let _ = std::fs::remove_dir_all(into);
        status
    }

    fn written(&self, file: &[u8]) -> PathBuf {
        let path = self.folder.join("snapshot.db");
        std::fs::write(&path, file).expect("written");
        path
    }
}

impl Drop for Etcdutl {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn status_of(db: &Path) -> Result<Status, String> {
    let arguments: [&OsStr; 5] =
        ["snapshot".as_ref(), "status".as_ref(), db.as_ref(), "--write-out".as_ref(), "json".as_ref()];
    let said: Value = serde_json::from_str(&run(arguments).expect("installed")?).expect("JSON");
    Ok(Status {
        hash: said["hash"].as_u64().expect("a hash"),
        revision: said["revision"].as_i64().expect("a revision"),
        total_keys: said["totalKey"].as_u64().expect("a number of keys"),
    })
}

/// What it says, or with which words it refuses; none, where it is not installed.
fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Option<Result<String, String>> {
    let done = match Command::new("etcdutl").args(arguments).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        done => done.expect("started"),
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(if done.status.success() { Ok(text(&done.stdout)) } else { Err(text(&done.stderr)) })
}
