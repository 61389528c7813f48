//! A snapshot as a disk: blocks fetched when they are needed, or a little before, and kept under a bound of memory.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use etcd_backup_aws::ebs::{BlockFailure, BlockList, Ebs};
use etcd_backup_core::ids::SnapshotId;
use etcd_backup_disk::{Blocks, Unreadable};
use lru::LruCache;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

/// Most blocks of a snapshot: 128 GiB. etcd's volumes have 20.
const MOST_BLOCKS: usize = 262_144;

/// What bounds the reading.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most calls in flight.
    pub concurrency: usize,
    /// Most bytes of blocks that are kept.
    pub memory: usize,
    /// No block is asked for after it.
    pub deadline: Instant,
}

/// A snapshot's blocks. Read from a thread that may block, while the runtime fetches.
#[derive(Clone)]
pub struct Source(Arc<Shared>);

struct Shared {
    ebs: Ebs,
    snapshot: SnapshotId,
    handle: Handle,
    in_flight: Semaphore,
    deadline: Instant,
    block_size: u64,
    volume_size: u64,
    state: Mutex<State>,
    changed: Condvar,
    listing: tokio::sync::Mutex<()>,
    closed: AtomicBool,
    fetched: AtomicU64,
}

struct State {
    list: BlockList,
    /// Listed anew so often, since tokens had expired.
    listed: u64,
    blocks: LruCache<u64, Arc<[u8]>>,
    fetching: BTreeSet<u64>,
    /// What could not be fetched, and why. It counts only against who needs it.
    failed: BTreeMap<u64, String>,
}

impl Source {
    /// Lists the snapshot's blocks.
    pub async fn open(ebs: &Ebs, snapshot: &SnapshotId, bounds: Bounds) -> Result<Self, String> {
        let Bounds { concurrency, memory, deadline } = bounds;
        let list = timeout_at(deadline, ebs.list(snapshot, MOST_BLOCKS)).await;
        let list = list.map_err(|_| "EBS did not list the blocks before the deadline".to_owned())?;
        let list = list.map_err(|failure| failure.to_string())?;
        if list.tokens.len() > MOST_BLOCKS {
            return Err(format!("it has more than {MOST_BLOCKS} blocks: that is no volume of etcd"));
        }
        let most = (memory / list.block_size).max(2);
        let (block_size, volume_size) = (list.block_size as u64, list.volume_size);
        let blocks = LruCache::new(NonZeroUsize::new(most).unwrap_or(NonZeroUsize::MIN));
        Ok(Self(Arc::new(Shared {
            ebs: ebs.clone(),
            snapshot: snapshot.clone(),
            handle: Handle::current(),
            in_flight: Semaphore::new(concurrency),
            deadline,
            block_size,
            volume_size,
            state: Mutex::new(State { list, listed: 0, blocks, fetching: BTreeSet::new(), failed: BTreeMap::new() }),
            changed: Condvar::new(),
            listing: tokio::sync::Mutex::default(),
            closed: AtomicBool::new(false),
            fetched: AtomicU64::new(0),
        })))
    }

    /// Nothing more is fetched: what was read ahead is not needed any more.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }

