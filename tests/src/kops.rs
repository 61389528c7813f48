//! A kops cluster's etcd volumes, as kops makes them.

use std::collections::BTreeMap;

use crate::tags::{self, Tags};
use crate::{Account, RawVolume};

/// What is to be created.
#[derive(Clone, Debug)]
#[must_use = "a cluster is made by `create`"]
pub struct Blueprint {
    name: String,
    zones: Vec<String>,
    etcd: Vec<String>,
    /// Where a zone has several; otherwise each has one.
    members: Vec<String>,
    named_by_zone: bool,
    labels: Tags,
}

/// A volume of a member.
#[derive(Clone, Debug)]
pub struct KopsVolume {
    /// `vol-…`
    pub id: String,
    /// `main`, `events`, …
    pub etcd: String,
    /// `a`
    pub member: String,
    /// `eu-central-1a`
    pub zone: String,
    /// Every tag.
    pub tags: Tags,
}

/// A cluster in an account.
pub struct Kops<'a> {
    pub(crate) account: &'a Account,
    /// The cluster's name.
    pub name: String,
    volumes: BTreeMap<(String, String), KopsVolume>,
}

impl Kops<'_> {
    /// A cluster with `main` and `events` in three zones, members `a`, `b` and `c`, unless said otherwise.
    pub fn cluster(name: &str) -> Blueprint {
        let blueprint = Blueprint {
            name: name.to_owned(),
            zones: Vec::new(),
            etcd: Vec::new(),
            members: Vec::new(),
            named_by_zone: false,
            labels: Tags::new(),
        };
        blueprint.zones(["eu-central-1a", "eu-central-1b", "eu-central-1c"]).etcd(["main", "events"])
    }
}

impl Blueprint {
    /// One member in each of these zones.
    pub fn zones<'a>(mut self, zones: impl IntoIterator<Item = &'a str>) -> Self {
        self.zones = zones.into_iter().map(str::to_owned).collect();
        self
    }

    /// The etcd clusters.
    pub fn etcd<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.etcd = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// These members, over the zones one after the other.
    pub fn members<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.members = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// One master, in the first zone.
    pub fn single_master(mut self) -> Self {
        self.zones.truncate(1);
        self
    }

    /// Members are named by their zone in full, as old clusters have them: `eu-central-1a/eu-central-1a,…`.
    pub fn members_named_by_zone(mut self) -> Self {
        self.named_by_zone = true;
        self
    }

    /// kops' `cloudLabels`, on every volume.
    pub fn cloud_labels<'a>(mut self, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.labels.extend(tags::of(labels));
        self
    }

    /// Creates the volumes.
    pub async fn create(self, account: &Account) -> Kops<'_> {
        let by_zone = self.zones.iter().map(|zone| self.member(zone)).collect();
        let members = if self.members.is_empty() { by_zone } else { self.members.clone() };
        let mut volumes = BTreeMap::new();
        for etcd in &self.etcd {
            for (zone, member) in self.zones.iter().cycle().zip(&members) {
                let mut tags = tags::kops(&self.name, etcd, member, &members);
                tags.extend(self.labels.clone());
                let id = RawVolume::in_zone(zone).tags(&tags).create(account).await;
                let (etcd, member, zone) = (etcd.clone(), member.clone(), zone.clone());
                volumes.insert((etcd.clone(), member.clone()), KopsVolume { id, etcd, member, zone, tags });
            }
        }
        Kops { account, name: self.name, volumes }
    }

    fn member(&self, zone: &str) -> String {
        if self.named_by_zone { zone.to_owned() } else { zone.chars().last().into_iter().collect() }
    }
}

impl Kops<'_> {
    /// The id of a member's volume.
    #[must_use]
    pub fn volume(&self, etcd: &str, member: &str) -> &str {
        &self.get(etcd, member).id
    }

    /// A member's volume.
    #[must_use]
    pub fn get(&self, etcd: &str, member: &str) -> &KopsVolume {
        let volume = self.volumes.get(&(etcd.to_owned(), member.to_owned()));
        volume.unwrap_or_else(|| panic!("{} has no volume of {etcd} {member}", self.name))
    }

    /// Every volume, by etcd cluster and member.
    pub fn volumes(&self) -> impl Iterator<Item = &KopsVolume> {
        self.volumes.values()
    }

    /// The volume of a member is deleted; gives its id.
    pub async fn lose(&mut self, etcd: &str, member: &str) -> String {
        let id = self.volume(etcd, member).to_owned();
        self.account.delete_volume(&id).await;
        self.volumes.remove(&(etcd.to_owned(), member.to_owned()));
        id
    }

    /// The volume of a member is deleted and kops makes a blank one with the same tags; gives the new id.
    pub async fn replace(&mut self, etcd: &str, member: &str) -> String {
        let lost = self.get(etcd, member).clone();
        self.lose(etcd, member).await;
        let id = RawVolume::in_zone(&lost.zone).tags(&lost.tags).create(self.account).await;
        let place = (lost.etcd.clone(), lost.member.clone());
        self.volumes.insert(place, KopsVolume { id: id.clone(), ..lost });
        id
    }

    /// A second volume with the same tags as a member's; gives its id.
    pub async fn duplicate(&self, etcd: &str, member: &str) -> String {
        let volume = self.get(etcd, member);
        RawVolume::in_zone(&volume.zone).tags(&volume.tags).create(self.account).await
    }

    /// A master in this zone, of an Auto Scaling group of its own; gives the instance's id.
    pub async fn master(&self, zone: &str) -> String {
        let instance = self.account.run_instance(zone).await;
        let group = format!("master-{zone}.masters.{}", self.name);
        let tags = tags::of([
            ("KubernetesCluster", self.name.as_str()),
            ("k8s.io/role/control-plane", "1"),
            ("k8s.io/role/master", "1"),
            ("aws:autoscaling:groupName", &group),
        ]);
        self.account.change_instances(&instance).tags(&tags).await;
        instance
    }

    /// A new master in the member's zone holds the member's volume; gives the instance's id.
    pub async fn attach(&self, etcd: &str, member: &str) -> String {
        let volume = self.get(etcd, member);
        let instance = self.account.run_instance(&volume.zone).await;
        self.account.attach(&volume.id, &instance, "/dev/xvdu").await;
        instance
    }
}
