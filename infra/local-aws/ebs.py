"""moto's EBS direct APIs, made to behave like the real ones where they deceive: size of blocks, pages, tokens, checksums.

Blocks can be put into any snapshot, of EC2's making too: so a test puts an etcd into a recovery point.
"""

from base64 import b64encode
from hashlib import sha256
from uuid import uuid4

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ebs.models import Block, EBSSnapshot
from moto.ebs.responses import EBSResponse

from account import Account, account

BLOCK_SIZE = 524_288
MAX_PAGE = 10_000


class NotFound(ServiceException):
    code = "ResourceNotFoundException"

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


class Invalid(ServiceException):
    code = "ValidationException"

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


class LocalEBS(EBSResponse):
    @property
    def account(self) -> Account:
        return account(self.current_account)

    def list_snapshot_blocks(self) -> ActionResult:
        snapshot = self._completed()
        first, limit = self._get_param("StartingBlockIndex") or 0, self._get_param("MaxResults") or MAX_PAGE
        if token := self._get_param("NextToken"):
            if self.account.pages.get(token, ("",))[0] != "blocks":
                raise Invalid("INVALID_PAGE_TOKEN", "The page token is invalid or has expired.")
            first = self.account.pages[token][1]
        indexes = [index for index in sorted(snapshot.blocks) if index >= first]
        page = indexes[: min(limit, self.account.settings["page_size"] or MAX_PAGE)]
        result = {
            "Blocks": [{"BlockIndex": index, "BlockToken": snapshot.blocks[index].block_token} for index in page],
            "VolumeSize": snapshot.volume_size,
            "BlockSize": BLOCK_SIZE,
        }
        if len(page) < len(indexes):
            result["NextToken"] = uuid4().hex
            self.account.pages[result["NextToken"]] = ("blocks", indexes[len(page)])
        return ActionResult(result)

    def get_snapshot_block(self) -> ActionResult:
        block = self._completed().blocks.get(self._get_param("BlockIndex"))
        if block is None:
            raise NotFound("SNAPSHOT_NOT_FOUND", "The block does not exist.")
        if self._get_param("BlockToken") != block.block_token:
            raise Invalid("INVALID_BLOCK_TOKEN", "The block token is invalid or has expired.")
        data = block.block_data
        if self.account.settings["damaged_blocks"] > 0:
            self.account.settings["damaged_blocks"] -= 1
            data = bytes([data[0] ^ 1]) + data[1:]
        checksum = sha256(block.block_data)
        if self.account.settings["short_blocks"] > 0:
            self.account.settings["short_blocks"] -= 1
            data = data[: BLOCK_SIZE // 2]
            checksum = sha256(data)
        return ActionResult(
            {
                "DataLength": len(data),
                "BlockData": data,
                "Checksum": b64encode(checksum.digest()).decode(),
                "ChecksumAlgorithm": "SHA256",
            }
        )

    def put_snapshot_block(self) -> ActionResult:
        data, checksum = self._get_param("BlockData"), self._get_param("Checksum")
        if len(data) != BLOCK_SIZE or b64encode(sha256(data).digest()).decode() != checksum:
            raise Invalid("INVALID_BLOCK", "The block has a wrong size or a wrong checksum.")
        block = Block(data, checksum, "SHA256", len(data))
        self._snapshot().blocks[self._get_param("BlockIndex")] = block
        return ActionResult({"Checksum": checksum, "ChecksumAlgorithm": "SHA256"})

    def _completed(self) -> EBSSnapshot:
        snapshot = self._snapshot()
        if self.ebs_backend.ec2_backend.snapshots[snapshot.snapshot_id].status != "completed":
            raise Invalid("INVALID_SNAPSHOT_ID", "The snapshot is not completed.")
        return snapshot

    def _snapshot(self) -> EBSSnapshot:
        snapshot_id = self._get_param("SnapshotId")
        of_ec2 = self.ebs_backend.ec2_backend.snapshots.get(snapshot_id)
        if of_ec2 is None:
            raise NotFound("SNAPSHOT_NOT_FOUND", f"The snapshot '{snapshot_id}' does not exist.")
        if snapshot_id not in self.ebs_backend.snapshots:
            self.ebs_backend.snapshots[snapshot_id] = EBSSnapshot(self.current_account, of_ec2)
        return self.ebs_backend.snapshots[snapshot_id]
