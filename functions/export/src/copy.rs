//! A db's way into the store: read ahead, judged, hashed and compressed in one thread, and sent in parts meanwhile.

use etcd_backup_aws::s3::{Part, Place, S3, Upload};
use etcd_backup_disk::{Database, DbFacts, DbStream, files::Fault};
use etcd_backup_store::{Writer, Written};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::answer::Stop;
use crate::parts::{AT_ONCE, Parts};

/// What was copied.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) revision: i64,
    pub(crate) db_bytes: u64,
    pub(crate) bytes: u64,
}

/// Copies a db there. On any failure nothing is left: the parts that were sent are dropped.
pub(crate) async fn copy(s3: &S3, to: &Place, db: Database, until: Instant) -> Result<Copied, Stop> {
    let late = |_| Stop::Failed("it was not copied before the deadline".to_owned());
    let upload = timeout_at(until, s3.begin(to)).await.map_err(late)??;
    let sent = timeout_at(until, send(s3, &upload, db)).await.map_err(late);
    let sent = sent.and_then(|sent| sent);
    if sent.is_err()
        && let Err(failure) = s3.abort(&upload).await
    {
        warn!("the parts that were sent are still there: {failure}; a lifecycle rule of the bucket drops them");
    }
    sent
}

async fn send(s3: &S3, upload: &Upload, db: Database) -> Result<Copied, Stop> {
    let (into, mut from) = mpsc::channel(1);
    let packed = tokio::task::spawn_blocking(move || pack(&db, Parts::new(into)));
    let (mut sending, mut sent, mut number) = (FuturesUnordered::new(), Vec::<Part>::new(), 0);
    loop {
        tokio::select! {
            biased;
            Some(part) = sending.next() => {
                sent.push(part?);
            }
            part = from.recv(), if sending.len() < AT_ONCE => {
                let Some(part) = part else { break };
                number += 1;
                sending.push(s3.part(upload, number, part));
            }
        }
    }
    // The db is judged to its end before the upload becomes an object.
    let (facts, written) = packed.await.map_err(|panicked| Stop::Failed(panicked.to_string()))??;
    while let Some(part) = sending.next().await {
        sent.push(part?);
    }
    let stored = s3.complete(upload, sent).await?;
    Ok(Copied { revision: facts.revision, db_bytes: written.db_bytes, bytes: stored.bytes })
}

/// Reads, judges and compresses the db, and ends where nobody takes the parts any more.
fn pack(db: &Database, parts: Parts) -> Result<(DbFacts, Written), Stop> {
    let (mut stream, mut writer) = (DbStream::default(), Writer::new(parts));
    db.copy(|piece| {
        stream.feed(piece).map_err(|fault| unsound(&fault))?;
        writer.write(piece)?;
        Ok::<_, Stop>(())
    })?;
    let facts = stream.finish().map_err(|fault| unsound(&fault))?;
    let (written, parts) = writer.finish()?;
    parts.finish()?;
    Ok((facts, written))
}

fn unsound(fault: &Fault) -> Stop {
    Stop::Unsound(format!("the db is not sound: {fault}"))
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Failed(format!("the db could not be read: {fault}"))
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
