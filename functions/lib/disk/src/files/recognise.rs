//! Is it an ext4 at all, and one that can be read?

use fs_ext4::Superblock;
use fs_ext4::features::{Compat, Incompat, RoCompat, check_mountable};

use crate::blocks::Blocks;
use crate::fault::{Fault, broken};

/// Where the superblock begins, and its length, both in bytes.
const SUPERBLOCK: (u64, usize) = (1024, 1024);

/// What other formats write, and where: kops makes ext4 only, but a volume can be made by hand.
const OTHERS: [(u64, &[u8], &str); 8] = [
    (0, b"XFSB", "XFS"),
    (0x1_0040, b"_BHRfS_M", "btrfs"),
    (0, b"LUKS\xba\xbe", "LUKS"),
    (512, b"LABELONE", "LVM"),
    (512, b"EFI PART", "a partition table (GPT)"),
    (1024, &[0x10, 0x20, 0xf5, 0xf2], "F2FS"),
    (4086, b"SWAPSPACE2", "swap"),
    // Last: an ext4's own first sector can hold a boot loader, and then has this too.
    (510, &[0x55, 0xaa], "a partition table or a boot sector"),
];

/// The most block groups that are read: those of the largest EBS volume, 64 TiB, in 4-KiB blocks. The reader reserves
/// memory for all of them, whatever the superblock says.
const MOST_GROUPS: u64 = 1 << 19;

/// Reads the superblock of an ext4 that can be read here.
pub(super) fn superblock(blocks: &dyn Blocks) -> Result<Superblock, Fault> {
    let raw = bytes(blocks, SUPERBLOCK.0, SUPERBLOCK.1)?.ok_or_else(|| broken("too small for a file system"))?;
    if raw[0x38..0x3a] != [0x53, 0xef] {
        return Err(stranger(blocks)?);
    }
    checked(raw, blocks.size())
}

/// A superblock that can be read here, of a volume of that many bytes.
pub(super) fn checked(raw: Vec<u8>, volume: u64) -> Result<Superblock, Fault> {
    let parsed = Superblock::parse(raw).map_err(|error| broken(format!("ext4: {error}")))?;
    // Before the features: a flipped bit there would pass for a feature.
    let has_checksum = parsed.feature_ro_compat & RoCompat::METADATA_CSUM.bits() != 0;
    if has_checksum && !checksum_matches(&parsed.raw) {
        return Err(broken("ext4: the superblock's checksum is wrong"));
    }
    supported(&parsed)?;
    parsed.check_fits_device(volume).map_err(|error| broken(format!("ext4: {error}")))?;
    Ok(parsed)
}

/// The kernel's own: CRC32C from all ones, without the final inversion, over all but the checksum.
fn checksum_matches(raw: &[u8]) -> bool {
    let computed = !crc32c::crc32c(&raw[..0x3fc]);
    raw[0x3fc..0x400] == computed.to_le_bytes()
}

fn supported(superblock: &Superblock) -> Result<(), Fault> {
    let unsupported = |what: String| Err(Fault::Unsupported(what));
    if superblock.feature_incompat & Incompat::JOURNAL_DEV.bits() != 0 {
        return unsupported("an ext4 journal device, not a file system".to_owned());
    }
    if superblock.feature_incompat & Incompat::EXTENTS.bits() == 0 {
        return unsupported("ext2 or ext3: files without extents".to_owned());
    }
    if superblock.feature_compat & Compat::HAS_JOURNAL.bits() != 0 && superblock.journal_inode == 0 {
        return unsupported("ext4: its journal is on another device".to_owned());
    }
    if let Err(error) = check_mountable(superblock.feature_incompat, superblock.feature_ro_compat) {
        return unsupported(format!("ext4: {error}"));
    }
    if superblock.block_group_count() > MOST_GROUPS {
        return unsupported(format!("ext4: more than {MOST_GROUPS} block groups"));
    }
    Ok(())
}

/// What a volume without an ext4 superblock is. One with no signature at all is held to be a broken ext4: that is
/// what kops' tags promise.
fn stranger(blocks: &dyn Blocks) -> Result<Fault, Fault> {
    for (offset, signature, name) in OTHERS {
        if bytes(blocks, offset, signature.len())?.as_deref() == Some(signature) {
            return Ok(Fault::Unsupported(format!("not ext4 but {name}")));
        }
    }
    Ok(broken("no ext4 superblock, nor the signature of another file system"))
}

/// These bytes, if the volume is that large.
fn bytes(blocks: &dyn Blocks, offset: u64, length: usize) -> Result<Option<Vec<u8>>, Fault> {
    if offset + length as u64 > blocks.size() {
        return Ok(None);
    }
    let mut bytes = vec![0; length];
    blocks.read_at(offset, &mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Bytes;

    fn judged(change: impl FnOnce(&mut Vec<u8>)) -> Fault {
        let mut volume = vec![0; 128 << 10];
        change(&mut volume);
        superblock(&Bytes(volume)).map(|_| ()).expect_err("no ext4")
    }

    #[test]
    fn other_file_systems_are_not_broken_ones() {
        for (offset, signature, name) in OTHERS {
            let at = usize::try_from(offset).expect("small");
            let fault = judged(|volume| volume[at..at + signature.len()].copy_from_slice(signature));
            assert_eq!(fault, Fault::Unsupported(format!("not ext4 but {name}")));
        }
        assert!(matches!(judged(|_| ()), Fault::Broken(_)), "blank");
        assert!(matches!(judged(|volume| volume.truncate(1500)), Fault::Broken(_)), "cut");
        assert!(matches!(judged(|volume| volume.truncate(4096)), Fault::Broken(_)), "blank and small");
    }

    #[test]
    fn an_ext4_magic_alone_is_a_broken_ext4() {
        let fault = judged(|volume| volume[1024 + 0x38..1024 + 0x3a].copy_from_slice(&[0x53, 0xef]));
        assert!(matches!(fault, Fault::Broken(_)), "{fault}");
    }
}
