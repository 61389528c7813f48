//! The settings of a new volume.

use proptest::prelude::*;

use super::super::settings::settings;
use super::super::{Overrides, VolumeSettings};
use super::fixtures::snapshots;
use crate::ids::{VolumeId, Zone};
use crate::snapshot::Snapshot;
use crate::tags::RecordedVolume;

/// `type size iops throughput encrypted key`, as words; `-` for what is not there.
fn in_words(settings: Result<VolumeSettings, String>) -> String {
    let Ok(settings) = settings else { return settings.expect_err("an error") };
    let or_none = |number: Option<u32>| number.map_or("-".to_owned(), |number| number.to_string());
    format!(
        "{} {} {} {} {} {}",
        settings.volume_type,
        settings.size_gib,
        or_none(settings.iops),
        or_none(settings.throughput),
        if settings.encrypted { "encrypted" } else { "plain" },
        settings.kms_key.as_deref().unwrap_or("-")
    )
}

fn recorded(words: &str) -> RecordedVolume {
    RecordedVolume::parse(&format!("id=vol-a zone=eu-central-1a {words}")).expect("a recorded volume")
}

/// Of a volume of 20 GiB.
fn snapshot(kms_key: Option<&str>) -> Snapshot {
    Snapshot { encrypted: kms_key.is_some(), kms_key: kms_key.map(str::to_owned), ..snapshots().remove(0) }
}

fn of(recorded_words: &str, overrides: &Overrides) -> String {
    in_words(settings(Some(&recorded(recorded_words)), &snapshot(None), overrides))
}

fn type_of(volume_type: &str) -> Overrides {
    Overrides { volume_type: Some(volume_type.to_owned()), ..Overrides::default() }
}

#[test]
fn what_was_recorded_is_taken_over() {
    for (recorded, expected) in [
        ("type=gp3 size=20 iops=4000 throughput=250", "gp3 20 4000 250 plain -"),
        ("type=gp3 size=20", "gp3 20 3000 125 plain -"),
        ("type=gp2 size=20", "gp2 20 - - plain -"),
        ("type=gp2 size=20 iops=100 throughput=125", "gp2 20 - - plain -"),
        ("type=io1 size=20 iops=100", "io1 20 100 - plain -"),
        ("type=io2 size=20 iops=100 throughput=125", "io2 20 100 - plain -"),
        ("type=io2 size=20", "iops: is missing, and a io2 volume needs it"),
        ("type=standard size=20", "standard 20 - - plain -"),
    ] {
        assert_eq!(of(recorded, &Overrides::default()), expected, "{recorded}");
    }
}

#[test]
fn each_setting_can_be_given() {
    let gp3 = "type=gp3 size=20 iops=4000 throughput=250";
    let iops = |volume_type: Option<&str>, iops| Overrides {
        volume_type: volume_type.map(str::to_owned),
        iops: Some(iops),
        ..Overrides::default()
    };
    assert_eq!(of(gp3, &iops(None, 5000)), "gp3 20 5000 250 plain -");
    assert_eq!(of(gp3, &Overrides { throughput: Some(500), ..Overrides::default() }), "gp3 20 4000 500 plain -");
    assert_eq!(of(gp3, &type_of("gp3")), "gp3 20 4000 250 plain -");
    let rate = Overrides { initialization_rate: Some(200), ..Overrides::default() };
    let with_rate = settings(Some(&recorded(gp3)), &snapshot(None), &rate).expect("settings");
    assert_eq!(with_rate.initialization_rate, Some(200));
    assert_eq!(of("type=io1 size=20 iops=100", &iops(Some("io2"), 200)), "io2 20 200 - plain -");
}

#[test]
fn what_was_provisioned_for_another_type_says_nothing_of_this_one() {
    let gp3 = "type=gp3 size=20 iops=4000 throughput=250";
    assert_eq!(of(gp3, &type_of("gp2")), "gp2 20 - - plain -");
    assert_eq!(of(gp3, &type_of("io2")), "iops: is missing, and a io2 volume needs it");
    assert_eq!(of("type=io1 size=20 iops=100", &type_of("gp3")), "gp3 20 3000 125 plain -");
    assert_eq!(of("type=io1 size=20 iops=100", &type_of("io2")), "iops: is missing, and a io2 volume needs it");
}

