//! The local AWS: one process for all tests of an executable, each test with an account of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use crate::Account;

/// Python and moto are imported first: on a busy machine that takes a while.
const START_LIMIT: Duration = Duration::from_mins(1);

static SHARED: OnceLock<LocalAws> = OnceLock::new();
static ACCOUNTS: AtomicU64 = AtomicU64::new(111_122_220_001);

/// A running local AWS. It ends when its standard input closes, and so with this process, however that ends.
pub struct LocalAws {
    url: String,
    _process: Child,
    _stdin: ChildStdin,
}

impl LocalAws {
    /// The one of this process; started at first use.
    #[must_use]
    pub fn shared() -> &'static Self {
        SHARED.get_or_init(Self::start)
    }

    /// A fresh account in it, which sees nothing of any other.
    #[must_use]
    pub fn account() -> Account {
        let id = ACCOUNTS.fetch_add(1, Ordering::Relaxed);
        Account::new(&Self::shared().url, &id.to_string())
    }

    /// Where it answers, e.g. `http://127.0.0.1:5000`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    fn start() -> Self {
        let python = python();
        let server = repository().join("infra/local-aws/server.py");
        let mut process = Command::new(&python)
            .arg(&server)
            .args(["--port", "0", "--until-stdin-closes"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("no local AWS: {} does not start ({error}). {HINT}", python.display()));

        let stdin = process.stdin.take().expect("standard input is piped");
        let stdout = process.stdout.take().expect("standard output is piped");
        match first_line(stdout).recv_timeout(START_LIMIT) {
            Ok(line) if line.starts_with("listening on http") => {
                let url = line.trim_start_matches("listening on ").trim().to_owned();
                Self { url, _process: process, _stdin: stdin }
            }
            said => {
                let _ = process.kill();
                let _ = process.wait();
                panic!("the local AWS did not start, it said {said:?}. {HINT}")
            }
        }
    }
}

const HINT: &str = "It needs the Python environment that the Makefile makes; run: make test (or make demo)";

/// The folder of the workspace.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the repository")
}

fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("LOCAL_AWS_PYTHON") {
        return python.into();
    }
    let python = repository().join(".venv/bin/python");
    assert!(python.exists(), "no local AWS: there is no {}. {HINT}", python.display());
    python
}

/// The first line, by a thread that goes on reading: a full pipe would stop the server.
fn first_line(stdout: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    receive
}
