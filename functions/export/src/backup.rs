//! A backup, read back whole: whether etcd-manager could restore it.

use std::io::{self, BufRead, Read};

use aws_smithy_types::byte_stream::ByteStream;
use etcd_backup_aws::failure::Failure;
use etcd_backup_core::export::Soundness;
use etcd_backup_disk::{DbFacts, DbStream};
use etcd_backup_store::{Meta, Name, Place, ReadError, Runs, runs};
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, timeout_at};

use crate::exporter::Exporter;
use crate::store::{SMALL, at};

/// The most bytes of a db: etcd itself suggests at most 8 GiB.
const MOST: u64 = 32 << 30;

impl Exporter {
    /// What is in a backup; `None` where there is none, or not whole.
    pub(crate) async fn read_back(
        &self,
        place: &Place,
        name: &Name,
        until: Instant,
    ) -> Result<Option<Soundness>, Failure> {
        let Some(meta) = self.s3.get(&at(place, place.meta(name)), SMALL).await? else { return Ok(None) };
        let read = match Meta::read(&meta) {
            Ok(read) => read,
            Err(why) => return Ok(Some(Soundness::Unsound(format!("its meta cannot be read by etcd-manager: {why}")))),
        };
        let Some((_, body)) = self.s3.read(&at(place, place.data(name))).await? else { return Ok(None) };
        let late = |_| Failure::late("GetObject", "the backup was not read before the deadline");
        let found = timeout_at(until, unpacked(body)).await.map_err(late)??;
        Ok(Some(match found {
            Ok((facts, data)) => judged(&read, &facts, &data, &meta),
            Err(why) => Soundness::Unsound(why),
        }))
    }
}

fn judged(meta: &Meta, facts: &DbFacts, data: &etcd_backup_store::Read, bytes: &[u8]) -> Soundness {
    let needs = match runs(&meta.etcd_version, facts.etcd_version.as_deref()) {
        Runs::Yes => None,
        Runs::If(what) => Some(what),
        Runs::No(why) => return Soundness::Unsound(why),
    };
    let sha256: String = data.sha256.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    Soundness::Sound {
        etcd_version: meta.etcd_version.clone(),
        needs,
        revision: facts.revision,
        db_bytes: data.db_bytes,
        fingerprint: format!("{sha256} {}", String::from_utf8_lossy(bytes)),
    }
}

/// Reads and judges the data, as it comes. The inner error speaks against the backup.
async fn unpacked(mut body: ByteStream) -> Result<Result<(DbFacts, etcd_backup_store::Read), String>, Failure> {
    let (into, from) = mpsc::channel(4);
    let judging = tokio::task::spawn_blocking(move || judge(Pieces { from, piece: Vec::new(), at: 0 }));
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| Failure::late("GetObject", &error.to_string()))?;
        // Whoever judges may have seen enough.
        if into.send(piece.to_vec()).await.is_err() {
            break;
        }
    }
    drop(into);
    judging.await.map_err(|panicked| Failure::late("GetObject", &panicked.to_string()))
}

fn judge(pieces: Pieces) -> Result<(DbFacts, etcd_backup_store::Read), String> {
    let mut stream = DbStream::default();
    let read = etcd_backup_store::read(pieces, MOST, |piece| stream.feed(piece));
    let read = read.map_err(|error| match error {
        ReadError::Taken(fault) => format!("its db: {fault}"),
        other => format!("its data: {other}"),
    })?;
    let facts = stream.finish().map_err(|fault| format!("its db: {fault}"))?;
    Ok((facts, read))
}

/// What comes, as something to read from.
struct Pieces {
    from: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    at: usize,
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.piece.len() {
            let Some(piece) = self.from.blocking_recv() else { break };
            (self.piece, self.at) = (piece, 0);
        }
        Ok(&self.piece[self.at..])
    }

    fn consume(&mut self, bytes: usize) {
        self.at += bytes;
    }
}

impl Read for Pieces {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let taken = bytes.len().min(into.len());
        into[..taken].copy_from_slice(&bytes[..taken]);
        self.consume(taken);
        Ok(taken)
    }
}
