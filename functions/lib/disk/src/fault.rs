//! Why something on the disk could not be read.

use crate::blocks::Unreadable;

/// Why a reader gave up. Only [`Fault::Broken`] speaks against the disk.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The source failed: nothing is known of the disk.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// What is there breaks a rule of its format.
    #[error("{0}")]
    Broken(String),
    /// What is there may be sound, but these readers cannot say.
    #[error("{0}")]
    Unsupported(String),
    /// No such file or directory, by its path from the volume's root.
    #[error("{0} is missing")]
    Missing(String),
}

/// A broken rule, in words.
pub(crate) fn broken(what: impl Into<String>) -> Fault {
    Fault::Broken(what.into())
}

impl Fault {
    /// The same fault, with where it was found before it.
    pub(crate) fn within(self, place: &str) -> Self {
        match self {
            Self::Broken(what) => Self::Broken(format!("{place}: {what}")),
            Self::Unsupported(what) => Self::Unsupported(format!("{place}: {what}")),
            other => other,
        }
    }
}

/// A size or an offset as an index into memory. What does not fit is beyond every bound here.
pub(crate) fn index(number: u64) -> Result<usize, Fault> {
    usize::try_from(number).map_err(|_| broken(format!("{number} is beyond any memory")))
}
