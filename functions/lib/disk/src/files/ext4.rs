//! ext4 behind the seam.

use std::ops::Range;
use std::sync::Arc;

use fs_ext4::Filesystem;
use fs_ext4::bgd;
use fs_ext4::checksum::Checksummer;
use fs_ext4::features::{Compat, Incompat};
use fs_ext4::file_io::refuse_encrypted;
use fs_ext4::inode::Inode;
use fs_ext4::superblock::{SUPERBLOCK_OFFSET, Superblock};

use super::device::Device;
use super::directory::{self, Link};
use super::extents::{self, Geometry, Run};
use super::journal::Journal;
use super::{Entry, File, Files, Kind, journal, recognise};
use crate::blocks::Blocks;
use crate::fault::{Fault, broken, index};

/// The most bytes that a replay reads: the largest journal that mkfs makes, 1 GiB, its blocks once to check and to
/// find, and some again to replay.
const REPLAY_READS: u64 = 3 << 30;
/// The most bytes of group descriptors, inodes, extents and directory blocks that one step reads.
const STEP_READS: u64 = 128 << 20;
/// The root directory's inode.
pub(super) const ROOT: u32 = 2;

/// A mounted ext4.
pub(super) struct Ext4 {
    device: Arc<Device>,
    mounted: Arc<Filesystem>,
}

impl Ext4 {
    pub(super) fn mount(blocks: Arc<dyn Blocks>) -> Result<Self, Fault> {
        let superblock = recognise::superblock(blocks.as_ref())?;
        let device = Arc::new(Device::new(blocks));
        let journal = device.guard(STEP_READS, || journal::find(device.as_ref(), &superblock))?;
        device.see_instead(journal.as_ref().map(Journal::as_if_clean));
        let mount = || Filesystem::mount_with_cache(device.clone(), 0);
        let mut mounted = device.guard(STEP_READS, mount)?;
        device.see_instead(None);
        if let Some(journal) = journal.filter(|_| needs_recovery(&superblock)) {
            let _ = device.journal.set(journal.read_ahead());
            device.guard(REPLAY_READS, || journal.replay(&mounted))?;
            reload(&device, &mut mounted)?;
        }
        Ok(Self { device, mounted: Arc::new(mounted) })
    }

    fn geometry(&self) -> Geometry<'_> {
        let superblock = &self.mounted.sb;
        Geometry {
            device: self.mounted.dev.as_ref(),
            checksums: &self.mounted.csum,
            block_size: superblock.block_size(),
            blocks: superblock.blocks_count,
        }
    }

    fn inode(&self, ino: u32) -> Result<Inode, Fault> {
        self.device.guard(STEP_READS, || Ok(self.mounted.read_inode_verified(ino)?.0))
    }

    fn names(&self, ino: u32, path: &str) -> Result<Vec<Link>, Fault> {
        let inode = self.inode(ino)?;
        if !inode.is_dir() {
            return Err(broken(format!("/{path} is not a directory")));
        }
        let names = || {
            if inode.has_inline_data() {
                let entries = self.mounted.read_dir_ino(ino)?;
                let named = entries.iter().filter(|entry| !matches!(&entry.name[..], b"." | b".."));
                return Ok(named.map(directory::link).collect());
            }
            let has_kinds = self.mounted.sb.feature_incompat & Incompat::FILETYPE.bits() != 0;
            directory::names(&self.geometry(), ino, &inode, has_kinds)
        };
        self.device.guard(STEP_READS, names).map_err(|fault| fault.within(&format!("/{path}")))
    }

    fn find(&self, path: &str) -> Result<u32, Fault> {
        let mut ino = ROOT;
        let mut walked = String::new();
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let names = self.names(ino, &walked)?;
            let found = names.iter().find(|name| name.name == part);
            ino = found.ok_or_else(|| Fault::Missing(format!("/{path}")))?.ino;
            walked = if walked.is_empty() { part.to_owned() } else { format!("{walked}/{part}") };
        }
        Ok(ino)
    }

    fn kind(&self, name: &Link) -> Result<Kind, Fault> {
        if let Some(kind) = name.kind {
            return Ok(kind);
        }
        let inode = self.inode(name.ino)?;
        Ok(match (inode.is_dir(), inode.is_file()) {
            (true, _) => Kind::Directory,
            (_, true) => Kind::File,
            _ => Kind::Other,
        })
    }
}

impl Files for Ext4 {
    fn list(&self, path: &str) -> Result<Vec<Entry>, Fault> {
        let names = self.names(self.find(path)?, path)?;
        names.into_iter().map(|name| Ok(Entry { kind: self.kind(&name)?, name: name.name })).collect()
    }

