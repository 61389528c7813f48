"""Faults, events, accounts and the server itself. Run all: python -m unittest discover infra/local-aws"""

import json
import subprocess
import sys
import threading
import time
import unittest

from botocore.exceptions import ClientError, ConnectionClosedError

from testing import ACCOUNTS, SERVER, LocalAws


class Faults(LocalAws):
    def test_errors_come_as_often_as_said(self) -> None:
        error = {"code": "RequestLimitExceeded", "message": "slow down", "status": 503}
        one, other = self.volume(), self.volume()
        self.fault("CreateSnapshot", {"error": error}, where={"VolumeId": one}, skip=1, times=1)
        self.snapshot(other)
        self.snapshot(one)
        self.refused("RequestLimitExceeded", self.snapshot, volume=one)
        self.snapshot(one)
        self.fault("DescribeSnapshots", {"error": error}, contains="tag:team")
        self.found(status=["completed"])
        self.refused("RequestLimitExceeded", self.found, **{"tag:team": ["x"]})
        self.control("DELETE", "faults")
        calls = [(each["action"], each["status"], each["error"]) for each in self.control("GET", "calls")]
        self.assertEqual(calls[4], ("CreateSnapshot", 503, "RequestLimitExceeded"))
        self.assertEqual(self.control("GET", "calls")[2]["params"]["VolumeId"], other)

    def test_answers_get_lost_after_the_deed_and_calls_before_it(self) -> None:
        volume = self.volume()
        for effect, raised, made in [
            ({"lost": "connection"}, ConnectionClosedError, 1),
            ({"lost": "500"}, ClientError, 2),
            ({"dropped": True}, ConnectionClosedError, 2),
        ]:
            self.fault("CreateSnapshot", effect)
            with self.assertRaises(raised):
                self.snapshot(volume)
            self.assertEqual(len(self.snapshots()), made)
        self.assertIsNone(self.control("GET", "calls")[1]["status"])

    def test_the_log_tells_what_was_done_whoever_heard_of_it(self) -> None:
        self.fault("CreateVolume", {"lost": "connection"})
        self.fault("CreateVolume", {"dropped": True})
        for _ in range(2):
            with self.assertRaises(Exception):
                self.volume()
        calls = [each for each in self.control("GET", "calls") if each["action"] == "CreateVolume"]
        self.assertEqual([each["performed"] for each in calls], [True, False])
        self.assertEqual([each["made"] for each in calls], [self.ec2.describe_volumes()["Volumes"][0]["VolumeId"], None])

    def test_what_a_killed_process_had_sent_never_arrives(self) -> None:
        volume = self.volume()
        processes = {token: self.client("ec2", session_token=token) for token in ("dead", "alive")}
        self.control("POST", "killed", {"session_token": "dead"})
        with self.assertRaises(ConnectionClosedError):
            processes["dead"].create_snapshot(VolumeId=volume)
        processes["alive"].create_snapshot(VolumeId=volume)
        self.assertEqual(len(self.snapshots()), 1)
        self.assertEqual([each["action"] for each in self.control("GET", "calls")].count("CreateSnapshot"), 1)

    def test_late_snapshots_show_up_in_time(self) -> None:
        volume = self.volume()
        self.fault("CreateSnapshot", {"late": {"seconds": 0.4}})
        with self.assertRaises(ConnectionClosedError):
            self.snapshot(volume)
        self.assertEqual(self.snapshots(), [])
        time.sleep(0.5)
        self.assertEqual(len(self.snapshots()), 1)

    def test_delays_overlap(self) -> None:
        self.fault("DescribeVolumes", {"delay_ms": 300, "when": "after"}, times=None)
        self.ec2.describe_snapshots()
        threads = [threading.Thread(target=self.ec2.describe_volumes) for _ in range(4)]
        begun = time.monotonic()
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertTrue(0.3 <= time.monotonic() - begun < 0.9)


class Others(LocalAws):
    def test_instances_can_be_given_what_only_aws_writes(self) -> None:
        instance = self.ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        tags = {"aws:autoscaling:groupName": "masters"}
        self.assertEqual(self.control("PATCH", "instances", {"ids": [instance], "set": {"tags": tags}})["changed"], [instance])
        found = self.ec2.describe_instances(Filters=[{"Name": "tag-key", "Values": ["aws:autoscaling:*"]}])
        self.assertEqual(found["Reservations"][0]["Instances"][0]["InstanceId"], instance)

    def test_events_are_kept_and_delivered(self) -> None:
        events, sqs = self.client("events"), self.client("sqs")
        queue = sqs.create_queue(QueueName="q")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="r", EventPattern='{"source": ["s"]}')
        events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": arn}])
        entry = {"Source": "s", "DetailType": "d", "Detail": '{"n": 1}', "EventBusName": "default"}
        events.put_events(Entries=[entry])
        self.assertEqual(self.control("GET", "events"), [entry | {"Detail": {"n": 1}}])
        message = sqs.receive_message(QueueUrl=queue)["Messages"][0]
        self.assertEqual(json.loads(message["Body"])["detail"], {"n": 1})
        self.fault("PutEvents", {"error": {"code": "ThrottlingException", "message": "m"}})
        self.refused("ThrottlingException", events.put_events, Entries=[entry])

    def test_accounts_do_not_meet(self) -> None:
        self.volume()
        other = str(next(ACCOUNTS))
        self.assertEqual(self.client("ec2", other).describe_volumes()["Volumes"], [])
        self.assertEqual(self.client("sts", other).get_caller_identity()["Account"], other)
        self.assertEqual(len(self.control("GET", "calls")), 1)

    def test_the_server_ends_when_told(self) -> None:
        command = [sys.executable, SERVER, "--port", "0"]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as server:
            server.stdout.readline()
            server.terminate()
            self.assertEqual(server.wait(timeout=2), 0)


if __name__ == "__main__":
    unittest.main()
