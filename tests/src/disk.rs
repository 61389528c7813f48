//! Volumes of a real etcd, put into snapshots through the EBS direct APIs.

use std::collections::BTreeMap;
use std::fs;

use aws_sdk_ebs::primitives::ByteStream;
use aws_sdk_ebs::types::ChecksumAlgorithm;
use axum::body::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Account;
use crate::local_aws::repository;

/// Bytes of a block of EBS.
pub const BLOCK: usize = 524_288;

/// A fixture: a volume, and what etcd and the kernel say of it.
#[derive(Clone, Debug)]
pub struct Disk {
    /// Every byte of the volume's beginning; what follows was never written.
    pub bytes: Vec<u8>,
    /// See the README beside the fixtures.
    pub truth: Value,
}

impl Disk {
    /// The fixture of that name.
    #[must_use]
    pub fn fixture(name: &str) -> Self {
        Self { bytes: unpacked(name, "img.zst"), truth: truth(name) }
    }

    /// A member of a set of three real etcds, copied some time apart; the truth is the whole set's.
    #[must_use]
    pub fn of_set(set: &str, member: &str) -> Self {
        Self { bytes: unpacked(&format!("sets/{set}-{member}"), "img.zst"), truth: truth(&format!("sets/{set}")) }
    }

    /// The same, but both meta pages of every database on it lost.
    #[must_use]
    pub fn without_meta_pages(mut self) -> Self {
        // bbolt's magic number, as it lies on the disk.
        const MAGIC: [u8; 4] = 0xED0C_DAED_u32.to_le_bytes();
        let windows = self.bytes.windows(MAGIC.len()).enumerate();
        let found: Vec<usize> = windows.filter(|(_, bytes)| *bytes == MAGIC).map(|(at, _)| at).collect();
        assert!(found.len() >= 2, "a database has two meta pages");
        for at in found {
            self.bytes[at..at + 64].fill(0);
        }
        self
    }
}

impl Disk {
    /// The same, but a leaf of the database's keys lost, far from the last key.
    #[must_use]
    pub fn with_a_broken_leaf(mut self) -> Self {
        const PAGE: usize = 4096;
        let is_leaf = |page: &[u8]| {
            let key = 16 + usize::from(page[20]) + usize::from(page[21]) * 256;
            page[8..10] == [2, 0] && page[10] > 1 && page[24] == 17 && page.get(key + 8) == Some(&b'_')
        };
        let pages = (0..self.bytes.len() / PAGE).filter(|page| is_leaf(&self.bytes[page * PAGE..(page + 1) * PAGE]));
        // Free pages hold leaves of before, so that all with these keys are lost.
        let leaves: Vec<usize> = pages.collect();
        let key = |page: usize| {
            let page = &self.bytes[page * PAGE..(page + 1) * PAGE];
            let at = 16 + usize::from(page[20]) + usize::from(page[21]) * 256;
            page[at..at + 17].to_vec()
        };
        let mut keys: Vec<Vec<u8>> = leaves.iter().map(|page| key(*page)).collect();
        keys.sort();
        let middle = keys[keys.len() / 2].clone();
        let lost: Vec<usize> = leaves.into_iter().filter(|page| key(*page) == middle).collect();
        for page in lost {
            self.bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        }
        self
    }

    /// The same, but its database has so many more revisions, at the index that it had.
    #[must_use]
    pub fn with_more_revisions(mut self, more: i64) -> Self {
        let last = self.truth["revision"].as_i64().expect("a revision");
        // As the keys of etcd's bucket `key` begin: bbolt's pages have no checksum.
        let key = |revision: i64| [&revision.to_be_bytes()[..], b"_"].concat();
        let (old, new) = (key(last), key(last + more));
        let found: Vec<usize> =
            (0..=self.bytes.len() - old.len()).filter(|at| self.bytes[*at..].starts_with(&old)).collect();
        assert!(!found.is_empty(), "a database has its last revision");
        for at in found {
            self.bytes[at..at + new.len()].copy_from_slice(&new);
        }
        self
    }
}

