//! What fails on the way: nothing that etcd-manager would take for a backup is left of it, and the same event makes one.

use std::time::Duration;

use scenarios::{Disk, LocalAws};
use serde_json::json;

use super::*;

/// A small etcd's snapshot, and the bucket.
async fn ready(account: &Account) -> (String, Bucket) {
    let snapshot = one(account, &Disk::fixture("clean-3.5").bytes).await;
    let bucket = store(account).await;
    account.forget_calls().await;
    (snapshot, bucket)
}

/// Whether the store has what etcd-manager takes for a backup, and whole.
async fn has_backup(bucket: &Bucket) -> bool {
    let keys = of_backups(bucket).await;
    keys.iter().any(|key| key.ends_with("_etcd_backup.meta")) && keys.iter().any(|key| key.ends_with("etcd.backup.gz"))
}

const WRITES: [&str; 4] = ["CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject"];

#[tokio::test]
async fn whatever_call_it_dies_at_no_half_backup_is_one_and_the_same_event_makes_it() {
    for action in WRITES {
        for after in [false, true] {
            let account = LocalAws::account();
            let (snapshot, bucket) = ready(&account).await;
            if after {
                account.fail_next(action).losing_the_answer().await;
            }
            account.fail_next(action).losing_the_request().always().await;
            let dying = export(&account).await;
            tokio::select! {
                _ = dying.invoke(json!({"snapshot": snapshot})) => {}
                _ = account.until_called(action, 1) => dying.kill(&account).await,
            }
            account.clear_faults().await;
            let is_whole = action == "PutObject" && after;
            let has_meta = of_backups(&bucket).await.iter().any(|key| key.ends_with("_etcd_backup.meta"));
            assert!(is_whole || !has_meta, "{action} {after}: the meta comes last");

            let again = export(&account).await.invoke(json!({"snapshot": snapshot})).await;

            match again {
                Ok(answer) => assert_eq!(answer["outcome"], "exported", "{action} {after}"),
                Err(error) => assert_eq!(error.error_type, "AlreadyExported", "{action} {after}: {error}"),
            }
            assert!(has_backup(&bucket).await, "{action} {after}");
        }
    }
}

#[tokio::test]
async fn lost_answers_and_throttling_are_got_over() {
    for action in ["HeadObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "PutObject"] {
        let account = LocalAws::account();
        let (snapshot, bucket) = ready(&account).await;
        account.fail_next(action).losing_the_answer().await;
        account.fail_next(action).after(1).with("SlowDown", 503).await;
        let answer = export(&account).await.invoke(json!({"snapshot": snapshot})).await;
        let answer = answer.unwrap_or_else(|error| panic!("{action}: {error}"));
        assert_eq!(answer["outcome"], "exported", "{action}");
        assert!(has_backup(&bucket).await, "{action}");
    }
}

