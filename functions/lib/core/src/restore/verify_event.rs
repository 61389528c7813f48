//! The event that has a point read by `verify`, for messages.

use crate::ids::EtcdClusterId;
use crate::slot::Slot;

/// As an operator sends it.
pub(super) fn verify_event(of: &EtcdClusterId, slot: Slot) -> String {
    format!(
        "{{\"cluster\": \"{}\", \"etcd_cluster\": \"{}\", \"recovery_point\": \"{slot}\"}}",
        of.cluster, of.etcd_cluster
    )
}
