//! The functions' environment: what the template sets is what the code reads, and what a parameter takes the code takes.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use etcd_backup_aws::config::{BackupConfig, ExportConfig, InvalidConfiguration, Modes, RestoreConfig, VerifyConfig};
use regex_lite::Regex;
use scenarios::Stack;
use serde_json::{Value, json};

use super::{CLUSTER, STORE, with_store};

const SIGNING: &str = "arn:aws:lambda:eu-central-1:123456789012:code-signing-config:csc-0123456789abcdef0";

fn environment(stack: &Stack, function: &str) -> BTreeMap<String, String> {
    let variables = stack.properties(function)["Environment"]["Variables"].as_object().unwrap();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    variables.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

/// What a reader of the environment asks for.
fn names<C>(read: impl FnOnce(&dyn Fn(&str) -> Option<String>) -> Result<C, InvalidConfiguration>) -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::new());
    let note = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        (name == "STORE").then(|| STORE.to_owned())
    };
    assert!(read(&note).is_ok());
    asked.into_inner()
}

fn backup(variables: &BTreeMap<String, String>) -> Result<BackupConfig, InvalidConfiguration> {
    BackupConfig::read(|name| variables.get(name).cloned())
}

fn restore(variables: &BTreeMap<String, String>) -> Result<RestoreConfig, InvalidConfiguration> {
    RestoreConfig::read(|name| variables.get(name).cloned())
}

#[test]
fn the_template_sets_what_the_code_reads_and_nothing_else() {
    let stack = &with_store(json!({}));
    for (function, read) in [
        ("BackupFunction", names(|variable| BackupConfig::read(variable))),
        ("ExportFunction", names(|variable| ExportConfig::read(variable))),
        ("PlanFunction", names(|variable| RestoreConfig::read(variable))),
        ("RestoreFunction", names(|variable| RestoreConfig::read(variable))),
        ("VerifyFunction", names(|variable| VerifyConfig::read(variable))),
    ] {
        assert_eq!(environment(stack, function).into_keys().collect::<BTreeSet<String>>(), read, "{function}");
    }
}

#[test]
fn the_templates_defaults_are_the_codes() {
    let stack = Stack::by_default();
    assert_eq!(backup(&environment(stack, "BackupFunction")).unwrap(), BackupConfig::read(|_| None).unwrap());
    assert_eq!(restore(&environment(stack, "RestoreFunction")).unwrap(), RestoreConfig::read(|_| None).unwrap());
    let of_verify = environment(stack, "VerifyFunction");
    let read = VerifyConfig::read(|name| of_verify.get(name).cloned()).unwrap();
    assert_eq!(read, VerifyConfig::read(|_| None).unwrap());
    let mut of_export = environment(&with_store(json!({})), "ExportFunction");
    assert_eq!(of_export.remove("EVENT_BUS").as_deref(), Some(""), "it sends none");
    let given = ExportConfig::read(|name| of_export.get(name).cloned()).unwrap();
    assert_eq!(given, ExportConfig::read(|name| (name == "STORE").then(|| STORE.to_owned())).unwrap());
}

#[test]
fn plan_is_restore_that_looks_alone_and_tells_nobody() {
    let parameters = json!({"Clusters": CLUSTER, "MaxSkew": "1m", "ForeignSnapshots": "account", "EventBus": "ops"});
    let stack = Stack::with(&parameters);
    let [mut plan, mut of_restore] = ["PlanFunction", "RestoreFunction"].map(|name| environment(&stack, name));
    assert_eq!(restore(&plan).unwrap().modes, Modes::Look);
    assert_eq!(restore(&of_restore).unwrap().modes, Modes::All);
    for (name, of_plan, other) in [("MODES", "look", "all"), ("EVENT_BUS", "", "ops")] {
        assert_eq!((plan.remove(name).as_deref(), of_restore.remove(name).as_deref()), (Some(of_plan), Some(other)));
    }
    assert_eq!(plan, of_restore);
    assert_eq!(plan["FOREIGN_SNAPSHOTS"], "account");
    let [plan, restore] = ["PlanFunction", "RestoreFunction"].map(|name| &stack.properties(name)["Code"]);
    assert_eq!(plan, restore, "the same binary");
}

