"""The stack as the local AWS makes it: for each line of standard input, a template's path (or null for the stack's own) and
parameters as JSON, a line of what came of it.

It makes what moto knows how to make, and resolves every resource's properties, also of those that it does not make.
"""

import io
import json
import logging
import os
import sys
import warnings
import zipfile
from typing import Any

import boto3
from moto import mock_aws
from moto.cloudformation import parsing
from moto.cloudformation.models import cloudformation_backends
from moto.core import DEFAULT_ACCOUNT_ID

from plain import Template, plain, read

# As long as one of a stack set.
NAME = "StackSet-etcd-volume-backup-12345678-1234-1234-1234-123456789012"
REGION = "eu-central-1"

# moto leaves `AWS::NoValue` in lists, as nothing.
clean_json = parsing.clean_json
parsing.clean_json = lambda node, resources: without_nothing(clean_json(node, resources))


def without_nothing(node: Any) -> Any:
    return [each for each in node if each is not None] if isinstance(node, list) else node


def deployed(parameters: dict[str, str], template: Template | None = None) -> dict[str, Any]:
    template = template or plain()
    credentials = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_DEFAULT_REGION": REGION}
    os.environ.update(credentials)
    # It says of each resource that it does not make that it doesn't; so does the answer.
    warnings.simplefilter("ignore")
    logging.disable()
    with mock_aws():
        put_what_is_there(parameters)
        cloudformation = boto3.client("cloudformation")
        cloudformation.create_stack(
            StackName=NAME,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        [stack] = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
        [backend] = cloudformation_backends[DEFAULT_ACCOUNT_ID][REGION].stacks.values()
        made = backend.resource_map._parsed_resources
        is_there = lambda resource: backend.resource_map.lazy_condition_map.get(resource.get("Condition"), True)
        return {
            "status": stack["StackStatus"],
            "template": template,
            "outputs": {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
            "resources": {
                name: {
                    "type": resource["Type"],
                    "made": made.get(name) is not None,
                    "properties": parsing.clean_json(resource["Properties"], backend.resource_map),
                }
                for name, resource in template["Resources"].items()
                if is_there(resource)
            },
        }


def put_what_is_there(parameters: dict[str, str]) -> None:
    bus = parameters.get("EventBus", "default")
    if bus not in ("", "default") and ":" not in bus:
        boto3.client("events").create_event_bus(Name=bus)
    s3 = boto3.client("s3")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("bootstrap", "")
    for bucket in ("code", f"code-{REGION}"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        for binary in ("backup", "export", "restore", "verify"):
            s3.put_object(Bucket=bucket, Key=f"{binary}.zip", Body=archive.getvalue())


if __name__ == "__main__":
    for line in sys.stdin:
        asked = json.loads(line)
        template = read(asked["template"]) if asked["template"] else None
        print(json.dumps(deployed(asked["parameters"], template)), flush=True)
