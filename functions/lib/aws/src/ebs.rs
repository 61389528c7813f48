//! The blocks of a snapshot, through the EBS direct APIs: no volume, no instance.

use std::collections::BTreeMap;

use aws_sdk_ebs::Client;
use aws_sdk_ebs::error::SdkError;
use aws_sdk_ebs::operation::get_snapshot_block::GetSnapshotBlockError;
use aws_sdk_ebs::types::{AccessDeniedExceptionReason, ValidationExceptionReason};
use etcd_backup_core::ids::SnapshotId;
use sha2::{Digest, Sha256};

use crate::failure::Failure;

/// The concrete client.
#[derive(Debug, Clone)]
pub struct Ebs {
    client: Client,
}

/// The blocks that a snapshot has. Those that were never written are absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockList {
    /// Bytes of a block.
    pub block_size: usize,
    /// Bytes of the volume that the snapshot was taken of.
    pub volume_size: u64,
    /// By index, what a block is asked for with. Valid for days, not for ever.
    pub tokens: BTreeMap<u64, String>,
}

/// Why a block could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlockFailure {
    /// Its token has expired: list again.
    Expired,
    /// Anything else.
    Failed(Failure),
}

impl Ebs {
    /// Wraps the SDK's client.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig) -> Self {
        Self { client: Client::new(config) }
    }

    /// Lists a snapshot's blocks, page by page: all of them, or more than `most`. A full volume of 64 TiB would have
    /// 134 million.
    pub async fn list(&self, snapshot: &SnapshotId, most: usize) -> Result<BlockList, Failure> {
        const CALL: &str = "ListSnapshotBlocks";
        let mut list = BlockList { block_size: 0, volume_size: 0, tokens: BTreeMap::new() };
        let mut page = None;
        loop {
            let call = self.client.list_snapshot_blocks().snapshot_id(snapshot.as_str()).max_results(10_000);
            let answer = call.set_next_token(page).send().await.map_err(|error| Failure::of(CALL, &error))?;
            let missing = |what| Failure::unreadable(CALL, what);
            let size = answer.block_size().and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
            list.block_size = size.ok_or_else(|| missing("no block size"))?;
            let gib = answer.volume_size().and_then(|gib| u64::try_from(gib).ok()).filter(|gib| *gib <= 64 * 1024);
            list.volume_size = gib.ok_or_else(|| missing("no volume size"))? << 30;
            for block in answer.blocks() {
                let index = block.block_index().and_then(|index| u64::try_from(index).ok());
                let (Some(index), Some(token)) = (index, block.block_token()) else {
                    return Err(missing("a block without index or token"));
                };
                list.tokens.insert(index, token.to_owned());
            }
            page = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if page.is_none() || list.tokens.len() > most {
                return Ok(list);
            }
        }
    }

    /// Reads one block and checks its checksum. A block that does not match was damaged on its way: it is asked for once
    /// more.
    pub async fn block(&self, snapshot: &SnapshotId, index: u64, token: &str) -> Result<Vec<u8>, BlockFailure> {
        match self.block_once(snapshot, index, token).await? {
            Ok(bytes) => Ok(bytes),
            Err(_) => self.block_once(snapshot, index, token).await?.map_err(BlockFailure::Failed),
        }
    }

    async fn block_once(
        &self,
        snapshot: &SnapshotId,
        index: u64,
        token: &str,
    ) -> Result<Result<Vec<u8>, Failure>, BlockFailure> {
        const CALL: &str = "GetSnapshotBlock";
        let unreadable = |what: String| Failure::unreadable(CALL, what);
        let number = i32::try_from(index).map_err(|_| BlockFailure::Failed(unreadable("no such index".to_owned())))?;
        let call = self.client.get_snapshot_block().snapshot_id(snapshot.as_str()).block_index(number);
        let answer = call.block_token(token).send().await.map_err(|error| {
            let is_expired = error.as_service_error().is_some_and(is_expired);
            if is_expired { BlockFailure::Expired } else { BlockFailure::Failed(failed(CALL, &error)) }
        })?;
        let checksum = answer.checksum().map(str::to_owned);
        let bytes = match answer.block_data.collect().await {
            Ok(bytes) => bytes.to_vec(),
            Err(error) => return Ok(Err(unreadable(format!("cut off: {error}")))),
        };
        let found = aws_smithy_types::base64::encode(Sha256::digest(&bytes));
        Ok(match checksum {
            Some(expected) if expected == found => Ok(bytes),
            Some(expected) => Err(unreadable(format!("its SHA-256 is {found}, not {expected}"))),
            None => Err(unreadable("no checksum".to_owned())),
        })
    }
}

/// As any call's, and where it is the key of an encrypted snapshot, what to do.
fn failed<R: std::fmt::Debug>(call: &'static str, error: &SdkError<GetSnapshotBlockError, R>) -> Failure {
    let mut failure = Failure::of(call, error);
    let is_key = matches!(error.as_service_error(), Some(GetSnapshotBlockError::AccessDeniedException(why))
        if why.reason() == &AccessDeniedExceptionReason::DependencyAccessDenied);
    if is_key {
        failure.message.push_str("; its KMS key must be one of the stack's KmsKeyArns, and allow it");
    }
    failure
}

fn is_expired(error: &GetSnapshotBlockError) -> bool {
    matches!(error, GetSnapshotBlockError::ValidationException(why)
        if why.reason() == Some(&ValidationExceptionReason::InvalidBlockToken))
}

impl std::fmt::Display for BlockFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Expired => f.write_str("GetSnapshotBlock: the block's token has expired"),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}
