//! A volume of a real etcd that can be damaged.

use std::sync::Arc;

use etcd_backup_disk::{Depth, Examined, examine, files};

use crate::image::{Image, fixture};

/// Bytes of a page of the fixtures' dbs.
pub(crate) const PAGE: u64 = 4096;
pub(crate) const ZEROS: [u8; 4096] = [0; 4096];

/// A sound volume, and where what is damaged lies on it.
pub(crate) struct Volume {
    pub(crate) image: Image,
    pub(crate) db: String,
    /// The newest segment.
    pub(crate) wal: String,
    /// All files, by their paths.
    pub(crate) files: Vec<String>,
}

impl Volume {
    pub(crate) fn of(name: &str) -> Self {
        let fixture = fixture(name);
        let member = format!("{}/member", fixture.text("data_dir").expect("a data directory"));
        let all = fixture.truth["files"].as_object().expect("files").keys();
        let files: Vec<String> = all.filter(|path| path.starts_with(&member)).cloned().collect();
        let wal = files.iter().rfind(|path| path.contains("/wal/0000000000")).expect("a segment").clone();
        Self { image: fixture.image(), db: format!("{member}/snap/db"), wal, files }
    }

    pub(crate) fn sound() -> Self {
        Self::of("clean-3.5")
    }

    /// One of each version that is in use.
    pub(crate) fn of_each_version() -> impl Iterator<Item = Self> {
        ["clean-3.5", "3.6-purged-crash", "3.7-purged-crash"].into_iter().map(Self::of)
    }

    /// The volume with these bytes of a file changed.
    pub(crate) fn with(&self, path: &str, offset: u64, change: &[u8]) -> Image {
        let mut image = self.image.clone();
        image.write(self.image.place(path, offset..offset + change.len() as u64), change);
        image
    }

    pub(crate) fn read(&self, path: &str, offset: u64, length: usize) -> Vec<u8> {
        let files = files::mount(Arc::new(self.image.clone())).expect("mounted");
        let mut bytes = vec![0; length];
        files.open(path).expect("opened").read_at(offset, &mut bytes).expect("read");
        bytes
    }

    /// The volume with one bit of a file changed.
    pub(crate) fn flipped(&self, path: &str, offset: u64) -> Image {
        let bytes = self.read(path, offset, 1);
        self.with(path, offset, &[bytes[0] ^ 1])
    }
}

pub(crate) fn judge(image: &Image, depth: Depth) -> Examined {
    examine(Arc::new(image.clone()), depth).expect("it can be read")
}
