//! What goes wrong on the way is got over, or said with what to do next.

use std::time::Duration;

use scenarios::observed::Call;
use scenarios::{Account, LocalAws};
use serde_json::json;

use super::*;

const WRITES: [&str; 3] = ["CreateVolume", "CreateTags", "DeleteTags"];

/// Three living members with one point; the event that rolls them back.
async fn planned_three() -> (Account, RunningFunction, Value) {
    let account = LocalAws::account();
    three(&account).await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"replace": true}))).await;
    account.forget_calls().await;
    (account, restore, apply)
}

#[tokio::test]
async fn throttling_and_lost_answers_are_got_over() {
    let (account, restore, apply) = planned_three().await;
    for action in WRITES {
        account.fail_next(action).with("RequestLimitExceeded", 503).await;
        account.fail_next(action).after(1).losing_the_answer().await;
        account.fail_next(action).after(2).done_but_answered_500().await;
        account.fail_next(action).after(2).losing_the_request().await;
    }
    account.fail_next("DescribeVolumes").after(3).with("RequestLimitExceeded", 503).await;
    account.fail_next("DescribeVolumes").after(4).losing_the_answer().await;

    let result = restore.invoke(apply).await.unwrap();

    assert!(is_accepted(&result), "{result:#}");
    assert_eq!(account.volumes().await.len(), 6);
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let (account, restore, _) = planned_three().await;
    account.pages_of(1).await;
    assert!(is_accepted(&applied(&restore, main(json!({"replace": true}))).await));
}

#[tokio::test]
async fn what_ec2_refuses_is_said_and_the_same_event_goes_on() {
    for action in WRITES {
        let (account, restore, apply) = planned_three().await;
        account.fail_next(action).after(1).with("UnauthorizedOperation", 403).await;

        let error = restore.invoke(apply.clone()).await.unwrap_err();

        assert_eq!(error.error_type, "RestoreInterrupted");
        let says = format!("{action}: UnauthorizedOperation");
        assert!(
            error.sentence().contains(&says) && error.sentence().ends_with("it goes on where it stopped"),
            "{error}"
        );
        let result = error.result();
        assert_eq!(result["outcome"], "interrupted");
        assert!(result["undo"]["volumes"].is_object(), "{result:#}");
        assert!(steps(&result).contains(&"accept - planned".to_owned()), "{result:#}");
        let result = restore.invoke(apply).await.unwrap();
        assert!(is_accepted(&result), "{action}: {result:#}");
        assert_eq!(account.volumes().await.len(), 6, "{action}");
    }
}

#[tokio::test]
async fn a_volume_that_fails_ends_the_restore_names_its_key_and_leaves_nothing_in_the_way() {
    let (account, restore, apply) = planned_three().await;
    account.volumes_stay_creating().await;
    let before = account.volumes().await;

    let (answer, failed) = tokio::join!(restore.invoke(apply), async {
        let failed = account.until_made(3).await.remove(0);
        account.change_volumes(&failed).state("error").await;
        account.settle_volumes().await;
        failed
    });

    let error = answer.unwrap_err();
    assert_eq!(error.error_type, "RestoreInterrupted");
    for words in [format!("{failed} is `error`"), "the KMS key arn:aws:kms:".to_owned(), "plan again".to_owned()] {
        assert!(error.sentence().contains(&words), "{words}: {error}");
    }
    let after = account.volumes().await;
    assert!(before.iter().all(|volume| after.contains(volume)), "nothing was retired");
    let plan = restore.invoke(main(json!({"replace": true}))).await.unwrap();
    assert_eq!(refusals(&plan), [""; 0], "{plan:#}");
}

#[tokio::test]
async fn a_volume_for_inspection_that_fails_ends_the_restore_and_is_left_as_it_is() {
    let account = LocalAws::account();
    three(&account).await;
    let restore = restore(&account).await;
    let apply = planned(&restore, main(json!({"cut_over": false}))).await;
    account.volumes_stay_creating().await;
    account.forget_calls().await;

    let (answer, ()) = tokio::join!(restore.invoke(apply), async {
        let failed = account.until_made(3).await.remove(0);
        account.change_volumes(&failed).state("error").await;
        account.settle_volumes().await;
    });

    assert!(answer.unwrap_err().sentence().contains("is `error`"));
    let writes = account.writes().await;
    assert!(
        writes.iter().all(|call| call.action == "CreateVolume"),
        "it may not touch what bears no cluster: {writes:#?}"
    );
    let plan = restore.invoke(main(json!({"replace": true}))).await.unwrap();
    assert_eq!(refusals(&plan), [""; 0], "{plan:#}");
}

