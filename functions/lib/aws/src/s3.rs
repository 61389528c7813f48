//! Reads and writes the objects of a bucket. A small object is written only where there is none; an upload in parts becomes an
//! object when it is completed.

use std::fmt;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart, ServerSideEncryption,
};
use aws_smithy_types::base64;
use sha2::{Digest, Sha256};

use crate::failure::{Failure, Meaning};

/// The concrete client.
#[derive(Debug, Clone)]
pub struct S3 {
    client: Client,
    kms_key: Option<String>,
}

/// An object, by its bucket and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
}

/// An object that was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
}

/// An object as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its size in bytes.
    pub bytes: u64,
    /// The SHA-256 that S3 keeps of it: of an object of several parts that of its parts' SHA-256s, and how many these are.
    pub checksum: Option<String>,
    /// Changes when the object does.
    pub etag: String,
}

/// A part that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    number: i32,
    etag: String,
    sha256: [u8; 32],
    /// Its size in bytes.
    pub bytes: u64,
}

/// An upload in parts that has begun. Whoever has it ends it: [`S3::complete`] or [`S3::abort`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    place: Place,
    id: String,
}

/// Whether something new was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was.
    Written,
    /// There is an object of that key already. It is as it was.
    Exists,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

impl S3 {
    /// Wraps the SDK's client. The bucket may be of another region; what is written is encrypted with that KMS key, else as
    /// the bucket says.
    #[must_use]
    pub fn new(config: &aws_config::SdkConfig, region: Option<String>, kms_key: Option<String>) -> Self {
        let mut builder = aws_sdk_s3::config::Builder::from(config);
        if let Some(region) = region {
            builder = builder.region(aws_sdk_s3::config::Region::new(region));
        }
        // A local endpoint has no host name for each bucket.
        let config = builder.force_path_style(config.endpoint_url().is_some()).build();
        Self { client: Client::from_conf(config), kms_key }
    }

    /// All objects whose keys begin so.
    pub async fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<Listed>, Failure> {
        const CALL: &str = "ListObjectsV2";
        let (mut listed, mut page) = (Vec::new(), None);
        loop {
            let call = self.client.list_objects_v2().bucket(bucket).prefix(prefix).set_continuation_token(page);
            let answer = call.send().await.map_err(|error| Failure::of(CALL, &error))?;
            for object in answer.contents() {
                let bytes = object.size().and_then(|size| u64::try_from(size).ok());
                let (Some(key), Some(bytes)) = (object.key(), bytes) else {
                    return Err(Failure::unreadable(CALL, "an object without key or size"));
                };
                listed.push(Listed { key: key.to_owned(), bytes });
            }
            page = answer.next_continuation_token().filter(|token| !token.is_empty()).map(str::to_owned);
            if page.is_none() {
                return Ok(listed);
            }
        }
    }

    /// A small object, whole; `None` where there is none.
    pub async fn get(&self, place: &Place, most: u64) -> Result<Option<Vec<u8>>, Failure> {
        let Some((stored, body)) = self.read(place).await? else { return Ok(None) };
        if stored.bytes > most {
            return Err(Failure::unreadable(
                "GetObject",
                format!("{place} has {} bytes, more than {most}", stored.bytes),
            ));
        }
        let bytes = body.collect().await.map_err(|error| Failure::unreadable("GetObject", error))?;
        Ok(Some(bytes.to_vec()))
    }

    /// An object, piece by piece; `None` where there is none.
    pub async fn read(&self, place: &Place) -> Result<Option<(Stored, ByteStream)>, Failure> {
        const CALL: &str = "GetObject";
        let answer = match self.client.get_object().bucket(&place.bucket).key(&place.key).send().await {
            Ok(answer) => answer,
            Err(error) => return absent(Failure::of(CALL, &error)),
        };
        let stored = stored(CALL, answer.content_length(), answer.checksum_sha256(), answer.e_tag())?;
        Ok(Some((stored, answer.body)))
    }

    /// What there is of an object; `None` where there is none.
    pub async fn head(&self, place: &Place) -> Result<Option<Stored>, Failure> {
        const CALL: &str = "HeadObject";
        let call = self.client.head_object().bucket(&place.bucket).key(&place.key).checksum_mode(ChecksumMode::Enabled);
        match call.send().await {
            Ok(answer) => stored(CALL, answer.content_length(), answer.checksum_sha256(), answer.e_tag()).map(Some),
            Err(error) => absent(Failure::of(CALL, &error)),
        }
    }

    /// Writes a small object where there is none. Where the answer was lost and the call repeated, S3 finds the object of the
    /// first try: if it is the same, it was written.
    pub async fn put_new(&self, place: &Place, bytes: Vec<u8>) -> Result<Put, Failure> {
        let checksum = base64::encode(Sha256::digest(&bytes));
        let length = bytes.len() as u64;
        let call = self.client.put_object().bucket(&place.bucket).key(&place.key).if_none_match("*");
        let call = call.checksum_sha256(&checksum).body(ByteStream::from(bytes));
        let (encryption, key) = self.encryption();
        let put = call.set_server_side_encryption(encryption).set_ssekms_key_id(key).send().await;
        let Err(error) = put else { return Ok(Put::Written) };
        let failure = Failure::of("PutObject", &error);
        if failure.meaning != Meaning::Exists {
            return Err(failure);
        }
        let is_same = |stored: Stored| stored.bytes == length && stored.checksum.as_ref() == Some(&checksum);
        let found = self.head(place).await?;
        Ok(if found.is_some_and(is_same) { Put::Written } else { Put::Exists })
    }

