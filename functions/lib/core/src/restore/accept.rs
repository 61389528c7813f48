//! From an event to a request, or to the field that is wrong and what is accepted.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use jiff::{SignedDuration, Timestamp};

use super::event::{Event, Mode};
use super::id::RestoreId;
use super::pins::Pins;
use super::request::{Allow, Apply, At, Described, Overrides, Request, RestoreRequest, UndoRequest, What};
use crate::ids::{EtcdCluster, EtcdClusterId, Member, SnapshotId, VolumeId, Zone};
use crate::scope::ClusterSet;
use crate::slot::Slot;
use crate::tags::Membership;

/// The volume types that EC2 has.
const VOLUME_TYPES: [&str; 7] = ["gp3", "gp2", "io1", "io2", "st1", "sc1", "standard"];

/// How an apply comes about.
const PLAN_FIRST: &str = "plan first, and send the `apply` of its answer";

/// How far apart the clocks of two Lambdas may be.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

impl Request {
    /// Checks an event. `fresh` is the id of a plan made now that names none. The error names the field and what is accepted.
    pub fn accept(event: Event, clusters: &ClusterSet, fresh: RestoreId) -> Result<Self, String> {
        let mode = event.mode.unwrap_or(if event == Event::default() { Mode::List } else { Mode::Plan });
        let accepted: Option<&[&str]> = match mode {
            Mode::List => Some(&["cluster", "etcd_cluster", "limit"]),
            Mode::Undo => Some(&["cluster", "etcd_cluster", "volumes", "old_volumes"]),
            Mode::Plan | Mode::Apply => None,
        };
        let fits = |field: &&str| {
            accepted.map_or(!["limit", "volumes", "old_volumes"].contains(field), |list| list.contains(field))
        };
        if let Some(field) = event.present().find(|field| !fits(field)) {
            return Err(format!("{field}: does not go with the mode `{}`", mode.name()));
        }
        match mode {
            Mode::List => list(&event, clusters),
            Mode::Plan => Ok(Self::Plan(restore(event, clusters, fresh.planned(), Some(fresh))?)),
            Mode::Apply => Ok(Self::Apply(restore(event, clusters, fresh.planned(), None)?)),
            Mode::Undo => undo(&event, clusters),
        }
    }
}

fn list(event: &Event, clusters: &ClusterSet) -> Result<Request, String> {
    let scope = clusters.narrowed(event.cluster.as_deref(), event.etcd_cluster.as_deref())?;
    match event.limit.unwrap_or(10) {
        0 => Err("limit: 0 lists nothing; give a whole number from 1".to_owned()),
        limit => Ok(Request::List(scope, limit as usize)),
    }
}

fn undo(event: &Event, clusters: &ClusterSet) -> Result<Request, String> {
    let of = etcd_cluster(event, clusters)?;
    let named = event.volumes.iter().flatten();
    let volumes: BTreeMap<Member, VolumeId> = named
        .map(|(member, volume)| {
            Ok((parse("volumes", Member::parse(member))?, parse("volumes", VolumeId::parse(volume))?))
        })
        .collect::<Result<_, String>>()?;
    if volumes.is_empty() {
        return Err(
            "volumes: is missing; name the volumes that the restore made, {\"<member>\": \"vol-…\"}: take the \
                    `undo` of its result"
                .to_owned(),
        );
    }
    let old_volumes = event.old_volumes.as_deref().map(|ids| volume_ids("old_volumes", ids)).transpose()?;
    Ok(Request::Undo(UndoRequest { of, volumes, old_volumes }))
}

