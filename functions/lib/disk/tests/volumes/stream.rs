//! A db is copied whole, and judged while it passes as deeply as a deep look judges it where it lies.

use std::sync::Arc;

use etcd_backup_disk::files::{self, Fault};
use etcd_backup_disk::{Database, DbFacts, DbStream, Depth, Verdict, examine};
use sha2::{Digest, Sha256};

use crate::etcdutl::Etcdutl;
use crate::fixtures::hexadecimal;
use crate::image::{Fixture, Image, fixtures};
use crate::volume::{PAGE, Volume, ZEROS};

/// What is said of the db that a data directory has, and the copy's length; the copy is for whoever takes it.
fn copied(image: &Image, data_dir: &str, mut take: impl FnMut(&[u8])) -> Result<(DbFacts, u64), Fault> {
    let files = files::mount(Arc::new(image.clone()))?;
    let db = Database::open(files.as_ref(), data_dir)?;
    let (mut stream, mut length) = (DbStream::default(), 0);
    db.copy(|piece| {
        length += piece.len() as u64;
        take(piece);
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
        let (facts, length) = copied(&fixture.image(), &data_dir, |_| ()).expect(name);
        assert_eq!(Some(facts.revision), examined.revision, "{name}");
        assert_eq!(Some(facts.consistent_index), examined.consistent_index, "{name}");
        assert_eq!(facts.etcd_version, examined.etcd_version, "{name}");
        assert!(Some(length) <= examined.db_bytes && length > 0, "{name}: {length} of {:?}", examined.db_bytes);
    }
}

/// Those that become a snapshot file: what is said of their dbs, and the file, which is the db and then its SHA-256.
fn exports() -> impl Iterator<Item = (Fixture, DbFacts, Vec<u8>)> {
    let sound = fixtures().into_iter().filter(|one| !["corrupt", "unsupported"].contains(&one.expected_verdict()));
    sound.map(|fixture| {
        let mut file = Vec::new();
        let data_dir = fixture.text("data_dir").expect("a data directory");
        let facts = copied(&fixture.image(), data_dir, |piece| file.extend_from_slice(piece)).expect(&fixture.name).0;
        let hash = Sha256::digest(&file);
        file.extend_from_slice(&hash);
        (fixture, facts, file)
    })
}

#[test]
fn every_copy_with_its_hash_is_the_file_that_etcdutl_has_taken() {
    let mut compared = 0;
    for (fixture, facts, file) in exports() {
        let (name, export) = (&fixture.name, &fixture.truth["export"]);
        assert_eq!(Some(file.len() as u64), export["bytes"].as_u64(), "{name}");
        assert_eq!(Some(&*hexadecimal(&Sha256::digest(&file))), export["sha256"].as_str(), "{name}");
        for revision in ["revision", "restored_revision"] {
            assert_eq!(Some(facts.revision), export[revision].as_i64(), "{name}: {revision}");
        }
        assert_eq!(export["hash"].as_str(), fixture.text("hash"), "{name}: of the file, and of the db on the volume");
        compared += 1;
    }
    assert!(compared > 20, "{compared}");
}

#[test]
fn where_etcdutl_is_installed_it_takes_every_copy() {
    let Some(etcdutl) = Etcdutl::installed() else { return };
    for (fixture, facts, file) in exports() {
        let (name, export) = (&fixture.name, &fixture.truth["export"]);
        let status = etcdutl.status(&file).expect(name);
        assert_eq!(Some(&*format!("{:08x}", status.hash)), export["hash"].as_str(), "{name}");
        assert_eq!(status.revision, facts.revision, "{name}");
        // Since 3.6 they are counted in another way.
        if export["etcdutl_version"].as_str() == Some(&etcdutl.version) {
            assert_eq!(Some(status.total_keys), export["total_keys"].as_u64(), "{name}");
        }
        assert_eq!(etcdutl.restore(&file).expect(name).revision, facts.revision, "{name}");
        // It does look at the SHA-256.
        let (pages, hash) = file.split_at(file.len() - 32);
        let wrong = etcdutl.restore(&[pages, &[!hash[0]], &hash[1..]].concat()).expect_err(name);
        assert!(wrong.contains("sha256"), "{name}: {wrong}");
        let without = etcdutl.restore(pages).expect_err(name);
        assert!(without.contains("--skip-hash-check"), "{name}: {without}");
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
            assert_eq!(copied(&zeroed, data_dir, |_| ()).is_err(), by_look, "{} page {page}", sound.db);
            *if by_look { &mut seen } else { &mut unseen } += 1;
        }
        assert!(seen > 3 && unseen > 0, "{}: {seen} pages of the tree, {unseen} free ones", sound.db);
    }
}
