//! What each kind of damage to a volume leads to.

use etcd_backup_disk::{Blocks, Depth, Verdict};

use crate::image::{Image, fixture};
use crate::volume::{PAGE, Volume, ZEROS, judge};

/// Holds both verdicts against what is expected.
fn expect(image: &Image, shallow: Verdict, deep: Verdict) {
    for (depth, expected) in [(Depth::Shallow, shallow), (Depth::Deep, deep)] {
        let examined = judge(image, depth);
        assert_eq!(examined.verdict, expected, "{depth:?}: {:?}", examined.reason);
    }
}

#[test]
fn the_file_system() {
    let sound = Volume::sound();
    expect(&sound.image, Verdict::Ok, Verdict::Ok);
    for (what, offset, bytes) in [("superblock", 1024, 1024), ("group descriptors", 4096, 64)] {
        let mut zeroed = sound.image.clone();
        zeroed.write(offset, &vec![0; bytes]);
        let examined = judge(&zeroed, Depth::Shallow);
        assert_eq!(examined.verdict, Verdict::Corrupt, "{what}: {:?}", examined.reason);
    }
    // Each bit of the superblock's first half is either checked or makes no difference: never "unsupported".
    for at in (1024..1536).step_by(7) {
        let mut raw = [0];
        sound.image.read_at(at, &mut raw).expect("in memory");
        let mut flipped = sound.image.clone();
        flipped.write(at, &[raw[0] ^ 0x10]);
        let examined = judge(&flipped, Depth::Shallow);
        assert_eq!(examined.verdict, Verdict::Corrupt, "byte {at}: {:?}", examined.reason);
    }
}

/// An ext4 begins as its forerunners do, and these readers would take their files for broken ones. An ext2 is an ext3
/// without its journal.
#[test]
fn the_forerunners_of_ext4() {
    const SUPERBLOCK: u64 = 1024;
    const HAS_JOURNAL: u8 = 4;
    let ext3 = fixture("ext3").image();
    let mut ext2 = ext3.clone();
    let mut compat = [0];
    ext2.read_at(SUPERBLOCK + 0x5c, &mut compat).expect("in memory");
    ext2.write(SUPERBLOCK + 0x5c, &[compat[0] & !HAS_JOURNAL]);
    let journal_inode = SUPERBLOCK + 0xe0;
    ext2.write(journal_inode, &[0; 4]);
    for image in [ext3, ext2] {
        let examined = judge(&image, Depth::Shallow);
        assert_eq!(examined.verdict, Verdict::Unsupported);
        assert_eq!(examined.reason.as_deref(), Some("ext2 or ext3: files without extents"));
    }
}

/// Without its journal the volume holds an older state, or none: not even a flipped bit may make it pass for clean.
#[test]
fn the_journals_beginning() {
    let image = fixture("dirty-journal-3.5").image();
    let is_journal = |at: &u64| {
        let mut head = [0; 8];
        image.read_at(*at, &mut head).expect("in memory");
        head == [0xc0, 0x3b, 0x39, 0x98, 0, 0, 0, 4]
    };
    let head = (0..image.size()).step_by(ZEROS.len()).find(is_journal).expect("a journal");
    for (what, offset, bytes) in [("start", 0x1c, [0; 4]), ("sequence", 0x18, [0x7f; 4]), ("magic", 0, [0; 4])] {
        let mut changed = image.clone();
        changed.write(head + offset, &bytes);
        let examined = judge(&changed, Depth::Shallow);
        assert_eq!(examined.verdict, Verdict::Corrupt, "{what}: {:?}", examined.reason);
    }
}

/// The index's own blocks have another checksum than those of names, which still have theirs.
#[test]
fn a_name_in_a_directory_with_an_index() {
    const BLOCK: usize = 1024;
    const NAME: &[u8] = b"0000000000000000-0000000000000000.wal";
    let mut image = fixture("htree-3.5").image();
    let mut bytes = vec![0; usize::try_from(image.size()).expect("small")];
    image.read_at(0, &mut bytes).expect("in memory");
    for (at, block) in (0..).zip(bytes.chunks(BLOCK)) {
        if let Some(name) = block.windows(NAME.len()).position(|window| window == NAME) {
            image.write(at * BLOCK as u64 + name as u64, b"1");
        }
    }
    let reason = judge(&image, Depth::Shallow).reason.expect("corrupt");
    assert!(reason.ends_with("/member/wal: ext4: directory block checksum mismatch"), "{reason}");
}

#[test]
fn the_metas_and_the_root_page() {
    Volume::of_each_version().for_each(|sound| metas_and_root_page(&sound));
}

