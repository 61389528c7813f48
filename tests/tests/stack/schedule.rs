//! When backup runs, for how long an event is good, and what becomes of one that failed.

use scenarios::Stack;
use serde_json::{Value, json};

use super::with_store;

/// The minutes of a day at which a cron expression of EventBridge fires, of those used here: minutes and hours that are
/// a number, `*`, or `0/<step>`; every day.
fn minutes_of_day(cron: &str) -> Vec<u32> {
    let fields = cron.strip_prefix("cron(").and_then(|rest| rest.strip_suffix(')')).unwrap();
    let [minute, hour, "*", "*", "?", "*"] = fields.split(' ').collect::<Vec<_>>()[..] else { panic!("{cron}") };
    let values = |field: &str, end: u32| -> Vec<u32> {
        match field.strip_prefix("0/") {
            Some(step) => (0..end).step_by(step.parse().unwrap()).collect(),
            None if field == "*" => (0..end).collect(),
            None => vec![field.parse().unwrap()],
        }
    };
    let minutes = values(minute, 60);
    values(hour, 24).into_iter().flat_map(|hour| minutes.iter().map(move |minute| hour * 60 + minute)).collect()
}

#[test]
fn every_period_that_can_be_chosen_has_its_schedule_and_its_times() {
    let stack = Stack::by_default();
    let slots = stack.template("Mappings")["Slots"].as_object().unwrap();
    let allowed = stack.template("Parameters")["Slot"]["AllowedValues"].as_array().unwrap();
    assert_eq!(slots.len(), allowed.len());
    for slot in allowed.iter().map(|slot| slot.as_str().unwrap()) {
        let of = &slots[slot];
        let period: jiff::SignedDuration = slot.parse().unwrap();
        let seconds = period.as_secs();
        assert_eq!((&of["Seconds"], &of["ThreeSlots"]), (&json!(seconds), &json!(3 * seconds)), "{slot}");
        assert_eq!(of["EventAge"], json!(seconds.min(6 * 3600)), "{slot}: Lambda keeps an event for six hours");
        let step = usize::try_from(seconds / 60).unwrap();
        let expected: Vec<u32> = (0..24 * 60).step_by(step).collect();
        assert_eq!(minutes_of_day(of["Cron"].as_str().unwrap()), expected, "{slot}");
    }
}

fn schedule(stack: &Stack) -> &Value {
    stack.properties("BackupFunctionSchedule")
}

#[test]
fn schedule_slot_and_age_follow_from_one_parameter() {
    let stack = Stack::with(&json!({"Slot": "6h"}));
    assert_eq!(schedule(&stack)["ScheduleExpression"], "cron(0 0/6 * * ? *)");
    assert_eq!(schedule(&stack)["Targets"][0]["RetryPolicy"]["MaximumEventAgeInSeconds"], 21600);
    assert_eq!(stack.properties("BackupFunctionEventInvokeConfig")["MaximumEventAgeInSeconds"], 21600);
    assert_eq!(stack.properties("BackupFunction")["Environment"]["Variables"]["SLOT"], "6h");
    assert_eq!(schedule(&stack)["State"], "ENABLED");
    let off = Stack::with(&json!({"Schedule": "off"}));
    assert_eq!(schedule(&off)["State"], "DISABLED");
    assert_eq!(off.properties("VerifyFunctionSweep")["State"], "DISABLED");
}

#[test]
fn export_looks_every_hour_whatever_is_scheduled() {
    let stack = with_store(json!({"Slot": "12h", "Schedule": "off"}));
    let rule = stack.properties("ExportFunctionWatch");
    let minutes = minutes_of_day(rule["ScheduleExpression"].as_str().unwrap());
    assert_eq!(minutes, (0..24).map(|hour| hour * 60 + 50).collect::<Vec<u32>>());
    assert_ne!(rule["State"], "DISABLED");
    assert_eq!(rule["Targets"][0]["RetryPolicy"]["MaximumEventAgeInSeconds"], 3600, "then the next one is due");
}

