"""What tests may set, plant and read beside the AWS calls: JSON under `/_local/<account>/`."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from moto.ebs.models import ebs_backends
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_block_store import Snapshot
from moto.ec2.utils import random_snapshot_id

import views
from account import DEFAULT_SETTINGS, Account, Fault, account, utc
from gateway import Answer, Request

DEFAULT_REGION = "us-east-1"
PLANTED_SIZE = 8
BLOCKS_PER_GIB = 2048


class Refused(Exception):
    """A request that makes no sense, or names what isn't there."""


def handle(request: Request) -> Answer:
    _, _, account_id, *rest = request.path.split("/")
    owner = account(account_id)
    try:
        if rest[:1] == ["snapshots"] and rest[2:] == ["tags"]:
            route: Callable[[Account, Any], Any] = lambda owner, tags: replace_tags(owner, rest[1], tags)
        else:
            route = ROUTES[request.method, "/".join(rest)]
        with owner.lock:
            answer, status = route(owner, json.loads(request.body or "null")), 200
    except (KeyError, TypeError, ValueError, Refused) as error:
        answer, status = {"error": f"{request.method} {request.path}: {error!r}"}, 400
    return Answer(status, "application/json", json.dumps(answer).encode())


def put_settings(owner: Account, settings: dict[str, Any]) -> dict[str, Any]:
    if unknown := settings.keys() - DEFAULT_SETTINGS.keys():
        raise Refused(f"unknown settings {unknown}")
    owner.settings |= settings
    return owner.settings


def post_expired_tokens(owner: Account, _: None) -> dict[str, Any]:
    for backend in ebs_backends[owner.id].values():
        for snapshot in backend.snapshots.values():
            for block in snapshot.blocks.values():
                block.block_token = uuid4().hex
    return {}


def delete_blocks(owner: Account, _: None) -> dict[str, Any]:
    for backend in ebs_backends[owner.id].values():
        backend.snapshots.clear()
    return {}


def post_full_snapshots(owner: Account, full: dict[str, Any]) -> dict[str, Any]:
    """The snapshot is of so large a volume, of which every block was written: all hold what the one that was put does."""
    for backend in ebs_backends[owner.id].values():
        if snapshot := backend.snapshots.get(full["id"]):
            [block] = snapshot.blocks.values()
            snapshot.volume_size = full["gib"]
            snapshot.blocks = dict.fromkeys(range(full["gib"] * BLOCKS_PER_GIB), block)
            return full
    raise Refused(f"no block was put into {full['id']}")


def put_clock(owner: Account, clock: dict[str, Any]) -> dict[str, Any]:
    owner.clock = clock["now"] and utc(clock["now"])
    return clock


def delete_calls(owner: Account, _: None) -> dict[str, Any]:
    owner.calls.clear()
    return {}


def post_faults(owner: Account, rule: dict[str, Any]) -> dict[str, Any]:
    owner.faults.append(Fault(rule))
    return {}


def get_faults(owner: Account, _: None) -> list[dict[str, Any]]:
    return [vars(fault) for fault in owner.faults]


def delete_faults(owner: Account, _: None) -> dict[str, Any]:
    owner.faults.clear()
    return {}


def post_killed(owner: Account, process: dict[str, Any]) -> dict[str, Any]:
    owner.killed.add(process["session_token"])
    return {}


def patch_snapshots(owner: Account, patch: dict[str, Any]) -> dict[str, Any]:
    setters: dict[str, Callable[[Any, Any], None]] = {
        "state": lambda snapshot, state: set_snapshot_state(owner, snapshot, state),
        "start_time": lambda snapshot, time: setattr(snapshot, "start_time", utc(time)),
        "state_message": lambda snapshot, message: setattr(snapshot, "state_message", message),
        "volume_id": set_volume_id,
        "owner_id": lambda snapshot, owner_id: setattr(snapshot, "owner_id", owner_id),
        "encrypted": lambda snapshot, encrypted: setattr(snapshot, "encrypted", encrypted),
        "kms_key_id": lambda snapshot, key: setattr(snapshot, "kms_key_id", key),
        "storage_tier": lambda snapshot, tier: setattr(snapshot, "storage_tier", tier),
        "tags": add_tags,
    }
    return change(everything(owner, "snapshots"), patch, setters, views.snapshot_state)


def patch_volumes(owner: Account, patch: dict[str, Any]) -> dict[str, Any]:
    setters: dict[str, Callable[[Any, Any], None]] = {
        "state": set_volume_state,
        "create_time": lambda volume, time: setattr(volume, "create_time", utc(time)),
        "encrypted": lambda volume, encrypted: setattr(volume, "encrypted", encrypted),
        "kms_key_id": lambda volume, key: setattr(volume, "kms_key_id", key),
        "tags": add_tags,
    }
    return change(everything(owner, "volumes"), patch, setters, views.volume_state)


