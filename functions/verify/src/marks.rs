//! What stands on a snapshot: while it is read, and when that has been told.

use etcd_backup_aws::config::VerifyConfig;
use etcd_backup_aws::function::Function;
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_core::tags::{self, Tags};
use etcd_backup_core::verify::{Examination, Examined, Findings, Observed};
use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

/// Says on a snapshot without a verdict that it is being read, for the case that this ends the function: nothing else would
/// be left of it. Where that cannot be written, or not in a tenth of the time that there is, it is read all the same.
pub(crate) async fn before(function: &Function<VerifyConfig>, examination: &mut Examination, until: Instant) {
    if examination.was.is_none() {
        let now = Instant::now();
        note(function, examination, now + until.duration_since(now) / 10, Examination::beforehand).await;
    }
}

/// Takes that back, as far as it would pass for a verdict: this function goes on, and says itself why it could not read.
pub(crate) async fn unread(function: &Function<VerifyConfig>, examination: &mut Examination, deadline: Deadline) {
    if examination.again && examination.was.is_none() {
        note(function, examination, deadline.stop_waiting, Examination::afterwards).await;
    }
}

async fn note(
    function: &Function<VerifyConfig>,
    examination: &mut Examination,
    until: Instant,
    what: impl Fn(&Examination, Timestamp) -> Option<String>,
) {
    let noted = async {
        see_again(function, examination).await?;
        match what(examination, Timestamp::now()) {
            Some(value) => tag(function, examination, value).await,
            None => Ok(()),
        }
    };
    let noted = timeout_at(until, noted).await.unwrap_or_else(|_| Err(LATE.to_owned()));
    if let Err(why) = noted {
        warn!(snapshot = %examination.snapshot, "{} does not bear that it is being read: {why}", examination.snapshot);
    }
}

/// Writes the verdicts onto the snapshots, when they have been told: what bears one is not read again.
pub(crate) async fn verdicts(
    function: &Function<VerifyConfig>,
    examinations: &mut [Examination],
    outcomes: &mut [Examined],
    deadline: Deadline,
) {
    let marks = examinations.iter_mut().zip(outcomes).map(|(examination, outcome)| async move {
        let Examined::Found { findings, unwritten } = outcome else { return };
        let written = timeout_at(deadline.stop_waiting, write(function, examination, findings)).await;
        *unwritten = written.unwrap_or_else(|_| Err(LATE.to_owned())).err();
    });
    join_all(marks).await;
}

const LATE: &str = "EC2 did not answer before the deadline";

async fn write(
    function: &Function<VerifyConfig>,
    examination: &mut Examination,
    findings: &Findings,
) -> Result<(), String> {
    if examination.gives_way(findings) {
        see_again(function, examination).await?;
    }
    match examination.tag(findings, Timestamp::now()) {
        Some(verified) => tag(function, examination, verified.to_string()).await,
        None => Ok(()),
    }
}

/// EC2's tags have no compare-and-swap: looking again leaves a moment, and not the whole examination, in which another
/// run's verdict is overwritten.
async fn see_again(function: &Function<VerifyConfig>, examination: &mut Examination) -> Result<(), String> {
    let permit = function.ec2.permit().await;
    let seen = function.ec2.own_snapshot(&examination.snapshot, &permit).await;
    let (snapshots, unreadable) = seen.map_err(|failure| failure.to_string())?;
    examination.see_again(&Observed { snapshots, unreadable })
}

async fn tag(function: &Function<VerifyConfig>, examination: &Examination, value: String) -> Result<(), String> {
    let permit = function.ec2.permit().await;
    let tags: Tags = [(tags::VERIFIED.to_owned(), value)].into();
    let written = function.ec2.tag_snapshot(&examination.snapshot, &tags, &permit).await;
    written.map_err(|failure| failure.to_string())
}
