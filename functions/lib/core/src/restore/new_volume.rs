//! The volume that a restore makes of a snapshot, and its tags at each step.

use super::id::RestoreId;
use super::request::RestoreRequest;
use super::settings::{VolumeSettings, settings};
use super::source::Source;
use super::stages::Mark;
use crate::ids::{EtcdClusterId, Lineage, SnapshotId, Zone};
use crate::tags::{self, Tags};

/// A volume to make: the same for the same restore and member, to the letter, or EC2 refuses the client token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVolume {
    /// From this snapshot.
    pub snapshot: SnapshotId,
    /// There.
    pub zone: Zone,
    /// Its settings.
    pub settings: VolumeSettings,
    /// A KMS key other than the snapshot's own.
    pub kms_key: Option<String>,
    /// Makes a repeated call the same volume.
    pub client_token: String,
    /// Written in the create call. With `Name` and `KubernetesCluster` kops sees two volumes and stops, rather than
    /// make a blank one; protokube and etcd-manager see nothing new.
    pub tags: Tags,
}

impl NewVolume {
    pub(super) fn of(
        source: &Source<'_>,
        of: &EtcdClusterId,
        request: &RestoreRequest,
        mark: Option<Mark>,
    ) -> Result<Self, String> {
        let lineage = Lineage { of: of.clone(), member: source.membership.member.clone() };
        let name = of.volume_name(lineage.member.as_str());
        if name.chars().count() > tags::MOST_VALUE {
            return Err(format!(
                "member: kops cannot have it, its volume's `Name` would be longer than {}: {name}",
                tags::MOST_VALUE
            ));
        }
        let mut tags = private_tags(&request.id, &lineage, mark);
        if request.cut_over {
            tags.insert(tags::NAME.to_owned(), name);
            tags.insert(tags::CLUSTER.to_owned(), of.cluster.to_string());
        } else {
            tags.insert(
                tags::NAME.to_owned(),
                format!("inspection of {name}").chars().take(tags::MOST_VALUE).collect(),
            );
        }
        Ok(Self {
            snapshot: source.snapshot.id.clone(),
            zone: source.zone.clone(),
            settings: settings(source.recorded.as_ref(), source.snapshot, &request.overrides)?,
            kms_key: request.overrides.kms_key.clone(),
            client_token: request.id.client_token(&of.etcd_cluster, &lineage.member),
            tags,
        })
    }
}

/// What marks a volume as one that a restore is making: taken away when it is the member's.
pub(super) fn private_tags(id: &RestoreId, lineage: &Lineage, mark: Option<Mark>) -> Tags {
    let mut tags =
        Tags::from([(tags::RESTORE.to_owned(), id.to_string()), (tags::LINEAGE.to_owned(), lineage_value(lineage))]);
    tags.extend(mark.map(|mark| (tags::STAGE.to_owned(), mark.to_string())));
    tags
}

/// The keys of those tags.
pub(super) const PRIVATE: [&str; 3] = [tags::RESTORE, tags::LINEAGE, tags::STAGE];

pub(super) fn lineage_value(lineage: &Lineage) -> String {
    format!("{}/{}", lineage.of.etcd_cluster, lineage.member)
}

/// Everything that kops gives to the member's volume, and the labels that the old one had, but for tags of
/// AWS and of this project. `Name`, the cluster and the roles are as kops has them in any case, so that
/// every program finds the volume, whatever version made the old one.
pub(super) fn full_tags(source: &Source<'_>, of: &EtcdClusterId) -> Tags {
    let foreign = |key: &str| key.starts_with(tags::AWS_PREFIX) || key.starts_with(tags::OURS_PREFIX);
    // By another cluster's tags another cluster's etcd-manager would find it.
    let others = |key: &str| key.starts_with(tags::OWNED_PREFIX) || key.starts_with(tags::ETCD_PREFIX);
    let mut full = source.volume_tags();
    full.retain(|key, _| !foreign(key) && !others(key));
    full.extend([
        (tags::NAME.to_owned(), of.volume_name(source.membership.member.as_str())),
        (tags::CLUSTER.to_owned(), of.cluster.to_string()),
        (of.etcd_key(), source.etcd_value.clone()),
        (tags::ROLE_MASTER.to_owned(), tags::ROLE.to_owned()),
        (tags::ROLE_CONTROL_PLANE.to_owned(), tags::ROLE.to_owned()),
        (of.owned_key(), tags::OWNED.to_owned()),
    ]);
    full
}
