//! A bucket of an account, for what tests put into it and find in it.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

use crate::{Account, REGION};

/// A bucket.
pub struct Bucket {
    client: Client,
    name: String,
}

impl Account {
    /// A new bucket of that name. Other accounts may have one of the same name.
    pub async fn bucket(&self, name: &str) -> Bucket {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .region(aws_sdk_s3::config::Region::new(REGION))
            .credentials_provider(aws_sdk_s3::config::Credentials::new(self.id(), "local", None, None, "scenarios"))
            .endpoint_url(self.url())
            .force_path_style(true)
            .build();
        let client = Client::from_conf(config);
        let region = aws_sdk_s3::types::BucketLocationConstraint::from(REGION);
        let place = aws_sdk_s3::types::CreateBucketConfiguration::builder().location_constraint(region).build();
        client.create_bucket().bucket(name).create_bucket_configuration(place).send().await.expect("a bucket");
        Bucket { client, name: name.to_owned() }
    }
}

impl Bucket {
    /// All keys.
    pub async fn keys(&self) -> Vec<String> {
        let listed = self.client.list_objects_v2().bucket(&self.name).send().await.expect("a list");
        listed.contents().iter().filter_map(|object| object.key().map(str::to_owned)).collect()
    }

    /// An object, if it is there.
    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let got = self.client.get_object().bucket(&self.name).key(key).send().await.ok()?;
        Some(got.body.collect().await.expect("a whole object").to_vec())
    }

    /// Writes an object.
    pub async fn put(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let body = ByteStream::from(bytes.into());
        self.client.put_object().bucket(&self.name).key(key).body(body).send().await.expect("it is written");
    }

    /// Deletes an object.
    pub async fn delete(&self, key: &str) {
        self.client.delete_object().bucket(&self.name).key(key).send().await.expect("it is deleted");
    }

    /// How many uploads in parts are open.
    pub async fn open_uploads(&self) -> usize {
        let listed = self.client.list_multipart_uploads().bucket(&self.name).send().await.expect("a list");
        listed.uploads().len()
    }
}
