//! Where the stores are.

use std::fmt;

/// What the text of a template is to be, for messages.
const FORM: &str = "s3://<bucket>/<prefix> with {cluster} and {etcd_cluster} in the prefix, such as \
                    s3://state-store/{cluster}/backups/etcd/{etcd_cluster}";
const SCHEME: &str = "s3://";
const CLUSTER: &str = "{cluster}";
const ETCD_CLUSTER: &str = "{etcd_cluster}";

/// The places of all stores: one for each etcd cluster. Without its placeholders two etcd clusters would share a store, and
/// etcd-manager would restore one from the other's backups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    bucket: String,
    prefix: String,
}

/// A store: a bucket, and what all its keys begin with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// Without a `/` at either end.
    pub prefix: String,
}

/// Why a template is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` {why}; give {FORM}")]
pub struct InvalidLocation {
    text: String,
    why: &'static str,
}

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, InvalidLocation> {
        let invalid = |why| InvalidLocation { text: text.to_owned(), why };
        let path = text.strip_prefix(SCHEME).ok_or_else(|| invalid("does not begin with `s3://`"))?;
        let (bucket, prefix) = path.split_once('/').ok_or_else(|| invalid("has no prefix"))?;
        // What a bucket may be called: the S3 user guide, "General purpose bucket naming rules".
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_letter) {
            return Err(invalid("names no bucket"));
        }
        let prefix = prefix.trim_matches('/');
        if ![CLUSTER, ETCD_CLUSTER].iter().all(|placeholder| prefix.contains(placeholder)) {
            return Err(invalid("lacks a placeholder, so that etcd clusters would share a store"));
        }
        let rest = prefix.replace(CLUSTER, "").replace(ETCD_CLUSTER, "");
        if rest.contains(['{', '}']) || prefix.contains("//") || prefix.chars().any(|c| c.is_control() || c == '\\') {
            return Err(invalid("has a prefix that no store has"));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// The store of an etcd cluster.
    #[must_use]
    pub fn of(&self, cluster: &str, etcd_cluster: &str) -> Place {
        let prefix = self.prefix.replace(CLUSTER, cluster).replace(ETCD_CLUSTER, etcd_cluster);
        Place { bucket: self.bucket.clone(), prefix }
    }

    /// The bucket of all of them.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_etcd_cluster_has_a_store_of_its_own() {
        let template = Template::parse("s3://state-store/{cluster}/backups/etcd/{etcd_cluster}/").expect("a template");
        let place = template.of("k8s.example.com", "main");
        assert_eq!(place.to_string(), "s3://state-store/k8s.example.com/backups/etcd/main");
        assert_eq!((place.bucket.as_str(), template.bucket()), ("state-store", "state-store"));
    }

    #[test]
    fn what_is_no_template_is_refused_with_what_is_accepted() {
        for (text, why) in [
            ("", "does not begin"),
            ("https://b/{cluster}/{etcd_cluster}", "does not begin"),
            ("s3://bucket", "has no prefix"),
            ("s3://B/{cluster}/{etcd_cluster}", "names no bucket"),
            ("s3://ab/{cluster}/{etcd_cluster}", "names no bucket"),
            ("s3://bucket/{cluster}/main", "lacks a placeholder"),
            ("s3://bucket/backups/{etcd_cluster}", "lacks a placeholder"),
            ("s3://bucket/{cluster}/{etcd_cluster}/{member}", "that no store has"),
            ("s3://bucket/{cluster}//{etcd_cluster}", "that no store has"),
        ] {
            let error = Template::parse(text).expect_err(text).to_string();
            assert!(error.contains(why) && error.contains("such as s3://state-store/"), "{error}");
        }
    }
}
