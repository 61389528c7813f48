//! Template and code, held together.

mod alarms;
pub(crate) mod asked;
mod backup_role;
mod console;
mod dashboard;
mod environment;
mod events;
mod export_role;
mod guardrails;
pub(crate) mod masters;
mod plan_role;
mod restore_role;
mod schedule;
mod verify_role;

use std::collections::BTreeSet;

use scenarios::Stack;
use scenarios::stack::{Request, Role};
use serde_json::{Value, json};

const CLUSTER: &str = "k8s.example.com";
const OTHER: &str = "other.example.com";
const STORE: &str = "s3://state-store/pre/{cluster}/backups/etcd/{etcd_cluster}";
const KEY: &str = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

/// A stack with the function `export`.
fn with_store(mut more: Value) -> Stack {
    more["Store"] = json!(STORE);
    Stack::with(&more)
}

/// What every function's role allows that no call of the function's shows, and the page that asks for it.
const EVERY_FUNCTION: [(&[&str], &str); 3] = [
    (
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html",
    ),
    (
        &["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
        "https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html",
    ),
    (&["sqs:SendMessage"], "https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html"),
];

/// The role allows every call that was made, and no other action.
fn is_exactly(role: &Role, calls: &[Request], unseen: &[(&[&str], &str)]) {
    for (request, allowed) in calls.iter().zip(role.allows(calls)) {
        assert!(allowed, "{request:#?}");
    }
    let of_calls = calls.iter().map(|request| request.action.clone());
    let of_table = EVERY_FUNCTION.iter().chain(unseen).flat_map(|(actions, _)| actions.iter().map(ToString::to_string));
    assert_eq!(role.actions(), of_calls.chain(of_table).collect::<BTreeSet<String>>());
}

/// The role answers each of these as the table says.
fn answers(role: &Role, table: Vec<(bool, &str, Request)>) {
    let requests: Vec<Request> = table.iter().map(|(.., request)| request.clone()).collect();
    for ((allowed, what, request), answer) in table.into_iter().zip(role.allows(&requests)) {
        assert_eq!(answer, allowed, "{what}: {request:#?}");
    }
}