#[test]
fn a_setting_that_the_type_does_not_take_is_refused() {
    let iops = Overrides { iops: Some(3000), ..Overrides::default() };
    assert_eq!(of("type=gp2 size=20", &iops), "iops: a gp2 volume takes none; gp3, io1 and io2 do");
    let throughput = Overrides { throughput: Some(125), ..type_of("io2") };
    assert_eq!(of("type=gp3 size=20", &throughput), "throughput: a io2 volume takes none; gp3 does");
}

#[test]
fn a_snapshot_of_unknown_settings_makes_what_kops_would() {
    let of = |overrides| in_words(settings(None, &snapshot(None), &overrides));
    assert_eq!(of(Overrides::default()), "gp3 20 3000 125 plain -");
    assert_eq!(of(type_of("gp2")), "gp2 20 - - plain -");
    assert_eq!(of(type_of("io1")), "iops: is missing, and a io1 volume needs it");
}

#[test]
fn a_volume_is_never_smaller_than_its_snapshot_nor_than_the_old_one() {
    assert_eq!(of("type=gp2 size=8", &Overrides::default()), "gp2 20 - - plain -");
    assert_eq!(of("type=gp2 size=64", &Overrides::default()), "gp2 64 - - plain -");
}

#[test]
fn encryption_and_key_are_the_snapshots_own_unless_a_key_is_given() {
    let gp2 = recorded("type=gp2 size=20 encrypted=true kms=arn:recorded");
    let given = Overrides { kms_key: Some("arn:given".to_owned()), ..Overrides::default() };
    let of = |key, overrides: &Overrides| in_words(settings(Some(&gp2), &snapshot(key), overrides));
    assert_eq!(of(Some("arn:own"), &Overrides::default()), "gp2 20 - - encrypted arn:own");
    assert_eq!(of(None, &Overrides::default()), "gp2 20 - - plain -");
    assert_eq!(of(Some("arn:own"), &given), "gp2 20 - - encrypted arn:given");
    assert_eq!(of(None, &given), "gp2 20 - - encrypted arn:given");
}

proptest! {
    /// A volume, recorded in a tag and made again of its snapshot, has the settings that it had.
    #[test]
    fn what_a_volume_was_recorded_to_be_it_becomes(
        volume_type in prop::sample::select(vec!["gp3", "gp2", "io1", "io2", "st1", "sc1", "standard"]),
        (size_gib, iops, throughput) in (1..16_384_u32, 1..64_000_u32, 1..1_000_u32), is_encrypted: bool,
    ) {
        let mut volume = super::fixtures::old_volume("a");
        volume.volume_type = volume_type.to_owned();
        (volume.size_gib, volume.iops, volume.throughput) = (size_gib, Some(iops), Some(throughput));
        (volume.encrypted, volume.kms_key) = (is_encrypted, is_encrypted.then(|| "arn:key".to_owned()));
        let recorded = RecordedVolume::parse(&volume.recorded().to_string()).expect("it can be read");
        prop_assert_eq!(&recorded.id, &VolumeId::parse("vol-a").expect("an id"));
        prop_assert_eq!(&recorded.zone, &Zone::parse("eu-central-1a").expect("a zone"));
        let snapshot = Snapshot { size_gib, ..snapshot(volume.kms_key.as_deref()) };
        let settings = settings(Some(&recorded), &snapshot, &Overrides::default()).expect("settings");
        prop_assert_eq!(settings, VolumeSettings {
            volume_type: volume_type.to_owned(),
            size_gib,
            iops: matches!(volume_type, "gp3" | "io1" | "io2").then_some(iops),
            throughput: (volume_type == "gp3").then_some(throughput),
            encrypted: is_encrypted,
            kms_key: volume.kms_key,
            initialization_rate: None,
        });
    }
}
