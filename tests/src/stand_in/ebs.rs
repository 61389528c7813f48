//! The EBS direct APIs: one large snapshot's blocks, ready to be sent.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::disk::{BLOCK, LargeDisk};

/// Most blocks of a page.
const MOST_LISTED: usize = 10_000;

/// Every snapshot's blocks.
#[derive(Default)]
pub(super) struct Blocks {
    volume_gib: u64,
    /// With their checksums.
    blocks: BTreeMap<u64, (Bytes, String)>,
}

impl Blocks {
    pub(super) fn of(disk: &LargeDisk) -> Self {
        let sent = |bytes: &Bytes| (bytes.clone(), aws_smithy_types::base64::encode(Sha256::digest(bytes)));
        let blocks = disk.blocks.iter().map(|(index, bytes)| (*index, sent(bytes))).collect();
        Self { volume_gib: disk.volume_gib, blocks }
    }

    pub(super) fn list(&self, from: u64) -> Response {
        let mut indexes = self.blocks.range(from..).map(|(index, _)| index);
        let listed =
            indexes.by_ref().take(MOST_LISTED).map(|index| json!({"BlockIndex": index, "BlockToken": "token"}));
        let listed: Vec<_> = listed.collect();
        let next = indexes.next().map(u64::to_string);
        let list = json!({"Blocks": listed, "BlockSize": BLOCK, "VolumeSize": self.volume_gib, "NextToken": next});
        Json(list).into_response()
    }

    pub(super) fn get(&self, index: u64) -> Response {
        let Some((bytes, checksum)) = self.blocks.get(&index) else { return StatusCode::NOT_FOUND.into_response() };
        let headers = [
            ("x-amz-Checksum", checksum.as_str()),
            ("x-amz-Checksum-Algorithm", "SHA256"),
            ("x-amz-Data-Length", &bytes.len().to_string()),
        ];
        (headers, bytes.clone()).into_response()
    }
}
