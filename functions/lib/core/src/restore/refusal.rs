//! What stands in the way of a restore. A refusal changes nothing.

use std::fmt;

use serde::{Serialize, Serializer};

/// The stable type of a refusal: part of the public contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefusalKind {
    /// The event cannot be what was meant.
    InvalidRequest,
    /// There is no such point, or none that `latest` could mean.
    NoSuchRecoveryPoint,
    /// A snapshot without our tags, and fields that say what it is are missing; or a volume of another lineage.
    NotOurs,
    /// A member has no snapshot in the point.
    IncompleteRecoveryPoint,
    /// Where a member of a set stands in raft's log is not known, so neither is in which order the set can be started.
    PositionUnknown,
    /// The members of a set contradict each other.
    SetContradicts,
    /// The volumes of the first stage are not attached, or not for long enough.
    QuorumNotUp,
    /// What is there now would make another plan.
    PlanChanged,
    /// The snapshot is not one that this tool took and that is still as it was.
    Foreign,
    /// Another volume claims the member.
    MemberClaimed,
    /// The restored members would meet living ones that are ahead of them.
    MemberRollback,
    /// A volume is attached.
    VolumeAttached,
    /// A snapshot is still pending, or failed.
    SnapshotNotCompleted,
    /// A snapshot lies in the archive tier.
    SnapshotArchived,
    /// `verify` found the snapshot corrupt.
    CorruptSnapshot,
    /// Some volume's tags would not fit at some step.
    TooManyTags,
    /// Another restore is making a volume for the member.
    RestoreInProgress,
    /// The volume has been undone already, or never was cut over.
    NothingToUndo,
    /// The snapshot's etcd is `degraded`.
    DegradedSnapshot,
    /// The snapshot cannot be read: another file system, or a version that is not known.
    UnsupportedSnapshot,
    /// The store has this snapshot's backup already.
    AlreadyExported,
    /// The store has no such backup, or not whole.
    NoSuchBackup,
    /// What the backup holds is not what etcd-manager could restore.
    UnsoundBackup,
    /// The store lacks the spec that etcd-manager keeps in it.
    StoreNotEtcdManagers,
    /// Another command waits in the store.
    CommandPending,
    /// What is asked for would not end before the function's deadline.
    TooLittleTime,
}

impl RefusalKind {
    /// The type's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "InvalidRequest",
            Self::NoSuchRecoveryPoint => "NoSuchRecoveryPoint",
            Self::NotOurs => "NotOurs",
            Self::IncompleteRecoveryPoint => "IncompleteRecoveryPoint",
            Self::PositionUnknown => "PositionUnknown",
            Self::SetContradicts => "SetContradicts",
            Self::QuorumNotUp => "QuorumNotUp",
            Self::PlanChanged => "PlanChanged",
            Self::Foreign => "Foreign",
            Self::MemberClaimed => "MemberClaimed",
            Self::MemberRollback => "MemberRollback",
            Self::VolumeAttached => "VolumeAttached",
            Self::SnapshotNotCompleted => "SnapshotNotCompleted",
            Self::SnapshotArchived => "SnapshotArchived",
            Self::CorruptSnapshot => "CorruptSnapshot",
            Self::TooManyTags => "TooManyTags",
            Self::RestoreInProgress => "RestoreInProgress",
            Self::NothingToUndo => "NothingToUndo",
            Self::DegradedSnapshot => "DegradedSnapshot",
            Self::UnsupportedSnapshot => "UnsupportedSnapshot",
            Self::AlreadyExported => "AlreadyExported",
            Self::NoSuchBackup => "NoSuchBackup",
            Self::UnsoundBackup => "UnsoundBackup",
            Self::StoreNotEtcdManagers => "StoreNotEtcdManagers",
            Self::CommandPending => "CommandPending",
            Self::TooLittleTime => "TooLittleTime",
        }
    }
}

impl Serialize for RefusalKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// One thing that stands in the way, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: RefusalKind,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// What stands in the way, for people.
    pub fn new(kind: RefusalKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// The event cannot be what was meant: the field, and what is accepted.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(RefusalKind::InvalidRequest, message)
    }

    /// Several refusals as the one that an invocation ends with: the type is the first one's.
    #[must_use]
    pub fn all(refusals: &[Self]) -> Option<Self> {
        let [first, rest @ ..] = refusals else { return None };
        let rest: Vec<String> = rest.iter().map(|refusal| format!("; {refusal}")).collect();
        Some(Self::new(first.kind, format!("{}{}", first.message, rest.concat())))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}