fn restore(
    event: Event,
    clusters: &ClusterSet,
    now: Timestamp,
    fresh: Option<RestoreId>,
) -> Result<RestoreRequest, String> {
    let id = match (&event.id, fresh) {
        (Some(id), _) => {
            let id = RestoreId::parse(id).map_err(|error| format!("id: {error}; {PLAN_FIRST}"))?;
            if id.planned().duration_since(now) > CLOCKS_DIFFER {
                return Err(format!("id: `{id}` is of a plan that lies in the future; {PLAN_FIRST}"));
            }
            id
        }
        (None, Some(fresh)) => fresh,
        (None, None) => return Err(format!("id: is missing; {PLAN_FIRST}")),
    };
    let is_apply = event.mode == Some(Mode::Apply);
    let what = if event.snapshot.is_some() { snapshot(&event, clusters)? } else { point(&event, clusters)? };
    if is_apply && matches!(what, What::Point { at: At::Latest { .. }, .. }) {
        return Err(format!("recovery_point: `latest` may by now be another than the one planned; {PLAN_FIRST}"));
    }
    let cut_over = event.cut_over.unwrap_or(true);
    let replace = event.replace.unwrap_or(false);
    let empty_others = empty_others(&event)?;
    let apply = is_apply.then(|| apply(&event)).transpose()?;
    for (field, present, of_stages) in [
        ("stages", event.stages.is_some(), true),
        ("stage", event.stage.is_some(), true),
        ("snapshots", event.snapshots.is_some(), false),
        ("retire", event.retire.is_some(), false),
        ("plan", event.plan.is_some(), false),
    ] {
        if present && !is_apply {
            return Err(format!("{field}: goes with the mode `apply` alone; a plan gives it"));
        }
        if present && !cut_over && of_stages {
            return Err(format!("{field}: does not go with `cut_over` false, which tags nothing"));
        }
    }
    let is_later = apply.as_ref().is_some_and(Apply::is_later);
    for (field, present) in [("replace", replace), ("others", empty_others)] {
        if present && (!cut_over || is_later) {
            let where_none_is = if is_later { "`stage` 2" } else { "`cut_over` false" };
            return Err(format!("{field}: does not go with {where_none_is}, which retires nothing"));
        }
    }
    let allowed = [
        (Allow::Partial, event.allow_partial),
        (Allow::Attached, event.allow_attached),
        (Allow::Rollback, event.allow_rollback),
        (Allow::Corrupt, event.allow_corrupt),
        (Allow::Unordered, event.allow_unordered),
        (Allow::Unattached, event.allow_unattached),
        (Allow::Foreign, event.allow_foreign),
    ];
    let zone = event.zone.as_deref().map(|zone| parse("zone", Zone::parse(zone))).transpose()?;
    Ok(RestoreRequest {
        id,
        what,
        zone,
        replace,
        cut_over,
        empty_others,
        apply,
        allowed: allowed.into_iter().filter(|(_, given)| *given == Some(true)).map(|(allow, _)| allow).collect(),
        overrides: overrides(event)?,
    })
}

fn empty_others(event: &Event) -> Result<bool, String> {
    match event.others.as_deref() {
        None => Ok(false),
        Some("empty") if event.members.is_some() => Ok(true),
        Some("empty") => Err("others: goes with `members`, which names those that are restored".to_owned()),
        Some(other) => {
            Err(format!("others: `{other}` is not `empty`, which retires the volumes of the members not named"))
        }
    }
}

/// Which stage of which is applied.
fn apply(event: &Event) -> Result<Apply, String> {
    let stages = event.stages.iter().flatten().map(|stage| members("stages", stage));
    let stages: Vec<BTreeSet<Member>> = stages.collect::<Result<_, _>>()?;
    let (every, once) =
        (stages.iter().map(BTreeSet::len).sum::<usize>(), stages.iter().flatten().collect::<BTreeSet<_>>());
    if stages.len() > 2 || every != once.len() || stages.iter().any(BTreeSet::is_empty) {
        return Err("stages: are one list of members or two, each member in one of them".to_owned());
    }
    let stage = event.stage.map_or(1, |stage| stage as usize);
    if stage == 0 || stage > stages.len().max(1) {
        return Err(format!("stage: {stage} is none of {}, which `stages` lists", stages.len().max(1)));
    }
    Ok(Apply { stages, stage, pins: pins(event, stage)? })
}

/// What the plan showed. Without it an apply might do something else.
fn pins(event: &Event, stage: usize) -> Result<Pins, String> {
    let missing = |field: &str| match stage {
        1 => format!("{field}: is missing; {PLAN_FIRST}"),
        _ => format!("{field}: is missing; send the `then` of the first stage's answer"),
    };
    let named = event.snapshots.as_ref().ok_or_else(|| missing("snapshots"))?;
    let snapshots = named.iter().map(|(member, snapshot)| {
        Ok((parse("snapshots", Member::parse(member))?, parse("snapshots", SnapshotId::parse(snapshot))?))
    });
    let retire = volume_ids("retire", event.retire.as_ref().ok_or_else(|| missing("retire"))?)?;
    let digest = match (stage, &event.plan) {
        (1, None) => return Err(missing("plan")),
        (1, digest) => digest.clone(),
        (_, None) => None,
        (_, Some(_)) => return Err("plan: does not go with `stage` 2, which makes and retires nothing".to_owned()),
    };
    Ok(Pins { snapshots: snapshots.collect::<Result<_, String>>()?, retire, digest })
}

fn volume_ids(field: &str, ids: &[String]) -> Result<BTreeSet<VolumeId>, String> {
    ids.iter().map(|id| parse(field, VolumeId::parse(id))).collect()
}

