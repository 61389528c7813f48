"""The stack as plain CloudFormation: one template, without the SAM transform and without nested stacks.

    python infra/stack/plain.py > stack.json

It is what the checks look at, and what StackSets can deploy: those with service-managed permissions take neither.
"""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

REPOSITORY = Path(__file__).parents[2]
VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")
FUNCTION = "AWS::Serverless::Function"
NESTED = "AWS::CloudFormation::Stack"

Template = dict[str, Any]
# Where a function's code is, by the name of its binary.
Code = Callable[[str], dict[str, Any]]


def plain(code: Code = lambda binary: {"Bucket": "code", "Key": f"{binary}.zip"}) -> Template:
    root = read("template.yaml")
    for function in resources(root, FUNCTION).values():
        function["Properties"]["CodeUri"] = code(function["Metadata"]["BuildProperties"]["Binary"])
    root["Globals"]["Function"].pop("CodeUri")
    # The translator would write the defaults of parameters into some resources, for good.
    parameters = root.pop("Parameters")
    # It asks for a region, to know the partition; nothing of it is left in this stack.
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    root = json.loads(json.dumps(transform(root, {}, None))) | {"Parameters": parameters}
    for name, stack in resources(root, NESTED).items():
        root = inlined(root, name, read(stack["Properties"]["TemplateURL"]))
    return root


def read(path: str) -> Template:
    return json.loads(json.dumps(yaml_parse((REPOSITORY / path).read_text())))


def resources(template: Template, kind: str) -> Template:
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def inlined(root: Template, name: str, nested: Template) -> Template:
    """The template with what the nested stack of that name would have made."""
    given = root["Resources"].pop(name)["Properties"].get("Parameters", {})
    if given.keys() != nested["Parameters"].keys():
        raise ValueError(f"{name}: gives {sorted(given)}, takes {sorted(nested['Parameters'])}")
    values = {key: unjoined(value) if is_list(nested["Parameters"][key]) else value for key, value in given.items()}
    nested = {section: filled(nested.get(section, {}), values, name) for section in ("Conditions", "Resources", "Outputs")}
    conditions = {name + condition: value for condition, value in nested["Conditions"].items()}
    if twice := root["Resources"].keys() & nested["Resources"].keys():
        raise ValueError(f"{name}: {sorted(twice)} are there already")
    outputs = {f"Outputs.{key}": output["Value"] for key, output in nested["Outputs"].items()}
    return with_outputs(root, name, outputs) | {
        "Conditions": root["Conditions"] | conditions,
        "Resources": with_outputs(root["Resources"], name, outputs) | nested["Resources"],
    }


def is_list(parameter: dict[str, Any]) -> bool:
    return parameter["Type"] == "CommaDelimitedList"


def unjoined(value: Any) -> Any:
    """A nested stack takes a list as text."""
    match value:
        case {"Fn::Join": [",", {"Ref": _} as list_]}:
            return list_
    raise ValueError(f"not a list's text: {value}")


def filled(node: Any, values: dict[str, Any], prefix: str) -> Any:
    """With the parameters' values in place of the parameters, and the prefix before the names of conditions."""
    match node:
        case {"Ref": str(name)} if name in values:
            return values[name]
        case {"Fn::Sub": str(text)}:
            return substituted(text, values, {})
        case {"Fn::Sub": [str(text), dict(own)]}:
            return substituted(text, values, filled(own, values, prefix))
        case {"Fn::If": [str(condition), *branches]}:
            return {"Fn::If": [prefix + condition, *filled(branches, values, prefix)]}
        case dict():
            return {
                key: prefix + value
                if key == "Condition" and isinstance(value, str)
                else filled(value, values, prefix)
                for key, value in node.items()
            }
        case list():
            return [filled(each, values, prefix) for each in node]
    return node


def substituted(text: str, values: dict[str, Any], own: dict[str, Any]) -> Any:
    """Its own variables hide the parameters of their names."""
    others = dict(own)

    def variable(match: re.Match[str]) -> str:
        name = match[1]
        match None if name in own else values.get(name):
            case None:
                return match[0]
            case {"Ref": reference}:
                return f"${{{reference}}}"
            case value:
                others[name] = value
                return match[0]

    text = VARIABLE.sub(variable, text)
    return {"Fn::Sub": [text, others]} if others else {"Fn::Sub": text}


def with_outputs(node: Any, name: str, outputs: dict[str, Any]) -> Any:
    match node:
        case {"Fn::GetAtt": [str(stack), str(output)]} if stack == name:
            return outputs[output]
        case dict():
            return {key: with_outputs(value, name, outputs) for key, value in node.items()}
        case list():
            return [with_outputs(each, name, outputs) for each in node]
    return node


if __name__ == "__main__":
    json.dump(plain(), sys.stdout, indent=1)
