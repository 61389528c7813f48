//! The volume's tags on its snapshot: all in numbered values, readable by a person.
//!
//! `key=value;key=value`, in the order of the keys, cut into values of 256 characters. What is not printable ASCII, and
//! ` `, `%`, `;` and `=` within a key or a value, are written as `%XX`.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::tags::{self, Tags};

const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b';').add(b'=');

/// Packs a volume's tags.
#[must_use]
pub fn pack(originals: &Tags) -> Tags {
    let escaped = |text| utf8_percent_encode(text, ESCAPED);
    let each = originals.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value)));
    let whole = each.collect::<Vec<_>>().join(";");
    // All of it is ASCII: a byte is a character, whichever way EC2 counts.
    let values = whole.as_bytes().chunks(tags::MOST_VALUE).map(|value| String::from_utf8_lossy(value).into_owned());
    (1..).zip(values).map(|(n, value)| (format!("{}{n}", tags::ORIGINALS_PREFIX), value)).collect()
}

/// The tags that the volume had. `None`: what was packed cannot be read.
#[must_use]
pub fn unpack(snapshot: &Tags) -> Option<Tags> {
    let numbered = snapshot.iter().filter_map(|(key, value)| Some((key.strip_prefix(tags::ORIGINALS_PREFIX)?, value)));
    let numbered: BTreeMap<usize, &String> =
        numbered.map(|(n, value)| Some((n.parse().ok()?, value))).collect::<Option<_>>()?;
    let whole: String =
        (1..=numbered.len()).map(|n| numbered.get(&n).map(|value| value.as_str())).collect::<Option<_>>()?;
    let plain = |text| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
    let each = whole.split(';').filter(|each| !each.is_empty()).map(|each| {
        let (key, value) = each.split_once('=')?;
        Some((plain(key)?, plain(value)?))
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn kops_tags_are_readable() {
        let tags = [
            ("KubernetesCluster", "k8s.example.com"),
            ("Name", "a.etcd-main.k8s.example.com"),
            ("k8s.io/etcd/main", "a/a,b,c"),
            ("team", "platform ops"),
        ];
        let tags: Tags = tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let packed = pack(&tags);
        assert_eq!(
            packed["etcd-backup/tags/1"],
            "KubernetesCluster=k8s.example.com;Name=a.etcd-main.k8s.example.com;k8s.io/etcd/main=a/a,b,c;\
             team=platform%20ops"
        );
        assert_eq!(packed.len(), 1);
    }

    #[test]
    fn what_was_changed_cannot_be_read() {
        for changed in ["team", "team=%ff", "a=b;c"] {
            let tags = Tags::from([("etcd-backup/tags/1".to_owned(), changed.to_owned())]);
            assert_eq!(unpack(&tags), None, "{changed}");
        }
        let without_the_first = Tags::from([("etcd-backup/tags/2".to_owned(), "a=b".to_owned())]);
        assert_eq!(unpack(&without_the_first), None);
    }

    proptest! {
        #[test]
        fn whatever_a_tag_holds_comes_back(
            originals in prop::collection::btree_map("\\PC{1,128}|[ -~\u{0}-\u{1f}]{1,40}", "\\PC{0,256}", 0..12)
        ) {
            let packed = pack(&originals);
            prop_assert!(packed.values().all(|value| (1..=256).contains(&value.len())));
            prop_assert!(packed.values().all(|value| value.bytes().all(|byte| byte.is_ascii_graphic())));
            prop_assert_eq!(unpack(&packed), Some(originals));
        }
    }
}
