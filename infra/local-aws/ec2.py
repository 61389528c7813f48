"""moto's EC2, made to behave like the real one where it deceives: volumes, snapshots, tags, pages."""

import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.utils import filter_dict_attribute_mapping, is_tag_filter

import views
from ec2_call import EC2Call, is_visible
from rules import check_count, check_key, checked_tags, invalid, select

# Real EC2 says that a copy's volume is arbitrary and not to be used.
NO_VOLUME = "vol-ffffffff"


class LocalEC2(EC2Call):
    # Reading, in pages.

    def describe_snapshots(self) -> str:
        self.error_on_dryrun()
        ids = self._get_param("SnapshotIds", [])
        owners = [self.current_account if owner == "self" else owner for owner in self._get_param("OwnerIds", [])]
        found = self._found_snapshots(ids) if ids else filter(is_visible, self.ec2_backend.snapshots.values())
        found = [snapshot for snapshot in found if not owners or snapshot.owner_id in owners]
        found = select(found, self._get_param("Filters", []), views.SNAPSHOT_FIELDS, self.ec2_backend.tags)
        page, token = self._page("snapshotSet", found, whole=bool(ids))
        return views.response("DescribeSnapshots", snapshotSet=[views.snapshot(each) for each in page], nextToken=token)

    def describe_volumes(self) -> str:
        self.error_on_dryrun()
        ids = self._get_param("VolumeIds", [])
        found = self._found_volumes(ids) if ids else filter(is_visible, self.ec2_backend.volumes.values())
        found = select(found, self._get_param("Filters", []), views.VOLUME_FIELDS, self.ec2_backend.tags)
        page, token = self._page("volumeSet", found, whole=bool(ids))
        return views.response("DescribeVolumes", volumeSet=[views.volume(each) for each in page], nextToken=token)

    def describe_instances(self) -> ActionResult:
        self.error_on_dryrun()
        ids, filters = self._get_param("InstanceIds", []), self._filters_from_querystring()
        for name in filters:
            # moto notices only when there are instances.
            if name not in filter_dict_attribute_mapping and not is_tag_filter(name):
                raise invalid(f"The filter '{name}' is invalid")
        if ids:
            found = self.ec2_backend.get_reservations_by_instance_ids(ids, filters=filters)
        else:
            found = self.ec2_backend.describe_instances(filters=filters)
        page, token = self._page("instancesSet", found, whole=bool(ids))
        return ActionResult({"Reservations": page, "NextToken": token})

    # Snapshots.

    def create_snapshot(self) -> str:
        self._specified_tags("snapshot")
        self._check_volume_usable(self._get_param("VolumeId"))
        snapshot = super().create_snapshot().result
        return views.response("CreateSnapshot", **self._started(snapshot))

    def create_snapshots(self) -> str:
        tags = self._specified_tags("snapshot")
        wanted = self._get_param("InstanceSpecification", {})
        instance = self.ec2_backend.get_instance(wanted["InstanceId"])
        excluded = set(wanted.get("ExcludeDataVolumeIds", []))
        devices = dict(instance.get_block_device_mapping)
        if wanted.get("ExcludeBootVolume"):
            devices.pop(instance.root_device_name, None)
        volumes = [device.volume_id for device in devices.values() if device.volume_id not in excluded]
        self.error_on_dryrun()
        started = []
        for volume_id in volumes:
            copied = self.ec2_backend.tags.get(volume_id, {}) if self._get_param("CopyTagsFromSource") else {}
            own = {key: value for key, value in copied.items() if not key.startswith("aws:")} | tags
            check_count(own)
            snapshot = self.ec2_backend.create_snapshot(volume_id, self._get_param("Description", ""))
            self.ec2_backend.tags[snapshot.id] = own
            view = self._started(snapshot)
            # The one answer in which EC2 calls it so.
            started.append(view | {"state": view["status"]})
        return views.response("CreateSnapshots", snapshotSet=started)

    def copy_snapshot(self) -> str:
        self._specified_tags("snapshot")
        region, source_id = self._get_param("SourceRegion"), self._get_param("SourceSnapshotId")
        source = self._found_snapshots([source_id], region)[0]
        if source.status != "completed":
            raise EC2ClientError("IncorrectState", f"Snapshot {source_id} is in invalid state - {source.status}")
        copied_id = super().copy_snapshot().result["SnapshotId"]
        copied = self.ec2_backend.snapshots[copied_id]
        copied.description = copied.description or f"[Copied {source_id} from {region}]"
        copied.encrypted = copied.encrypted or bool(self._get_param("Encrypted"))
        copied.volume = SimpleNamespace(
            id=NO_VOLUME, size=source.volume.size, kms_key_id=copied.kms_key_id or source.kms_key_id
        )
        view = self._started(copied)
        return views.response("CopySnapshot", snapshotId=copied_id, tagSet=view["tagSet"])

    # moto has no locks.
    def lock_snapshot(self) -> str:
        snapshot = self._found_snapshots([self._get_param("SnapshotId")])[0]
        self.error_on_dryrun()
        snapshot.lock_state = self._get_param("LockMode")
        return views.response("LockSnapshot", snapshotId=snapshot.id, lockState=snapshot.lock_state)

    def describe_locked_snapshots(self) -> str:
        self.error_on_dryrun()
        states = {state for each in self._get_param("Filters", []) for state in each["Values"]}
        own = (each for each in self.ec2_backend.snapshots.values() if each.owner_id == self.current_account)
        found = [each for each in own if getattr(each, "lock_state", None) in states]
        page, token = self._page("lockedSnapshotSet", found, whole=False)
        locked = [{"ownerId": each.owner_id, "snapshotId": each.id, "lockState": each.lock_state} for each in page]
        return views.response("DescribeLockedSnapshots", snapshotSet=locked, nextToken=token)

    def delete_snapshot(self) -> ActionResult:
        snapshot_id = self._get_param("SnapshotId")
        snapshot = self._found_snapshots([snapshot_id])[0]
        if getattr(snapshot, "lock_state", None):
            raise EC2ClientError("SnapshotLocked", f"The snapshot {snapshot_id} is locked")
        answer = super().delete_snapshot()
        self.ec2_backend.tags.pop(snapshot_id, None)
        return answer

    def _started(self, snapshot: Any) -> dict[str, Any]:
        """Makes moto's new, completed snapshot one that has just begun, and views it as the caller sees it."""
        snapshot.start_time = snapshot.completion_time = self.account.now()
        snapshot.kms_key_id = self._key_arn(snapshot.volume.kms_key_id)
        # The size as it is now: the volume may grow.
        snapshot.volume = SimpleNamespace(id=snapshot.volume.id, size=snapshot.volume.size)
        snapshot.hidden_until = time.monotonic() + self.account.late_seconds
        snapshot.status = "pending"
        view = views.snapshot(snapshot)
        if not self.account.settings["pending_snapshots"]:
            snapshot.status = "completed"
        return view

    # Volumes.

    def create_volume(self) -> str:
        self._specified_tags("volume")
        zone, token = self._get_param("AvailabilityZone"), self._get_param("ClientToken")
        if self.ec2_backend.get_zone_by_name(zone) is None:
            raise EC2ClientError("InvalidZone.NotFound", f"The zone '{zone}' does not exist.")
        params = {name: value for name, value in self.querystring.items() if name != "ClientToken"}
        known = self.account.client_tokens.get((self.region, token)) if token else None
        if known and known[0] != params:
            raise EC2ClientError("IdempotentParameterMismatch", f"The client token {token} came with other parameters")
        if known:
            return views.response("CreateVolume", **known[1])

        source = self._usable_source(self._get_param("SnapshotId"), self._get_param("Size"))
        # Else moto would start its KMS, which takes long to import.
        backend = self.ec2_backend
        backend.default_kms_key_id = backend.default_kms_key_id or self._key_arn(str(uuid4()))
        volume = super().create_volume().result
        volume.create_time = self.account.now()
        volume.hidden_until = time.monotonic() + self.account.late_seconds
        volume.kms_key_id = self._key_arn(volume.kms_key_id or (source and source.kms_key_id))
        volume.forced_state = "creating"
        view = views.volume(volume)
        if not self.account.settings["creating_volumes"]:
            volume.forced_state = None
        if token:
            self.account.client_tokens[self.region, token] = (params, view)
        return views.response("CreateVolume", **view)

    def _check_volume_usable(self, volume_id: str) -> None:
        state = views.volume_state(self._found_volumes([volume_id])[0])
        if state not in ("available", "in-use"):
            raise EC2ClientError("IncorrectState", f"The volume '{volume_id}' is '{state}'.")

    def _usable_source(self, snapshot_id: str | None, size: int | None) -> Any:
        if snapshot_id is None:
            return None
        source = self._found_snapshots([snapshot_id])[0]
        if source.status != "completed" or source.storage_tier == "archive":
            state = source.status if source.status != "completed" else "archived"
            raise EC2ClientError("IncorrectState", f"Snapshot {snapshot_id} is in invalid state - {state}")
        if size is not None and int(size) < source.volume.size:
            raise invalid(f"Volume of {size}GiB is smaller than snapshot '{snapshot_id}'")
        return source

    def delete_volume(self) -> ActionResult:
        self._found_volumes([self._get_param("VolumeId")])
        return super().delete_volume()

    def attach_volume(self) -> ActionResult:
        volume = self._found_volumes([self._get_param("VolumeId")])[0]
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        if volume.attachment:
            raise EC2ClientError("VolumeInUse", f"{volume.id} is already attached to an instance")
        if views.volume_state(volume) != "available":
            raise EC2ClientError("IncorrectState", f"The volume '{volume.id}' is not 'available'.")
        if volume.zone.name != instance.placement.zone:
            message = f"The volume '{volume.id}' is not in the same availability zone as instance '{instance.id}'"
            raise EC2ClientError("InvalidVolume.ZoneMismatch", message)
        answer = super().attach_volume()
        volume.attachment.attach_time = self.account.now()
        return answer

    # Tags.

    def create_tags(self) -> ActionResult:
        ids, tags = self._taggable(), checked_tags(self._get_param("Tags", []))
        store = self.ec2_backend.tags
        for each in ids:
            check_count(store.get(each, {}) | tags)
        self.error_on_dryrun()
        for each in ids:
            store[each].update(tags)
        return EmptyResult()

    def delete_tags(self) -> ActionResult:
        ids, tags = self._taggable(), self._get_param("Tags")
        for tag in tags or []:
            check_key(tag.get("Key", ""))
        self.error_on_dryrun()
        for each in ids:
            own = self.ec2_backend.tags.get(each, {})
            # No tags named: all go, save those that AWS planted. A value, if given, must be the present one.
            named = [{"Key": key} for key in own if not key.startswith("aws:")] if tags is None else tags
            for tag in named:
                if tag.get("Value", own.get(tag["Key"])) == own.get(tag["Key"]):
                    own.pop(tag["Key"], None)
        return EmptyResult()
