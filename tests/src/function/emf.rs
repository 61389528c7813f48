//! CloudWatch's embedded metric format, read from a log.

use serde_json::Value;

/// The lines that are documents of the format.
pub(super) fn documents(log: &str) -> Vec<Value> {
    let parsed = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    parsed.filter(|document| document.get("_aws").is_some()).collect()
}

/// What a document says of a metric for exactly these dimensions and values.
pub(super) fn values(document: &Value, name: &str, dimensions: &[(&str, &str)]) -> Vec<f64> {
    if !dimensions.iter().all(|(key, value)| document[*key] == *value) {
        return Vec::new();
    }
    let directives = document["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten();
    let matching = directives.filter(|directive| defines(directive, name) && has_set(directive, dimensions)).count();
    (0..matching).flat_map(|_| numbers(&document[name])).collect()
}

fn defines(directive: &Value, name: &str) -> bool {
    directive["Metrics"].as_array().into_iter().flatten().any(|metric| metric["Name"] == name)
}

/// Whether one of the directive's dimension sets is this one. No set at all counts as the empty one.
fn has_set(directive: &Value, dimensions: &[(&str, &str)]) -> bool {
    let sets = directive["Dimensions"].as_array().map_or(&[][..], Vec::as_slice);
    let is_it = |set: &Value| {
        let keys = set.as_array().map_or(&[][..], Vec::as_slice);
        keys.len() == dimensions.len() && dimensions.iter().all(|(key, _)| keys.iter().any(|k| k == key))
    };
    (sets.is_empty() && dimensions.is_empty()) || sets.iter().any(is_it)
}

/// A metric's value is a number or a list of them.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_f64).collect(),
        single => single.as_f64().into_iter().collect(),
    }
}
