//! An export: the snapshots that come into question are looked into, best first, and the first sound one is copied.

use std::collections::BTreeSet;
use std::sync::Arc;

use etcd_backup_aws::lambda::Deadline;
use etcd_backup_aws::metrics;
use etcd_backup_aws::s3::Put;
use etcd_backup_blocks::{Bounds, Source, findings};
use etcd_backup_core::export::{
    At, Candidate, ExportRequest, ExportResult, Exported, Observed, What, choose, has_due, judge, needs, report,
    speaks_of_one_member,
};
use etcd_backup_core::ids::EtcdClusterId;
use etcd_backup_core::restore::{Refusal, RefusalKind};
use etcd_backup_core::slot::Slot;
use etcd_backup_core::verify::Findings;
use etcd_backup_disk::{Database, Depth, mount_and_examine};
use etcd_backup_store::{Meta, Name, Place, label};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::{info, warn};

use crate::answer::{Stop, answer};
use crate::copy::copy;
use crate::exporter::Exporter;
use crate::store::at;

/// Most bytes of blocks that are kept in memory: enough for what is read ahead.
const MEMORY: usize = 40 << 20;

impl Exporter {
    /// By hand.
    pub(crate) async fn export(
        &self,
        observed: &Observed,
        request: &ExportRequest,
        deadline: Deadline,
    ) -> Result<ExportResult, Stop> {
        let choice = choose(observed, request, &self.function.config.settings.clusters)?;
        let (mut warnings, mut refused) = (choice.warnings, None);
        for candidate in &choice.candidates {
            match self.attempt(candidate, request.allow_degraded, &mut warnings, deadline).await {
                Err(Stop::Refused(refusal)) if speaks_of_one_member(&refusal) => {
                    warnings.push(format!("passed over: {}", refusal.message));
                    refused.get_or_insert(refusal);
                }
                other => return other,
            }
        }
        Err(Stop::Refused(
            refused.unwrap_or_else(|| Refusal::new(RefusalKind::NoSuchRecoveryPoint, "there is no snapshot to export")),
        ))
    }

    /// `verify` has found a point sound.
    pub(crate) async fn export_verified(
        &self,
        observed: &Observed,
        (of, slot): (&EtcdClusterId, Slot),
        deadline: Deadline,
    ) -> Result<Value, Stop> {
        let nothing = |why: String| Ok(json!({"outcome": "nothing-to-do", "warnings": [], "why": why}));
        let what = What::Point { of: of.clone(), at: At::Slot(slot), member: None };
        let request = ExportRequest { what, allow_degraded: false };
        // It may have been pruned since.
        let choice = match choose(observed, &request, &self.function.config.settings.clusters) {
            Ok(choice) => choice,
            Err(refusal) => return nothing(refusal.to_string()),
        };
        let names: BTreeSet<String> = choice.candidates.iter().map(|one| name(one).to_string()).collect();
        if has_due(&self.listed(of).await?, &names, slot, self.function.config.settings.exports) {
            return nothing(format!("the store has what is due of {slot}"));
        }
        match self.export(observed, &request, deadline).await {
            Ok(result) => Ok(answer(&result)),
            Err(Stop::Refused(refusal)) if refusal.kind == RefusalKind::AlreadyExported => nothing(refusal.message),
            Err(stop) => Err(stop),
        }
    }

