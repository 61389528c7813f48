"""The stack: plain CloudFormation made of it, the local AWS's word on it, and the grammar of its policies."""

import copy
import io
import json
import platform
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

import parliament

import package
import plain
from deployed import REGION, deployed

STORE = "s3://state-store/{cluster}/backups/etcd/{etcd_cluster}"
KEY = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
# What moto makes nothing of. The scenarios look at what these would be.
NOT_MADE = {
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Rbin::Rule",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
}


class Plain(unittest.TestCase):
    def test_has_neither_macros_nor_nested_stacks(self) -> None:
        template = plain.plain()
        self.assertNotIn("Transform", template)
        self.assertNotIn("Globals", template)
        kinds = {resource["Type"] for resource in template["Resources"].values()}
        self.assertFalse({kind for kind in kinds if kind.startswith(("AWS::Serverless", "AWS::CloudFormation"))})

    def test_is_the_same_whatever_the_defaults_of_parameters(self) -> None:
        read = plain.read

        def with_other_defaults(path: str) -> plain.Template:
            template = read(path)
            for parameter in template["Parameters"].values():
                if "Default" in parameter:
                    others = [value for value in parameter.get("AllowedValues", ["7"]) if value != parameter["Default"]]
                    parameter["Default"] = others[0]
            return template

        first = plain.plain()
        with mock.patch.object(plain, "read", with_other_defaults):
            second = plain.plain()
        self.assertNotEqual(first.pop("Parameters"), second.pop("Parameters"))
        self.assertEqual(first, second)

    def test_uses_every_parameter_and_condition(self) -> None:
        template = plain.plain()
        text = json.dumps({section: template[section] for section in ("Conditions", "Resources", "Outputs")})
        for parameter in template["Parameters"]:
            self.assertTrue(f'{{"Ref": "{parameter}"}}' in text or f"${{{parameter}}}" in text, parameter)
        for condition in template["Conditions"]:
            self.assertIn(f'"{condition}"', text.replace(f'"{condition}":', ""), condition)

    def test_says_of_every_parameter_what_it_is_in_one_group(self) -> None:
        template = plain.plain()
        interface = template["Metadata"]["AWS::CloudFormation::Interface"]
        grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
        self.assertEqual(sorted(grouped), sorted(template["Parameters"]))
        self.assertEqual(interface["ParameterLabels"].keys(), template["Parameters"].keys())
        for name, parameter in template["Parameters"].items():
            self.assertGreater(len(parameter["Description"]), 20, name)
            limited = parameter.keys() & {"AllowedPattern", "MinValue"}
            self.assertTrue(limited or "AllowedValues" in parameter, name)
            self.assertTrue(not limited or "ConstraintDescription" in parameter, name)

    def test_what_could_not_work_is_refused_before_anything_is_deployed(self) -> None:
        template = plain.plain()
        for given, broken in (
            ({}, []),
            ({"Clusters": ["a.example.com", "b.example.com"]}, []),
            ({"Clusters": ["*", "a.example.com"]}, ["Clusters"]),
            ({"Export": "daily"}, ["Export"]),
            ({"Export": "all", "Store": STORE, "EventBus": ""}, ["Export"]),
            ({"Export": "all", "EventBus": ""}, ["Export", "Export"]),
            ({"Export": "daily", "Store": STORE}, []),
            ({"Store": STORE, "EventBus": ""}, []),
        ):
            self.assertEqual(refusals(template, given), broken, given)

    def test_nested_stacks_are_given_what_they_take(self) -> None:
        root = {"Resources": {"N": {"Type": plain.NESTED, "Properties": {"Parameters": {"A": 1}}}}, "Conditions": {}}
        for taken in ({}, {"A": {"Type": "String"}, "B": {"Type": "String"}}):
            with self.assertRaisesRegex(ValueError, "N: gives"):
                plain.inlined(copy.deepcopy(root), "N", {"Parameters": taken, "Resources": {}})

    def test_inlining_keeps_the_meaning(self) -> None:
        root = {
            "Conditions": {"C": {"Fn::Equals": [{"Ref": "P"}, "a"]}},
            "Resources": {
                "Old": {"Type": "X", "Properties": {"Arn": {"Fn::GetAtt": ["N", "Outputs.Arn"]}}},
                "N": {
                    "Type": plain.NESTED,
                    "Properties": {"Parameters": {"Text": {"Ref": "P"}, "Att": {"Fn::GetAtt": ["Old", "Z"]}}},
                },
            },
        }
        nested = {
            "Parameters": {"Text": {"Type": "String"}, "Att": {"Type": "String"}},
            "Conditions": {"C": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Text"}, ""]}]}},
            "Resources": {
                "New": {
                    "Type": "Y",
                    "Condition": "C",
                    "Properties": {
                        "Policy": {"Condition": {"Null": {"a": "true"}}},
                        "Sub": {"Fn::Sub": "${Text} ${Att} ${!Text} ${AWS::Region} ${New}"},
                        "If": {"Fn::If": ["C", {"Ref": "Text"}, {"Ref": "AWS::NoValue"}]},
                        "Own": {"Fn::Sub": ["${Text} ${Mine} ${Att}", {"Mine": {"Fn::Sub": "<${Text}>"}, "Att": "hidden"}]},
                    },
                }
            },
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["New", "Arn"]}}},
        }
        self.assertEqual(
            plain.inlined(root, "N", nested),
            {
                "Conditions": {
                    "C": {"Fn::Equals": [{"Ref": "P"}, "a"]},
                    "NC": {"Fn::Not": [{"Fn::Equals": [{"Ref": "P"}, ""]}]},
                },
                "Resources": {
                    "Old": {"Type": "X", "Properties": {"Arn": {"Fn::GetAtt": ["New", "Arn"]}}},
                    "New": {
                        "Type": "Y",
                        "Condition": "NC",
                        "Properties": {
                            "Policy": {"Condition": {"Null": {"a": "true"}}},
                            "Sub": {
                                "Fn::Sub": [
                                    "${P} ${Att} ${!Text} ${AWS::Region} ${New}",
                                    {"Att": {"Fn::GetAtt": ["Old", "Z"]}},
                                ]
                            },
                            "If": {"Fn::If": ["NC", {"Ref": "P"}, {"Ref": "AWS::NoValue"}]},
                            "Own": {"Fn::Sub": ["${P} ${Mine} ${Att}", {"Mine": {"Fn::Sub": "<${P}>"}, "Att": "hidden"}]},
                        },
                    },
                },
            },
        )


