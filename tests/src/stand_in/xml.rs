//! Answers of EC2's query protocol.

use std::fmt::Write;

use axum::http::StatusCode;

use super::{Snapshot, Volume};
use crate::tags::Tags;

const NAMESPACE: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";
const OWNER: &str = "111122223333";

pub(super) fn answer(action: &str, content: &str) -> (StatusCode, String) {
    let body = format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><{action}Response xmlns="{NAMESPACE}"><requestId>stand-in</requestId>{content}</{action}Response>"#
    );
    (StatusCode::OK, body)
}

pub(super) fn page(
    action: &str,
    set: &str,
    items: impl Iterator<Item = String>,
    token: Option<String>,
) -> (StatusCode, String) {
    let token = token.map(|token| element("nextToken", &token)).unwrap_or_default();
    answer(action, &format!("<{set}>{}</{set}>{token}", in_items(items)))
}

pub(super) fn error(code: &str, message: &str) -> (StatusCode, String) {
    let error = element("Code", code) + &element("Message", message);
    let body = format!("<Response><Errors><Error>{error}</Error></Errors><RequestID>stand-in</RequestID></Response>");
    (StatusCode::BAD_REQUEST, body)
}

pub(super) fn volume(volume: &Volume) -> String {
    let attachment = element("volumeId", &volume.id)
        + &element("instanceId", &volume.instance)
        + &element("device", "/dev/xvdu")
        + &element("status", "attached")
        + &element("attachTime", "2025-01-01T00:01:00.000Z")
        + &element("deleteOnTermination", "false");
    element("volumeId", &volume.id)
        + &element("size", "20")
        + &element("snapshotId", "")
        + &element("availabilityZone", &volume.zone)
        + &element("status", "in-use")
        + &element("createTime", "2025-01-01T00:00:00.000Z")
        + &format!("<attachmentSet><item>{attachment}</item></attachmentSet>")
        + &tags(&volume.tags)
        + &element("volumeType", "gp3")
        + &element("iops", "3000")
        + &element("throughput", "125")
        + &element("encrypted", "false")
        + &element("multiAttachEnabled", "false")
}

pub(super) fn snapshot(snapshot: &Snapshot) -> String {
    element("snapshotId", &snapshot.id)
        + &element("volumeId", &snapshot.volume)
        + &element("status", snapshot.state)
        + &element("startTime", &format!("{:.3}", snapshot.start_time))
        + &element("progress", if snapshot.state == "completed" { "100%" } else { "" })
        + &element("ownerId", OWNER)
        + &element("volumeSize", "20")
        + &element("description", &snapshot.description)
        + &element("encrypted", "false")
        + &element("storageTier", "standard")
        + &tags(&snapshot.tags)
}

fn tags(tags: &Tags) -> String {
    let items = tags.iter().map(|(key, value)| element("key", key) + &element("value", value));
    format!("<tagSet>{}</tagSet>", in_items(items))
}

fn in_items(contents: impl Iterator<Item = String>) -> String {
    contents.fold(String::new(), |mut all, content| {
        write!(all, "<item>{content}</item>").expect("writing to a string never fails");
        all
    })
}

fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}
