//! A volume of etcd 3.5 as it would be when its cluster had become a later one, and no snapshot had been taken since: the
//! requests to the v2 store that 3.5 wrote are still to be replayed.

use etcd_backup_disk::{Blocks, Depth, Verdict};

use crate::image::{Image, fixture};
use crate::volume::{PAGE, judge};

/// A key of the db and its value, as they follow each other in a page.
const VERSION: &[u8] = b"clusterVersion3.5.0";

/// The volume with another version of the cluster in its db. bbolt's pages have no checksum.
fn of_version(version: [u8; 5]) -> Image {
    let fixture = fixture("torn-tail-3.5");
    assert_eq!(fixture.number("snap_index"), Some(0));
    let sound = fixture.image();
    let (mut image, mut found) = (sound.clone(), 0);
    for at in (0..sound.size()).step_by(4096).filter(|at| sound.is_present(*at..at + PAGE)) {
        let mut page = [0; 4096];
        sound.read_at(at, &mut page).expect("in memory");
        if let Some(place) = page.windows(VERSION.len()).position(|bytes| bytes == VERSION) {
            image.write(at + (place + VERSION.len() - version.len()) as u64, &version);
            found += 1;
        }
    }
    assert!(found > 0);
    image
}

#[test]
fn what_3_5_left_for_the_v2_store_is_too_much_for_3_7() {
    let said = |version: [u8; 5]| {
        let examined = judge(&of_version(version), Depth::Shallow);
        (examined.verdict, examined.reason.unwrap_or_default())
    };
    assert_eq!(said(*b"3.5.0"), (Verdict::Ok, String::new()));
    for (version, verdict) in [(*b"3.6.0", Verdict::Degraded), (*b"3.7.0", Verdict::Corrupt)] {
        let (found, reason) = said(version);
        assert_eq!(found, verdict, "{reason}");
        assert!(reason.contains("of the WAL is a request to the v2 store"), "{reason}");
    }
    let unknown = judge(&of_version(*b"3.9.0"), Depth::Shallow);
    assert_eq!((unknown.verdict, unknown.etcd_version.as_deref()), (Verdict::Unsupported, Some("3.9")));
    assert_eq!((unknown.revision, unknown.consistent_index, unknown.wal_last_index), (None, None, None));
}
