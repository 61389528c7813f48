"""How the local EC2 is nearer to the real one than moto is."""

import time
import unittest
from datetime import UTC, datetime

from testing import NIGHT, ZONE, LocalAws, listed, many, named, specified


class Pages(LocalAws):
    def test_are_cut_and_followed(self) -> None:
        made = {self.volume() for _ in range(7)}
        first = self.ec2.describe_volumes(MaxResults=5)
        second = self.ec2.describe_volumes(MaxResults=5, NextToken=first["NextToken"])
        self.assertEqual({each["VolumeId"] for each in first["Volumes"] + second["Volumes"]}, made)
        self.assertNotIn("NextToken", second)

    def test_may_be_smaller_than_asked_for(self) -> None:
        self.control("PUT", "settings", {"page_size": 2})
        volume = self.volume()
        for _ in range(5):
            self.snapshot(volume)
        pages = list(self.ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"]))
        self.assertEqual([len(each["Snapshots"]) for each in pages], [2, 2, 1])
        for _ in range(3):
            self.ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
        pages = list(self.ec2.get_paginator("describe_instances").paginate())
        self.assertEqual([len(each["Reservations"]) for each in pages], [2, 1])

    def test_keep_their_rules(self) -> None:
        self.refused("InvalidParameterValue", self.ec2.describe_volumes, NextToken="nonsense")
        self.refused("InvalidParameterValue", self.ec2.describe_volumes, MaxResults=2)
        named = {"VolumeIds": [self.volume()], "MaxResults": 5}
        self.refused("InvalidParameterCombination", self.ec2.describe_volumes, **named)


class Snapshots(LocalAws):
    def test_begin_pending_at_the_accounts_time(self) -> None:
        self.control("PUT", "settings", {"pending_snapshots": True})
        self.control("PUT", "clock", {"now": NIGHT})
        answer = self.ec2.create_snapshot(VolumeId=self.volume())
        self.assertEqual(answer["State"], "pending")
        self.assertEqual(answer["StartTime"], datetime(2026, 11, 23, 2, 0, 0, 41_000, UTC))
        self.assertEqual((self.snapshots()[0]["State"], self.snapshots()[0]["Progress"]), ("pending", "0%"))
        self.refused("IncorrectState", self.volume, SnapshotId=answer["SnapshotId"])
        patch = {"where": {"state": "pending"}, "set": {"state": "completed"}}
        self.assertEqual(self.control("PATCH", "snapshots", patch), {"changed": [answer["SnapshotId"]]})
        done = self.snapshots(Filters=[named("status", ["completed"])])[0]
        self.assertEqual((done["Progress"], done["CompletionTime"]), ("100%", answer["StartTime"]))

    def test_are_completed_at_once_by_default(self) -> None:
        self.assertEqual(self.ec2.create_snapshot(VolumeId=self.volume())["State"], "pending")
        self.assertEqual(self.snapshots()[0]["State"], "completed")
        self.assertLess(abs(self.snapshots()[0]["StartTime"].timestamp() - time.time()), 60)

    def test_can_fail_and_change_hands(self) -> None:
        snapshot = self.snapshot(self.volume())
        change = {"state": "error", "state_message": "no key", "volume_id": "vol-1234abcd", "owner_id": "222222222222"}
        self.control("PATCH", "snapshots", {"ids": [snapshot], "set": change})
        shown = self.snapshots(OwnerIds=["222222222222"])[0]
        self.assertEqual((shown["State"], shown["StateMessage"], shown["VolumeId"]), ("error", "no key", "vol-1234abcd"))
        self.assertEqual(self.snapshots(OwnerIds=["self"]), [])

    def test_are_copied_without_volume_and_tags(self) -> None:
        source = self.snapshot(self.volume(), {"a": "b"})
        copy = self.ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=source, **specified("snapshot", {"c": "d"}))
        shown = self.snapshots(SnapshotIds=[copy["SnapshotId"]])[0]
        self.assertEqual((shown["VolumeId"], shown["Tags"]), ("vol-ffffffff", [{"Key": "c", "Value": "d"}]))

    def test_of_an_instance_are_taken_together(self) -> None:
        instance = self.ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]
        zone = instance["Placement"]["AvailabilityZone"]
        data = self.volume({"k": "v"}, AvailabilityZone=zone)
        self.ec2.attach_volume(VolumeId=data, InstanceId=instance["InstanceId"], Device="/dev/sdf")
        wanted = {"InstanceId": instance["InstanceId"], "ExcludeBootVolume": True}
        taken = self.ec2.create_snapshots(InstanceSpecification=wanted, CopyTagsFromSource="volume")["Snapshots"]
        self.assertEqual([(each["VolumeId"], each["State"]) for each in taken], [(data, "pending")])
        self.assertEqual(taken[0]["Tags"], [{"Key": "k", "Value": "v"}])

    def test_may_be_deleted_while_pending_but_not_twice(self) -> None:
        self.control("PUT", "settings", {"pending_snapshots": True})
        snapshot = self.snapshot(self.volume())
        self.ec2.delete_snapshot(SnapshotId=snapshot)
        self.refused("InvalidSnapshot.NotFound", self.ec2.delete_snapshot, SnapshotId=snapshot)
        self.refused("InvalidSnapshot.NotFound", self.ec2.describe_snapshots, SnapshotIds=[snapshot])
        self.refused("InvalidSnapshotID.Malformed", self.ec2.describe_snapshots, SnapshotIds=["snap-xyz"])

    def test_are_planted_by_the_thousand(self) -> None:
        plant = {"volume_id": "vol-1234abcd", "start_time": NIGHT, "tags": {"aws:x": "y"}, "description": "<&>"}
        ids = self.control("POST", "raw_snapshots", [plant] * 1001)
        first = self.ec2.describe_snapshots(OwnerIds=["self"])
        self.assertEqual((len(set(ids)), len(first["Snapshots"]), "NextToken" in first), (1001, 1000, True))
        self.control("PUT", f"snapshots/{ids[0]}/tags", {"new": "one"})
        shown = self.snapshots(SnapshotIds=[ids[0]])[0]
        self.assertEqual((shown["Tags"], shown["Description"]), ([{"Key": "new", "Value": "one"}], "<&>"))


