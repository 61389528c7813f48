//! A result as JSON, cut to what its way out takes.

use etcd_backup_core::told;
use serde::Serialize;
use serde_json::Value;

/// Renders a result in at most `most` bytes. What is cut are whole entries, from the end, of its longest list; one more
/// entry of its `warnings` says how many.
#[must_use]
pub fn fit(result: &impl Serialize, most: usize) -> String {
    let whole = serde_json::to_string(result).unwrap_or_default();
    if whole.len() <= most {
        return whole;
    }
    let mut cut: Value = serde_json::from_str(&whole).unwrap_or_default();
    let mut left_out = 0;
    loop {
        let dropped = halve_longest(&mut cut);
        left_out += dropped;
        let text = noted(&cut, left_out);
        if text.len() <= most || dropped == 0 {
            return text;
        }
    }
}

/// The detail of an event: a result, fitted into what is left, and the sentence of a failure, for a rule that mails it.
#[must_use]
pub fn with_failure(fitted: impl FnOnce(usize) -> String, failure: Option<&str>, most: usize) -> String {
    let Some(failure) = failure else { return fitted(most) };
    let sentence = told::sentence(failure).to_string();
    let mut detail: Value = serde_json::from_str(&fitted(most - sentence.len() - 20)).unwrap_or_default();
    detail["failure"] = sentence.into();
    detail.to_string()
}

fn noted(result: &Value, left_out: usize) -> String {
    let mut result = result.clone();
    if let Some(warnings) = result["warnings"].as_array_mut() {
        warnings.push(format!("too long: {left_out} entries of the lists were left out, see the log").into());
    }
    result.to_string()
}

/// Halves the list that takes the most bytes, and says how many entries went.
fn halve_longest(result: &mut Value) -> usize {
    let lists = result.as_object_mut().into_iter().flatten().filter_map(|(_, value)| value.as_array_mut());
    let longest = lists.max_by_key(|list| list.iter().map(|entry| entry.to_string().len() + 1).sum::<usize>());
    longest.map_or(0, |list| {
        let before = list.len();
        list.truncate(before / 2);
        before - list.len()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn result(entries: usize) -> Value {
        json!({"kept": 87, "pruned": vec!["snap-0123456789abcdef0"; entries], "warnings": ["first"]})
    }

    #[test]
    fn what_fits_is_whole() {
        assert_eq!(fit(&result(3), 64_000), result(3).to_string());
    }

    #[test]
    fn an_event_fits_and_says_the_failure_in_words_that_can_be_quoted() {
        let told = |failure: Option<&str>, entries, most| {
            let detail = with_failure(|most| fit(&result(entries), most), failure, most);
            assert!(detail.len() <= most, "{} bytes", detail.len());
            serde_json::from_str::<Value>(&detail).unwrap()["failure"].clone()
        };
        assert_eq!(told(None, 3, 10_000), Value::Null);
        assert_eq!(told(Some("EC2 said \"no\"\nand more"), 3, 10_000), "EC2 said 'no'?and more");
        for long in ["ö", "\\", "🦀", "\n"] {
            let told = told(Some(&long.repeat(100_000)), 5_000, 30_000);
            assert!(told.as_str().unwrap().ends_with("???..."), "{told}");
        }
    }

    #[test]
    fn what_does_not_fit_is_cut_to_whole_entries_and_says_so() {
        let text = fit(&result(50_000), 64_000);
        assert!(text.len() <= 64_000);
        let json: Value = serde_json::from_str(&text).unwrap();
        let left = json["pruned"].as_array().unwrap().len();
        let note = format!("too long: {} entries of the lists were left out, see the log", 50_000 - left);
        assert!(left > 0);
        assert_eq!((&json["warnings"], &json["kept"]), (&json!(["first", note]), &json!(87)));
    }
}