    fn open(&self, path: &str) -> Result<Box<dyn File>, Fault> {
        let ino = self.find(path)?;
        let inode = self.inode(ino)?;
        let place = |fault: Fault| fault.within(&format!("/{path}"));
        if !inode.is_file() || inode.links_count == 0 {
            return Err(broken(format!("/{path} is not a file")));
        }
        self.device.guard(0, || refuse_encrypted(&inode)).map_err(place)?;
        if inode.has_inline_data() {
            let bytes = self.inline(ino, &inode).map_err(place)?;
            return Ok(Box::new(Inline(bytes)));
        }
        if !inode.has_extents() {
            return Err(Fault::Unsupported(format!("/{path}: a file without extents, from an ext3")));
        }
        let runs = self.device.guard(STEP_READS, || extents::runs(&self.geometry(), ino, &inode)).map_err(place)?;
        let (device, mounted) = (self.device.clone(), self.mounted.clone());
        Ok(Box::new(Mapped { device, mounted, path: format!("/{path}"), size: inode.size, runs }))
    }
}

impl Ext4 {
    /// A file so small that its inode holds it.
    fn inline(&self, ino: u32, inode: &Inode) -> Result<Vec<u8>, Fault> {
        if inode.size > u64::from(self.mounted.sb.block_size()) {
            return Err(broken("larger than the inode that holds it"));
        }
        let mut bytes = vec![0; index(inode.size)?];
        let read = self.device.guard(STEP_READS, || self.mounted.read_ino(ino, 0, &mut bytes))?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// A file in extents.
struct Mapped {
    device: Arc<Device>,
    mounted: Arc<Filesystem>,
    path: String,
    size: u64,
    runs: Vec<Run>,
}

impl Mapped {
    /// The pieces of these bytes of the file that are on the volume: where in the file, and where there.
    fn pieces(&self, wanted: Range<u64>) -> impl Iterator<Item = (Range<u64>, u64)> {
        let block = u64::from(self.mounted.sb.block_size());
        let first = self.runs.partition_point(|run| run.logical.end * block <= wanted.start);
        let within = self.runs[first..].iter().take_while({
            let end = wanted.end;
            move |run| run.logical.start * block < end
        });
        within.filter(|run| !run.unwritten).map(move |run| {
            let from = wanted.start.max(run.logical.start * block);
            let to = wanted.end.min(run.logical.end * block);
            (from..to, run.physical * block + (from - run.logical.start * block))
        })
    }
}

impl File for Mapped {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        let wanted = within(offset, into.len(), self.size)?;
        // Holes are read without the device, and a file can be one of as many bytes as ext4 can count.
        self.device.blocks.go_on()?;
        into.fill(0);
        for (piece, physical) in self.pieces(wanted) {
            let into = &mut into[index(piece.start - offset)?..index(piece.end - offset)?];
            // The reader rounds a small read up to a block. Through its device: the journal may hold newer bytes.
            let allowance = (into.len() as u64).max(self.mounted.sb.block_size().into());
            let read = self.device.guard(allowance, || self.mounted.dev.read_at(physical, into));
            read.map_err(|fault| fault.within(&self.path))?;
        }
        Ok(())
    }

    fn prefetch(&self, ranges: &[Range<u64>]) {
        let within = |range: &Range<u64>| range.start.min(self.size)..range.end.min(self.size);
        let on_volume = |(piece, physical): (Range<u64>, u64)| physical..physical + (piece.end - piece.start);
        let wanted: Vec<_> = ranges.iter().flat_map(|range| self.pieces(within(range)).map(on_volume)).collect();
        if !wanted.is_empty() {
            self.device.blocks.prefetch(&wanted);
        }
    }
}

/// A file held in its inode.
struct Inline(Vec<u8>);

impl File for Inline {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Fault> {
        let wanted = within(offset, into.len(), self.size())?;
        into.copy_from_slice(&self.0[index(wanted.start)?..index(wanted.end)?]);
        Ok(())
    }

    fn prefetch(&self, _: &[Range<u64>]) {}
}

/// Whether the journal is to be replayed. If not, the kernel passes over whatever is in it (`ext4_load_journal`:
/// `jbd2_journal_wipe`), and does not look for one that is not announced.
fn needs_recovery(superblock: &Superblock) -> bool {
    superblock.feature_compat & Compat::HAS_JOURNAL.bits() != 0
        && superblock.feature_incompat & Incompat::RECOVER.bits() != 0
}

/// Reads again what mounting read before the replay: superblock and group descriptors.
fn reload(device: &Device, mounted: &mut Filesystem) -> Result<(), Fault> {
    let mut raw = vec![0; 1024];
    device.guard(STEP_READS, || mounted.dev.read_at(SUPERBLOCK_OFFSET, &mut raw))?;
    let superblock = recognise::checked(raw, device.blocks.size())?;
    if superblock.block_size() != mounted.sb.block_size() || superblock.blocks_count < mounted.sb.blocks_count {
        return Err(broken("ext4: the journal holds the superblock of another file system"));
    }
    mounted.csum = Checksummer::from_superblock(&superblock);
    let groups = || bgd::read_all(mounted.dev.as_ref(), &superblock, &mounted.csum);
    mounted.groups = device.guard(STEP_READS, groups)?;
    mounted.sb = superblock;
    Ok(())
}

/// These bytes of a file, if it has them.
pub(crate) fn within(offset: u64, length: usize, size: u64) -> Result<Range<u64>, Fault> {
    match offset.checked_add(length as u64) {
        Some(end) if end <= size => Ok(offset..end),
        _ => Err(broken(format!("bytes {offset} and {length} on are past the end of the file, {size}"))),
    }
}