class Volumes(LocalAws):
    def test_are_made_once_per_client_token(self) -> None:
        first = self.volume(ClientToken="t", Size=9)
        self.assertEqual(self.volume(ClientToken="t", Size=9), first)
        self.refused("IdempotentParameterMismatch", self.volume, ClientToken="t", Size=10)
        self.assertEqual(len(self.ec2.describe_volumes()["Volumes"]), 1)

    def test_may_be_creating_or_in_error(self) -> None:
        self.control("PUT", "settings", {"creating_volumes": True})
        volume = self.volume()
        for state in ("creating", "error", "available"):
            self.control("PATCH", "volumes", {"ids": [volume], "set": {"state": state}})
            matching = self.ec2.describe_volumes(Filters=[named("status", [state])])["Volumes"]
            self.assertEqual([each["State"] for each in matching], [state])

    def test_show_all_that_a_backup_needs(self) -> None:
        self.control("PUT", "clock", {"now": NIGHT})
        key = "arn:aws:kms:us-east-1:1:key/k"
        volume = self.volume(VolumeType="gp3", Iops=4000, Throughput=250, Encrypted=True, KmsKeyId=key)
        shown = self.ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]
        expected = {"Iops": 4000, "Throughput": 250, "Encrypted": True, "KmsKeyId": key, "Attachments": []}
        self.assertEqual(shown | expected, shown)
        self.assertEqual(shown["CreateTime"].microsecond, 41_000)
        snapshot = self.snapshot(volume)
        restored = self.ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot)
        self.assertEqual((restored["Encrypted"], restored["KmsKeyId"], restored["Size"]), (True, key, 8))
        self.assertEqual((restored["VolumeType"], restored["Iops"]), ("gp2", 100))
        self.assertIn("KmsKeyId", self.ec2.create_volume(AvailabilityZone=ZONE, Size=1, Encrypted=True))

    def test_need_a_zone_and_a_good_name(self) -> None:
        self.refused("InvalidZone.NotFound", self.volume, AvailabilityZone="us-east-1x")
        self.refused("InvalidParameterValue", self.ec2.describe_volumes, VolumeIds=["vol-xyz"])
        self.refused("InvalidVolume.NotFound", self.snapshot, volume="vol-12345678")

    def test_attach_once_and_within_their_zone(self) -> None:
        instance = self.ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]
        zone = instance["Placement"]["AvailabilityZone"]
        other = "us-east-1b" if zone == ZONE else ZONE
        attach = {"InstanceId": instance["InstanceId"], "Device": "/dev/sdf"}
        away, here = self.volume(AvailabilityZone=other), self.volume(AvailabilityZone=zone)
        self.refused("InvalidVolume.ZoneMismatch", self.ec2.attach_volume, VolumeId=away, **attach)
        self.ec2.attach_volume(VolumeId=here, **attach)
        self.refused("VolumeInUse", self.ec2.attach_volume, VolumeId=here, **attach)
        shown = self.ec2.describe_volumes(Filters=[named("attachment.instance-id", [attach["InstanceId"]])])["Volumes"]
        self.assertIn((here, "in-use", "/dev/sdf"), [(v["VolumeId"], v["State"], v["Attachments"][0]["Device"]) for v in shown])


