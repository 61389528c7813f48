//! Who acts with the rights of a cluster's masters: before each call IAM is asked, by a simulator and kops' own statements.

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use scenarios::Account;
use scenarios::stack::{Request, Role};
use scenarios::tags::{self, Tags};

use crate::stack::asked::{SNAPSHOT, VOLUME, on, with};
use crate::stack::masters::masters;

pub(super) struct Attacker<'a> {
    account: &'a Account,
    role: Role,
}

impl<'a> Attacker<'a> {
    pub(super) fn of(account: &'a Account, cluster: &str) -> Self {
        Self { account, role: masters(cluster) }
    }

    fn may(&self, requests: &[Request]) -> bool {
        self.role.allows(requests).iter().all(|allowed| *allowed)
    }

    async fn tags_of(&self, id: &str) -> Tags {
        if id.starts_with("snap-") {
            self.account.snapshot(id).await.expect("the snapshot").tags
        } else {
            self.account.volume(id).await.expect("the volume").tags
        }
    }

    /// Writes tags. `false`: IAM refuses.
    pub(super) async fn tag(&self, id: &str, written: &[(&str, &str)]) -> bool {
        let resource = if id.starts_with("snap-") { SNAPSHOT } else { VOLUME };
        let written = tags::of(written.iter().copied());
        let allowed = self.may(&[on(resource, "ec2:CreateTags", &self.tags_of(id).await, &written)]);
        if allowed {
            self.account.tag(id, &written).await;
        }
        allowed
    }

    /// Takes a tag away. `false`: IAM refuses.
    pub(super) async fn untag(&self, id: &str, key: &str) -> bool {
        let resource = if id.starts_with("snap-") { SNAPSHOT } else { VOLUME };
        let named = tags::of([(key, "")]);
        let allowed = self.may(&[on(resource, "ec2:DeleteTags", &self.tags_of(id).await, &named)]);
        if allowed {
            self.account.untag(id, &[key]).await;
        }
        allowed
    }

    /// Deletes a snapshot. `false`: IAM refuses.
    pub(super) async fn delete(&self, snapshot: &str) -> bool {
        let allowed = self.may(&[on(SNAPSHOT, "ec2:DeleteSnapshot", &self.tags_of(snapshot).await, &Tags::new())]);
        if allowed {
            self.account.ec2().delete_snapshot().snapshot_id(snapshot).send().await.expect("IAM allows it");
        }
        allowed
    }

    /// Takes a snapshot of a volume. `None`: IAM refuses.
    pub(super) async fn snapshot(&self, volume: &str, description: &str, named: &[(&str, &str)]) -> Option<String> {
        let named = tags::of(named.iter().copied());
        let asked = [
            on(VOLUME, "ec2:CreateSnapshot", &self.tags_of(volume).await, &Tags::new()),
            on(SNAPSHOT, "ec2:CreateSnapshot", &Tags::new(), &named),
            with(on(SNAPSHOT, "ec2:CreateTags", &Tags::new(), &named), "ec2:CreateAction", "CreateSnapshot"),
        ];
        if !self.may(&asked) {
            return None;
        }
        let named = named.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
        let tagged = TagSpecification::builder().resource_type(ResourceType::Snapshot).set_tags(Some(named)).build();
        let call = self.account.ec2().create_snapshot().volume_id(volume).description(description);
        let made = call.tag_specifications(tagged).send().await.expect("IAM allows it");
        made.snapshot_id
    }
}
