//! What an operator can do with a point whose members contradict each other, with the events to send.

use crate::ids::{EtcdClusterId, Member};
use crate::raft::Remains;
use crate::set::Contradiction;
use crate::slot::Slot;

/// As the end of a message. `replace`: the operator has said that live volumes may be retired.
pub(crate) fn ways_out(of: &EtcdClusterId, slot: Slot, contradiction: &Contradiction, replace: bool) -> String {
    let Contradiction { remains: Remains { best, quorum }, .. } = contradiction;
    let event = |members: &[&Member], fields: &str| {
        let members: Vec<String> = members.iter().map(|member| format!("\"{member}\"")).collect();
        format!(
            "{{\"mode\": \"plan\", \"cluster\": \"{}\", \"etcd_cluster\": \"{}\", \"recovery_point\": \"{slot}\", \
             \"members\": [{}], {fields}}}",
            of.cluster,
            of.etcd_cluster,
            members.join(", ")
        )
    };
    let mut ways = vec!["Take another point".to_owned()];
    if !quorum.is_empty() {
        let replace = if replace { ", \"replace\": true" } else { "" };
        let event = event(&quorum.iter().collect::<Vec<_>>(), &format!("\"others\": \"empty\"{replace}"));
        ways.push(format!("or restore those that agree and let the others join empty, by `restore`: {event}"));
    }
    if let Some(best) = best {
        let event = event(&[best], "\"cut_over\": false");
        ways.push(format!(
            "or make an etcd of {best}'s snapshot alone (README, `etcdutl`), of the volume that `restore` makes for it: {event}"
        ));
    }
    ways.join("; ")
}