class TagsAndFilters(LocalAws):
    def test_tags_keep_their_rules(self) -> None:
        volume = self.volume()
        for tags in ({"aws:x": "y"}, {"k" * 129: "v"}, {"k": "v" * 257}):
            self.refused("InvalidParameterValue", self.snapshot, volume=volume, tags=tags)
            self.refused("InvalidParameterValue", self.volume, tags=tags)
            self.refused("InvalidParameterValue", self.ec2.create_tags, Resources=[volume], Tags=listed(tags))
        self.refused("TagLimitExceeded", self.snapshot, volume=volume, tags=many(51))
        wrong = specified("volume", {"a": "b"})
        self.refused("InvalidParameterValue", self.ec2.create_snapshot, VolumeId=volume, **wrong)
        self.assertEqual(self.snapshots(), [])

    def test_tags_of_aws_are_not_counted(self) -> None:
        volume = self.volume(many(49))
        self.control("PATCH", "volumes", {"ids": [volume], "set": {"tags": {"aws:x": "y"}}})
        self.ec2.create_tags(Resources=[volume], Tags=listed({"last": ""}))
        self.refused("TagLimitExceeded", self.ec2.create_tags, Resources=[volume], Tags=listed({"more": ""}))
        self.refused("InvalidParameterValue", self.ec2.delete_tags, Resources=[volume], Tags=[{"Key": "aws:x"}])
        self.ec2.delete_tags(Resources=[volume], Tags=[{"Key": "last", "Value": "other"}])
        self.assertEqual(len(self.ec2.describe_volumes()["Volumes"][0]["Tags"]), 51)
        self.ec2.delete_tags(Resources=[volume])
        self.assertEqual(self.ec2.describe_volumes()["Volumes"][0]["Tags"], listed({"aws:x": "y"}))

    def test_filters(self) -> None:
        volume = self.volume()
        a = self.snapshot(volume, {"k8s.io/etcd/main": "a", "team": "red"})
        b = self.snapshot(volume, {"k8s.io/etcd/events": "b", "team": "Blue"})
        for expected, filters in [
            ({a, b}, {"tag-key": ["k8s.io/etcd/*"]}),
            ({a, b}, {"tag:team": ["red", "Blue"]}),
            (set(), {"tag:team": ["blue"]}),
            ({a}, {"tag-key": ["k8s.io/etcd/*"], "tag:team": ["r?d"]}),
            ({a, b}, {"tag-key": ["k8s.io/etcd/main", "k8s.io/etcd/events"], "status": ["completed"]}),
            ({a, b}, {"volume-id": [volume], "start-time": [datetime.now(UTC).strftime("%Y*")]}),
            (set(), {"status": ["pending"]}),
        ]:
            self.assertEqual(self.found(**filters), expected, filters)
        self.refused("InvalidParameterValue", self.found, **{"nonsense": ["x"]})
        self.refused("InvalidParameterValue", self.ec2.describe_instances, Filters=[named("nonsense", ["x"])])
        self.refused("FilterLimitExceeded", self.found, **{"volume-id": ["x"] * 201})


if __name__ == "__main__":
    unittest.main()