#[test]
fn parameters_reach_the_code() {
    let parameters = json!({
        "Clusters": "a.example.com,b.example.com", "Slot": "30m", "Retention": "keep-daily=3", "Prune": "off",
        "MaxPrune": "7", "MaxSkew": "1m", "Concurrency": "3", "EventBus": "",
    });
    let set = environment(&Stack::with(&parameters), "BackupFunction");
    let expected = [
        ("CLUSTERS", "a.example.com,b.example.com"),
        ("CONCURRENCY", "3"),
        ("EVENT_BUS", ""),
        ("MAX_PRUNE", "7"),
        ("MAX_SKEW", "1m"),
        ("PRUNE", "off"),
        ("RETENTION", "keep-daily=3"),
        ("SLOT", "30m"),
    ];
    assert_eq!(set, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    backup(&set).unwrap();
    let of_verify = environment(&Stack::with(&json!({"Verify": "daily"})), "VerifyFunction");
    assert_eq!(of_verify["VERIFY"], "daily");
    let key = "arn:aws:kms:eu-west-1:210987654321:key/mrk-1234";
    let of_store = json!({"Export": "daily", "StoreRegion": "eu-west-1", "StoreKmsKeyArn": key, "Clusters": CLUSTER});
    let of_export = environment(&with_store(of_store), "ExportFunction");
    let expected = [
        ("CLUSTERS", CLUSTER),
        ("CONCURRENCY", "16"),
        ("EVENT_BUS", ""),
        ("EXPORT", "daily"),
        ("STORE", STORE),
        ("STORE_KMS_KEY", key),
        ("STORE_REGION", "eu-west-1"),
    ];
    assert_eq!(of_export, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    ExportConfig::read(|name| of_export.get(name).cloned()).unwrap();
}

/// A parameter, its variable, values that both take, and values that are refused at once.
type Limits<'a> = (&'a str, &'a str, &'a [&'a str], &'a [&'a str]);

const LIMITS: [Limits<'static>; 4] = [
    ("Clusters", "CLUSTERS", &["*", "k8s.example.com", "k8s.local", "a"], &["", "k8s.*", "K8s", "a b", "-a", "a."]),
    (
        "Retention",
        "RETENTION",
        &["keep-last=1", "keep-last=3,keep-hourly=24,keep-yearly=2,keep-within=1y2m3d4h", "keep-within=7d"],
        &[
            "",
            "keep-last",
            "keep-last=-1",
            "keep-last=1,",
            "keep-last=unlimited",
            "keep-within=7",
            "last=3",
            "keep-last=1 keep-daily=1",
        ],
    ),
    ("MaxSkew", "MAX_SKEW", &["500ms", "5s", "1m", "0s"], &["", "5", "-1s", "5 s", "1h30m"]),
    (
        "EventBus",
        "EVENT_BUS",
        &["", "default", "ops/etcd.bus_1-a", "arn:aws:events:eu-central-1:123456789012:event-bus/ops"],
        &["a bus", "arn:aws:sns:eu-central-1:123456789012:x", "arn:aws:events:eu-central-1:1:event-bus/ops"],
    ),
];

#[test]
fn what_is_plainly_wrong_is_refused_before_anything_is_deployed() {
    let parameters = Stack::by_default().template("Parameters");
    for (parameter, variable, good, bad) in LIMITS {
        let pattern = Regex::new(parameters[parameter]["AllowedPattern"].as_str().unwrap()).unwrap();
        for value in good {
            assert!(pattern.is_match(value), "{parameter} refuses `{value}`");
            let variables = [(variable.to_owned(), (*value).to_owned())];
            backup(&variables.into()).unwrap_or_else(|error| panic!("{error}"));
        }
        for value in bad {
            assert!(!pattern.is_match(value), "{parameter} takes `{value}`");
        }
    }
    for (parameter, variable) in [("Slot", "SLOT"), ("Prune", "PRUNE")] {
        for value in parameters[parameter]["AllowedValues"].as_array().unwrap() {
            let variables = [(variable.to_owned(), value.as_str().unwrap().to_owned())];
            backup(&variables.into()).unwrap_or_else(|error| panic!("{error}"));
        }
    }
    for value in parameters["ForeignSnapshots"]["AllowedValues"].as_array().unwrap() {
        let variables = [("FOREIGN_SNAPSHOTS".to_owned(), value.as_str().unwrap().to_owned())];
        restore(&variables.into()).unwrap_or_else(|error| panic!("{error}"));
    }
    let reads = |value: &str| VerifyConfig::read(|name| (name == "VERIFY").then(|| value.to_owned()));
    assert_eq!(parameters["Verify"]["AllowedValues"], json!(["all", "daily", "off"]));
    assert!(["all", "daily", "off"].iter().all(|value| reads(value).is_ok()));
    for bad in ["", "on", "ALL", "weekly"] {
        assert!(reads(bad).is_err_and(|error| error.to_string().starts_with("VERIFY: ")), "{bad}");
    }
    for (parameter, variable) in [("MaxPrune", "MAX_PRUNE"), ("Concurrency", "CONCURRENCY")] {
        for (limit, beyond) in [("MinValue", -1), ("MaxValue", 1)] {
            let most = parameters[parameter][limit].as_i64().unwrap();
            assert!(backup(&[(variable.to_owned(), most.to_string())].into()).is_ok(), "{parameter} {most}");
            assert!(backup(&[(variable.to_owned(), (most + beyond).to_string())].into()).is_err(), "{parameter}");
        }
    }
}

/// Of these what is wrong is also refused where the code would take it: the role needs each name once.
const LIMITS_OF_EXPORT: [Limits<'static>; 2] = [
    (
        "Store",
        "STORE",
        &[STORE, "s3://b.1/{cluster}/{etcd_cluster}", "s3://bucket/a/b-c/x.{etcd_cluster}_y/of/{cluster}/z"],
        &[
            "backups",
            "s3://",
            "s3://backups",
            "s3://backups/",
            "s3://ab/{cluster}/{etcd_cluster}",
            "s3://Backups/{cluster}/{etcd_cluster}",
            "https://backups/{cluster}/{etcd_cluster}",
            "s3://backups{cluster}/{etcd_cluster}",
            "s3://backups/{cluster}/main",
            "s3://backups/{etcd_cluster}",
            "s3://backups/{cluster}-{etcd_cluster}",
            "s3://backups/{cluster}/{etcd_cluster}/{cluster}",
            "s3://backups/{cluster}/../{etcd_cluster}",
            "s3://backups/{cluster}//{etcd_cluster}",
            "s3://backups/{cluster}/{etcd_cluster}/",
            "s3://backups/*/{cluster}/{etcd_cluster}",
            "s3://backups/{cluster}/{etcd_cluster}?",
            "s3://backups/${cluster}/{etcd_cluster}",
            "s3://backups/{cluster}/{etcd_cluster} ",
        ],
    ),
    ("StoreRegion", "STORE_REGION", &["", "eu-west-1", "us-gov-east-1"], &["Frankfurt", "eu-west-1a", "eu-west"]),
];

#[test]
fn a_store_that_the_template_takes_the_code_takes() {
    let parameters = Stack::by_default().template("Parameters");
    let reads = |variable: &str, value: &str| {
        ExportConfig::read(|name| match name {
            _ if name == variable => Some(value.to_owned()),
            "STORE" => Some(STORE.to_owned()),
            _ => None,
        })
    };
    for (parameter, variable, good, bad) in LIMITS_OF_EXPORT {
        let pattern = Regex::new(parameters[parameter]["AllowedPattern"].as_str().unwrap()).unwrap();
        for value in good {
            assert!(pattern.is_match(value), "{parameter} refuses `{value}`");
            reads(variable, value).unwrap_or_else(|error| panic!("{error}"));
        }
        for value in bad {
            assert!(!pattern.is_match(value), "{parameter} takes `{value}`");
        }
        assert!(pattern.is_match(""), "{parameter} may be empty");
    }
    assert_eq!(parameters["Export"]["AllowedValues"], json!(["off", "daily", "all"]));
    for value in ["off", "daily", "all"] {
        reads("EXPORT", value).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn every_function_runs_signed_code_alone_where_that_is_asked_for() {
    let signed = with_store(json!({"CodeSigningConfigArn": SIGNING}));
    for (stack, expected) in [(&signed, json!(SIGNING)), (&with_store(json!({})), Value::Null)] {
        for (function, properties) in stack.all("AWS::Lambda::Function") {
            assert_eq!(properties["CodeSigningConfigArn"], expected, "{function}");
        }
    }
}

#[test]
fn arns_and_addresses_are_told_from_what_looks_like_them() {
    let parameters = Stack::by_default().template("Parameters");
    let key = "arn:aws:kms:eu-central-1:123456789012:key/mrk-1234";
    for (parameter, good, bad) in [
        ("AlarmEmail", ["", "on.call@example.com"], ["on call@example.com", "example.com"]),
        ("AlarmTopicArn", ["", "arn:aws-cn:sns:cn-north-1:123456789012:on_call-1"], ["oncall", key]),
        ("KmsKeyArns", ["", key], ["alias/etcd", "arn:aws:kms:eu-central-1:123456789012:alias/etcd"]),
        ("StoreKmsKeyArn", ["", key], ["alias/etcd", "arn:aws:kms:eu-central-1:123456789012:alias/etcd"]),
        ("PermissionsBoundaryArn", ["", "arn:aws:iam::aws:policy/PowerUserAccess"], ["bound", key]),
        ("CodeSigningConfigArn", ["", SIGNING], ["csc-0123456789abcdef0", key]),
        ("NamePrefix", ["etcd-volume-backup", "e"], ["", "2nd"]),
        ("OwnerTag", ["", "Platform team: a+b@example.com"], ["a\nb", "ö"]),
        ("CostCenterTag", ["", "4711"], ["{}", "a;b"]),
    ] {
        let pattern = Regex::new(parameters[parameter]["AllowedPattern"].as_str().unwrap()).unwrap();
        assert!(good.iter().all(|value| pattern.is_match(value)), "{parameter}: {good:?}");
        assert!(!bad.iter().any(|value| pattern.is_match(value)), "{parameter}: {bad:?}");
    }
}
