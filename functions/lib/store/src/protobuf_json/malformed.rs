//! Why a file is not what it should be.

/// The most bytes that are read of a file: such messages have some hundred.
pub(super) const MOST: usize = 64 << 10;
/// The most characters that are told of a field that nobody knows.
const TOLD: usize = 64;

/// Why etcd-manager would not read a file, or could do nothing with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// More bytes than are read.
    #[error("{0} bytes, more than any such file has")]
    TooLarge(usize),
    /// It is no JSON, for this reason.
    #[error("no JSON: {0}")]
    NotJson(String),
    /// It is no JSON object.
    #[error("not a JSON object")]
    NotAnObject,
    /// It has a field that etcd-manager does not know; it refuses the whole message for it.
    #[error("the field `{0}`, which etcd-manager does not know")]
    Unknown(String),
    /// It has a field twice, perhaps in both spellings; etcd-manager refuses the whole message for it.
    #[error("{0}: is there twice, which etcd-manager refuses")]
    Twice(&'static str),
    /// A field does not have what it should have.
    #[error("{field}: not {expected}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What it should have.
        expected: &'static str,
    },
    /// A field is missing, or empty, that is needed.
    #[error("{0}: is missing")]
    Missing(&'static str),
}

impl Malformed {
    pub(super) fn unknown(field: &str) -> Self {
        let field: String = field.chars().take(TOLD).collect();
        Self::Unknown(field.escape_default().to_string())
    }
}