    /// Begins an upload in parts.
    pub async fn begin(&self, place: &Place) -> Result<Upload, Failure> {
        const CALL: &str = "CreateMultipartUpload";
        let call = self.client.create_multipart_upload().bucket(&place.bucket).key(&place.key);
        let call = call.checksum_algorithm(ChecksumAlgorithm::Sha256).checksum_type(ChecksumType::Composite);
        let (encryption, key) = self.encryption();
        let call = call.content_type("application/gzip").set_server_side_encryption(encryption).set_ssekms_key_id(key);
        let answer = call.send().await.map_err(|error| Failure::of(CALL, &error))?;
        let id = answer.upload_id().ok_or_else(|| Failure::unreadable(CALL, "no upload id"))?;
        Ok(Upload { place: place.clone(), id: id.to_owned() })
    }

    /// Sends a part, by its number from 1. S3 checks its SHA-256.
    pub async fn part(&self, upload: &Upload, number: i32, bytes: Vec<u8>) -> Result<Part, Failure> {
        const CALL: &str = "UploadPart";
        let (sha256, length) = (Sha256::digest(&bytes).into(), bytes.len() as u64);
        let call = self.client.upload_part().bucket(&upload.place.bucket).key(&upload.place.key).upload_id(&upload.id);
        let call = call.part_number(number).checksum_sha256(base64::encode(sha256)).body(ByteStream::from(bytes));
        let answer = call.send().await.map_err(|error| Failure::of(CALL, &error))?;
        let etag = answer.e_tag().ok_or_else(|| Failure::unreadable(CALL, "no ETag"))?;
        Ok(Part { number, etag: etag.to_owned(), sha256, bytes: length })
    }

    /// Makes the parts an object, and looks whether it is what was sent. Where the answer was lost and the call repeated, S3 no
    /// longer knows the upload: the look tells.
    pub async fn complete(&self, upload: &Upload, mut parts: Vec<Part>) -> Result<Stored, Failure> {
        parts.sort_by_key(|part| part.number);
        let completed = |part: &Part| {
            let builder = CompletedPart::builder().part_number(part.number).e_tag(&part.etag);
            builder.checksum_sha256(base64::encode(part.sha256)).build()
        };
        let completed = parts.iter().map(completed).collect();
        let completed = CompletedMultipartUpload::builder().set_parts(Some(completed)).build();
        let call = self.client.complete_multipart_upload().bucket(&upload.place.bucket).key(&upload.place.key);
        let sent = call.upload_id(&upload.id).multipart_upload(completed).send().await;
        let failure = sent.err().map(|error| Failure::of("CompleteMultipartUpload", &error));
        let is_open = |failure: &&Failure| matches!(failure.meaning, Meaning::NotFound | Meaning::Unknown);
        if let Some(failure) = failure.as_ref().filter(|failure| !is_open(failure)) {
            return Err(failure.clone());
        }
        let expected = (parts.iter().map(|part| part.bytes).sum::<u64>(), composite(&parts));
        match self.head(&upload.place).await? {
            Some(stored) if (stored.bytes, stored.checksum.as_ref()) == (expected.0, Some(&expected.1)) => Ok(stored),
            found => Err(failure.unwrap_or_else(|| {
                let found = found.map_or("nothing".to_owned(), |stored| format!("{stored:?}"));
                Failure::unreadable("HeadObject", format!("{}: {found}, not {expected:?}", upload.place))
            })),
        }
    }

    /// Drops the parts that were sent. One that is gone already is as good.
    pub async fn abort(&self, upload: &Upload) -> Result<(), Failure> {
        let call = self.client.abort_multipart_upload().bucket(&upload.place.bucket).key(&upload.place.key);
        match call.upload_id(&upload.id).send().await {
            Ok(_) => Ok(()),
            Err(error) => absent::<()>(Failure::of("AbortMultipartUpload", &error)).map(|_| ()),
        }
    }

    fn encryption(&self) -> (Option<ServerSideEncryption>, Option<String>) {
        (self.kms_key.as_ref().map(|_| ServerSideEncryption::AwsKms), self.kms_key.clone())
    }
}

/// The checksum that S3 gives an object of these parts: the SHA-256 of their SHA-256s, and how many there are.
fn composite(parts: &[Part]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.sha256);
    }
    format!("{}-{}", base64::encode(hash.finalize()), parts.len())
}

fn absent<T>(failure: Failure) -> Result<Option<T>, Failure> {
    if failure.meaning == Meaning::NotFound { Ok(None) } else { Err(failure) }
}

fn stored(
    call: &'static str,
    length: Option<i64>,
    checksum: Option<&str>,
    etag: Option<&str>,
) -> Result<Stored, Failure> {
    let missing = |what| Failure::unreadable(call, what);
    let bytes = length.and_then(|length| u64::try_from(length).ok()).ok_or_else(|| missing("no length"))?;
    let etag = etag.ok_or_else(|| missing("no ETag"))?.to_owned();
    Ok(Stored { bytes, checksum: checksum.map(str::to_owned), etag })
}
