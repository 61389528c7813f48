//! Which point `latest` is: the newest complete one that is not corrupt and whose set can be started in a known order.

use super::refusal::{Refusal, RefusalKind};
use super::verify_event::verify_event;
use crate::ids::EtcdClusterId;
use crate::recovery_point::{PointState, RecoveryPoint};
use crate::set::Set;
use crate::verdict::Verdict;

/// How many of the points that were passed over are told, with why.
const TOLD: usize = 3;

/// Of points given newest first. `verified`: every member must have been found `ok`.
pub(super) fn latest<'p>(
    of: &EtcdClusterId,
    points: &'p [RecoveryPoint],
    verified: bool,
    warnings: &mut Vec<String>,
) -> Result<&'p RecoveryPoint, Refusal> {
    let mut passed_over = Vec::new();
    for point in points {
        match unfit(of, point, verified) {
            None => {
                warnings.extend(told(&passed_over).map(|why| format!("`latest` is {}: passed over {why}", point.slot)));
                return Ok(point);
            }
            Some(why) => passed_over.push(format!("{} ({why})", point.slot)),
        }
    }
    let message = match told(&passed_over) {
        None => format!("{of} has no recovery points in this account and region"),
        Some(why) => format!(
            "none of the {} recovery points of {of} can be `latest`: {why}. The mode `list` shows them all; name one by \
             its time",
            points.len()
        ),
    };
    Err(Refusal::new(RefusalKind::NoSuchRecoveryPoint, message))
}

/// Why `latest` passes a point over.
fn unfit(of: &EtcdClusterId, point: &RecoveryPoint, verified: bool) -> Option<String> {
    if point.state() != PointState::Complete {
        return Some(format!("it is {}", point.state().word()));
    }
    if let Some(flaw) = point.flaw() {
        return Some(flaw.to_string());
    }
    if point.is_corrupt() {
        return Some("it was found corrupt".to_owned());
    }
    match point.set() {
        Set::Contradicts(contradiction) => {
            return Some(format!("its members contradict each other: {contradiction}"));
        }
        Set::Unknown { why, unread: true } => {
            return Some(format!("{why}; send to the `verify` function: {}", verify_event(of, point.slot)));
        }
        Set::Unknown { why, .. } => return Some(why),
        Set::Ordered(_) => {}
    }
    (verified && point.verdict() != Some(Verdict::Ok)).then(|| "not every member was found `ok`".to_owned())
}

fn told(passed_over: &[String]) -> Option<String> {
    let more = passed_over.len().saturating_sub(TOLD);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    (!passed_over.is_empty()).then(|| format!("{}{more}", passed_over[..passed_over.len().min(TOLD)].join(", ")))
}
