"""Volumes and snapshots as EC2 shows them, and what its filters compare.

Written as XML here, not by moto: its serializer drops milliseconds, and takes half a second for a
thousand snapshots.
"""

from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

from rules import Fields, as_text

PROGRESS = {"completed": "100%", "pending": "0%", "error": "0%"}


def response(action: str, **content: Any) -> str:
    """EC2's XML answer to an action."""
    namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"
    body = fields({"requestId": str(uuid4()), **content})
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{namespace}">{body}</{action}Response>'


def fields(view: dict[str, Any]) -> str:
    return "".join(element(name, value) for name, value in view.items())


def element(name: str, value: Any) -> str:
    """Nothing for `None`, an item for each of a list, and escaped text for the rest."""
    if value is None:
        return ""
    if isinstance(value, list):
        content = "".join(element("item", each) for each in value)
    elif isinstance(value, dict):
        content = fields(value)
    else:
        content = escape(as_text(value))
    return f"<{name}>{content}</{name}>"


def snapshot_state(snapshot: Any) -> str:
    return snapshot.status


def volume_state(volume: Any) -> str:
    return getattr(volume, "forced_state", None) or volume.status


def snapshot(snapshot: Any) -> dict[str, Any]:
    completed = snapshot.status == "completed"
    return {
        "snapshotId": snapshot.id,
        "volumeId": snapshot.volume.id,
        "volumeSize": int(snapshot.volume.size),
        "status": snapshot.status,
        "statusMessage": getattr(snapshot, "state_message", None),
        "progress": PROGRESS.get(snapshot.status, "0%"),
        "startTime": snapshot.start_time,
        "completionTime": getattr(snapshot, "completion_time", snapshot.start_time) if completed else None,
        "ownerId": snapshot.owner_id,
        "description": snapshot.description or "",
        "encrypted": snapshot.encrypted,
        "kmsKeyId": snapshot.kms_key_id,
        "storageTier": snapshot.storage_tier,
        "tagSet": tags(snapshot),
    }


def volume(volume: Any) -> dict[str, Any]:
    return {
        "volumeId": volume.id,
        "size": int(volume.size),
        "snapshotId": volume.snapshot_id or "",
        "availabilityZone": volume.zone.name,
        "status": volume_state(volume),
        "createTime": volume.create_time,
        "volumeType": volume.volume_type,
        "iops": iops(volume),
        "throughput": throughput(volume),
        "encrypted": volume.encrypted,
        "kmsKeyId": volume.kms_key_id,
        "multiAttachEnabled": bool(volume.multi_attach_enabled),
        "attachmentSet": [attachment(each) for each in volume.attachments],
        "tagSet": tags(volume),
    }


def attachment(attachment: Any) -> dict[str, Any]:
    return {
        "volumeId": attachment.volume.id,
        "instanceId": attachment.instance.id,
        "device": attachment.device,
        "status": attachment.status,
        "attachTime": attachment.attach_time,
        "deleteOnTermination": deletes_on_termination(attachment),
    }


def tags(resource: Any) -> list[dict[str, str]] | None:
    return resource.get_tags() or None


def iops(volume: Any) -> int | None:
    """EC2 shows what a gp2 volume's size earns it, too."""
    if volume.volume_type == "gp2":
        return min(max(3 * int(volume.size), 100), 16_000)
    if volume.volume_type == "gp3":
        return int(volume.iops or 3000)
    return volume.iops and int(volume.iops)


def throughput(volume: Any) -> int | None:
    return int(volume.throughput or 125) if volume.volume_type == "gp3" else None


def deletes_on_termination(attachment: Any) -> bool:
    device = attachment.instance.block_device_mapping.get(attachment.device)
    return bool(device and device.delete_on_termination)


SNAPSHOT_FIELDS: Fields = {
    "description": lambda s: s.description,
    "encrypted": lambda s: s.encrypted,
    # Only snapshots of Amazon's own have an alias, and there are none.
    "owner-alias": lambda s: [],
    "owner-id": lambda s: s.owner_id,
    "progress": lambda s: PROGRESS.get(s.status, "0%"),
    "snapshot-id": lambda s: s.id,
    "start-time": lambda s: s.start_time,
    "status": snapshot_state,
    "storage-tier": lambda s: s.storage_tier,
    "volume-id": lambda s: s.volume.id,
    "volume-size": lambda s: s.volume.size,
}

VOLUME_FIELDS: Fields = {
    "attachment.attach-time": lambda v: [each.attach_time for each in v.attachments],
    "attachment.delete-on-termination": lambda v: [deletes_on_termination(each) for each in v.attachments],
    "attachment.device": lambda v: [each.device for each in v.attachments],
    "attachment.instance-id": lambda v: [each.instance.id for each in v.attachments],
    "attachment.status": lambda v: [each.status for each in v.attachments],
    "availability-zone": lambda v: v.zone.name,
    "create-time": lambda v: v.create_time,
    "encrypted": lambda v: v.encrypted,
    "multi-attach-enabled": lambda v: bool(v.multi_attach_enabled),
    "size": lambda v: v.size,
    "snapshot-id": lambda v: v.snapshot_id,
    "status": volume_state,
    "volume-id": lambda v: v.id,
    "volume-type": lambda v: v.volume_type,
}
