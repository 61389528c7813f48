"""EC2's rules that moto lets pass: identifiers, tags and filters."""

import functools
import re
from collections.abc import Callable, Iterable
from typing import Any

from moto.ec2.exceptions import EC2ClientError

MAX_TAGS, MAX_KEY, MAX_VALUE, MAX_FILTER_VALUES = 50, 128, 256, 200

IDS = {
    "snap": re.compile(r"snap-([0-9a-f]{8}|[0-9a-f]{17})"),
    "vol": re.compile(r"vol-([0-9a-f]{8}|[0-9a-f]{17})"),
}

# What a filter compares: a resource's value, or its values.
Fields = dict[str, Callable[[Any], Any]]


def invalid(message: str) -> EC2ClientError:
    return EC2ClientError("InvalidParameterValue", message)


def check_ids(kind: str, ids: Iterable[str]) -> None:
    for given in ids:
        if not given:
            raise EC2ClientError("MissingParameter", f"The request must contain the parameter {kind}Id")
        if IDS[kind].fullmatch(given):
            continue
        message = f"Value ({given}) for parameter {kind}Id is invalid. Expected: '{kind}-...'."
        raise EC2ClientError("InvalidSnapshotID.Malformed", message) if kind == "snap" else invalid(message)


def checked_tags(tags: list[dict[str, str]]) -> dict[str, str]:
    """Tags of a request, as EC2 would take them."""
    checked: dict[str, str] = {}
    for tag in tags:
        key, value = tag.get("Key", ""), tag.setdefault("Value", "")
        check_key(key)
        if len(value) > MAX_VALUE:
            raise invalid(f"Tag value exceeds the maximum length of {MAX_VALUE} characters")
        if key in checked:
            raise invalid(f"Duplicate tag key '{key}' specified.")
        checked[key] = value
    check_count(checked)
    return checked


def check_key(key: str) -> None:
    if not key:
        raise invalid("Tag key cannot be null or empty.")
    if key.lower().startswith("aws:"):
        raise invalid(f"Tag keys starting with 'aws:' are reserved for internal use: {key}")
    if len(key) > MAX_KEY:
        raise invalid(f"Tag key exceeds the maximum length of {MAX_KEY} characters")


def check_count(tags: Iterable[str]) -> None:
    # Tags that AWS itself planted don't count.
    if sum(not key.startswith("aws:") for key in tags) > MAX_TAGS:
        raise EC2ClientError("TagLimitExceeded", f"The maximum number of tags for a resource is {MAX_TAGS}.")


def checked_specifications(specifications: list[dict[str, Any]], resource_type: str) -> dict[str, str]:
    """The tags for the one type of resource that the call creates."""
    for specification in specifications:
        given = specification.get("ResourceType")
        if given != resource_type:
            raise invalid(f"'{given}' is not a valid taggable resource type for this operation.")
    return checked_tags([tag for specification in specifications for tag in specification.get("Tags", [])])


def select(resources: Iterable[Any], filters: list[dict[str, Any]], fields: Fields, tags: dict[str, Any]) -> list[Any]:
    """The resources that pass all filters; a filter is passed with any of its values."""
    tests = [test_of(each.get("Name", ""), each.get("Values", []), fields, tags) for each in filters]
    return [resource for resource in resources if all(test(resource) for test in tests)]


def test_of(name: str, values: list[str], fields: Fields, tags: dict[str, Any]) -> Callable[[Any], bool]:
    if len(values) > MAX_FILTER_VALUES:
        raise EC2ClientError("FilterLimitExceeded", f"A filter takes at most {MAX_FILTER_VALUES} values.")
    patterns = [pattern(value) for value in values]

    def passes(found: Iterable[Any]) -> bool:
        return any(each.fullmatch(as_text(value)) for value in found for each in patterns)

    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return lambda resource: key in (own := tags.get(resource.id, {})) and passes([own[key]])
    if name == "tag-key":
        return lambda resource: passes(tags.get(resource.id, {}))
    if name == "tag-value":
        return lambda resource: passes(tags.get(resource.id, {}).values())
    if name not in fields:
        raise invalid(f"The filter '{name}' is invalid")
    field = fields[name]

    def field_passes(resource: Any) -> bool:
        found = field(resource)
        return passes(found if isinstance(found, list) else [found])

    return field_passes


def as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if hasattr(value, "isoformat"):
        return value.isoformat(timespec="milliseconds") + "Z"
    return "" if value is None else str(value)


@functools.lru_cache(4096)
def pattern(text: str) -> re.Pattern[str]:
    """`*` and `?` are wildcards unless escaped by a backslash; letters' case counts."""
    wild = {"*": ".*", "?": "."}
    parts = re.findall(r"\\.|.", text, re.DOTALL)
    return re.compile("".join(wild.get(part) or re.escape(part[-1]) for part in parts), re.DOTALL)
