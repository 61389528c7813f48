//! A stand-in for EC2 that is never the bottleneck: in memory, any number of calls at once, each answered after the
//! same time. For the benchmark, where a function's own time and its rounds of dependent calls are to show.
//!
//! It speaks five calls of the query protocol, the two of EBS's direct APIs that read, and S3's that write an object. Filters are ignored: what a
//! fleet holds is what a function may see, and every snapshot of it has the same blocks.

mod ebs;
mod fleet;
mod query;
mod s3;
mod xml;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

pub use fleet::{Fleet, Snapshot, Volume};
use query::Query;

use crate::disk::LargeDisk;

/// A call that arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// E.g. `CreateSnapshot`.
    pub action: String,
    /// When its request was read.
    pub at: Instant,
    /// The etcd cluster of the volume that a snapshot is taken of: `k8s.example.com/main`.
    pub etcd_cluster: Option<String>,
}

struct Ec2 {
    latency: Duration,
    fleet: Mutex<Fleet>,
    blocks: ebs::Blocks,
    objects: Mutex<s3::Objects>,
    arrivals: Mutex<Vec<Arrival>>,
}

/// A serving stand-in; gone when dropped.
pub struct StandIn {
    url: String,
    ec2: Arc<Ec2>,
    server: JoinHandle<()>,
}

impl StandIn {
    /// Serves this fleet; every answer leaves this long after its call arrived.
    pub async fn serve(fleet: Fleet, latency: Duration) -> Self {
        Self::start(fleet, ebs::Blocks::default(), latency).await
    }

    /// The same, and this disk is in every snapshot.
    pub async fn serve_disk(fleet: Fleet, disk: &LargeDisk, latency: Duration) -> Self {
        Self::start(fleet, ebs::Blocks::of(disk), latency).await
    }

    async fn start(fleet: Fleet, blocks: ebs::Blocks, latency: Duration) -> Self {
        let ec2 = Arc::new(Ec2 {
            latency,
            fleet: Mutex::new(fleet),
            blocks,
            objects: Mutex::default(),
            arrivals: Mutex::default(),
        });
        let router = Router::new()
            .route("/snapshots/{id}/blocks", get(list_blocks))
            .route("/snapshots/{id}/blocks/{index}", get(get_block))
            .fallback(answer)
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&ec2));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound address"));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("serving never fails") });
        Self { url, ec2, server }
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Every call so far, in the order of arrival.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.ec2.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(ec2): State<Arc<Ec2>>, method: Method, uri: Uri, body: Bytes) -> Response {
    if uri.path() != "/" {
        let (action, answer) = {
            let mut objects = ec2.objects.lock().unwrap_or_else(PoisonError::into_inner);
            objects.perform(&method, &uri, &body)
        };
        let at = ec2.arrived(action, None);
        sleep_until(at + ec2.latency).await;
        return answer;
    }
    let (at, (status, body)) = ec2.perform(&Query::parse(&String::from_utf8_lossy(&body)));
    sleep_until(at + ec2.latency).await;
    (status, [("Content-Type", "text/xml;charset=UTF-8")], body).into_response()
}

async fn list_blocks(State(ec2): State<Arc<Ec2>>, uri: Uri) -> Response {
    let at = ec2.arrived("ListSnapshotBlocks", None);
    let query = Query::parse(uri.query().unwrap_or_default());
    let answer = ec2.blocks.list(query.get("pageToken").and_then(|token| token.parse().ok()).unwrap_or_default());
    sleep_until(at + ec2.latency).await;
    answer
}

async fn get_block(State(ec2): State<Arc<Ec2>>, Path((_, index)): Path<(String, u64)>) -> Response {
    let at = ec2.arrived("GetSnapshotBlock", None);
    let answer = ec2.blocks.get(index);
    sleep_until(at + ec2.latency).await;
    answer
}

impl Ec2 {
    fn arrived(&self, action: &str, etcd_cluster: Option<String>) -> Instant {
        let at = Instant::now();
        let arrival = Arrival { action: action.to_owned(), at, etcd_cluster };
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(arrival);
        at
    }

    fn perform(&self, query: &Query) -> (Instant, (StatusCode, String)) {
        let mut fleet = self.fleet.lock().unwrap_or_else(PoisonError::into_inner);
        let action = query.get("Action").unwrap_or_default();
        let volume = query.get("VolumeId").and_then(|id| fleet.volume(id)).cloned();
        let etcd_cluster = volume.as_ref().map(|volume| volume.etcd_cluster.clone());
        let at = self.arrived(action, etcd_cluster);

        let answer = match (action, volume) {
            ("DescribeVolumes", _) => {
                let (page, token) = query.page(&fleet.volumes);
                xml::page(action, "volumeSet", page.iter().map(xml::volume), token)
            }
            ("DescribeSnapshots", _) => {
                let (page, token) = query.page(&fleet.snapshots);
                xml::page(action, "snapshotSet", page.iter().map(xml::snapshot), token)
            }
            ("DescribeLockedSnapshots", _) => xml::page(action, "snapshotSet", std::iter::empty(), None),
            ("CreateSnapshot", Some(volume)) => xml::answer(
                action,
                &xml::snapshot(fleet.begin(&volume, query.get("Description").unwrap_or_default(), query.tags())),
            ),
            ("CreateSnapshot", None) => xml::error("InvalidVolume.NotFound", "The volume does not exist."),
            ("DeleteSnapshot", _) if fleet.forget(query.get("SnapshotId").unwrap_or_default()) => {
                xml::answer(action, "<return>true</return>")
            }
            ("DeleteSnapshot", _) => xml::error("InvalidSnapshot.NotFound", "The snapshot does not exist."),
            ("CreateTags", _) => xml::answer(action, "<return>true</return>"),
            (other, _) => xml::error("InvalidAction", &format!("The stand-in does not speak {other:?}.")),
        };
        (at, answer)
    }
}