    /// How many blocks were read so far.
    #[must_use]
    pub fn blocks_read(&self) -> u64 {
        self.0.fetched.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The block, or nothing where it was never written.
    fn block(&self, index: u64) -> Result<Option<Arc<[u8]>>, Unreadable> {
        let mut state = self.state();
        let mut again = true;
        loop {
            self.go_on()?;
            if let Some(block) = state.blocks.get(&index) {
                return Ok(Some(Arc::clone(block)));
            }
            if !state.list.tokens.contains_key(&index) {
                return Ok(None);
            }
            if let Some(why) = state.failed.remove(&index) {
                // It may have failed when it was read ahead, in a crowd.
                if !std::mem::take(&mut again) {
                    return Err(Unreadable(why));
                }
            }
            self.start(&mut state, index);
            let waited = self.0.changed.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Fetches a block, unless it is on its way.
    fn start(&self, state: &mut State, index: u64) {
        if state.fetching.insert(index) {
            let this = self.clone();
            self.0.handle.spawn(async move { this.fetch(index).await });
        }
    }

    async fn fetch(self, index: u64) {
        // The semaphore is never closed.
        let _permit = self.0.in_flight.acquire().await;
        if self.0.closed.load(Ordering::Relaxed) {
            return;
        }
        let fetched = timeout_at(self.0.deadline, self.fetched(index)).await;
        let fetched = fetched.unwrap_or_else(|_| Err("EBS did not answer before the deadline".to_owned()));
        let mut state = self.state();
        state.fetching.remove(&index);
        match fetched {
            Ok(block) => {
                self.0.fetched.fetch_add(1, Ordering::Relaxed);
                state.blocks.put(index, block.into());
            }
            Err(why) => {
                state.failed.insert(index, format!("block {index}: {why}"));
            }
        }
        self.0.changed.notify_all();
    }

    async fn fetched(&self, index: u64) -> Result<Vec<u8>, String> {
        let (token, listed) = self.token(index);
        let mut block = self.0.ebs.block(&self.0.snapshot, index, &token).await;
        if block == Err(BlockFailure::Expired) {
            self.list_anew(listed).await?;
            let (token, _) = self.token(index);
            block = self.0.ebs.block(&self.0.snapshot, index, &token).await;
        }
        let block = block.map_err(|failure| failure.to_string())?;
        // What is missing must not be taken for zeros.
        let is_whole = block.len() as u64 == self.0.block_size;
        let short = || format!("GetSnapshotBlock: {} bytes, not {}", block.len(), self.0.block_size);
        if is_whole { Ok(block) } else { Err(short()) }
    }

    fn token(&self, index: u64) -> (String, u64) {
        let state = self.state();
        (state.list.tokens.get(&index).cloned().unwrap_or_default(), state.listed)
    }

    /// Once for all that found their tokens expired at the same time.
    async fn list_anew(&self, listed: u64) -> Result<(), String> {
        let _alone = self.0.listing.lock().await;
        if self.state().listed > listed {
            return Ok(());
        }
        let list = self.0.ebs.list(&self.0.snapshot, MOST_BLOCKS).await.map_err(|failure| failure.to_string())?;
        let mut state = self.state();
        state.list = list;
        state.listed = listed + 1;
        Ok(())
    }
}

impl Blocks for Source {
    fn size(&self) -> u64 {
        self.0.volume_size
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Unreadable> {
        let end = offset.checked_add(into.len() as u64).filter(|end| *end <= self.0.volume_size);
        end.ok_or_else(|| Unreadable(format!("{offset} and {} bytes lie beyond the volume's end", into.len())))?;
        let size = self.0.block_size;
        let mut done = 0;
        while done < into.len() {
            let at = offset + done as u64;
            let within = usize::try_from(at % size).unwrap_or_default();
            let block = self.block(at / size)?;
            let take = (usize::try_from(size).unwrap_or(usize::MAX) - within).min(into.len() - done);
            let part = &mut into[done..done + take];
            match block.as_ref().and_then(|block| block.get(within..within + take)) {
                Some(bytes) => part.copy_from_slice(bytes),
                None => part.fill(0),
            }
            done += take;
        }
        Ok(())
    }

    fn go_on(&self) -> Result<(), Unreadable> {
        let is_over = Instant::now() >= self.0.deadline;
        if is_over { Err(Unreadable("there was no time left to read on".to_owned())) } else { Ok(()) }
    }

    /// Never more than half of what is kept: what is prefetched must still be there when it is read.
    fn prefetch(&self, ranges: &[Range<u64>]) {
        let mut state = self.state();
        let most = state.blocks.cap().get() / 2;
        let size = self.0.block_size;
        let indexes = |range: &Range<u64>| range.start / size..range.end.div_ceil(size).max(range.start / size);
        let present = ranges.iter().flat_map(|range| state.list.tokens.range(indexes(range)).map(|(index, _)| *index));
        let wanted: Vec<u64> = present
            .filter(|index| !state.blocks.contains(index) && !state.failed.contains_key(index))
            .take(most)
            .collect();
        for index in wanted {
            self.start(&mut state, index);
        }
    }
}