def patch_instances(owner: Account, patch: dict[str, Any]) -> dict[str, Any]:
    # For what AWS itself plants: no caller may write an `aws:` tag.
    instances = [each for backend in ec2_backends[owner.id].values() for each in backend.all_instances()]
    return change(instances, patch, {"tags": add_tags}, lambda instance: instance.state)


def everything(owner: Account, kind: str) -> list[Any]:
    return [each for backend in ec2_backends[owner.id].values() for each in getattr(backend, kind).values()]


def change(
    resources: list[Any],
    patch: dict[str, Any],
    setters: dict[str, Callable[[Any, Any], None]],
    state_of: Callable[[Any], str],
) -> dict[str, list[str]]:
    ids, where = patch.get("ids"), patch.get("where")
    if ids is None and where is None and not patch.get("all"):
        raise Refused("say ids, where, or all")
    changed = [
        each
        for each in resources
        if (ids is None or each.id in ids) and (where is None or matches(each, where, state_of))
    ]
    for resource in changed:
        for name, value in patch["set"].items():
            setters[name](resource, value)
    return {"changed": [each.id for each in changed]}


def matches(resource: Any, where: dict[str, Any], state_of: Callable[[Any], str]) -> bool:
    if unknown := where.keys() - {"volume", "state", "tag"}:
        raise Refused(f"unknown conditions {unknown}")
    volume_id = resource.volume.id if isinstance(resource, Snapshot) else resource.id
    if where.get("volume", volume_id) != volume_id or where.get("state", state_of(resource)) != state_of(resource):
        return False
    tag, tags = where.get("tag"), resource.ec2_backend.tags.get(resource.id, {})
    return tag is None or (tag["key"] in tags and tag.get("value", tags[tag["key"]]) == tags[tag["key"]])


def set_snapshot_state(owner: Account, snapshot: Any, state: str) -> None:
    if state == "completed" and snapshot.status != state:
        snapshot.completion_time = max(owner.now(), snapshot.start_time)
    snapshot.status = state


def set_volume_id(snapshot: Any, volume_id: str) -> None:
    snapshot.volume = SimpleNamespace(id=volume_id, size=snapshot.volume.size)


def set_volume_state(volume: Any, state: str) -> None:
    # These two follow from the attachment, and go on to.
    volume.forced_state = None if state in ("available", "in-use") else state


def add_tags(resource: Any, tags: dict[str, str]) -> None:
    resource.ec2_backend.tags[resource.id].update(tags)


def replace_tags(owner: Account, snapshot_id: str, tags: dict[str, str]) -> dict[str, str]:
    for snapshot in everything(owner, "snapshots"):
        if snapshot.id == snapshot_id:
            snapshot.ec2_backend.tags[snapshot_id] = dict(tags)
            return tags
    raise Refused(f"no snapshot {snapshot_id}")


def post_raw_snapshots(owner: Account, planted: list[dict[str, Any]]) -> list[str]:
    volumes = {volume.id: volume for volume in everything(owner, "volumes")}
    return [plant(owner, volumes.get(each["volume_id"]), **each) for each in planted]


def plant(
    owner: Account,
    volume: Any,
    *,
    volume_id: str,
    state: str = "completed",
    start_time: str | None = None,
    tags: dict[str, str] | None = None,
    description: str = "",
    owner_id: str | None = None,
    region: str | None = None,
    size: int = PLANTED_SIZE,
    id: str | None = None,
) -> str:
    # In the region of the volume, if there is one; a history may be older than its volume.
    backend = volume.ec2_backend if volume and not region else ec2_backends[owner.id][region or DEFAULT_REGION]
    source = volume or SimpleNamespace(id=volume_id, size=size)
    snapshot = Snapshot(backend, id or random_snapshot_id(), source, description, owner_id=owner_id)
    if volume:
        snapshot.encrypted, snapshot.kms_key_id = volume.encrypted, volume.kms_key_id
    snapshot.status = state
    snapshot.start_time = utc(start_time) if start_time else owner.now()
    backend.snapshots[snapshot.id] = snapshot
    backend.tags[snapshot.id] = dict(tags or {})
    return snapshot.id


ROUTES: dict[tuple[str, str], Callable[[Account, Any], Any]] = {
    ("GET", "healthz"): lambda owner, _: {"ok": True},
    ("PUT", "settings"): put_settings,
    ("PUT", "clock"): put_clock,
    ("POST", "expired_tokens"): post_expired_tokens,
    ("POST", "full_snapshots"): post_full_snapshots,
    ("DELETE", "blocks"): delete_blocks,
    ("GET", "calls"): lambda owner, _: owner.calls,
    ("DELETE", "calls"): delete_calls,
    ("POST", "faults"): post_faults,
    ("GET", "faults"): get_faults,
    ("DELETE", "faults"): delete_faults,
    ("POST", "killed"): post_killed,
    ("PATCH", "snapshots"): patch_snapshots,
    ("PATCH", "volumes"): patch_volumes,
    ("PATCH", "instances"): patch_instances,
    ("POST", "raw_snapshots"): post_raw_snapshots,
    ("GET", "events"): lambda owner, _: owner.events,
}
