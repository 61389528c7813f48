"""S3's uploads in parts: checksums, what may be completed and how often, lists."""

import zlib
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError, ConnectionClosedError

from testing import NIGHT, InBucket, digest

MIN = 5 * 1024 * 1024
PARTS = [b"a" * MIN, b"b" * MIN, b"the rest"]
COMPOSITE = {"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"}
KEY_ID = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"


class Uploads(InBucket):
    def begin(self, key: str = "big", checksum: dict[str, str] = COMPOSITE, **more: Any) -> dict[str, str]:
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key=key, **checksum, **more)
        self.assertEqual(upload["ChecksumAlgorithm"], checksum["ChecksumAlgorithm"])
        self.assertEqual(upload["ChecksumType"], checksum.get("ChecksumType", "COMPOSITE"))
        return {"Bucket": self.bucket, "Key": key, "UploadId": upload["UploadId"]}

    def part(self, upload: dict[str, str], number: int, data: bytes) -> dict[str, Any]:
        answer = self.s3.upload_part(**upload, PartNumber=number, Body=data, ChecksumSHA256=digest(data))
        self.assertEqual(answer["ChecksumSHA256"], digest(data))
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": digest(data)}

    def parts(self, upload: dict[str, str], datas: list[bytes]) -> list[dict[str, Any]]:
        return [self.part(upload, number, data) for number, data in enumerate(datas, 1)]

    def complete(self, upload: dict[str, str], parts: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **more)

    def open_uploads(self, **more: Any) -> list[tuple[str, str]]:
        listed = self.s3.list_multipart_uploads(Bucket=self.bucket, **more).get("Uploads", [])
        return [(each["Key"], each["UploadId"]) for each in listed]

    def test_become_objects_with_the_checksum_of_the_parts_checksums(self) -> None:
        sse = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY_ID}
        self.control("PUT", "clock", {"now": NIGHT})
        upload = self.begin(Metadata={"taken": "tonight"}, **sse)
        answer = self.complete(upload, self.parts(upload, PARTS), IfNoneMatch="*")
        whole = b64encode(sha256(b"".join(sha256(each).digest() for each in PARTS)).digest()).decode()
        self.assertEqual((answer["ChecksumSHA256"], answer["ChecksumType"]), (f"{whole}-3", "COMPOSITE"))
        self.assertRegex(answer["ETag"], '^"[0-9a-f]{32}-3"$')
        head = self.head("big")
        self.assertEqual((head["ChecksumSHA256"], head["ChecksumType"]), (f"{whole}-3", "COMPOSITE"))
        self.assertEqual((head["ContentLength"], head["ETag"]), (2 * MIN + 8, answer["ETag"]))
        self.assertEqual(head["LastModified"], datetime(2026, 11, 23, 2, tzinfo=UTC))
        self.assertEqual(head["Metadata"], {"taken": "tonight"})
        self.assertEqual([{name: each[name] for name in sse} for each in (answer, head)], [sse, sse])
        self.assertNotIn("ChecksumType", self.s3.head_object(Bucket=self.bucket, Key="big"))
        self.assertEqual(self.got("big"), b"".join(PARTS))
        self.assertEqual(self.got("big", Range=f"bytes={MIN - 1}-{MIN}"), b"ab")
        self.assertEqual(self.open_uploads(), [])

        ask = {"Bucket": self.bucket, "Key": "big", "ObjectAttributes": ["Checksum", "ObjectParts"]}
        asked = self.s3.get_object_attributes(**ask)
        # Without the number of parts, as the real one has it here.
        self.assertEqual(asked["Checksum"], {"ChecksumSHA256": whole, "ChecksumType": "COMPOSITE"})
        parts = [{"PartNumber": n, "Size": len(each), "ChecksumSHA256": digest(each)} for n, each in enumerate(PARTS, 1)]
        self.assertEqual((asked["ObjectParts"]["TotalPartsCount"], asked["ObjectParts"]["Parts"]), (3, parts))
        page = self.s3.get_object_attributes(**ask, MaxParts=1, PartNumberMarker=1)["ObjectParts"]
        self.assertEqual((page["Parts"], page["IsTruncated"], page["NextPartNumberMarker"]), ([parts[1]], True, 2))

    def test_need_parts_of_five_mib_but_for_the_last(self) -> None:
        for sizes in [(MIN - 1, 1), (MIN, MIN - 1, 1)]:
            upload = self.begin()
            parts = self.parts(upload, [bytes(size) for size in sizes])
            self.refused("EntityTooSmall", self.complete, upload=upload, parts=parts)
        upload = self.begin()
        self.complete(upload, self.parts(upload, [b"alone"]))

    def test_take_no_part_with_a_wrong_checksum_or_another(self) -> None:
        upload = self.begin()
        put = self.s3.upload_part
        more = {**upload, "PartNumber": 1, "Body": b"data"}
        self.refused("BadDigest", put, **more, ChecksumSHA256=digest(b"date"))
        self.refused("InvalidRequest", put, **more, ChecksumCRC32=b64encode(zlib.crc32(b"data").to_bytes(4)).decode())
        status = self.raw("PUT", f"/{self.bucket}/big?partNumber=1&uploadId={upload['UploadId']}", b"data").status
        self.assertEqual(status, 400)
        self.assertNotIn("Parts", self.s3.list_parts(**upload))

    def test_are_completed_only_with_what_was_uploaded(self) -> None:
        upload = self.begin()
        parts = self.parts(upload, [bytes(MIN), bytes(MIN), b"end"])
        bare = [{name: each[name] for name in ("PartNumber", "ETag")} for each in parts]
        for code, wrong in [
            ("InvalidRequest", bare),
            ("InvalidPart", [*parts[:2], parts[2] | {"ChecksumSHA256": digest(b"and")}]),
            ("InvalidPart", [*parts[:2], parts[2] | {"ETag": parts[0]["ETag"]}]),
            ("InvalidPart", [*parts, parts[2] | {"PartNumber": 4}]),
            ("InvalidPartOrder", [parts[1], parts[0], parts[2]]),
            ("InvalidPartOrder", [parts[0], parts[0]]),
            ("MalformedXML", []),
            # Documented: checksums of parts need parts without gaps.
            ("InternalError", [parts[0], parts[2]]),
        ]:
            self.refused(code, self.complete, upload=upload, parts=wrong)
        self.refused("BadDigest", self.complete, upload=upload, parts=parts, ChecksumSHA256=digest(b""))
        broken = self.raw("POST", f"/{self.bucket}/big?uploadId={upload['UploadId']}", b"<CompleteMultipartUpload>")
        self.assertIn(b"<Code>MalformedXML</Code>", broken.read())
        self.assertEqual(self.keys(), [])
        self.part(upload, 3, b"new end")
        self.refused("InvalidPart", self.complete, upload=upload, parts=parts)
        self.complete(upload, parts[:2])
        self.assertEqual(self.head("big")["ContentLength"], 2 * MIN)

    def test_are_gone_once_completed_or_aborted(self) -> None:
        upload = self.begin()
        parts = self.parts(upload, [b"data"])
        self.complete(upload, parts)
        gone = self.begin("other")
        self.parts(gone, [b"data"])
        self.s3.abort_multipart_upload(**gone)
        self.assertEqual(self.open_uploads(), [])
        for each in (upload, gone):
            self.refused("NoSuchUpload", self.complete, upload=each, parts=parts)
            self.refused("NoSuchUpload", self.complete, upload=each, parts=parts, IfNoneMatch="*")
            self.refused("NoSuchUpload", self.s3.upload_part, **each, PartNumber=1, Body=b"")
            self.refused("NoSuchUpload", self.s3.list_parts, **each)
            self.refused("NoSuchUpload", self.s3.abort_multipart_upload, **each)
        self.assertEqual(self.logged("CompleteMultipartUpload")[-1]["error"], "NoSuchUpload")
        self.assertEqual(self.keys(), ["big"])
        self.refused("NoSuchUpload", self.s3.list_parts, **self.begin("third") | {"Key": "fourth"})

    def test_may_be_completed_again_as_is_seen_with_the_real_one(self) -> None:
        self.control("PUT", "settings", {"completed_uploads_last": True})
        upload = self.begin()
        parts = self.parts(upload, [b"data"])
        self.fault("CompleteMultipartUpload", {"lost": "connection"})
        with self.assertRaises(ConnectionClosedError):
            self.complete(upload, parts, IfNoneMatch="*")
        again = self.complete(upload, parts, IfNoneMatch="*")
        head = self.head("big")
        self.assertEqual((again["ETag"], again["ChecksumSHA256"]), (head["ETag"], head["ChecksumSHA256"]))
        self.put("big")
        self.refused("NoSuchUpload", self.complete, upload=upload, parts=parts)

    def test_do_not_replace_what_is_there_if_told_so(self) -> None:
        upload = self.begin()
        parts = self.parts(upload, [b"data"])
        self.put("big", b"first")
        self.refused("PreconditionFailed", self.complete, upload=upload, parts=parts, IfNoneMatch="*")
        self.assertEqual(self.logged("CompleteMultipartUpload")[0]["status"], 412)
        self.assertEqual((self.got("big"), self.open_uploads()), (b"first", [("big", upload["UploadId"])]))
        self.complete(upload, parts)
        self.assertEqual(self.got("big"), b"data")

    def test_may_have_other_checksums_or_none(self) -> None:
        for kind in ({"ChecksumType": "FULL_OBJECT"}, {}):
            upload = self.begin("crc", {"ChecksumAlgorithm": "CRC32"} | kind)
            part = self.s3.upload_part(**upload, PartNumber=1, Body=b"data")
            sent = {"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]}
            answer = self.complete(upload, [sent])
            self.assertEqual(answer["ChecksumCRC32"] == part["ChecksumCRC32"], bool(kind))
        upload = {"Bucket": self.bucket, "Key": "none"}
        answer = self.raw("POST", f"/{self.bucket}/none?uploads").read().decode()
        upload["UploadId"] = answer.partition("<UploadId>")[2].partition("<")[0]
        part = self.s3.upload_part(**upload, PartNumber=1, Body=b"data")
        self.assertNotIn("ChecksumCRC32", self.s3.list_parts(**upload)["Parts"][0])
        self.complete(upload, [{"PartNumber": 1, "ETag": part["ETag"]}])
        self.assertFalse([name for name in self.head("none") if name.startswith("Checksum")])
        whole = {"ChecksumType": "FULL_OBJECT"}
        self.refused("InvalidRequest", self.begin, checksum={"ChecksumAlgorithm": "SHA256"} | whole)
        self.refused("NotImplemented", self.begin, checksum={"ChecksumAlgorithm": "CRC64NVME"} | whole)

    def test_have_parts_that_are_no_md5_if_kms_encrypts_them(self) -> None:
        plain, encrypted = self.begin(), self.begin(ServerSideEncryption="aws:kms", SSEKMSKeyId=KEY_ID)
        tags = [self.part(upload, 1, b"data")["ETag"] for upload in (plain, plain, encrypted)]
        self.assertEqual(tags[0], tags[1])
        self.assertNotEqual(tags[0], tags[2])

    def test_list_their_parts(self) -> None:
        self.control("PUT", "clock", {"now": NIGHT})
        upload = self.begin()
        # In gaps, which moto would count wrong.
        for number in (9, 2, 5, 7):
            self.part(upload, number, b"part %d" % number)
        self.part(upload, 5, b"again")
        listed = self.s3.list_parts(**upload)
        self.assertEqual([each["PartNumber"] for each in listed["Parts"]], [2, 5, 7, 9])
        again = listed["Parts"][1]
        self.assertEqual((again["ChecksumSHA256"], again["Size"]), (digest(b"again"), 5))
        self.assertEqual(again["LastModified"], datetime(2026, 11, 23, 2, tzinfo=UTC))
        self.assertEqual((listed["ChecksumAlgorithm"], listed["ChecksumType"]), ("SHA256", "COMPOSITE"))
        pages = self.s3.get_paginator("list_parts").paginate(**upload, MaxParts=3)
        self.assertEqual([[each["PartNumber"] for each in page["Parts"]] for page in pages], [[2, 5, 7], [9]])
        self.control("PUT", "settings", {"page_size": 2})
        pages = self.s3.get_paginator("list_parts").paginate(**upload)
        self.assertEqual([[each["PartNumber"] for each in page["Parts"]] for page in pages], [[2, 5], [7, 9]])

    def test_are_listed(self) -> None:
        self.control("PUT", "clock", {"now": NIGHT})
        made = sorted((key, self.begin(key)["UploadId"]) for key in ("a/1", "a/1", "a/2", "b c"))
        self.assertEqual(self.open_uploads(), made)
        self.assertEqual(self.open_uploads(Prefix="a/"), made[:3])
        [listed] = self.s3.list_multipart_uploads(Bucket=self.bucket, Prefix="b")["Uploads"]
        self.assertEqual(listed["Initiated"], datetime(2026, 11, 23, 2, tzinfo=UTC))
        self.assertEqual((listed["ChecksumAlgorithm"], listed["ChecksumType"]), ("SHA256", "COMPOSITE"))
        self.control("PUT", "settings", {"page_size": 1})
        pages = self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.bucket)
        self.assertEqual([(each["Key"], each["UploadId"]) for page in pages for each in page["Uploads"]], made)
        self.control("PUT", "settings", {"page_size": None})
        self.assertEqual(self.open_uploads(KeyMarker="a/1"), made[2:])
        # Whoever aborts what a page lists goes on all the same.
        self.s3.abort_multipart_upload(Bucket=self.bucket, Key="a/1", UploadId=made[0][1])
        self.assertEqual(self.open_uploads(KeyMarker="a/1", UploadIdMarker=made[0][1]), made[1:])

    def test_are_logged_and_fail_as_told(self) -> None:
        upload = self.begin()
        self.fault("UploadPart", {"error": {"code": "SlowDown", "status": 503}}, where={"PartNumber": "2"})
        self.part(upload, 1, b"a" * MIN)
        self.refused("SlowDown", self.part, upload=upload, number=2, data=b"b")
        self.fault("UploadPart", {"lost": "connection"}, where={"UploadId": upload["UploadId"]})
        with self.assertRaises(ConnectionClosedError):
            self.part(upload, 2, b"b")
        self.assertEqual(len(self.s3.list_parts(**upload, MaxParts=2, PartNumberMarker=0)["Parts"]), 2)
        self.s3.list_multipart_uploads(Bucket=self.bucket, Prefix="b")
        # S3 may find out that it cannot complete an upload when it has said 200 already.
        self.fault("CompleteMultipartUpload", {"error": {"code": "InternalError", "status": 200}})
        with self.assertRaises(ClientError):
            self.complete(upload, self.parts(upload, [b"a" * MIN]))
        self.s3.abort_multipart_upload(**upload)
        calls = self.control("GET", "calls")[1:]
        expected = [
            ("CreateMultipartUpload", {"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"}),
            *[("UploadPart", {"PartNumber": number}) for number in "122"],
            ("ListParts", {"MaxParts": "2", "PartNumberMarker": "0"}),
            ("ListMultipartUploads", {"Prefix": "b"}),
            ("UploadPart", {"PartNumber": "1", "ChecksumSHA256": digest(b"a" * MIN), "ContentLength": str(MIN)}),
            ("CompleteMultipartUpload", {}),
            ("AbortMultipartUpload", {}),
        ]
        self.assertEqual([each["action"] for each in calls], [action for action, _ in expected])
        for call, (action, params) in zip(calls, expected, strict=True):
            where = {} if action == "ListMultipartUploads" else {"Key": "big"}
            if where and action != "CreateMultipartUpload":
                where["UploadId"] = upload["UploadId"]
            self.assertEqual(call["params"], call["params"] | params | where | {"Bucket": self.bucket}, action)
        self.assertEqual((calls[-2]["status"], calls[-2]["error"], calls[-2]["performed"]), (200, "InternalError", False))
        self.assertLess(len(str(calls)), 10_000)