#[test]
fn what_fails_for_good_is_handed_over_and_a_restore_is_never_repeated_or_late() {
    let stack = &with_store(json!({}));
    let role = stack.role("BackupRole");
    for (config, retries) in [
        ("BackupFunctionEventInvokeConfig", 2),
        ("ExportFunctionEventInvokeConfig", 1),
        ("PlanFunctionEventInvokeConfig", 0),
        ("RestoreFunctionEventInvokeConfig", 0),
        ("VerifyFunctionEventInvokeConfig", 1),
    ] {
        let config = stack.properties(config);
        assert_eq!(config["MaximumRetryAttempts"], retries);
        let queue = config["DestinationConfig"]["OnFailure"]["Destination"].as_str().unwrap();
        let send = |arn: &str| scenarios::stack::Request {
            action: "sqs:SendMessage".to_owned(),
            resource: arn.to_owned(),
            context: json!({}),
        };
        assert_eq!(role.allows(&[send(queue), send(&format!("{queue}-of-others"))]), [true, false]);
        assert_eq!(schedule(stack)["Targets"][0]["DeadLetterConfig"]["Arn"], queue);
        let rules = ["ExportFunctionVerified", "ExportFunctionWatch", "VerifyFunctionSnapshots", "VerifyFunctionSweep"];
        for rule in rules {
            assert_eq!(stack.properties(rule)["Targets"][0]["DeadLetterConfig"]["Arn"], queue);
        }
        let policy = &stack.properties("FailuresPolicy")["PolicyDocument"]["Statement"][0];
        assert_eq!(
            (&policy["Resource"], &policy["Principal"]["Service"]),
            (&json!(queue), &json!("events.amazonaws.com"))
        );
    }
    for stack in [stack, Stack::by_default()] {
        let policy = &stack.properties("FailuresPolicy")["PolicyDocument"]["Statement"][0];
        let allowed = policy["Condition"]["ArnEquals"]["aws:SourceArn"].as_array().unwrap();
        let rules =
            stack.all("AWS::Events::Rule").filter(|(_, rule)| !rule["Targets"][0]["DeadLetterConfig"].is_null());
        let rules: Vec<&str> = rules.map(|(rule, _)| rule).collect();
        assert_eq!(allowed.len(), rules.len(), "{rules:?}");
        for rule in rules {
            assert!(allowed.iter().any(|arn| arn.as_str().unwrap().contains(&format!("-{rule}-"))), "{rule}");
        }
    }
    assert_eq!(stack.properties("RestoreFunctionEventInvokeConfig")["MaximumEventAgeInSeconds"], 60);
    assert_eq!(stack.properties("Failures")["SqsManagedSseEnabled"], true);
}

#[test]
fn the_functions_run_as_they_are_meant_to() {
    let stack = with_store(json!({"ReserveConcurrency": "on", "Architecture": "x86_64", "OwnerTag": "platform"}));
    let by_default = with_store(json!({}));
    for (function, seconds, log) in [
        ("BackupFunction", 300, "BackupLog"),
        ("ExportFunction", 900, "ExportLog"),
        ("PlanFunction", 300, "PlanLog"),
        ("RestoreFunction", 900, "RestoreLog"),
        ("VerifyFunction", 900, "VerifyLog"),
    ] {
        let properties = stack.properties(function);
        // Whatever the stack's name is: StackSets give one that is too long for a function.
        let name = function.trim_end_matches("Function").to_lowercase();
        assert_eq!(properties["FunctionName"], format!("etcd-volume-backup-{name}"));
        assert_eq!(properties["Timeout"], seconds);
        assert_eq!(properties["Runtime"], "provided.al2023");
        assert_eq!(properties["Architectures"], json!(["x86_64"]));
        assert_eq!(properties["ReservedConcurrentExecutions"], 1);
        assert_eq!(properties["TracingConfig"]["Mode"], "Active");
        assert!(properties["Tags"].as_array().unwrap().contains(&json!({"Key": "owner", "Value": "platform"})));
        assert_eq!(properties["LoggingConfig"]["LogGroup"], stack.properties(log)["LogGroupName"]);
        assert_eq!(stack.properties(log)["RetentionInDays"], 90);
        let by_default = by_default.properties(function);
        assert_eq!(by_default["ReservedConcurrentExecutions"], Value::Null);
        assert_eq!(by_default["Architectures"], json!(["arm64"]));
    }
    // "At 1,769 MB, a function has the equivalent of one vCPU": Lambda's developer guide, "Configure Lambda function memory".
    assert_eq!(by_default.properties("ExportFunction")["MemorySize"], 1769);
}

#[test]
fn a_boundary_bounds_every_role() {
    let boundary = "arn:aws:iam::123456789012:policy/bound";
    let stack = with_store(json!({"PermissionsBoundaryArn": boundary}));
    for (name, role) in stack.all("AWS::IAM::Role") {
        assert_eq!(role["PermissionsBoundary"], boundary, "{name}");
    }
    assert_eq!(Stack::by_default().properties("BackupRole")["PermissionsBoundary"], Value::Null);
}

#[test]
fn the_recycle_bin_keeps_what_bears_our_trigger() {
    assert_eq!(Stack::by_default().all("AWS::Rbin::Rule").count(), 0);
    let stack = Stack::with(&json!({"RecycleBinDays": "7"}));
    let rule = stack.properties("RecycleBin");
    assert_eq!(rule["RetentionPeriod"]["RetentionPeriodUnit"], "DAYS");
    let tag = |value| json!({"ResourceTagKey": "etcd-backup/trigger", "ResourceTagValue": value});
    assert_eq!(rule["ResourceTags"], json!([tag("schedule"), tag("manual")]));
}