/// A fixture of which only the blocks are kept that hold something.
#[derive(Clone, Debug)]
pub struct LargeDisk {
    /// By index.
    pub blocks: BTreeMap<u64, Bytes>,
    /// Size of the volume.
    pub volume_gib: u64,
    /// See the README beside the fixtures.
    pub truth: Value,
}

impl LargeDisk {
    /// The fixture of that name.
    #[must_use]
    pub fn fixture(name: &str) -> Self {
        Self::of(truth(name), &Bytes::from(unpacked(name, "blocks.zst")))
    }

    /// One that is not in the repository: what `make fixtures` has made there, unpacked, as `<path>.blocks` and `<path>.json`.
    #[must_use]
    pub fn at(path: &str) -> Self {
        let read =
            |kind: &str| fs::read(format!("{path}.{kind}")).unwrap_or_else(|error| panic!("{path}.{kind}: {error}"));
        Self::of(serde_json::from_slice(&read("json")).expect("JSON"), &Bytes::from(read("blocks")))
    }

    fn of(truth: Value, bytes: &Bytes) -> Self {
        let indexes = truth["blocks"].as_array().expect("a list").iter().map(|index| index.as_u64().expect("an index"));
        let blocks: BTreeMap<u64, Bytes> =
            indexes.enumerate().map(|(nth, index)| (index, bytes.slice(nth * BLOCK..(nth + 1) * BLOCK))).collect();
        assert_eq!(bytes.len(), blocks.len() * BLOCK, "as many blocks as are listed");
        Self { blocks, volume_gib: truth["volume_gib"].as_u64().expect("a size"), truth }
    }
}

fn packed(name: &str, kind: &str) -> Vec<u8> {
    let path = repository().join(format!("functions/lib/disk/tests/fixtures/{name}.{kind}"));
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn unpacked(name: &str, kind: &str) -> Vec<u8> {
    let packed = packed(name, kind);
    let mut bytes = Vec::new();
    let mut decoder = ruzstd::decoding::StreamingDecoder::new(packed.as_slice()).expect("a zstd frame");
    std::io::Read::read_to_end(&mut decoder, &mut bytes).expect("a whole zstd frame");
    bytes
}

fn truth(name: &str) -> Value {
    serde_json::from_slice(&packed(name, "json")).expect("JSON")
}

impl Account {
    /// Puts a disk into a snapshot, leaving away what is all zeros.
    pub async fn put_disk(&self, snapshot: &str, disk: &[u8]) {
        let zeros = vec![0; BLOCK];
        for (index, block) in (0..).zip(disk.chunks(BLOCK)) {
            // As slices: byte by byte takes seconds where nothing is optimised.
            if block != &zeros[..block.len()] {
                self.put_block(snapshot, index, block).await;
            }
        }
    }

    /// Drops every block that was put into a snapshot: the local AWS holds them in memory.
    pub async fn forget_disks(&self) {
        self.control.delete("blocks").await;
    }

    /// The snapshot is of a volume of this size in GiB, every block of which was written.
    pub async fn put_full_disk(&self, snapshot: &str, gib: u32) {
        self.put_block(snapshot, 0, &[1]).await;
        self.control.post("full_snapshots", &json!({ "id": snapshot, "gib": gib })).await;
    }

    /// Puts one block into a snapshot.
    pub async fn put_block(&self, snapshot: &str, index: i32, bytes: &[u8]) {
        let mut block = bytes.to_vec();
        block.resize(BLOCK, 0);
        let checksum = aws_smithy_types::base64::encode(Sha256::digest(&block));
        let put = self.ebs().put_snapshot_block().snapshot_id(snapshot).block_index(index);
        put.data_length(i32::try_from(BLOCK).expect("it fits"))
            .checksum_algorithm(ChecksumAlgorithm::ChecksumAlgorithmSha256)
            .checksum(checksum)
            .block_data(ByteStream::from(block))
            .send()
            .await
            .unwrap_or_else(|error| panic!("block {index} of {snapshot}: {error:?}"));
    }
}
