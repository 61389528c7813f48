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

    /// Another format than is known: nothing is said of what is in it.
    pub(crate) fn unsupported(&mut self, what: impl Into<String>) {
        self.unsupported.push(what.into());
    }

    /// Whether etcd would start.
    pub(crate) fn is_corrupt(&self) -> bool {
        !self.corrupt.is_empty()
    }

    /// Adds what was found elsewhere, and not here.
    pub(crate) fn join(&mut self, other: Self) {
        for (own, others) in [
            (&mut self.corrupt, other.corrupt),
            (&mut self.unsupported, other.unsupported),
            (&mut self.degraded, other.degraded),
        ] {
            let new: Vec<String> = others.into_iter().filter(|reason| !own.contains(reason)).collect();
            own.extend(new);
        }
    }

    /// Adds what would keep only one version of etcd from starting, or may.
    pub(crate) fn join_weakened(&mut self, who: &str, other: Self) {
        let Self { corrupt, unsupported, degraded } = other;
        let reasons: Vec<String> = corrupt.into_iter().chain(unsupported).collect();
        if !reasons.is_empty() {
            self.degraded(format!("{who} would not start from it: {}", reasons.join("; ")));
        }
        self.join(Self { degraded, ..Self::default() });
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
