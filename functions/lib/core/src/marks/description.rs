//! A snapshot's description. EC2 has no call that changes it, so what was written with the snapshot stays written.

use std::fmt;

/// What every description of ours begins with.
const OURS: &str = "etcd-volume-backup ";
/// At the end of it where a person said that members are gone on purpose.
const ACCEPTS_MEMBERS: &str = " accepts-members";

/// `etcd-volume-backup request=<request id> marks=<digest>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The invocation that took the snapshot; a redelivery of it has the same.
    pub request: String,
    /// The [digest](super::digest) of the marks that were written with it.
    pub marks: String,
    /// Whether the run was told that the etcd cluster has fewer members on purpose.
    pub accepts_members: bool,
}

impl Description {
    /// What an EC2 filter finds all descriptions of ours by.
    pub const FILTER: &str = "etcd-volume-backup request=*";

    /// Reads a description. `None`: it is none of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(OURS)?;
        let accepts_members = rest.ends_with(ACCEPTS_MEMBERS);
        let rest = rest.strip_suffix(ACCEPTS_MEMBERS).unwrap_or(rest);
        let (request, marks) = rest.split_once(" marks=")?;
        let request = request.strip_prefix("request=")?.to_owned();
        Some(Self { request, marks: marks.to_owned(), accepts_members })
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request, marks, accepts_members } = self;
        write!(f, "{OURS}request={request} marks={marks}{}", if *accepts_members { ACCEPTS_MEMBERS } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_round_trips_and_fits() {
        for accepts_members in [false, true] {
            let request = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef".to_owned();
            let ours = Description { request, marks: "0123456789abcdef0123456789abcdef".to_owned(), accepts_members };
            let text = ours.to_string();
            assert!(text.len() <= 255, "EC2 takes no more");
            assert_eq!(Description::parse(&text), Some(ours));
        }
        for others in
            ["", "etcd-volume-backup request=1", "Created by CreateImage", " etcd-volume-backup request=1 marks=2"]
        {
            assert_eq!(Description::parse(others), None, "{others:?}");
        }
    }
}
