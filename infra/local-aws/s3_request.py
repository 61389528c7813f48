"""The API name and the parameters of an S3 request: S3 has paths, queries and headers where others have names."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, unquote

from moto.core.utils import get_service_model


@dataclass
class Operation:
    name: str
    method: str
    # `Bucket` and `Key`, as far as the path has them.
    path: list[str]
    # What must be in a request, and where there is a value, with it.
    query: dict[str, str]
    headers: list[str]
    members: dict[str, Any]

    def fits(self, method: str, path: dict[str, str], query: dict[str, str], headers: Message) -> bool:
        return (
            (method, list(path)) == (self.method, self.path)
            and all(name in query and value in ("", query[name]) for name, value in self.query.items())
            and all(name in headers for name in self.headers)
        )


def s3_call(method: str, path: str, query: str, headers: Message) -> tuple[str, dict[str, str]]:
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    in_path = {name: value for name, value in (("Bucket", bucket), ("Key", key)) if value}
    in_query = dict(parse_qsl(query, keep_blank_values=True))
    # ListParts fits where GetObject does: what asks for most comes first.
    found = next((each for each in operations() if each.fits(method, in_path, in_query, headers)), None)
    if not found:
        return f"{method} {path}", in_path
    return found.name, in_path | dict(params(found, in_query, headers))


def params(operation: Operation, query: dict[str, str], headers: Message) -> Iterator[tuple[str, str]]:
    for name, member in operation.members.items():
        wire, location = member.serialization.get("name", name), member.serialization.get("location")
        if location == "querystring" and wire in query:
            yield name, query[wire]
        if location == "header" and wire in headers:
            yield name, ",".join(headers.get_all(wire))
        if location == "headers":
            for header, value in headers.items():
                if header.lower().startswith(wire):
                    yield f"{name}.{header[len(wire) :].lower()}", value


@functools.cache
def operations() -> list[Operation]:
    """As botocore's model of S3 has them."""
    model = get_service_model("s3")
    found = [model.operation_model(name) for name in model.operation_names]
    usable = [operation(each) for each in found if not each.deprecated]
    return sorted(usable, key=lambda each: -len(each.query) - len(each.headers))


def operation(model: Any) -> Operation:
    uri, _, query = model.http["requestUri"].partition("?")
    members = model.input_shape.members if model.input_shape else {}
    required = [members[name].serialization for name in (model.input_shape.required_members if model.input_shape else [])]
    return Operation(
        model.name,
        model.http["method"],
        [name for name in ("Bucket", "Key") if f"{{{name}" in uri],
        dict(parse_qsl(query, keep_blank_values=True))
        | {each["name"]: "" for each in required if each.get("location") == "querystring"},
        [each["name"] for each in required if each.get("location") == "header"],
        members,
    )