class Deployed(unittest.TestCase):
    def test_the_local_aws_makes_all_that_it_knows_how_to_make(self) -> None:
        for parameters in (
            {},
            {
                "AlarmEmail": "oncall@example.com",
                "Clusters": "a.example.com,b.example.com",
                "KmsKeyArns": KEY,
                "PermissionsBoundaryArn": "arn:aws:iam::123456789012:policy/bound",
                "RecycleBinDays": "7",
                "ReserveConcurrency": "on",
                "Schedule": "off",
                "Slot": "6h",
            },
            {"AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:oncall", "EventBus": "", "Store": STORE},
            {"Store": STORE, "Export": "all", "EventBus": "ops", "StoreRegion": "eu-west-1", "StoreKmsKeyArn": KEY},
        ):
            stack = deployed(parameters)
            self.assertEqual(stack["status"], "CREATE_COMPLETE")
            not_made = {resource["type"] for resource in stack["resources"].values() if not resource["made"]}
            self.assertLessEqual(not_made, NOT_MADE, parameters)
            made = {resource["type"] for resource in stack["resources"].values() if resource["made"]}
            self.assertFalse(made & NOT_MADE, "moto has learnt something")

    def test_no_policy_has_unknown_words(self) -> None:
        roles = deployed({"KmsKeyArns": KEY, "Clusters": "a.example.com"})["resources"]
        for name in ("BackupRole", "PlanRole", "RestoreRole", "VerifyRole", "EveryFunction", "Announcing"):
            self.has_no_unknown_words(roles[name])
        store = {"Store": STORE, "StoreKmsKeyArn": KEY, "StoreRegion": "eu-west-1"}
        self.has_no_unknown_words(deployed(store | {"KmsKeyArns": KEY})["resources"]["ExportRole"])
        for others in ("account", "any"):
            self.has_no_unknown_words(deployed({"ForeignSnapshots": others})["resources"]["RestoreRole"])

    def has_no_unknown_words(self, resource: dict[str, Any]) -> None:
        for policy in policies(resource["properties"]):
            analysed = parliament.analyze_policy_string(json.dumps(policy))
            findings = [finding for finding in analysed.findings if not is_one_of_two_resources(finding)]
            self.assertEqual(findings, [], policy)

    def test_the_organisations_policy_has_no_unknown_words(self) -> None:
        organisation = deployed({"Targets": "ou-abcd-12345678"}, plain.read("infra/guardrails/organization.yaml"))
        content = organisation["resources"]["Policy"]["properties"]["Content"]
        self.assertEqual(parliament.analyze_policy_string(json.dumps(content)).findings, [])

    def test_an_unknown_word_would_be_noticed(self) -> None:
        statement = {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*", "Condition": {"StringEquals": {"ec2:CreateActions": "x"}}}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.assertTrue(parliament.analyze_policy_string(json.dumps(policy)).findings)


class Packaged(unittest.TestCase):
    keys = {binary: f"{binary}.zip" for binary in ("backup", "export", "restore", "verify")}

    def test_takes_the_code_from_a_bucket_of_the_region(self) -> None:
        template = package.template(self.keys, "x86_64")
        stack = deployed({"ArtifactBucket": "code"}, template)
        self.assertEqual(stack["status"], "CREATE_COMPLETE")
        for name, key in (("BackupFunction", "backup.zip"), ("PlanFunction", "restore.zip"), ("RestoreFunction", "restore.zip")):
            function = stack["resources"][name]["properties"]
            self.assertEqual(function["Code"], {"S3Bucket": f"code-{REGION}", "S3Key": key})
            self.assertEqual(function["Architectures"], ["x86_64"])
        self.assertEqual(template["Parameters"]["Architecture"]["AllowedValues"], ["x86_64"])

    def test_is_small_enough_to_be_given_by_its_address(self) -> None:
        # "CloudFormation quotas": 1 MB in a bucket. In a request it would have to be smaller than 51,200 bytes.
        template = package.template(self.keys, "arm64")
        self.assertLess(len(json.dumps(template, separators=(",", ":"))), 1_000_000)

    def test_two_functions_may_run_the_same_binary(self) -> None:
        self.assertEqual(package.binaries().keys(), self.keys.keys())
        template = package.template(self.keys, "arm64")
        plan, restore = (template["Resources"][name]["Properties"]["Code"] for name in ("PlanFunction", "RestoreFunction"))
        self.assertEqual(plan, restore)

    def test_asks_for_the_bucket_in_a_group_of_its_own(self) -> None:
        interface = package.template(self.keys, "arm64")["Metadata"]["AWS::CloudFormation::Interface"]
        self.assertEqual(interface["ParameterGroups"][-1]["Parameters"], [package.BUCKET])
        self.assertNotIn(package.BUCKET, plain.plain()["Parameters"])

    def test_the_same_executable_gives_the_same_zip(self) -> None:
        first, second = package.zipped(b"\x7fELF"), package.zipped(b"\x7fELF")
        self.assertEqual(first, second)
        with zipfile.ZipFile(io.BytesIO(first)) as archive:
            [entry] = archive.infolist()
            self.assertEqual((entry.filename, entry.external_attr >> 16, archive.read(entry)), ("bootstrap", 0o755, b"\x7fELF"))

    def test_the_checksums_are_as_sha256sum_checks_them(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("stack.json", "a.zip")]
            for file in files:
                file.write_text(file.name)
            Path(folder, "SHA256SUMS").write_text(package.sums(files, Path(folder)))
            subprocess.run(["sha256sum", "--quiet", "--strict", "--check", "SHA256SUMS"], cwd=folder, check=True)
            files[0].write_text("another")
            self.assertNotEqual(subprocess.run(["sha256sum", "--status", "--check", "SHA256SUMS"], cwd=folder).returncode, 0)

    def test_what_a_function_is_made_of_does_not_tell_where_it_was_built(self) -> None:
        self.assertEqual(package.without_paths(f"path+file://{plain.REPOSITORY}/functions/backup#0.1.0"), "path+file:///functions/backup#0.1.0")

    def test_tells_what_an_executable_is_built_for(self) -> None:
        with open(sys.executable, "rb") as file:
            header = file.read(64)
        this = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
        self.assertEqual(package.machine(header), package.MACHINES[this])
        with self.assertRaises(SystemExit):
            package.machine(b"#!/bin/sh")


def refusals(template: plain.Template, given: dict[str, Any]) -> list[str]:
    """Which parameters the template's rules complain of: moto does not know rules."""
    defaults = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    values = defaults | {"Clusters": [defaults["Clusters"]]} | given

    def holds(node: Any) -> Any:
        match node:
            case {"Ref": name}:
                return values[name]
            case {"Fn::Not": [each]}:
                return not holds(each)
            case {"Fn::Or": each}:
                return any(map(holds, each))
            case {"Fn::Equals": [one, other]}:
                return holds(one) == holds(other)
            case {"Fn::EachMemberEquals": [each, one]}:
                return all(member == one for member in holds(each))
            case {"Fn::Contains": [each, one]}:
                return one in holds(each)
            case str():
                return node
        raise ValueError(f"what is {node}?")

    rules = [rule for rule in template["Rules"].values() if "RuleCondition" not in rule or holds(rule["RuleCondition"])]
    broken = [each for rule in rules for each in rule["Assertions"] if not holds(each["Assert"])]
    return [each["AssertDescription"].split(":")[0] for each in broken]


def policies(properties: dict[str, Any]) -> list[dict[str, Any]]:
    if "PolicyDocument" in properties:
        return [properties["PolicyDocument"]]
    return [policy["PolicyDocument"] for policy in properties["Policies"]]


def is_one_of_two_resources(finding: Any) -> bool:
    """EC2 asks for these on a volume and on a snapshot; parliament wants both in one statement."""
    actions = {each["action"] for each in finding.detail} if isinstance(finding.detail, list) else set()
    return finding.issue == "RESOURCE_MISMATCH" and actions <= {"ec2:CreateSnapshot", "ec2:CreateVolume"}


if __name__ == "__main__":
    unittest.main()
