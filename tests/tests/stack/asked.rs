//! What AWS asks IAM about the calls that were recorded. Which resources and condition keys: Service Authorization
//! Reference, "Actions, resources, and condition keys for Amazon EC2", and "for Amazon S3".

use scenarios::observed::Call;
use scenarios::stack::Request;
use scenarios::tags::Tags;
use serde_json::{Map, Value, json};

pub(crate) const VOLUME: &str = "arn:aws:ec2:eu-central-1:123456789012:volume/vol-0123456789abcdef0";
pub(crate) const SNAPSHOT: &str = "arn:aws:ec2:eu-central-1::snapshot/snap-0123456789abcdef0";

/// Whose calls are recorded.
pub(crate) const ACCOUNT: &str = "123456789012";

/// The questions about a call, given the tags of the resource that it names.
pub(crate) fn asked(call: &Call, tags_of: impl Fn(&str) -> Tags) -> Vec<Request> {
    let named = call.tags();
    let of = |param: &str| tags_of(call.param(param).unwrap_or_else(|| panic!("{} without {param}", call.action)));
    match call.action.as_str() {
        "CreateSnapshot" => vec![
            on(VOLUME, "ec2:CreateSnapshot", &of("VolumeId"), &Tags::new()),
            on(SNAPSHOT, "ec2:CreateSnapshot", &Tags::new(), &named),
            with(on(SNAPSHOT, "ec2:CreateTags", &Tags::new(), &named), "ec2:CreateAction", "CreateSnapshot"),
        ],
        "DeleteSnapshot" => vec![on(SNAPSHOT, "ec2:DeleteSnapshot", &of("SnapshotId"), &Tags::new())],
        "CreateVolume" => {
            let volume = on(VOLUME, "ec2:CreateVolume", &Tags::new(), &named);
            let parent = call.param("SnapshotId").map(|id| format!("arn:aws:ec2:eu-central-1::snapshot/{id}"));
            vec![
                parent.map_or(volume.clone(), |parent| with(volume, "ec2:ParentSnapshot", &parent)),
                volume_of(ACCOUNT, &of("SnapshotId")),
                with(on(VOLUME, "ec2:CreateTags", &Tags::new(), &named), "ec2:CreateAction", "CreateVolume"),
            ]
        }
        tagging @ ("CreateTags" | "DeleteTags") => {
            let is_snapshot = call.param("ResourceId.1").is_some_and(|id| id.starts_with("snap-"));
            let resource = if is_snapshot { SNAPSHOT } else { VOLUME };
            vec![on(resource, &format!("ec2:{tagging}"), &of("ResourceId.1"), &named)]
        }
        reading @ ("ListSnapshotBlocks" | "GetSnapshotBlock") => {
            vec![on(SNAPSHOT, &format!("ebs:{reading}"), &of("SnapshotId"), &Tags::new())]
        }
        "ListObjectsV2" => vec![listing(param(call, "Bucket"), call.param("Prefix"))],
        "GetObject" | "HeadObject" if call.status == Some(404) => {
            vec![object(call, "s3:GetObject"), listing(param(call, "Bucket"), call.param("Key"))]
        }
        "GetObject" | "HeadObject" => vec![object(call, "s3:GetObject")],
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            vec![object(call, "s3:PutObject")]
        }
        "AbortMultipartUpload" => vec![object(call, "s3:AbortMultipartUpload")],
        "PutEvents" => vec![put_events("default")],
        looking => {
            assert!(looking.starts_with("Describe"), "what does {looking} ask?");
            vec![on("*", &format!("ec2:{looking}"), &Tags::new(), &Tags::new())]
        }
    }
}

fn param<'c>(call: &'c Call, name: &str) -> &'c str {
    call.param(name).unwrap_or_else(|| panic!("{} without {name}", call.action))
}

fn object(call: &Call, action: &str) -> Request {
    on_object(action, &format!("{}/{}", param(call, "Bucket"), param(call, "Key")))
}

/// A request on an object, by bucket and key, or on a bucket.
pub(crate) fn on_object(action: &str, object: &str) -> Request {
    on(&format!("arn:aws:s3:::{object}"), action, &Tags::new(), &Tags::new())
}

/// A listing of what begins so. S3 asks for it before it says of an object that it is not there (its API reference,
/// `HeadObject`), with the key as prefix: <https://github.com/ceph/ceph/pull/68577>,
/// <https://github.com/kopia/kopia/pull/3072>.
pub(crate) fn listing(bucket: &str, prefix: Option<&str>) -> Request {
    let all = on_object("s3:ListBucket", bucket);
    match prefix {
        Some(prefix) => with(all, "s3:prefix", prefix),
        None => all,
    }
}

/// A request on a resource with these tags, which names those.
pub(crate) fn on(resource: &str, action: &str, of_resource: &Tags, named: &Tags) -> Request {
    let mut context = Map::new();
    context.extend(of_resource.iter().map(|(key, value)| (format!("aws:ResourceTag/{key}"), json!(value))));
    context.extend(named.iter().map(|(key, value)| (format!("aws:RequestTag/{key}"), json!(value))));
    if !named.is_empty() {
        context.insert("aws:TagKeys".to_owned(), named.keys().cloned().collect());
    }
    Request { action: action.to_owned(), resource: resource.to_owned(), context: Value::Object(context) }
}

/// A volume of a snapshot of this owner, with these tags.
pub(crate) fn volume_of(owner: &str, snapshot: &Tags) -> Request {
    with(on(SNAPSHOT, "ec2:CreateVolume", snapshot, &Tags::new()), "ec2:Owner", owner)
}

/// The same request with one more condition key.
pub(crate) fn with(mut request: Request, key: &str, value: &str) -> Request {
    request.context[key] = json!(value);
    request
}

pub(crate) fn put_events(bus: &str) -> Request {
    let arn = format!("arn:aws:events:eu-central-1:123456789012:event-bus/{bus}");
    let context = json!({"events:source": ["etcd-volume-backup"]});
    Request { action: "events:PutEvents".to_owned(), resource: arn, context }
}

/// An event that claims to be somebody else's.
pub(crate) fn from_source(source: &str) -> Request {
    Request { context: json!({"events:source": [source]}), ..put_events("default") }
}
