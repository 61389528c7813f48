//! Between the steps of an undo: what is written and taken next, by what EC2 now lists.

use jiff::Timestamp;

use super::acceptance::Expected;
use super::filters::claimants;
use super::parking::{self, TagChange, is_retired, originals};
use super::undo::{UndoMember, UndoPlan};
use crate::ids::Member;
use crate::tags::{self, Tags};
use crate::volume::Volume;

impl UndoPlan {
    /// How the restored volumes are retired, each with its member. All of them, before any old one is given back.
    #[must_use]
    pub fn retirements(&self, volumes: &[Volume], now: Timestamp) -> Vec<(Member, TagChange)> {
        let retirement = |member: &UndoMember| {
            let volume = volumes.iter().find(|volume| Some(&volume.id) == member.new.as_ref())?;
            let retirement = parking::retire(volume, None, None, now).ok().filter(|_| member.retire)?;
            Some((member.lineage.member.clone(), retirement))
        };
        self.members.iter().filter_map(retirement).collect()
    }

    /// What the old volumes get back first: with it kops sees two, and stops, rather than make a blank one while there is
    /// none; protokube and etcd-manager find nothing by it.
    #[must_use]
    pub fn announcements(&self, volumes: &[Volume]) -> Vec<TagChange> {
        let old = volumes.iter().filter(|volume| self.members.iter().any(|member| member.is_old(&volume.id)));
        let announcement = |volume: &Volume| {
            let mut write = originals(&volume.tags)?;
            write
                .retain(|key, _| [tags::NAME, tags::CLUSTER].contains(&key.as_str()) && !volume.tags.contains_key(key));
            Some(TagChange { volume: volume.id.clone(), write, take: Tags::new() })
        };
        old.filter_map(announcement).collect()
    }

    /// How the old volumes get their tags back, each with its member. An error: meanwhile another volume is the member's.
    pub fn give_backs(&self, volumes: &[Volume]) -> Result<Vec<(Member, TagChange)>, String> {
        let mut give_backs = Vec::new();
        for member in &self.members {
            let lineage = &member.lineage;
            if let Some(new) = claimants(volumes, lineage).find(|volume| Some(&volume.id) == member.new.as_ref()) {
                return Err(format!("EC2 still shows the tags of {}, which were taken away", new.id));
            }
            if let Some(rival) = member.rival(volumes) {
                return Err(rival.message);
            }
            for volume in volumes.iter().filter(|volume| member.is_old(&volume.id) && is_retired(&volume.tags)) {
                let give_back = parking::give_back(volume);
                let give_back = give_back.ok_or_else(|| format!("what was parked on {} cannot be read", volume.id))?;
                give_backs.push((lineage.member.clone(), give_back));
            }
        }
        Ok(give_backs)
    }

    /// What acceptance is to find: nothing of a member that had no volume, or had several.
    #[must_use]
    pub fn expected(&self) -> Vec<Expected> {
        let expected = |member: &UndoMember| match member.old.as_slice() {
            [(volume, zone)] => {
                Some(Expected { lineage: member.lineage.clone(), volume: volume.clone(), zone: zone.clone() })
            }
            _ => None,
        };
        self.members.iter().filter_map(expected).collect()
    }
}