    async fn attempt(
        &self,
        candidate: &Candidate,
        allow_degraded: bool,
        warnings: &mut Vec<String>,
        deadline: Deadline,
    ) -> Result<ExportResult, Stop> {
        let started = Instant::now();
        let place = self.place(&candidate.lineage.of);
        let name = name(candidate);
        let (meta_at, data_at) = (at(&place, place.meta(&name)), at(&place, place.data(&name)));
        let (head, spec, look) =
            (Box::pin(self.s3.head(&meta_at)), Box::pin(self.spec(&place)), Box::pin(self.look(candidate, deadline)));
        let (there, spec, looked) = tokio::join!(head, spec, look);
        // A meta without data is no backup: the export is made again.
        if there?.is_some() && self.s3.head(&data_at).await?.is_some() {
            return Err(already(&place, &name).into());
        }
        let (found, db) = looked.map_err(Stop::Failed)?;
        warnings.extend(judge(&candidate.snapshot, &found, allow_degraded)?);
        let db = db.ok_or_else(|| Stop::Failed("the db could not be opened".to_owned()))?;
        let left = deadline.stop_starting.saturating_duration_since(Instant::now());
        if needs(db.bytes()) > left {
            return Err(too_long(db.bytes(), left.as_secs()).into());
        }
        let spec = spec?.map(|(_, spec)| spec);
        let db_version = found.etcd_version.clone().unwrap_or_default();
        let etcd_version = label(&db_version, spec.as_ref().map(|spec| spec.etcd_version.as_str()));
        let etcd_version = etcd_version.ok_or_else(|| no_label(&db_version))?;
        let copied = Box::pin(copy(&self.s3, &data_at, db, deadline.stop_starting)).await?;
        if Some(copied.revision) != found.revision {
            let why = format!("the copy is of revision {}, not {:?}: it is no backup", copied.revision, found.revision);
            return Err(Stop::Failed(why));
        }
        let meta = Meta { etcd_version: etcd_version.clone(), timestamp: candidate.started.as_second(), spec };
        if Box::pin(self.put_last(&meta_at, meta.bytes(), deadline)).await? == Put::Exists {
            return Err(already(&place, &name).into());
        }
        if let Err(error) = metrics::emit_over_all(&[("BackupsExported", "Count", 1.0)], Timestamp::now()) {
            warn!("the metrics could not be written: {error}");
        }
        info!(backup = %name, member = %candidate.lineage.member, db_bytes = copied.db_bytes, bytes = copied.bytes, "Exported");
        let exported = Exported {
            backup: name.to_string(),
            url: data_at.to_string(),
            store: place.to_string(),
            etcd_version,
            db_bytes: copied.db_bytes,
            bytes: copied.bytes,
            took_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        Ok(report(candidate, &found, &exported, warnings.clone()))
    }

    /// Reads a snapshot as `verify` does, and opens its db.
    async fn look(&self, candidate: &Candidate, deadline: Deadline) -> Result<(Findings, Option<Database>), String> {
        let started = Instant::now();
        let until = deadline.stop_starting;
        let bounds = Bounds { concurrency: self.function.ec2.concurrency(), memory: MEMORY, deadline: until };
        let source = Source::open(&self.function.ebs, &candidate.snapshot, bounds).await?;
        let disk = Arc::new(source.clone());
        let looked = tokio::task::spawn_blocking(move || {
            let (examined, files) = mount_and_examine(disk, Depth::Shallow).map_err(|unreadable| unreadable.0)?;
            let data_dir = examined.data_dir.clone();
            let db = files.zip(data_dir).map(|(files, data_dir)| Database::open(files.as_ref(), &data_dir));
            Ok::<_, String>((examined, db))
        });
        let (examined, db) = looked.await.map_err(|panicked| panicked.to_string())??;
        let took = SignedDuration::try_from(started.elapsed()).unwrap_or_default();
        // Of a db that cannot be opened the verdict says why.
        Ok((findings(examined, source.blocks_read(), took), db.and_then(Result::ok)))
    }
}

fn name(candidate: &Candidate) -> Name {
    Name::of_snapshot(candidate.snapshot.as_str(), candidate.started)
}

fn already(place: &Place, name: &Name) -> Refusal {
    let message =
        format!("{place} has {name} already: that is this snapshot's backup. Restore it with the mode `restore`");
    Refusal::new(RefusalKind::AlreadyExported, message)
}

fn too_long(bytes: u64, left: u64) -> Refusal {
    let needs = needs(bytes).as_secs();
    let message = format!(
        "a db of {bytes} bytes may take {needs} s, and {left} s are left: give the function a longer time-out (900 s at most)"
    );
    Refusal::new(RefusalKind::TooLittleTime, message)
}

fn no_label(db_version: &str) -> Refusal {
    let message = format!(
        "which version of etcd {db_version} etcd-manager has is not known: the store has no `control/etcd-cluster-spec` of \
         {db_version}. `kops update cluster --yes` and a start of etcd-manager write it"
    );
    Refusal::new(RefusalKind::StoreNotEtcdManagers, message)
}
