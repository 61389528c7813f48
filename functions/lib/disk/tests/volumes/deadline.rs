//! Whatever is read, the source is asked whether to go on, and its no ends it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use etcd_backup_disk::files::{self, Fault};
use etcd_backup_disk::{Blocks, Depth, Unreadable, examine};

use crate::image::{Image, fixture};

/// A volume that can always be read, and says so many times that there is time.
struct Until {
    image: Image,
    left: AtomicU64,
}

impl Blocks for Until {
    fn size(&self) -> u64 {
        self.image.size()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        self.image.read_at(offset, into)
    }

    fn go_on(&self) -> Result<(), Unreadable> {
        let left = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        left.map(|_| ()).map_err(|_| over())
    }
}

fn over() -> Unreadable {
    Unreadable("no time left".to_owned())
}

/// How often is asked, of that many times that are allowed; or that it was over.
fn asked(image: &Image, depth: Depth, allowed: u64) -> Result<u64, Unreadable> {
    let until = Arc::new(Until { image: image.clone(), left: AtomicU64::new(allowed) });
    examine(until.clone(), depth).map(|_| allowed - until.left.load(Relaxed))
}

#[test]
fn whenever_time_is_up_nothing_is_said_of_the_disk() {
    // With a journal to replay, an index in its directories, and several segments.
    for (name, depth) in
        [("small-blocks-3.5", Depth::Shallow), ("htree-3.5", Depth::Deep), ("snapshotted-3.5", Depth::Shallow)]
    {
        let image = fixture(name).image();
        let all = asked(&image, depth, u64::MAX).expect("there is time");
        assert!(all > 50, "{name}: asked {all} times");
        for allowed in (0..all).step_by(usize::try_from(all / 40).expect("small")).chain([all - 1]) {
            assert_eq!(asked(&image, depth, allowed), Err(over()), "{name}: {allowed} of {all}");
        }
        assert_eq!(asked(&image, depth, all), Ok(all));
    }
}

/// A hole costs no read of the volume, and a file can be one of as many bytes as ext4 can count.
#[test]
fn in_a_hole_is_asked_too() {
    let fixture = fixture("snapshotted-3.5");
    let until = Arc::new(Until { image: fixture.image(), left: AtomicU64::new(u64::MAX) });
    let files = files::mount(until.clone()).expect("mounted");
    let ahead = files.open(&format!("{}/member/wal/0.tmp", fixture.text("data_dir").expect("known"))).expect("opened");
    let mut zeros = [7; 512];
    ahead.read_at(1 << 20, &mut zeros).expect("there is time");
    assert_eq!(zeros, [0; 512]);
    until.left.store(0, Relaxed);
    assert_eq!(ahead.read_at(1 << 20, &mut zeros), Err(Fault::Unreadable(over())));
}
