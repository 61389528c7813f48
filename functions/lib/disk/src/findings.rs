//! What speaks against a volume, and the verdict that follows.

use crate::blocks::Unreadable;
use crate::examined::Verdict;
use crate::fault::Fault;

/// What was found, in the order in which it was.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    corrupt: Vec<String>,
    unsupported: Vec<String>,
    degraded: Vec<String>,
}

impl Findings {
    /// etcd would not start, or not with what it had.
    pub(crate) fn corrupt(&mut self, what: impl Into<String>) {
        self.corrupt.push(what.into());
    }

    /// Not as etcd left it, but it would start.
    pub(crate) fn degraded(&mut self, what: impl Into<String>) {
        self.degraded.push(what.into());
    }

    /// What was read, or nothing and why. Only a source that failed ends everything.
    pub(crate) fn note<T>(&mut self, read: Result<T, Fault>) -> Result<Option<T>, Unreadable> {
        match read {
            Ok(read) => return Ok(Some(read)),
            Err(Fault::Unreadable(failure)) => return Err(failure),
            Err(Fault::Unsupported(what)) => self.unsupported.push(what),
            Err(fault @ (Fault::Broken(_) | Fault::Missing(_))) => self.corrupt.push(fault.to_string()),
        }
        Ok(None)
    }

    /// The worst, with its reasons. What is broken is so, whatever else could not be read.
    pub(crate) fn verdict(self) -> (Verdict, Option<String>) {
        let Self { corrupt, unsupported, degraded } = self;
        for (verdict, reasons) in
            [(Verdict::Corrupt, corrupt), (Verdict::Unsupported, unsupported), (Verdict::Degraded, degraded)]
        {
            if !reasons.is_empty() {
                return (verdict, Some(reasons.join("; ")));
            }
        }
        (Verdict::Ok, None)
    }
}
