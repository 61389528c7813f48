//! Decides what is backed up, pruned, verified and restored. Pure: no SDK, no runtime, no environment, no clock.
//!
//! # Vocabulary
//! - A **cluster** is a kops cluster, by its `KubernetesCluster` tag; an **etcd cluster** is the `<name>` of a
//!   volume's tag key `k8s.io/etcd/<name>`; a **member** is the token before `/` in that tag's value.
//! - A **slot** is the scheduled time, cut down to the schedule's period. A **recovery point** is the snapshots of
//!   one etcd cluster's members for one slot; its **skew** is the newest minus the oldest start of these.
//! - A **lineage** is cluster / etcd cluster / member, whatever the volume id: history survives a replaced volume.
//! - A snapshot is **ours** when it bears `etcd-backup/recovery-point` and its volume is the one that its
//!   `etcd-backup/volume` names. Backup tools copy tags onto copies; a copy is never counted and never deleted.
//! - A volume **claims** a member when protokube or etcd-manager would take it for that member's. To **retire** a volume
//!   is to take its discovery tags and `Name` away, parking them on it; **cut-over** is to retire the old volumes, then
//!   to tag the new ones.
//! - A **verdict** is what `verify` found of a snapshot; a point is **corrupt** when one of the snapshots that a restore
//!   would take is, and **verified** when all of them are `ok`.
//!
//! # Invariants
//! - A plan leaves nothing to choose: whoever executes it makes exactly its calls, or fewer when one fails.
//! - No volume is planned without a snapshot to make it from, and none is planned to be deleted.
//! - Whatever a retirement takes away, it parks first; what would not fit is refused before anything is changed.
//! - Only snapshots that are *ours* and within the request's scope appear in a deletion.
//! - The newest complete recovery point of an etcd cluster never appears in a deletion, nor does a pending snapshot.
//! - A verdict of `verify` adds no deletion: what is found corrupt counts for nothing, and ages as if nobody had read it.
//! - Retention never looks at the clock: windows are measured from the newest complete point, so that a schedule
//!   that stood still does not eat the last good points.

pub mod backup;
mod digest;
pub mod export;
pub mod ids;
pub mod marks;
pub mod provenance;
pub mod raft;
pub mod recovery_point;
pub mod restore;
pub mod retention;
pub mod scope;
pub mod set;
pub mod slot;
pub mod snapshot;
pub mod tags;
pub mod told;
pub mod verdict;
pub mod verify;
pub mod volume;
