//! A function's process: its environment, what it writes, how it ends.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use tokio::process::{Child, Command};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// A running binary; killed when dropped.
pub(super) struct Process {
    id: u32,
    started: Instant,
    output: File,
    kill: Arc<Notify>,
    ended: watch::Receiver<Option<String>>,
    keeper: JoinHandle<()>,
}

impl Process {
    pub(super) fn spawn(binary: &Path, env: &BTreeMap<String, String>) -> Self {
        let output = nameless_file();
        let started = Instant::now();
        let child = Command::new(binary)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(env)
            .stdin(Stdio::null())
            .stdout(output.try_clone().expect("a file can be shared"))
            .stderr(output.try_clone().expect("a file can be shared"))
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", binary.display()));
        let id = child.id().expect("a new process has an id");
        let kill = Arc::new(Notify::new());
        let (tell, ended) = watch::channel(None);
        let keeper = tokio::spawn(keep(child, Arc::clone(&kill), tell));
        Self { id, started, output, kill, ended, keeper }
    }

    pub(super) fn started(&self) -> Instant {
        self.started
    }

    pub(super) fn kill(&self) {
        self.kill.notify_one();
    }

    /// Waits for its end; says how.
    pub(super) async fn ended(&self) -> String {
        let mut ended = self.ended.clone();
        let status = ended.wait_for(Option::is_some).await.expect("the keeper lives as long as this");
        status.clone().unwrap_or_default()
    }

    /// All that it wrote so far. What it wrote before an answer is there when the answer is.
    pub(super) fn output(&self) -> String {
        let length = self.output.metadata().expect("an open file has a length").len();
        let mut bytes = vec![0; usize::try_from(length).expect("a log fits into memory")];
        self.output.read_exact_at(&mut bytes, 0).expect("an open file can be read");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(super) fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // With the keeper goes the child, and with the child the process.
        self.keeper.abort();
    }
}

async fn keep(mut child: Child, kill: Arc<Notify>, tell: watch::Sender<Option<String>>) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.notified() => {
            // An error means that it has just ended by itself.
            let _ = child.start_kill();
            child.wait().await
        }
    };
    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
    tell.send_replace(Some(status));
}

/// A file, not a pipe: nothing is ever still on its way when the answer has come, and nothing blocks the function.
fn nameless_file() -> File {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("scenario-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(name);
    let file = File::options().read(true).append(true).create_new(true).open(&path).expect("a temporary file");
    fs::remove_file(path).expect("a file just made can be removed");
    file
}
