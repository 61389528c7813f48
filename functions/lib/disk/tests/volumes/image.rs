//! Volumes of a real etcd, out of `tests/fixtures`.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use etcd_backup_disk::{Blocks, Unreadable, files};
use serde_json::Value;

/// Bytes that are kept or, if all are zeros, not.
const CHUNK: usize = 64 << 10;
/// Bytes of a block of EBS's direct APIs.
pub(crate) const EBS_BLOCK: u64 = 512 << 10;

/// A volume in memory, mostly holes, that counts what is read of it.
#[derive(Clone, Default)]
pub(crate) struct Image {
    size: u64,
    chunks: HashMap<u64, Arc<[u8]>>,
    /// The ranges read so far.
    reads: Arc<Mutex<Vec<Range<u64>>>>,
    /// The ranges hinted at so far.
    hints: Arc<Mutex<Vec<Range<u64>>>>,
}

impl Image {
    /// Reads a compressed image.
    pub(crate) fn open(path: &Path) -> Self {
        let file = std::fs::File::open(path).expect("the image");
        let mut stream = ruzstd::decoding::StreamingDecoder::new(file).expect("zstd");
        let mut image = Self::default();
        let (mut chunk, zeros) = (vec![0; CHUNK], vec![0; CHUNK]);
        loop {
            let mut filled = 0;
            while filled < CHUNK {
                match stream.read(&mut chunk[filled..]).expect("zstd") {
                    0 => break,
                    read => filled += read,
                }
            }
            chunk[filled..].fill(0);
            // Compared at once, and not byte by byte: these are most of the tests' time.
            if chunk != zeros {
                image.chunks.insert(image.size / CHUNK as u64, chunk.clone().into());
            }
            image.size += filled as u64;
            if filled < CHUNK {
                return image;
            }
        }
    }

    /// Overwrites bytes.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) {
        let mut rest = bytes;
        let mut at = offset;
        while !rest.is_empty() {
            let within = usize::try_from(at).expect("small") % CHUNK;
            let (now, later) = rest.split_at(rest.len().min(CHUNK - within));
            let mut chunk = self.chunks.get(&(at / CHUNK as u64)).map_or(vec![0; CHUNK], |chunk| chunk.to_vec());
            chunk[within..within + now.len()].copy_from_slice(now);
            self.chunks.insert(at / CHUNK as u64, chunk.into());
            at += now.len() as u64;
            rest = later;
        }
    }

    /// Nothing but a hole.
    pub(crate) fn of_size(size: u64) -> Self {
        Self { size, ..Self::default() }
    }

    /// The same volume, nothing of which has been read.
    pub(crate) fn unread(&self) -> Self {
        Self { reads: Arc::default(), hints: Arc::default(), ..self.clone() }
    }

    /// Overwrites bytes, as far as the volume goes.
    pub(crate) fn write_within(&mut self, offset: u64, bytes: &[u8]) {
        let room = usize::try_from(self.size - offset).expect("small");
        self.write(offset, &bytes[..bytes.len().min(room)]);
    }

    /// The ranges read so far, each once.
    pub(crate) fn ranges_read(&self) -> Vec<Range<u64>> {
        let mut ranges = self.reads.lock().expect("counted").clone();
        ranges.sort_by_key(|range| (range.start, range.end));
        ranges.dedup();
        ranges
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.reads.lock().expect("counted").iter().map(|range| range.end - range.start).sum()
    }

    /// Where on the volume these bytes of a file are, which must lie together there.
    pub(crate) fn place(&self, path: &str, bytes: Range<u64>) -> u64 {
        let image = self.unread();
        let hints = image.hints.clone();
        let files = files::mount(Arc::new(image)).expect("mounted");
        hints.lock().expect("hints").clear();
        files.open(path).expect("opened").prefetch(std::slice::from_ref(&bytes));
        let pieces = hints.lock().expect("hints");
        assert!(pieces.len() == 1 && pieces[0].end - pieces[0].start == bytes.end - bytes.start, "{path}: {pieces:?}");
        pieces[0].start
    }

    /// Whether anything is in there.
    pub(crate) fn is_present(&self, range: Range<u64>) -> bool {
        (range.start / CHUNK as u64..range.end.div_ceil(CHUNK as u64)).any(|chunk| self.chunks.contains_key(&chunk))
    }

    /// How many EBS blocks have been read that are not all zeros, how many were hinted at, and how many there are.
    pub(crate) fn blocks(&self) -> (usize, usize, usize) {
        let present: BTreeSet<u64> = self.chunks.keys().map(|chunk| chunk * CHUNK as u64 / EBS_BLOCK).collect();
        let blocks = |range: &Range<u64>| range.start / EBS_BLOCK..range.end.div_ceil(EBS_BLOCK);
        let count = |ranges: &Mutex<Vec<Range<u64>>>| {
            let touched: BTreeSet<u64> = ranges.lock().expect("counted").iter().flat_map(blocks).collect();
            touched.intersection(&present).count()
        };
        (count(&self.reads), count(&self.hints), present.len())
    }
}

impl Blocks for Image {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        let end = offset + into.len() as u64;
        assert!(end <= self.size, "read past the end: {offset} to {end}");
        self.reads.lock().expect("counted").push(offset..end);
        let mut at = offset;
        while at < end {
            let within = usize::try_from(at).expect("small") % CHUNK;
            let from = usize::try_from(at - offset).expect("small");
            let length = (CHUNK - within).min(into.len() - from);
            match self.chunks.get(&(at / CHUNK as u64)) {
                Some(chunk) => into[from..from + length].copy_from_slice(&chunk[within..within + length]),
                None => into[from..from + length].fill(0),
            }
            at += length as u64;
        }
        Ok(())
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        for range in ranges {
            assert!(range.start < range.end && range.end <= self.size, "a hint past the end: {range:?}");
            self.hints.lock().expect("counted").push(range.clone());
        }
    }
}

/// A fixture: its image, and what others say of it.
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) truth: Value,
    image: PathBuf,
}

impl Fixture {
    pub(crate) fn image(&self) -> Image {
        Image::open(&self.image)
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.truth[key].as_str()
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        self.truth[key].as_u64()
    }

    pub(crate) fn expected_verdict(&self) -> &str {
        self.truth["expected"]["verdict"].as_str().expect("every fixture has a verdict")
    }
}

/// All fixtures that are there, in the order of their names.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let entries = std::fs::read_dir(&folder).expect("tests/fixtures");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(".img.zst"));
    paths.sort();
    assert!(!paths.is_empty(), "no fixture in {}", folder.display());
    let fixture = |image: PathBuf| {
        let name = image.file_name().expect("a name").to_string_lossy().trim_end_matches(".img.zst").to_owned();
        let truth = std::fs::read(folder.join(format!("{name}.json"))).expect("the truth beside it");
        Fixture { truth: serde_json::from_slice(&truth).expect("JSON"), name, image }
    };
    paths.into_iter().map(fixture).collect()
}

/// A fixture by its name.
pub(crate) fn fixture(name: &str) -> Fixture {
    fixtures().into_iter().find(|fixture| fixture.name == name).expect("such a fixture")
}
