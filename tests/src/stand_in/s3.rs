//! A bucket that takes objects and keeps of each what `HeadObject` tells: its size and its checksum.

use std::collections::BTreeMap;
use std::fmt::Write;

use axum::body::Bytes;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::query::Query;

/// The objects, by their paths.
#[derive(Default)]
pub(super) struct Objects {
    whole: BTreeMap<String, (usize, String)>,
    parts: BTreeMap<u32, (usize, [u8; 32])>,
}

impl Objects {
    /// The call's name, and its answer. One upload in parts is open at a time.
    pub(super) fn perform(&mut self, method: &Method, uri: &Uri, body: &Bytes) -> (&'static str, Response) {
        let query = Query::parse(uri.query().unwrap_or_default());
        let path = uri.path().to_owned();
        match (method.as_str(), query.get("partNumber").and_then(|number| number.parse().ok())) {
            ("PUT", Some(number)) => {
                let digest: [u8; 32] = Sha256::digest(body).into();
                self.parts.insert(number, (body.len(), digest));
                ("UploadPart", ([("ETag", "\"part\"")], StatusCode::OK).into_response())
            }
            ("PUT", None) => {
                self.whole.insert(path, (body.len(), base64(&Sha256::digest(body))));
                ("PutObject", ([("ETag", "\"whole\"")], StatusCode::OK).into_response())
            }
            ("POST", None) if query.get("uploads").is_some() => {
                self.parts.clear();
                let answer =
                    "<InitiateMultipartUploadResult><UploadId>upload</UploadId></InitiateMultipartUploadResult>";
                ("CreateMultipartUpload", answer.into_response())
            }
            ("POST", None) => {
                let bytes = self.parts.values().map(|(bytes, _)| bytes).sum();
                let digests: Vec<u8> = self.parts.values().flat_map(|(_, digest)| digest).copied().collect();
                let mut checksum = base64(&Sha256::digest(&digests));
                let _ = write!(checksum, "-{}", self.parts.len());
                self.whole.insert(path, (bytes, checksum));
                let answer = "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>";
                ("CompleteMultipartUpload", answer.into_response())
            }
            ("HEAD", _) => ("HeadObject", self.head(&path)),
            _ => ("GetObject", StatusCode::NOT_FOUND.into_response()),
        }
    }

    fn head(&self, path: &str) -> Response {
        let Some((bytes, checksum)) = self.whole.get(path) else { return StatusCode::NOT_FOUND.into_response() };
        let headers = [("Content-Length", bytes.to_string()), ("x-amz-checksum-sha256", checksum.clone())];
        (headers, [("ETag", "\"whole\"")], StatusCode::OK).into_response()
    }
}

fn base64(bytes: &[u8]) -> String {
    aws_smithy_types::base64::encode(bytes)
}
