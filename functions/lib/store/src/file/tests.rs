use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

fn written(db: &[u8], piece: usize) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    db.chunks(piece).for_each(|piece| writer.write(piece).expect("memory"));
    let (written, bytes) = writer.finish().expect("memory");
    assert_eq!(written.db_bytes, db.len() as u64);
    bytes
}

fn read_back(file: &[u8], most: u64) -> Result<Vec<u8>, String> {
    let mut db = Vec::new();
    let take = |piece: &[u8]| -> Result<(), Infallible> {
        db.extend_from_slice(piece);
        Ok(())
    };
    let read = read(file, most, take).map_err(|error| error.to_string())?;
    assert_eq!(read.db_bytes, db.len() as u64);
    Ok(db)
}

#[test]
fn the_same_db_gives_the_same_bytes_and_no_time_is_in_them() {
    let db = vec![7; 3 * 4096];
    assert_eq!(written(&db, 4096), written(&db, 1000));
    assert_eq!(written(&db, 4096)[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

fn with_hash(db: &[u8]) -> Vec<u8> {
    [db, &Sha256::digest(db)[..]].concat()
}

fn refused(from: impl io::BufRead) -> ReadError<Infallible> {
    read(from, 1 << 20, |_| Ok(())).expect_err("no backup")
}

#[test]
fn what_is_no_backup_is_told_apart() {
    let db = [7; 4096];
    let file = written(&db, 4096);
    assert!(matches!(refused(&b"no gzip at all"[..]), ReadError::NotGzip));
    for kept in [0, 1, 9, 10, 11, file.len() / 2, file.len() - 8, file.len() - 1] {
        assert!(matches!(refused(&file[..kept]), ReadError::CutOff), "{kept} bytes");
    }
    for after in [&b"\0\0\0\0\0\0\0\0\0\0\0\0"[..], b"not a member of a gzip"] {
        assert!(matches!(refused(&[&file[..], after].concat()[..]), ReadError::Damaged(_)), "{after:?}");
    }
    for (bytes, length) in [(&db[..], 4096), (&db[..32], 32), (&db[..31], 31), (&[], 0)] {
        assert!(matches!(refused(&gzip(bytes)[..]), ReadError::NoHash(told) if told == length), "{length}");
    }
    let odd = with_hash(&db[..1000]);
    assert!(matches!(refused(&gzip(&odd)[..]), ReadError::NoHash(1032)), "no db has 1000 bytes");
    let other = [&db[..], &[0; HASH]].concat();
    assert!(matches!(refused(&gzip(&other)[..]), ReadError::WrongHash));
}

#[test]
fn a_gzip_of_several_members_is_one_backup() {
    let db = vec![7; 4096];
    let whole = with_hash(&db);
    for cut in [1, 100, 4096, 4100, whole.len() - 1] {
        let (first, second) = whole.split_at(cut);
        let members = [gzip(first), gzip(&[]), gzip(second)].concat();
        assert_eq!(read_back(&members, 1 << 20).as_ref(), Ok(&db), "cut at {cut}");
    }
}

#[test]
fn a_failure_to_read_says_nothing_of_the_backup() {
    struct Fails;
    impl io::Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let file = written(&[7; 4096], 4096);
    let from = io::Read::chain(&file[..file.len() / 2], Fails);
    assert!(matches!(refused(io::BufReader::new(from)), ReadError::Unread(_)));
}

#[test]
fn a_bomb_is_read_so_far_and_no_further() {
    let file = written(&vec![0; 64 << 20], 1 << 20);
    assert!(file.len() < 1 << 20);
    let mut given = 0;
    let stopped = read(&file[..], 1 << 20, |piece| -> Result<(), Infallible> {
        given += piece.len();
        Ok(())
    });
    assert!(matches!(stopped, Err(ReadError::TooLarge(most)) if most == 1 << 20), "{stopped:?}");
    assert!(given <= 1 << 20, "{given} bytes were given");
    let most = written(&vec![0; 1 << 20], 1 << 20);
    assert_eq!(read_back(&most, 1 << 20).map(|db| db.len()), Ok(1 << 20), "as many as may be");
}

#[test]
fn who_takes_no_more_ends_it() {
    let file = written(&vec![7; 4096], 4096);
    let stopped = read(&file[..], 1 << 20, |_| Err("enough"));
    assert!(matches!(stopped, Err(ReadError::Taken("enough"))));
}

proptest! {
    #[test]
    fn what_is_written_is_read(sectors in 1..40_usize, seed in any::<u8>(), piece in 1..9000_usize) {
        let db: Vec<u8> = (0..=250_u8).cycle().map(|byte| byte ^ seed).take(sectors * 512).collect();
        prop_assert_eq!(read_back(&written(&db, piece), 1 << 20), Ok(db));
    }

    #[test]
    fn whatever_is_there_is_read_or_refused(
        begins in any::<bool>(),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let header = if begins { &[0x1f, 0x8b, 8][..] } else { &[] };
        prop_assert!(read_back(&[header, &bytes].concat(), 1 << 20).is_err());
    }

    #[test]
    fn a_changed_byte_is_found(at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let db: Vec<u8> = (0..=250_u8).cycle().take(4096).collect();
        let mut file = written(&db, 4096);
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        // Some bits say nothing of the data: in the header, and those that fill the last byte before the eight of the end.
        if let Ok(read) = read_back(&file, 1 << 20) {
            prop_assert!(read == db && (at < 10 || at == file.len() - 9), "byte {}", at);
        }
    }
}
