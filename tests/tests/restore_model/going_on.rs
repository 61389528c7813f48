//! A restore that stopped on the way: `list` and `plan` tell of it, with the events that go on and back.

use proptest::{prop_assert, prop_assert_eq};
use scenarios::tags::Tags;
use serde_json::{Value, json};

use super::delivery::{Run, Sent};
use super::world::{CLUSTER, POINTS, World};
use crate::sequences::Kept;

impl World<'_> {
    pub(super) async fn check_under_way(&self, run: &Run) -> Kept {
        let restore = &self.restores[run.of];
        let waiting: Vec<(&str, &str)> = restore.waiting(&run.end).collect();
        if waiting.is_empty() || run.sent == Sent::Undo {
            return Ok(());
        }
        self.tally.add("under way", 1);
        let id = restore.id.as_str();
        let list = match self.look(&json!({"mode": "list", "cluster": CLUSTER})).await? {
            Ok(list) => list,
            Err(error) => return Err(proptest::prelude::TestCaseError::fail(format!("promise 6: list: {error}"))),
        };
        let mut warnings = list["warnings"].as_array().unwrap().iter().filter_map(Value::as_str);
        let told = warnings.find(|warning| warning.contains(id));
        prop_assert!(told.is_some(), "promise 6: {waiting:?} wait, and `list` does not tell of {id}: {list}");
        let told = told.unwrap_or_default();
        // While a volume of the first stage bears a mark, it is the apply that goes on.
        let is_tagged = |(member, volume): (&str, &str)| {
            run.end.claims(volume, member) && run.end.tag(volume, "etcd-backup/restore").is_none()
        };
        let first_is_tagged = restore.made_up_to(1).all(is_tagged);
        if restore.stages.len() > 1 && first_is_tagged {
            let then = event_after(told, "send: ");
            let is_then = then.is_some_and(|then| then["id"] == id && then["stage"] == 2);
            prop_assert!(is_then, "promise 6: `list` does not give the event of the second stage: {told}");
        }
        let undo = event_after(told, "take it back: ");
        let volumes = restore.undo()["volumes"].clone();
        // A live volume that replaced none bears no mark: nothing tells which restore made it.
        let of_another = |volume: &Value| {
            let others = self.restores.iter().filter(|other| other.id != restore.id && other.retired.is_empty());
            volume.as_str().is_some_and(|volume| others.into_iter().any(|other| other.has_made(volume)))
        };
        let told_volumes = undo.as_ref().and_then(|undo| undo["volumes"].as_object());
        let is_whole = told_volumes.is_some_and(|told| {
            let own: serde_json::Map<String, Value> = told
                .iter()
                .filter(|(_, volume)| !of_another(volume))
                .map(|(member, volume)| (member.clone(), volume.clone()))
                .collect();
            Value::Object(own) == volumes
        });
        prop_assert!(is_whole || restore.is_over(&run.end), "promise 6: to be undone is {volumes}, not {undo:?}");
        let is_replaced = |tags: &Tags| {
            let by = tags.get("etcd-backup/replaced-by");
            by.is_some_and(|by| told_volumes.is_some_and(|told| told.values().any(|volume| volume == by)))
        };
        let replaced: Vec<&String> =
            run.end.tags.iter().filter(|(_, tags)| is_replaced(tags)).map(|(id, _)| id).collect();
        let told_old = undo.as_ref().map(|undo| undo["old_volumes"].clone());
        prop_assert_eq!(told_old, Some(json!(replaced)), "promise 6: what is given back");
        self.check_plan_tells(id).await
    }

    async fn check_plan_tells(&self, id: &str) -> Kept {
        let event = json!({"cluster": CLUSTER, "etcd_cluster": "main", "recovery_point": POINTS[0], "replace": true});
        let plan = match self.look(&event).await? {
            Ok(plan) => plan,
            Err(error) => return Err(proptest::prelude::TestCaseError::fail(format!("promise 6: plan: {error}"))),
        };
        let tells = |refusal: &Value| {
            refusal["type"] == "RestoreInProgress" && refusal["message"].as_str().is_some_and(|told| told.contains(id))
        };
        let tells = plan["refusals"].as_array().into_iter().flatten().any(tells);
        prop_assert!(tells, "promise 6: `plan` does not tell of {id}: {}", plan["refusals"]);
        Ok(())
    }
}

/// The event that a message gives after these words.
fn event_after(message: &str, words: &str) -> Option<Value> {
    let (_, rest) = message.split_once(words)?;
    serde_json::Deserializer::from_str(rest).into_iter::<Value>().next()?.ok()
}
