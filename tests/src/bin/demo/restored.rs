//! What `restore` answers, as far as the demo reads it.

use jiff::Timestamp;
use scenarios::RunningFunction;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Demo;
use crate::answer::read;
use crate::scene::CLUSTER;

/// A result of `list`.
#[derive(Debug, Deserialize)]
pub(crate) struct Listed {
    pub(crate) recovery_points: Vec<ListedPoint>,
}

/// A recovery point.
#[derive(Debug, Deserialize)]
pub(crate) struct ListedPoint {
    pub(crate) recovery_point: Timestamp,
    pub(crate) state: String,
    pub(crate) skew_ms: Option<i64>,
    pub(crate) age_seconds: i64,
    pub(crate) members: Vec<ListedMember>,
}

/// A member of a recovery point.
#[derive(Debug, Deserialize)]
pub(crate) struct ListedMember {
    pub(crate) member: String,
}

/// A result of `plan`, `apply` or `undo`.
#[derive(Debug, Deserialize)]
pub(crate) struct Restored {
    pub(crate) outcome: String,
    pub(crate) recovery_point: Option<Timestamp>,
    pub(crate) members: Vec<RestoredMember>,
    pub(crate) steps: Vec<Step>,
    pub(crate) acceptance: Acceptance,
    #[serde(default)]
    pub(crate) refusals: Vec<Value>,
    pub(crate) next_steps: Vec<String>,
    pub(crate) warnings: Vec<String>,
    /// The event that applies a plan.
    #[serde(default)]
    pub(crate) apply: Value,
    /// The members of each stage of a plan.
    #[serde(default)]
    pub(crate) stages: Vec<Vec<String>>,
    /// The event of the next stage.
    #[serde(default)]
    pub(crate) then: Value,
    /// The event that undoes an apply.
    #[serde(default)]
    pub(crate) undo: Value,
}

/// A restored member.
#[derive(Debug, Deserialize)]
pub(crate) struct RestoredMember {
    pub(crate) member: String,
    pub(crate) snapshot: String,
    pub(crate) zone: String,
    pub(crate) old_volume: Option<String>,
    pub(crate) new_volume: Option<String>,
    pub(crate) stage: Option<usize>,
}

/// A step for one member, or for all.
#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    #[serde(rename = "step")]
    pub(crate) name: String,
    pub(crate) member: Option<String>,
    pub(crate) volume: Option<String>,
    pub(crate) state: String,
    pub(crate) settings: Option<VolumeSettings>,
}

/// Of a volume to be made.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct VolumeSettings {
    pub(crate) volume_type: String,
    pub(crate) size_gib: i32,
    pub(crate) iops: i32,
    pub(crate) throughput: i32,
    pub(crate) encrypted: bool,
}

impl Restored {
    /// With what a plan would make a member's volume.
    pub(crate) fn settings(&self, member: &str) -> Demo<&VolumeSettings> {
        let mut of_member = self.steps.iter().filter(|step| step.member.as_deref() == Some(member));
        let settings = of_member.find_map(|step| step.settings.as_ref());
        settings.ok_or_else(|| format!("the plan has no settings for member {member}").into())
    }
}

/// What the programs do with the volumes that they find.
#[derive(Debug, Deserialize)]
pub(crate) struct Acceptance {
    pub(crate) protokube: String,
    pub(crate) etcd_manager: String,
    pub(crate) kops: String,
}

/// An event about one of the cluster's etcd clusters, with these fields.
pub(crate) fn about(etcd: &str, fields: Value) -> Value {
    let mut event = json!({ "cluster": CLUSTER, "etcd_cluster": etcd });
    if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields) {
        event.extend(fields);
    }
    event
}

/// Plans, applies or undoes, and must get this far.
pub(crate) async fn invoke(restore: &RunningFunction, event: &Value, outcome: &str) -> Demo<Restored> {
    let result: Restored = read(restore.invoke(event.clone()).await?)?;
    if result.outcome != outcome {
        return Err(format!("restore answers {} instead of {outcome}", result.outcome).into());
    }
    Ok(result)
}
