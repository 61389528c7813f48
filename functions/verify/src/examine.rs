//! Examinations, one after the other: each is read with many calls at once.

use std::sync::Arc;

use etcd_backup_aws::config::VerifyConfig;
use etcd_backup_aws::function::Function;
use etcd_backup_aws::lambda::Deadline;
use etcd_backup_blocks::{Bounds, Source, findings};
use etcd_backup_core::verify::{Examination, Examined, Findings};
use etcd_backup_disk::{Depth, examine};
use jiff::SignedDuration;
use tokio::time::Instant;
use tracing::info;

use crate::marks;

/// Most bytes of blocks that are kept in memory.
const MEMORY: usize = 96 << 20;

/// Reads these and adds an outcome for each, in their order, to those of the run so far. What the deadline cuts off in
/// the middle of a sweep is left to the next one, as what was not begun is. Before anything was read each has half of the
/// time that is left, and what does not end in it is a failure: it would be cut off by every sweep, and starve all that come
/// after it.
pub(crate) async fn each(
    function: &Function<VerifyConfig>,
    examinations: &mut [Examination],
    is_sweep: bool,
    deadline: Deadline,
    outcomes: &mut Vec<Examined>,
) {
    for examination in examinations {
        let is_first = !outcomes.iter().any(|one| matches!(one, Examined::Found { .. }));
        let is_over = || Instant::now() >= deadline.stop_starting;
        let until = if is_sweep && is_first { half(deadline.stop_starting) } else { deadline.stop_starting };
        let outcome = if is_over() {
            Examined::Left
        } else {
            marks::before(function, examination, until).await;
            match one(function, examination, until).await {
                Ok(findings) => Examined::Found { findings: Box::new(findings), unwritten: None },
                Err(why) => {
                    marks::unread(function, examination, deadline).await;
                    if is_sweep && !is_first && is_over() { Examined::Left } else { Examined::Failed(why) }
                }
            }
        };
        outcomes.push(outcome);
    }
}

fn half(end: Instant) -> Instant {
    let now = Instant::now();
    now + end.duration_since(now) / 2
}

async fn one(function: &Function<VerifyConfig>, examination: &Examination, until: Instant) -> Result<Findings, String> {
    let started = Instant::now();
    let bounds = Bounds { concurrency: function.ec2.concurrency(), memory: MEMORY, deadline: until };
    let source = Source::open(&function.ebs, &examination.snapshot, bounds).await?;
    let depth = if examination.deep { Depth::Deep } else { Depth::Shallow };
    let disk = Arc::new(source.clone());
    let examined = tokio::task::spawn_blocking(move || examine(disk, depth));
    let examined = examined.await;
    source.close();
    let examined = examined.map_err(|panicked| panicked.to_string())?.map_err(|unreadable| unreadable.0)?;
    let took = SignedDuration::try_from(started.elapsed()).unwrap_or_default();
    let findings = findings(examined, source.blocks_read(), took);
    info!(
        snapshot = %examination.snapshot,
        lineage = %examination.lineage,
        recovery_point = %examination.slot,
        verdict = %findings.verdict,
        reason = findings.reason,
        revision = findings.revision,
        blocks_read = findings.blocks_read,
        took_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX),
        "{}: {}",
        examination.snapshot,
        findings.verdict
    );
    Ok(findings)
}
