//! Acceptance: what protokube, etcd-manager and kops would do with the volumes that EC2 lists.

use serde::Serialize;

use super::filters::{self, ROLES};
use crate::ids::{Lineage, VolumeId, Zone};
use crate::tags;
use crate::volume::Volume;

const OK: &str = "ok";

/// For each program `ok`, or what it would do instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Acceptance {
    /// protokube: legacy etcd of kops up to 1.22.
    pub protokube: String,
    /// etcd-manager, with the role tags of either generation.
    pub etcd_manager: String,
    /// `kops update cluster`.
    pub kops: String,
}

impl Acceptance {
    /// Whether all three find exactly the volumes that they should.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        [&self.protokube, &self.etcd_manager, &self.kops].iter().all(|said| *said == OK)
    }
}

/// The volume that a member should be found to have, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The member.
    pub lineage: Lineage,
    /// Its volume.
    pub volume: VolumeId,
    /// Its zone: where its master looks.
    pub zone: Zone,
}

/// Runs the three filters over what EC2 lists.
#[must_use]
pub fn acceptance(volumes: &[Volume], expected: &[Expected]) -> Acceptance {
    let present: Vec<&Volume> = volumes.iter().filter(|volume| !volume.is_leaving()).collect();
    let verdict = |judge: &dyn Fn(&Expected) -> Option<String>| {
        let complaints: Vec<String> = expected
            .iter()
            .filter_map(|one| judge(one).map(|complaint| format!("member {}: {complaint}", one.lineage.member)))
            .collect();
        if complaints.is_empty() { OK.to_owned() } else { complaints.join("; ") }
    };
    Acceptance {
        protokube: verdict(&|one| {
            let takes = |volume: &&&Volume| filters::protokube(&volume.tags, &one.lineage.of) == Some(member(one));
            complaint(&present, takes, one, "which it takes is chance")
        }),
        etcd_manager: verdict(&|one| {
            let role_complaint = |role: &&str| {
                let takes =
                    |volume: &&&Volume| filters::etcd_manager(&volume.tags, &one.lineage.of, role) == Some(member(one));
                let complaint = complaint(&present, takes, one, "which it takes is chance")?;
                Some(format!("with {role}: {complaint}"))
            };
            ROLES.iter().find_map(role_complaint).or_else(|| cannot_attach(&present, one))
        }),
        kops: verdict(&|one| {
            let takes = |volume: &&&Volume| filters::kops(&volume.tags, &one.lineage);
            complaint(&present, takes, one, "it stops with an error, found multiple Volumes with name")
        }),
    }
}

fn member(one: &Expected) -> &str {
    one.lineage.member.as_str()
}

/// What is wrong where not exactly the expected volume is found, in its zone.
fn complaint(
    volumes: &[&Volume],
    takes: impl Fn(&&&Volume) -> bool,
    expected: &Expected,
    of_several: &str,
) -> Option<String> {
    let found: Vec<&&Volume> = volumes.iter().filter(takes).collect();
    match found.as_slice() {
        [] => Some(format!("it does not find {}", expected.volume)),
        [volume] if volume.id == expected.volume && volume.zone == expected.zone => None,
        [volume] if volume.id == expected.volume => {
            Some(format!("it finds {} in {}, while its master is in {}", volume.id, volume.zone, expected.zone))
        }
        [volume] => Some(format!("it finds {}, not {}", volume.id, expected.volume)),
        several => {
            let ids: Vec<&str> = several.iter().map(|volume| volume.id.as_str()).collect();
            Some(format!("it finds {}: {of_several}", ids.join(", ")))
        }
    }
}

/// The masters' own role may attach only what bears these two (kops `pkg/model/iam/iam_builder.go`, 1.22 on).
fn cannot_attach(volumes: &[&Volume], expected: &Expected) -> Option<String> {
    let volume = volumes.iter().find(|volume| volume.id == expected.volume)?;
    let has = |key: &str, value: &str| volume.tags.get(key).is_some_and(|found| found == value);
    let may = has(tags::ROLE_MASTER, tags::ROLE) && has(tags::CLUSTER, expected.lineage.of.cluster.as_str());
    (!may).then(|| format!("its role may not attach {}, which lacks kops' tags", volume.id))
}
