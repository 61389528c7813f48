//! The two meta pages: where everything begins.

use super::node::{u32_at, u64_at};
use crate::fault::{Fault, broken};
use crate::files::File;

/// Bytes of a page before its content, and of a meta.
const AT: u64 = 16;
const LENGTH: usize = 64;
/// Of a meta, all but its checksum.
const SUMMED: usize = 56;
const MAGIC: u32 = 0xED0C_DAED;
const VERSION: u32 = 2;
/// What page sizes operating systems have; bbolt itself looks for a second meta at 1 KiB to 16 MiB (`getPageSize`).
const PAGE_SIZES: std::ops::RangeInclusive<u64> = 1024..=65536;

/// The page size on the machines that run etcd, which have x86 or ARM.
const USUAL_PAGE_SIZE: u64 = 4096;

/// Why there is no meta.
enum Bad {
    Broken(&'static str),
    Version(u32),
}

/// A valid meta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    /// Bytes.
    pub(super) page_size: u64,
    /// The page of the bucket of buckets.
    pub(super) root: u64,
    /// The first page that was never used.
    pub(super) high_water: u64,
    txid: u64,
}

/// The valid meta of the newest transaction, and what is wrong with the other one.
pub(super) fn newest(file: &dyn File) -> Result<(Meta, Option<String>), Fault> {
    file.prefetch(std::slice::from_ref(&(0..2 * USUAL_PAGE_SIZE)));
    let first = at(file, 0)?;
    // Where the second one is, only the first one knows. Without it, every size is tried.
    let second = match &first {
        Ok(first) => at(file, first.page_size)?,
        Err(_) => second_alone(file)?,
    };
    match (first, second) {
        // With its checksum right, it is what a bbolt wrote that is not known here.
        (Err(Bad::Version(version)), _) | (_, Err(Bad::Version(version))) => {
            Err(Fault::Unsupported(format!("bbolt's version {version}: what is known here is {VERSION}")))
        }
        (Ok(first), Ok(second)) if second.txid > first.txid => Ok((second, None)),
        (Ok(first), Ok(_)) => Ok((first, None)),
        (Ok(first), Err(Bad::Broken(why))) => Ok((first, Some(format!("meta page 1: {why}")))),
        (Err(Bad::Broken(why)), Ok(second)) => Ok((second, Some(format!("meta page 0: {why}")))),
        (Err(Bad::Broken(first)), Err(Bad::Broken(second))) => {
            Err(broken(format!("both meta pages are bad (0: {first}; 1: {second})")))
        }
    }
}

/// The second meta of a file whose first one is bad: bbolt's `getPageSize` looks for it likewise.
fn second_alone(file: &dyn File) -> Result<Result<Meta, Bad>, Fault> {
    let sizes = std::iter::successors(Some(*PAGE_SIZES.start()), |size| Some(size * 2));
    for size in sizes.take_while(|size| PAGE_SIZES.contains(size)) {
        if let Ok(meta) = at(file, size)?
            && meta.page_size == size
        {
            return Ok(Ok(meta));
        }
    }
    Ok(Err(Bad::Broken("not found")))
}

/// The meta of the page at that offset, or why it is none.
fn at(file: &dyn File, offset: u64) -> Result<Result<Meta, Bad>, Fault> {
    let from = offset + AT;
    if from + LENGTH as u64 > file.size() {
        return Ok(Err(Bad::Broken("past the end of the file")));
    }
    let mut bytes = [0; LENGTH];
    file.read_at(from, &mut bytes)?;
    Ok(parse(&bytes))
}

/// bbolt's `Meta.Validate`, and its page size within bounds.
fn parse(bytes: &[u8; LENGTH]) -> Result<Meta, Bad> {
    if u32_at(bytes, 0) != MAGIC {
        return Err(Bad::Broken("no magic"));
    }
    if u64_at(bytes, SUMMED) != fnv(&bytes[..SUMMED]) {
        return Err(Bad::Broken("its checksum is wrong"));
    }
    let version = u32_at(bytes, 4);
    if version != VERSION {
        return Err(Bad::Version(version));
    }
    let page_size = u64::from(u32_at(bytes, 8));
    if !page_size.is_power_of_two() || !PAGE_SIZES.contains(&page_size) {
        return Err(Bad::Broken("an impossible page size"));
    }
    Ok(Meta { page_size, root: u64_at(bytes, 16), high_water: u64_at(bytes, 40), txid: u64_at(bytes, 48) })
}

/// FNV-64a.
pub(super) fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
