//! A db is copied whole, and judged while it passes as deeply as a deep look judges it where it lies.

use std::sync::Arc;

use etcd_backup_disk::files::{self, Fault};
use etcd_backup_disk::{Database, DbFacts, DbStream, Depth, Verdict, examine};

use crate::image::{Image, fixtures};
use crate::volume::{PAGE, Volume, ZEROS};

/// What is said of the db that a data directory has, and the copy's length.
fn copied(image: &Image, data_dir: &str) -> Result<(DbFacts, u64), Fault> {
    let files = files::mount(Arc::new(image.clone()))?;
    let db = Database::open(files.as_ref(), data_dir)?;
    let (mut stream, mut length) = (DbStream::default(), 0);
    db.copy(|piece| {
        length += piece.len() as u64;
        stream.feed(piece)
    })?;
    assert_eq!(length, db.bytes());
    Ok((stream.finish()?, length))
}

#[test]
fn the_copy_of_every_sound_db_is_sound_and_says_the_same() {
    for fixture in fixtures() {
        let examined = examine(Arc::new(fixture.image()), Depth::Deep).expect("it can be read");
        if [Verdict::Corrupt, Verdict::Unsupported].contains(&examined.verdict) {
            continue;
        }
        let name = &fixture.name;
        let data_dir = examined.data_dir.expect("a data directory");
        let (facts, length) = copied(&fixture.image(), &data_dir).expect(name);
        assert_eq!(Some(facts.revision), examined.revision, "{name}");
        assert_eq!(Some(facts.consistent_index), examined.consistent_index, "{name}");
        assert_eq!(facts.etcd_version, examined.etcd_version, "{name}");
        assert!(Some(length) <= examined.db_bytes && length > 0, "{name}: {length} of {:?}", examined.db_bytes);
    }
}

#[test]
fn what_only_a_deep_look_sees_is_seen_while_it_passes() {
    for sound in Volume::of_each_version() {
        let data_dir = sound.db.strip_suffix("/member/snap/db").expect("a db");
        let pages = sound.read(&sound.db, 0, 200 * ZEROS.len());
        let used = (2..).zip(pages.chunks(ZEROS.len()).skip(2)).filter(|(_, page)| page.iter().any(|byte| *byte != 0));
        let (mut seen, mut unseen) = (0, 0);
        for (page, _) in used {
            let zeroed = sound.with(&sound.db, page * PAGE, &ZEROS);
            let by_look =
                examine(Arc::new(zeroed.clone()), Depth::Deep).expect("it can be read").verdict == Verdict::Corrupt;
            assert_eq!(copied(&zeroed, data_dir).is_err(), by_look, "{} page {page}", sound.db);
            *if by_look { &mut seen } else { &mut unseen } += 1;
        }
        assert!(seen > 3 && unseen > 0, "{}: {seen} pages of the tree, {unseen} free ones", sound.db);
    }
}
