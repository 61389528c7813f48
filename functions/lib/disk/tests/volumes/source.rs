//! What is no damage: a source that fails, a reader that asks for too much.

use std::sync::Arc;

use etcd_backup_disk::files::{self, File};
use etcd_backup_disk::{Blocks, Depth, Unreadable, examine};

use crate::image::Image;
use crate::volume::{PAGE, Volume};

/// A source that fails somewhere.
struct Failing {
    image: Image,
    fails: std::ops::Range<u64>,
}

impl Blocks for Failing {
    fn size(&self) -> u64 {
        self.image.size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        if offset < self.fails.end && offset + into.len() as u64 > self.fails.start {
            return Err(Unreadable("expired".to_owned()));
        }
        self.image.read_at(offset, into)
    }
}

#[test]
fn a_source_that_fails_says_nothing_of_the_disk() {
    let sound = Volume::sound();
    let image = || sound.image.clone();
    let at = |path: &str, offset| image().place(path, offset..offset + 1);
    for from in [0, 1024, 4096, at(&sound.db, 0), at(&sound.db, PAGE), at(&sound.wal, 0), at(&sound.wal, 20_000)] {
        let failing = Failing { image: image(), fails: from..from + 1 };
        let result = examine(Arc::new(failing), Depth::Deep);
        assert_eq!(result, Err(Unreadable("expired".to_owned())), "byte {from}");
    }
}

#[test]
fn reading_past_the_end_of_a_file_is_an_error() {
    let sound = Volume::sound();
    let files = files::mount(Arc::new(sound.image.clone())).expect("mounted");
    let db: Box<dyn File> = files.open(&sound.db).expect("opened");
    assert!(db.read_at(db.size() - 1, &mut [0; 2]).is_err());
    assert!(db.read_at(u64::MAX, &mut [0; 2]).is_err());
}
