//! The segments of a WAL, by their names.

use super::Position;
use crate::fault::{Fault, broken};
use crate::files::{Entry, Kind};

/// A segment: `<sequence>-<index>.wal`, both of 16 hexadecimal digits (`walName`; `parseWALName` takes fewer). The index
/// is that of its first entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) name: String,
    sequence: u64,
    index: u64,
}

impl Segment {
    fn parse(name: &str) -> Option<Self> {
        let (sequence, index) = name.strip_suffix(".wal")?.split_once('-')?;
        let is_hex = |digits: &str| digits.len() <= 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = |digits: &str| is_hex(digits).then(|| u64::from_str_radix(digits, 16).ok())?;
        Some(Self { sequence: number(sequence)?, index: number(index)?, name: name.to_owned() })
    }
}

/// The segments of a directory, in order (`readWALNames`). Other names are none, `0.tmp` and `*.wal.broken` among them
/// (`checkWalNames`).
pub(crate) fn segments(entries: &[Entry]) -> Vec<Segment> {
    let files = entries.iter().filter(|entry| entry.kind == Kind::File);
    let mut segments: Vec<Segment> = files.filter_map(|entry| Segment::parse(&entry.name)).collect();
    segments.sort_by(|a, b| a.name.cmp(&b.name));
    segments
}

/// Whether a name is that of a segment, and one that no etcd known here gives.
pub(crate) fn is_unknown(name: &str) -> bool {
    name.strip_suffix(".wal").is_some() && Segment::parse(name).is_none()
}

/// The segments that etcd opens to start from a snapshot: from the last one that begins at or before it (`searchIndex`).
///
/// None may be missing between two others. From the snapshot on `isValidSeq` says so; before it, since 3.4.8,
/// `ValidSnapshotEntries`, which reads all segments and whose chain of checksums would break.
pub(super) fn from(segments: &[Segment], start: Position) -> Result<&[Segment], Fault> {
    if let Some(pair) = segments.windows(2).find(|pair| pair[0].sequence.checked_add(1) != Some(pair[1].sequence)) {
        return Err(broken(format!("a WAL segment is missing between {} and {}", pair[0].name, pair[1].name)));
    }
    let covering = segments.iter().rposition(|segment| segment.index <= start.index);
    let Some(covering) = covering else {
        let first =
            segments.first().map_or("there is none".to_owned(), |first| format!("the first one is {}", first.name));
        return Err(broken(format!("rule 3: no WAL segment covers index {}: {first}", start.index)));
    };
    Ok(&segments[covering..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<Segment> {
        let file = |name: &&str| Entry { name: (*name).to_owned(), kind: Kind::File };
        segments(&names.iter().map(file).collect::<Vec<_>>())
    }

    fn opened(names: &[&str], index: u64) -> Result<Vec<u64>, Fault> {
        let segments = list(names);
        let opened = from(&segments, Position { index, term: 1 })?;
        Ok(opened.iter().map(|segment| segment.sequence).collect())
    }

    const FIRST: &str = "0000000000000000-0000000000000000.wal";
    const SECOND: &str = "0000000000000001-0000000000000065.wal";
    const THIRD: &str = "0000000000000002-00000000000000c9.wal";

    #[test]
    fn names_that_are_none_are_passed_over() {
        let broken = format!("{THIRD}.broken");
        let (longer, signed) = (format!("0{THIRD}"), THIRD.replacen('0', "+", 1));
        let names = ["0.tmp", SECOND, &broken, &longer, &signed, "x-y.wal", FIRST];
        assert_eq!(list(&names).iter().map(|segment| &*segment.name).collect::<Vec<_>>(), [FIRST, SECOND]);
    }

    #[test]
    fn the_segment_that_covers_the_snapshot_is_the_first() {
        let all = [THIRD, FIRST, SECOND];
        for (index, expected) in [(0, vec![0, 1, 2]), (100, vec![0, 1, 2]), (101, vec![1, 2]), (9999, vec![2])] {
            assert_eq!(opened(&all, index), Ok(expected), "{index}");
        }
    }

    #[test]
    fn a_gap_is_one_wherever_it_is() {
        let missing = || broken(format!("a WAL segment is missing between {FIRST} and {THIRD}"));
        assert_eq!(opened(&[FIRST, THIRD], 0), Err(missing()));
        assert_eq!(opened(&[FIRST, THIRD], 201), Err(missing()));
    }

    #[test]
    fn old_segments_are_purged_from_the_first_on() {
        assert_eq!(opened(&[SECOND, THIRD], 201), Ok(vec![2]));
        assert!(opened(&[SECOND], 100).is_err());
        assert!(opened(&[], 0).is_err());
    }
}
