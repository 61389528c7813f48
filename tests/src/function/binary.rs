//! The binary of a function: of the same profile and target folder as this executable, and up to date.

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::local_aws::repository;

static BUILT: Mutex<Option<HashMap<String, PathBuf>>> = Mutex::new(None);

/// Builds the function, once a process, so that a test on its own never runs yesterday's.
pub(super) fn built(name: &str) -> PathBuf {
    // A build that failed for one test is tried again by the next: its message is then there too.
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let built = built.get_or_insert_default();
    built.entry(name.to_owned()).or_insert_with(|| build(name)).clone()
}

fn build(name: &str) -> PathBuf {
    let profile = profile_folder();
    let target = profile.parent().expect("a profile's folder is in a target folder");
    let profile_name = match profile.file_name().and_then(|name| name.to_str()).expect("a profile has a name") {
        // The folder of the profile `dev` is named otherwise.
        "debug" => "dev",
        other => other,
    };
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(repository())
        // All of the workspace: with fewer packages, features and so the SDK's build would be others.
        .args(["build", "--quiet", "--workspace", "--bin", name, "--profile", profile_name, "--target-dir"])
        .arg(target)
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{name} does not build:\n{}", String::from_utf8_lossy(&output.stderr));
    profile.join(name)
}

/// `target/<profile>`, where this executable is, or whose `deps` it is in.
fn profile_folder() -> PathBuf {
    let executable = env::current_exe().expect("this executable has a path");
    let folder = executable.parent().expect("an executable is in a folder");
    let folder = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    folder.to_path_buf()
}
