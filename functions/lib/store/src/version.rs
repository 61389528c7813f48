//! Which version a backup is labelled with, and whether etcd-manager runs it.
//!
//! etcd-manager restores a backup with the newest version of the same minor one that it knows. A version that it does not have
//! it only finds out about when the data of the living etcd cluster have been put away.

/// The patch level that etcd-manager (v3.0.20260707) takes for every version of these minor ones.
const MAPPED: [(&str, &str); 2] = [("3.5", "3.5.30"), ("3.6", "3.6.11")];

/// Whether etcd-manager can run a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runs {
    /// It can.
    Yes,
    /// Where this is so.
    If(String),
    /// It cannot, and why.
    No(String),
}

/// The version to label a db with: its own minor version, since data of a newer one is not taken by an older etcd; with the
/// patch level of the etcd cluster's spec, where that is of the same minor version. `None`: no patch level is known.
#[must_use]
pub fn label(db: &str, spec: Option<&str>) -> Option<String> {
    let own = minor(db)?;
    let of_spec = spec.filter(|spec| patch(spec).is_some() && minor(spec) == Some(own)).map(str::to_owned);
    of_spec.or_else(|| MAPPED.iter().find(|(minor, _)| *minor == own).map(|(_, version)| (*version).to_owned()))
}

/// Whether etcd-manager runs a backup that is labelled so, whose db is of that version.
#[must_use]
pub fn runs(label: &str, db: Option<&str>) -> Runs {
    let Some(of_label) = minor(label).filter(|_| patch(label).is_some()) else {
        return Runs::No(format!("it is labelled with the version `{}`, which is none", label.escape_default()));
    };
    if let Some(db) = db.filter(|db| number(db) > number(label)) {
        return Runs::No(format!(
            "it is labelled {label}, and its data is of etcd {db}, which an older one does not take"
        ));
    }
    if MAPPED.iter().any(|(minor, _)| *minor == of_label) {
        return Runs::Yes;
    }
    match number(label) {
        Some((3, 4 | 7..)) => Runs::If(format!("its image has `/opt/etcd-v{label}`, exactly that version")),
        _ => Runs::No(format!("it is labelled {label}, which no etcd-manager of today runs")),
    }
}

/// `3.6` of `3.6.12` and of `3.6`.
fn minor(version: &str) -> Option<&str> {
    number(version)?;
    let end = version.match_indices('.').nth(1).map_or(version.len(), |(at, _)| at);
    version.get(..end)
}

fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

fn patch(version: &str) -> Option<u32> {
    let mut parts = version.split('.').skip(2);
    let patch = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_db_is_labelled_by_its_own_minor_version() {
        assert_eq!(label("3.6", Some("3.6.12")).as_deref(), Some("3.6.12"));
        assert_eq!(label("3.5", Some("3.6.12")).as_deref(), Some("3.5.30"), "an upgrade is under way");
        assert_eq!(label("3.6", None).as_deref(), Some("3.6.11"));
        assert_eq!(label("3.7", Some("3.7.1")).as_deref(), Some("3.7.1"));
        assert_eq!(label("3.7", Some("3.6.12")), None, "which 3.7 etcd-manager has is not known");
        assert_eq!(label("3.4", None), None);
        assert_eq!(label("3.6", Some("3.6")).as_deref(), Some("3.6.11"), "a spec without a patch level");
        assert_eq!(label("x", Some("3.6.12")), None);
    }

    #[test]
    fn what_etcd_manager_runs() {
        assert_eq!(runs("3.5.9", Some("3.5")), Runs::Yes);
        assert_eq!(runs("3.6.12", Some("3.5")), Runs::Yes, "data of an older version is taken");
        assert!(matches!(runs("3.7.1", Some("3.7")), Runs::If(what) if what.contains("/opt/etcd-v3.7.1")));
        for (label, db) in
            [("3.6.12", Some("3.7")), ("3.6", None), ("", None), ("2.2.1", None), ("3.3.10", None), ("3.6.x", None)]
        {
            assert!(matches!(runs(label, db), Runs::No(_)), "{label}");
        }
    }
}
