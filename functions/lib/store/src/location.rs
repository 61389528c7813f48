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
        let Some((cluster, etcd_cluster)) = prefix.find(CLUSTER).zip(prefix.find(ETCD_CLUSTER)) else {
            return Err(invalid("lacks a placeholder, so that etcd clusters would share a store"));
        };
        // `a-b` and `c` would have the store of `a` and `b-c`.
        if !prefix[cluster.min(etcd_cluster)..cluster.max(etcd_cluster)].contains('/') {
            return Err(invalid("has no `/` between its placeholders, so that etcd clusters could share a store"));
        }
        let rest = prefix.replace(CLUSTER, "").replace(ETCD_CLUSTER, "");
        // etcd-manager reads its store as a URL: it would look elsewhere for `%41` or `?`, and for `.`, `..` and `//`.
        let is_safe = |c: char| c.is_ascii_alphanumeric() || "/!-_.*'()".contains(c);
        let is_folder = |folder: &str| !matches!(folder, "" | "." | "..");
        if !rest.chars().all(is_safe) || !prefix.split('/').all(is_folder) {
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_etcd_cluster_has_a_store_of_its_own() {
        let template = Template::parse("s3://state-store/{cluster}/backups/etcd/{etcd_cluster}/").expect("a template");
        let place = template.of("k8s.example.com", "main");
        assert_eq!(place.to_string(), "s3://state-store/k8s.example.com/backups/etcd/main");
        assert_eq!((place.bucket.as_str(), template.bucket()), ("state-store", "state-store"));
    }

    #[test]
    fn a_prefix_may_have_its_placeholders_in_either_order_and_slashes_around() {
        for (text, place) in [
            ("s3://b.1/{cluster}/{etcd_cluster}", "s3://b.1/k8s.example.com/main"),
            ("s3://bucket//x/etcd-{etcd_cluster}/of/{cluster}//", "s3://bucket/x/etcd-main/of/k8s.example.com"),
            ("s3://bucket/{cluster}/{cluster}-{etcd_cluster}", "s3://bucket/k8s.example.com/k8s.example.com-main"),
        ] {
            assert_eq!(Template::parse(text).expect(text).of("k8s.example.com", "main").to_string(), place);
        }
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
            ("s3://bucket/../{cluster}/{etcd_cluster}", "that no store has"),
            ("s3://bucket/{cluster}/%41/{etcd_cluster}", "that no store has"),
            ("s3://bucket/{cluster}/{etcd_cluster}?x", "that no store has"),
            ("s3://bucket/a b/{cluster}/{etcd_cluster}", "that no store has"),
            ("s3://bucket/{cluster}\n/{etcd_cluster}", "that no store has"),
            ("s3://bucket/", "lacks a placeholder"),
            ("s3://{cluster}/{etcd_cluster}", "names no bucket"),
            ("s3://bucket/{cluster}-{etcd_cluster}", "between its placeholders"),
            ("s3://bucket/a/{etcd_cluster}{cluster}/b", "between its placeholders"),
        ] {
            let error = Template::parse(text).expect_err(text).to_string();
            assert!(error.contains(why) && error.contains("such as s3://state-store/"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_two_etcd_clusters_share_a_store(
            template in "s3://bucket/[a-c/-]{0,3}(\\{cluster\\}[a-c/-]{0,3}\\{etcd_cluster\\}|\\{etcd_cluster\\}[a-c/-]{0,3}\\{cluster\\})[a-c-]{0,2}",
            (a, b) in (("[a-c-]{1,3}", "[a-c-]{1,3}"), ("[a-c-]{1,3}", "[a-c-]{1,3}")),
        ) {
            if let Ok(template) = Template::parse(&template) {
                prop_assert_eq!(template.of(&a.0, &a.1) == template.of(&b.0, &b.1), a == b);
            }
        }

        #[test]
        fn any_text_is_a_template_or_is_refused(text in "(s3://)?[a-z]{0,4}/?\\PC{0,9}(\\{cluster\\})?\\PC{0,3}(\\{etcd_cluster\\})?\\PC{0,3}") {
            let _ = Template::parse(&text);
        }
    }
}