fn metas_and_root_page(sound: &Volume) {
    for meta in [0, 1] {
        let one_bad = sound.flipped(&sound.db, meta * PAGE + 20);
        expect(&one_bad, Verdict::Degraded, Verdict::Degraded);
    }
    let mut both = sound.with(&sound.db, 0, &ZEROS);
    both.write(sound.image.place(&sound.db, PAGE..2 * PAGE), &ZEROS);
    expect(&both, Verdict::Corrupt, Verdict::Corrupt);
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    let metas = [0, 1].map(|meta| sound.read(&sound.db, meta * PAGE + 16, 64));
    let newest = metas.iter().max_by_key(|meta| number(&meta[48..56])).expect("two");
    let root = number(&newest[16..24]);
    let no_root = sound.with(&sound.db, root * PAGE, &ZEROS);
    expect(&no_root, Verdict::Corrupt, Verdict::Corrupt);
}

/// As many are tried.
const MOST_LEAVES: usize = 24;

/// Pages of the db that are leaves of `key`; some of them are free, and their contents old.
fn leaves_of_key(sound: &Volume) -> impl Iterator<Item = u64> {
    let pages = sound.read(&sound.db, 0, 400 * ZEROS.len());
    let is_leaf = |page: &[u8]| {
        let position = 16 + usize::from(page[20]) + usize::from(page[21]) * 256;
        page[8..10] == [2, 0] && page[10] > 1 && page[24] == 17 && page.get(position + 8) == Some(&b'_')
    };
    let pages = (0..).zip(pages.chunks(ZEROS.len()));
    let leaves: Vec<u64> = pages.filter(|(_, page)| is_leaf(page)).map(|(id, _)| id).collect();
    leaves.into_iter().take(MOST_LEAVES)
}

#[test]
fn a_leaf_only_deep_can_see() {
    for sound in Volume::of_each_version() {
        let seen = leaves_of_key(&sound).filter(|page| {
            let zeroed = sound.with(&sound.db, page * PAGE, &ZEROS);
            judge(&zeroed, Depth::Deep).verdict == Verdict::Corrupt
                && judge(&zeroed, Depth::Shallow).verdict == Verdict::Ok
        });
        assert!(seen.take(3).count() == 3, "{}", sound.db);
    }
}

#[test]
fn a_byte_in_a_value_nobody_can_see() {
    Volume::of_each_version().for_each(|sound| byte_in_a_value(&sound));
}

fn byte_in_a_value(sound: &Volume) {
    for page in leaves_of_key(sound) {
        // The last byte of the page that is not zero is a value's: values follow their keys, in order.
        let bytes = sound.read(&sound.db, page * PAGE, ZEROS.len());
        let last = bytes.iter().rposition(|byte| *byte != 0).expect("a leaf") as u64;
        expect(&sound.flipped(&sound.db, page * PAGE + last), Verdict::Ok, Verdict::Ok);
    }
}

#[test]
fn the_write_ahead_log() {
    Volume::of_each_version().for_each(|sound| write_ahead_log(&sound));
}

/// Without them a 3.6 has nowhere to start from, its first segments being purged; a 3.7 does not read them.
#[test]
fn all_snap_files() {
    for (name, words) in
        [("3.6-purged-crash", "etcd 3.6"), ("3.7-purged-crash", "etcd 3.6"), ("3.8dev-purged-crash", "")]
    {
        let sound = Volume::of(name);
        let snaps: Vec<&String> = sound.files.iter().filter(|path| path.strip_suffix(".snap").is_some()).collect();
        assert_eq!(snaps.is_empty(), words.is_empty(), "{name}");
        let mut image = sound.image.clone();
        for snap in snaps {
            image.write(sound.image.place(snap, 0..4096), &ZEROS);
        }
        let examined = judge(&image, Depth::Shallow);
        let reason = examined.reason.unwrap_or_default();
        assert_eq!(
            examined.verdict,
            if words.is_empty() { Verdict::Ok } else { Verdict::Degraded },
            "{name}: {reason}"
        );
        let told = format!("{words} would not start from it: ");
        assert!(words.is_empty() || reason.contains(&told), "{name}: {reason}");
    }
}

/// What a shallow look does not read through, it looks at the beginning of.
#[test]
fn a_segment_before_the_one_that_covers_the_start() {
    let sound = Volume::of("3.7-purged-crash");
    let before = sound.files.iter().find(|path| path.contains("/wal/0000000000")).expect("a segment");
    assert_ne!(*before, sound.wal);
    expect(&sound.flipped(before, 20), Verdict::Corrupt, Verdict::Corrupt);
    expect(&sound.flipped(before, 20_000), Verdict::Ok, Verdict::Corrupt);
}

fn write_ahead_log(sound: &Volume) {
    for offset in [100, 1000, 5000, 20_000] {
        expect(&sound.flipped(&sound.wal, offset), Verdict::Corrupt, Verdict::Corrupt);
    }
    // Zeros look like the end of the log: only the rules between log, db and snapshot see it.
    for offset in [0, 4096, 16_384] {
        let zeroed = sound.with(&sound.wal, offset, &[0; 4096]);
        let examined = judge(&zeroed, Depth::Shallow);
        assert_eq!(examined.verdict, Verdict::Corrupt, "{offset}: {:?}", examined.reason);
    }
}