#[tokio::test]
async fn what_s3_refuses_is_told_and_the_parts_are_dropped() {
    for action in ["UploadPart", "CompleteMultipartUpload"] {
        let account = LocalAws::account();
        let (snapshot, bucket) = ready(&account).await;
        account.fail_next(action).with("AccessDenied", 403).always().await;
        let error = export(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap_err();
        assert_eq!(error.error_type, "ExportIncomplete", "{error}");
        assert!(error.sentence().contains("AccessDenied"), "{error}");
        assert_eq!((of_backups(&bucket).await.len(), bucket.open_uploads().await), (0, 0), "{action}");
    }
}

#[tokio::test]
async fn a_db_that_only_its_whole_passage_finds_broken_is_no_backup() {
    let account = LocalAws::account();
    let snapshot = one(&account, &Disk::fixture("clean-3.5").with_a_broken_leaf().bytes).await;
    let bucket = store(&account).await;
    let error = export(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap_err();
    assert_eq!(error.error_type, "ExportIncomplete", "{error}");
    assert!(error.sentence().contains("the db is not sound"), "{error}");
    assert!(error.sentence().contains("trying again cannot help. Name another `member`"), "{error}");
    assert_eq!((of_backups(&bucket).await.len(), bucket.open_uploads().await), (0, 0));
}

#[tokio::test]
async fn two_exports_at_once_make_one_backup() {
    let account = LocalAws::account();
    let (snapshot, bucket) = ready(&account).await;
    let (one, other) = (export(&account).await, export(&account).await);
    let event = json!({"snapshot": snapshot});
    let (one, other) = tokio::join!(one.invoke(event.clone()), other.invoke(event));
    for answer in [one, other] {
        match answer {
            Ok(answer) => assert_eq!(answer["outcome"], "exported"),
            Err(error) => assert_eq!(error.error_type, "AlreadyExported", "{error}"),
        }
    }
    assert_eq!(of_backups(&bucket).await.len(), 2);
    let plan = export(&account).await;
    let list = plan.invoke(main(json!({"mode": "list"}))).await.unwrap();
    let name = &list["backups"].as_array().unwrap().iter().find(|one| one["kind"] == "backup").unwrap()["backup"];
    let plan = plan.invoke(main(json!({"mode": "restore", "backup": name}))).await.unwrap();
    assert_eq!(plan["refusals"], json!([]), "{plan:#}");
}

#[tokio::test]
async fn what_an_earlier_try_left_without_a_meta_is_written_over() {
    let account = LocalAws::account();
    let (snapshot, bucket) = ready(&account).await;
    let first = export(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap();
    let name = first["backup"].as_str().unwrap();
    let whole = bucket.get(&format!("{MAIN}/{name}/etcd.backup.gz")).await.unwrap();
    bucket.delete(&format!("{MAIN}/{name}/_etcd_backup.meta")).await;
    bucket.put(&format!("{MAIN}/{name}/etcd.backup.gz"), "half").await;

    export(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap();

    assert_eq!(bucket.get(&format!("{MAIN}/{name}/etcd.backup.gz")).await, Some(whole), "the same db, the same bytes");
}

#[tokio::test]
async fn what_cannot_end_in_time_is_not_begun_and_what_does_not_leaves_nothing() {
    let account = LocalAws::account();
    let (snapshot, bucket) = ready(&account).await;
    let event = json!({"snapshot": snapshot});
    let refused = export(&account).await.invoke_within(Duration::from_secs(5), event.clone()).await.unwrap_err();
    assert_eq!(refused.error_type, "TooLittleTime", "{refused}");
    assert_eq!(account.writes().await.len(), 0);

    account.on_next("UploadPart").always().done_after(Duration::from_secs(30)).await;
    let late = export(&account).await.invoke_within(Duration::from_secs(9), event).await.unwrap_err();
    assert_eq!(late.error_type, "ExportIncomplete", "{late}");
    assert!(late.sentence().contains("before the deadline"), "{late}");
    assert_eq!((of_backups(&bucket).await.len(), bucket.open_uploads().await), (0, 0));
}

#[tokio::test]
async fn whether_the_last_answer_was_lost_is_told_and_the_same_event_tells_more() {
    let account = LocalAws::account();
    let (snapshot, bucket) = ready(&account).await;
    account.fail_next("PutObject").losing_the_request().always().await;
    let error = export(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap_err();
    assert!(error.sentence().contains("whether it was written is not known"), "{error}");
    account.clear_faults().await;
    let answer = export(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap();
    assert_eq!(answer["outcome"], "exported", "{answer:#}");

    // A backup whose data was deleted is none, and is made again.
    let name = answer["backup"].as_str().unwrap();
    bucket.delete(&format!("{MAIN}/{name}/etcd.backup.gz")).await;
    let again = export(&account).await.invoke(json!({"snapshot": snapshot})).await.unwrap();
    assert_eq!(again["outcome"], "exported", "{again:#}");
    assert!(has_backup(&bucket).await);
}
