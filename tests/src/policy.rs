//! An IAM policy, as far as this project's use it: who may make which call on what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// The condition keys of a request, with their values.
pub type Context = BTreeMap<String, BTreeSet<String>>;

/// What a call would do.
#[derive(Clone, Debug, Default)]
pub struct Request<'a> {
    /// E.g. `ec2:CreateTags`.
    pub action: &'a str,
    /// The ARN of what it is done to.
    pub resource: &'a str,
    /// The condition keys that are there.
    pub context: Context,
}

/// Whether a policy allows a request: some statement does, and none denies it.
#[must_use]
pub fn allows(policy: &Value, request: &Request<'_>) -> bool {
    let statements = || policy["Statement"].as_array().expect("statements").iter();
    let applies =
        |effect: &str| statements().any(|statement| statement["Effect"] == effect && matches(statement, request));
    applies("Allow") && !applies("Deny")
}

/// The actions that a policy allows, whatever the conditions.
#[must_use]
pub fn actions(policy: &Value) -> BTreeSet<&str> {
    let statements = policy["Statement"].as_array().expect("statements").iter();
    statements
        .filter(|statement| statement["Effect"] == "Allow")
        .flat_map(|statement| texts(&statement["Action"]))
        .collect()
}

fn matches(statement: &Value, request: &Request<'_>) -> bool {
    let conditions = statement["Condition"].as_object().into_iter().flatten();
    texts(&statement["Action"]).contains(&request.action)
        && texts(&statement["Resource"]).iter().any(|pattern| is_like(pattern, request.resource))
        && conditions.into_iter().all(|(operator, keys)| {
            let keys = keys.as_object().expect("condition keys");
            keys.iter().all(|(key, wanted)| holds(operator, request.context.get(key), &texts(wanted)))
        })
}

fn holds(operator: &str, found: Option<&BTreeSet<String>>, wanted: &[&str]) -> bool {
    let any = |test: fn(&str, &str) -> bool| {
        found.is_some_and(|found| found.iter().any(|found| wanted.iter().any(|wanted| test(wanted, found))))
    };
    match operator {
        "Null" => wanted == [if found.is_none() { "true" } else { "false" }],
        "StringEquals" | "ForAnyValue:StringEquals" | "Bool" => any(|wanted, found| wanted == found),
        "StringLike" => any(is_like),
        other => panic!("the condition operator {other} is not known here"),
    }
}

/// With `*` for anything.
fn is_like(pattern: &str, text: &str) -> bool {
    let (first, rest) = pattern.split_once('*').map_or((pattern, None), |(first, rest)| (first, Some(rest)));
    match (text.strip_prefix(first), rest) {
        (Some(left), None) => left.is_empty(),
        (Some(left), Some(rest)) => {
            left.char_indices().map(|(at, _)| at).chain([left.len()]).any(|at| is_like(rest, &left[at..]))
        }
        (None, _) => false,
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        other => panic!("neither a text nor a list: {other}"),
    }
}