fn members(field: &str, names: &[String]) -> Result<BTreeSet<Member>, String> {
    names.iter().map(|name| parse(field, Member::parse(name))).collect()
}

fn point(event: &Event, clusters: &ClusterSet) -> Result<What, String> {
    if event.member.is_some() {
        return Err(
            "member: goes with `snapshot`; to restore some members of a point name them in `members`".to_owned()
        );
    }
    let of = etcd_cluster(event, clusters)?;
    let verified = event.verified.unwrap_or(false);
    let at = match event.recovery_point.as_deref() {
        None | Some("latest") => At::Latest { verified },
        Some(_) if verified => return Err("verified: goes with `recovery_point` `latest` alone".to_owned()),
        Some(time) => At::Slot(Slot::parse(time).ok_or_else(|| {
            format!("recovery_point: `{time}` is neither `latest` nor a time such as `2026-11-23T02:00:00Z`")
        })?),
    };
    // A later stage is about the members whose volumes are there.
    let later = event.stages.iter().flatten().flatten().filter(|_| event.stage.is_some_and(|stage| stage > 1));
    let later: Option<Vec<String>> = Some(later.cloned().collect()).filter(|members: &Vec<String>| !members.is_empty());
    let members = event.members.clone().or(later).map(|names| match members("members", &names)? {
        members if members.is_empty() => Err("members: is empty; leave it away for all".to_owned()),
        members => Ok(members),
    });
    Ok(What::Point { of, at, members: members.transpose()? })
}

fn snapshot(event: &Event, clusters: &ClusterSet) -> Result<What, String> {
    for (field, present) in [
        ("recovery_point", event.recovery_point.is_some()),
        ("members", event.members.is_some()),
        ("verified", event.verified.is_some()),
        ("allow_unordered", event.allow_unordered.is_some()),
        ("allow_unattached", event.allow_unattached.is_some()),
        ("others", event.others.is_some()),
        ("stages", event.stages.is_some()),
        ("stage", event.stage.is_some()),
        ("allow_partial", event.allow_partial.is_some()),
    ] {
        if present {
            return Err(format!("{field}: does not go with `snapshot`, which restores one member"));
        }
    }
    let snapshot = parse("snapshot", SnapshotId::parse(event.snapshot.as_deref().unwrap_or_default()))?;
    let cluster = event.cluster.as_deref().map(|name| clusters.named(name)).transpose()?;
    let etcd_cluster = event.etcd_cluster.as_deref().map(|name| parse("etcd_cluster", EtcdCluster::parse(name)));
    let membership = event.member.as_deref().map(|value| parse("member", Membership::parse(value))).transpose()?;
    Ok(What::Snapshot(snapshot, Described { cluster, etcd_cluster: etcd_cluster.transpose()?, membership }))
}

fn overrides(event: Event) -> Result<Overrides, String> {
    if let Some(kind) = event.volume_type.as_deref().filter(|kind| !VOLUME_TYPES.contains(kind)) {
        return Err(format!("volume_type: `{kind}` is not one of {}", VOLUME_TYPES.join(", ")));
    }
    for (field, value) in [("iops", event.iops), ("throughput", event.throughput)] {
        if value.is_some_and(|value| i32::try_from(value).is_err() || value == 0) {
            return Err(format!("{field}: is not a whole number from 1"));
        }
    }
    if event.initialization_rate.is_some_and(|rate| !(100..=300).contains(&rate)) {
        return Err("initialization_rate: is not a whole number of MiB/s from 100 to 300".to_owned());
    }
    if event.kms_key.as_deref() == Some("") {
        return Err("kms_key: is empty; leave it away for the snapshot's own".to_owned());
    }
    Ok(Overrides {
        volume_type: event.volume_type,
        iops: event.iops,
        throughput: event.throughput,
        kms_key: event.kms_key,
        initialization_rate: event.initialization_rate,
    })
}

fn etcd_cluster(event: &Event, clusters: &ClusterSet) -> Result<EtcdClusterId, String> {
    let missing = |field: &str| format!("{field}: is missing; the mode `list` shows what there is");
    let cluster = clusters.named(event.cluster.as_deref().ok_or_else(|| missing("cluster"))?)?;
    let etcd_cluster = event.etcd_cluster.as_deref().ok_or_else(|| missing("etcd_cluster"))?;
    Ok(EtcdClusterId { cluster, etcd_cluster: parse("etcd_cluster", EtcdCluster::parse(etcd_cluster))? })
}

fn parse<T, E: Display>(field: &str, parsed: Result<T, E>) -> Result<T, String> {
    parsed.map_err(|error| format!("{field}: {error}"))
}
