//! A recovery point that `backup` made and `verify` read, whose snapshots hold the clones of a set.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use scenarios::{Account, Kops};
use serde_json::{Value, json};

use crate::answer::{BackedUp, Verified, read};
use crate::lab::ClonedSet;
use crate::{Prove, binary};

pub(crate) const CLUSTER: &str = "k8s.example.com";
pub(crate) const ETCD: &str = "main";

pub(crate) struct Point {
    pub(crate) slot: String,
    pub(crate) verified: Verified,
    /// The image that is in each snapshot.
    images: BTreeMap<String, PathBuf>,
}

impl Point {
    /// Backs the cluster's volumes up. `damage` is done to the bytes of members' images, by name.
    pub(crate) async fn taken(
        account: &Account,
        cluster: &Kops<'_>,
        set: &ClonedSet,
        damage: impl Fn(&str, &mut Vec<u8>),
    ) -> Prove<Self> {
        let backup = binary("backup")?.account(account).start().await;
        let taken: BackedUp = read(backup.invoke(about(json!({}))).await?)?;
        let slot: Timestamp = taken.slot.parse()?;
        let mut images = BTreeMap::new();
        for member in taken.recovery_points.iter().flat_map(|point| &point.members) {
            let image = &set.images[&member.member];
            let mut bytes = fs::read(image)?;
            damage(&member.member, &mut bytes);
            account.put_disk(&member.snapshot, &bytes).await;
            // As far apart as the clones are.
            let started = slot + SignedDuration::try_from_secs_f64(set.after[&member.member])?;
            account.change_snapshots(&member.snapshot).start_time(&started.to_string()).await;
            images.insert(member.snapshot.clone(), image.clone());
        }
        if images.len() != cluster.volumes().count() {
            return Err(format!("backup took {} snapshots", images.len()).into());
        }
        let verify = binary("verify")?.account(account).start().await;
        let verified = read(verify.invoke(about(json!({"recovery_point": taken.slot}))).await?)?;
        Ok(Self { slot: taken.slot, verified, images })
    }

    /// The image that a volume was made of, by way of its snapshot.
    pub(crate) async fn image(&self, account: &Account, volume: &str) -> Prove<PathBuf> {
        let made = account.volume(volume).await.ok_or_else(|| format!("EC2 has no {volume}"))?;
        let image = made.snapshot.as_ref().and_then(|snapshot| self.images.get(snapshot));
        Ok(image.ok_or_else(|| format!("{volume} is made of {:?}, which is not of the point", made.snapshot))?.clone())
    }
}

/// An event about the etcd cluster, with these fields.
pub(crate) fn about(fields: Value) -> Value {
    let mut event = json!({"cluster": CLUSTER, "etcd_cluster": ETCD});
    if let (Value::Object(event), Value::Object(fields)) = (&mut event, fields) {
        event.extend(fields);
    }
    event
}