#[tokio::test]
async fn a_volume_that_vanishes_ends_the_restore() {
    let (account, restore, apply) = planned_three().await;
    account.volumes_stay_creating().await;

    // The last in order; the others are still being made.
    let (answer, gone) = tokio::join!(restore.invoke_within(Duration::from_mins(2), apply), async {
        account.until_made(3).await;
        let of_c = |call: &Call| call.tags()["etcd-backup/lineage"] == "main/c";
        let gone = account.calls("CreateVolume").await.into_iter().find(of_c).unwrap().made.unwrap();
        account.change_volumes(&gone).state("available").await;
        account.delete_volume(&gone).await;
        gone
    });

    let error = answer.unwrap_err();
    assert!(
        error.sentence().contains(&format!("its volume {gone} has vanished: EC2 drops a volume whose KMS key")),
        "{error}"
    );
}

#[tokio::test]
async fn a_volume_that_is_listed_late_is_waited_for() {
    let (account, restore, apply) = planned_three().await;
    account.fail_next("CreateVolume").seen_only_after(Duration::from_secs(3)).await;
    let result = restore.invoke(apply).await.unwrap();
    assert!(is_accepted(&result), "{result:#}");
    assert_eq!(account.volumes().await.len(), 6);
}

#[tokio::test]
async fn near_the_deadline_it_stops_and_the_same_event_goes_on() {
    let (account, restore, apply) = planned_three().await;
    account.volumes_stay_creating().await;

    let error = restore.invoke_within(Duration::from_secs(5), apply.clone()).await.unwrap_err();

    assert!(error.sentence().contains("the deadline is near; send the same event again"), "{error}");
    assert!(restore.run_time() < Duration::from_secs(5));
    assert_eq!(steps(&error.result())[..4], ["create a done", "create b done", "create c done", "wait a planned"]);
    account.settle_volumes().await;
    let result = restore.invoke(apply).await.unwrap();
    assert!(is_accepted(&result));
    assert_eq!(steps(&result)[..4], ["create a already", "create b already", "create c already", "wait a already"]);
}

#[tokio::test]
async fn when_ec2_cannot_be_asked_nothing_is_done() {
    let (account, restore, apply) = planned_three().await;
    for action in ["DescribeVolumes", "DescribeSnapshots"] {
        account.fail_next(action).with("UnauthorizedOperation", 403).always().await;
        for event in [apply.clone(), main(json!({}))] {
            let error = restore.invoke(event).await.unwrap_err();
            assert_eq!(error.error_type, "RestoreInterrupted");
            assert!(error.error_message.starts_with(&format!("nothing was changed: {action}: Unauth")), "{error}");
        }
        account.clear_faults().await;
    }
    assert!(account.writes().await.is_empty());
}

#[tokio::test]
async fn without_the_masters_a_restore_is_possible_all_the_same() {
    let (account, restore, apply) = planned_three().await;
    account.fail_next("DescribeInstances").with("UnauthorizedOperation", 403).always().await;
    let result = restore.invoke(apply).await.unwrap();
    assert!(is_accepted(&result) && says(&result["warnings"], &["the masters could not be listed"]), "{result:#}");
}

#[tokio::test]
async fn the_same_id_with_other_settings_is_not_the_same_restore() {
    let (account, restore, apply) = planned_three().await;
    account.fail_next("CreateTags").with("UnauthorizedOperation", 403).times(3).await;
    restore.invoke(apply.clone()).await.unwrap_err();
    account.forget_calls().await;
    let mut other = apply;
    other["iops"] = json!(6000);

    let error = restore.invoke(other).await.unwrap_err();

    assert_eq!(error.error_type, "InvalidRequest");
    assert!(error.error_message.contains("was made with other settings; plan again"), "{error}");
    assert!(account.writes().await.is_empty());
}
