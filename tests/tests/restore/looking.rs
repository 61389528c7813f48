//! The function `plan`: the same binary, which knows `list` and `plan` alone.

use scenarios::LocalAws;
use serde_json::json;

use super::*;

#[tokio::test]
async fn what_would_change_something_is_refused_and_nothing_is_called() {
    let account = LocalAws::account();
    three(&account).await;
    let plan = Function::plan().account(&account).start().await;
    let apply = planned(&plan, main(json!({"replace": true}))).await;
    let applied = restore(&account).await.invoke(apply.clone()).await.unwrap();
    account.forget_calls().await;

    for event in [apply, applied["undo"].clone(), json!({"mode": "apply"}), json!({"mode": "undo"})] {
        let error = plan.invoke(event.clone()).await.expect_err(&event.to_string());
        assert_eq!(error.error_type, "InvalidRequest", "{event}: {error}");
        let says = "mode: the plan function changes nothing; send this to restore. Nothing was done; accepted: ";
        let accepted = error.error_message.strip_prefix(says).unwrap_or_else(|| panic!("{event}: {error}"));
        assert!(accepted.starts_with("{\"mode\": \"list\"|\"plan\", ...}. list: "), "{event}: {error}");
        assert!(!accepted.contains("apply") && !accepted.contains("undo"), "{event}: {error}");
    }
    assert!(account.all_calls().await.is_empty());
}

#[tokio::test]
async fn it_answers_what_restore_would_and_tells_nobody() {
    let account = LocalAws::account();
    three(&account).await;
    let (plan, restore) = (Function::plan().account(&account).start().await, restore(&account).await);
    account.forget_calls().await;

    let listed = plan.invoke(json!({})).await.unwrap();
    let mut planned = plan.invoke(main(json!({"replace": true}))).await.unwrap();

    let calls = account.all_calls().await;
    assert!(calls.iter().all(|call| call.action.starts_with("Describe")), "{calls:#?}");
    assert!(account.events().await.is_empty() && plan.metrics().is_empty());
    let mut points = restore.invoke(json!({})).await.unwrap()["recovery_points"].clone();
    points[0]["age_seconds"] = listed["recovery_points"][0]["age_seconds"].clone();
    assert_eq!(listed["recovery_points"], points);
    let mut of_restore = restore.invoke(main(json!({"replace": true}))).await.unwrap();
    for plan in [&mut planned, &mut of_restore] {
        plan["apply"]["id"] = json!("of this plan");
    }
    assert_eq!(planned, of_restore);
}

#[tokio::test]
async fn modes_that_are_not_known_are_a_bad_configuration() {
    let account = LocalAws::account();
    let plan = Function::plan().account(&account).env("MODES", "list").start().await;
    let error = plan.invoke(json!({})).await.unwrap_err();
    assert_eq!(error.error_type, "InvalidConfiguration");
    assert!(error.error_message.contains("MODES: `list` is neither `all` nor `look`"), "{error}");
    assert!(account.all_calls().await.is_empty());
}
