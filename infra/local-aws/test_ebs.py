"""Blocks of snapshots: sizes, pages, tokens and checksums as the real EBS direct APIs have them."""

from base64 import b64encode
from hashlib import sha256

from testing import LocalAws

BLOCK = 524_288


class Blocks(LocalAws):
    def setUp(self) -> None:
        super().setUp()
        self.ebs = self.client("ebs")
        self.addCleanup(self.ebs.close)
        self.snapshot_id = self.snapshot(self.volume())

    def put(self, index: int, data: bytes) -> None:
        checksum = b64encode(sha256(data).digest()).decode()
        self.ebs.put_snapshot_block(
            SnapshotId=self.snapshot_id,
            BlockIndex=index,
            BlockData=data,
            DataLength=len(data),
            Checksum=checksum,
            ChecksumAlgorithm="SHA256",
        )

    def listed(self, **more: object) -> dict:
        return self.ebs.list_snapshot_blocks(SnapshotId=self.snapshot_id, **more)

    def test_what_was_put_is_listed_and_got_with_its_checksum(self) -> None:
        data = bytes(range(256)) * (BLOCK // 256)
        self.put(7, data)
        [block] = self.listed()["Blocks"]
        self.assertEqual(block["BlockIndex"], 7)
        got = self.ebs.get_snapshot_block(SnapshotId=self.snapshot_id, BlockIndex=7, BlockToken=block["BlockToken"])
        self.assertEqual(got["BlockData"].read(), data)
        self.assertEqual((got["DataLength"], got["ChecksumAlgorithm"]), (BLOCK, "SHA256"))
        self.assertEqual(got["Checksum"], b64encode(sha256(data).digest()).decode())

    def test_pages_are_short_if_told_so(self) -> None:
        for index in (9, 3, 5):
            self.put(index, bytes(BLOCK))
        self.control("PUT", "settings", {"page_size": 2})
        first = self.listed()
        second = self.listed(NextToken=first["NextToken"])
        self.assertEqual([[block["BlockIndex"] for block in page["Blocks"]] for page in (first, second)], [[3, 5], [9]])
        self.assertNotIn("NextToken", second)
        self.assertEqual((first["BlockSize"], first["VolumeSize"]), (BLOCK, 8))

    def test_a_short_block_comes_with_the_checksum_of_what_comes(self) -> None:
        self.put(7, bytes(BLOCK))
        self.control("PUT", "settings", {"short_blocks": 1})
        [block] = self.listed()["Blocks"]
        for size in (BLOCK // 2, BLOCK):
            got = self.ebs.get_snapshot_block(SnapshotId=self.snapshot_id, BlockIndex=7, BlockToken=block["BlockToken"])
            data = got["BlockData"].read()
            self.assertEqual((len(data), got["Checksum"]), (size, b64encode(sha256(data).digest()).decode()))

    def test_blocks_can_be_dropped(self) -> None:
        self.put(7, bytes(BLOCK))
        self.control("DELETE", "blocks")
        self.assertEqual(self.listed()["Blocks"], [])

    def test_a_volume_can_be_full(self) -> None:
        self.put(0, bytes(BLOCK))
        self.control("POST", "full_snapshots", {"id": self.snapshot_id, "gib": 5})
        first = self.listed()
        second = self.listed(NextToken=first["NextToken"])
        self.assertEqual([block["BlockIndex"] for block in second["Blocks"]], list(range(10_000, 10_240)))
        self.assertEqual((first["VolumeSize"], second.get("NextToken")), (5, None))

    def test_what_real_ebs_refuses(self) -> None:
        self.put(1, bytes(BLOCK))
        get = self.ebs.get_snapshot_block
        self.refused("ValidationException", get, SnapshotId=self.snapshot_id, BlockIndex=1, BlockToken="old")
        self.refused("ResourceNotFoundException", get, SnapshotId=self.snapshot_id, BlockIndex=2, BlockToken="x")
        self.refused("ResourceNotFoundException", self.ebs.list_snapshot_blocks, SnapshotId="snap-0123456789abcdef0")
        self.control("PATCH", "snapshots", {"ids": [self.snapshot_id], "set": {"state": "pending"}})
        self.refused("ValidationException", self.listed)
