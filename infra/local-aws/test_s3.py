"""S3's objects, lists, accounts, faults and bodies in pieces. Its uploads are in test_s3_uploads.py."""

import time
import zlib
from base64 import b64encode
from datetime import UTC, datetime
from hashlib import md5

from botocore.exceptions import ClientError, ConnectionClosedError

from testing import ACCOUNTS, NIGHT, InBucket, all_of, digest

KEY_ID = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"


class Objects(InBucket):
    def test_are_got_whole_and_in_part(self) -> None:
        self.put("a/b c+d", b"0123456789", Metadata={"taken": "tonight"})
        self.assertEqual(self.got("a/b c+d"), b"0123456789")
        part = self.s3.get_object(Bucket=self.bucket, Key="a/b c+d", Range="bytes=2-4")
        self.assertEqual((part["Body"].read(), part["ContentRange"]), (b"234", "bytes 2-4/10"))
        head = self.head("a/b c+d")
        self.assertEqual((head["ContentLength"], head["Metadata"]), (10, {"taken": "tonight"}))
        get = self.s3.get_object
        self.refused("InvalidRange", get, Bucket=self.bucket, Key="a/b c+d", Range="bytes=10-")
        self.refused("NoSuchKey", get, Bucket=self.bucket, Key="a")
        self.refused("404", self.head, key="a")

    def test_bear_the_accounts_time(self) -> None:
        self.control("PUT", "clock", {"now": NIGHT})
        self.put("a")
        night = datetime(2026, 11, 23, 2, tzinfo=UTC)
        self.assertEqual(self.head("a")["LastModified"], night)
        [listed] = self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]
        self.assertEqual(listed["LastModified"], night)

    def test_keep_a_right_checksum_and_are_refused_with_a_wrong_one(self) -> None:
        answer = self.put("a", b"data", ChecksumSHA256=digest(b"data"))
        self.assertEqual(answer["ChecksumSHA256"], digest(b"data"))
        self.put("b", b"data", ChecksumCRC32=b64encode(zlib.crc32(b"data").to_bytes(4)).decode())
        head = self.head("a")
        self.assertEqual((head["ChecksumSHA256"], head["ChecksumType"]), (digest(b"data"), "FULL_OBJECT"))
        self.assertNotIn("ChecksumSHA256", self.s3.head_object(Bucket=self.bucket, Key="a"))
        asked = self.s3.get_object_attributes(Bucket=self.bucket, Key="a", ObjectAttributes=["Checksum", "ObjectSize"])
        self.assertEqual(asked["Checksum"], {"ChecksumSHA256": digest(b"data"), "ChecksumType": "FULL_OBJECT"})
        self.assertEqual((asked["ObjectSize"], asked.get("ETag"), asked.get("ObjectParts")), (4, None, None))

        self.refused("BadDigest", self.put, key="c", data=b"data", ChecksumSHA256=digest(b"date"))
        self.refused("BadDigest", self.put, key="c", data=b"data", ChecksumCRC32="AAAAAA==")
        self.refused("InvalidRequest", self.put, key="c", data=b"data", ChecksumSHA256="AAAAAA==")
        # Better no answer than moto's, which is CRC32 by another name.
        self.refused("NotImplemented", self.put, key="c", data=b"data", ChecksumCRC32C="AAAAAA==")
        self.assertEqual(self.keys(), ["a", "b"])

    def test_are_not_replaced_by_whoever_says_so(self) -> None:
        self.put("a", b"first", IfNoneMatch="*")
        self.refused("PreconditionFailed", self.put, key="a", data=b"second", IfNoneMatch="*")
        self.assertEqual(self.logged("PutObject")[-1]["status"], 412)
        self.assertEqual(self.got("a"), b"first")
        self.put("a", b"second")
        self.assertEqual(self.got("a"), b"second")

    def test_are_encrypted_as_told(self) -> None:
        sse = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY_ID}
        answer = self.put("a", b"data", **sse)
        self.assertEqual({name: answer[name] for name in sse}, sse)
        self.assertEqual({name: self.head("a")[name] for name in sse}, sse)
        # As with the real one, nobody can take the ETag for the MD5 of the data.
        self.assertNotEqual(answer["ETag"], f'"{md5(b"data").hexdigest()}"')
        self.assertEqual(answer["ETag"], self.head("a")["ETag"])

    def test_have_versions_if_the_bucket_has(self) -> None:
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        first = self.put("a/1", b"first")["VersionId"]
        self.put("a/1", b"second")
        self.s3.delete_object(Bucket=self.bucket, Key="a/1")
        self.refused("404", self.head, key="a/1")
        self.assertEqual(self.got("a/1", VersionId=first), b"first")
        self.assertEqual(self.keys(), [])
        self.assertNotIn("CommonPrefixes", self.s3.list_objects_v2(Bucket=self.bucket, Delimiter="/"))
        self.put("a/1", b"third", IfNoneMatch="*")

    def test_are_only_for_the_owner_that_is_expected(self) -> None:
        self.put("a", ExpectedBucketOwner=self.account)
        self.refused("AccessDenied", self.put, key="b", ExpectedBucketOwner=str(next(ACCOUNTS)))
        self.assertEqual(self.keys(), ["a"])


class Lists(InBucket):
    def setUp(self) -> None:
        super().setUp()
        for key in ("etcd/main/1", "etcd/main/2", "etcd/events/1", "etcd/log", "etcd+/x", "other"):
            self.put(key)

    def test_of_objects_are_by_prefix_and_delimiter(self) -> None:
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix="etcd/", Delimiter="/")
        self.assertEqual([each["Key"] for each in listed["Contents"]], ["etcd/log"])
        self.assertEqual([each["Prefix"] for each in listed["CommonPrefixes"]], ["etcd/events/", "etcd/main/"])
        self.assertEqual(listed["KeyCount"], 3)
        self.assertEqual(self.keys(StartAfter="etcd/main/1"), ["etcd/main/2", "other"])
        self.assertEqual(self.keys()[0], "etcd+/x")
        self.refused("NoSuchBucket", self.s3.list_objects_v2, Bucket="nowhere")

    def test_of_objects_are_followed_page_by_page(self) -> None:
        def pages(**params: object) -> list[list[str]]:
            found = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Delimiter="/", **params)
            return [[*entries(page, "Contents", "Key"), *entries(page, "CommonPrefixes", "Prefix")] for page in found]

        def entries(page: dict, kind: str, name: str) -> list[str]:
            return [each[name] for each in page.get(kind, [])]

        self.assertEqual(pages(MaxKeys=1), [["etcd+/"], ["etcd/"], ["other"]])
        self.assertEqual(pages(Prefix="etcd/", MaxKeys=2), [["etcd/log", "etcd/events/"], ["etcd/main/"]])
        self.control("PUT", "settings", {"page_size": 2})
        self.assertEqual(pages(), [["etcd+/", "etcd/"], ["other"]])
        self.refused("InvalidArgument", self.s3.list_objects_v2, Bucket=self.bucket, ContinuationToken="nonsense")


class Accounts(InBucket):
    def test_may_have_buckets_of_one_name(self) -> None:
        self.put("mine", b"mine")
        other = self.client("s3", str(next(ACCOUNTS)))
        self.addCleanup(other.close)
        self.refused("NoSuchBucket", other.get_object, Bucket=self.bucket, Key="mine")
        self.refused("NoSuchBucket", other.put_object, Bucket=self.bucket, Key="theirs")
        self.assertEqual(other.list_buckets()["Buckets"], [])
        other.create_bucket(Bucket=self.bucket)
        self.assertNotIn("Contents", other.list_objects_v2(Bucket=self.bucket))
        other.put_object(Bucket=self.bucket, Key="theirs")
        self.assertEqual(self.keys(), ["mine"])

    def test_keep_a_bucket_that_is_made_again(self) -> None:
        self.put("a")
        self.s3.create_bucket(Bucket=self.bucket)
        self.assertEqual(self.keys(), ["a"])
        west = {"Bucket": "west", "CreateBucketConfiguration": {"LocationConstraint": "us-west-2"}}
        self.s3.create_bucket(**west)
        self.refused("BucketAlreadyOwnedByYou", self.s3.create_bucket, **west)


class Calls(InBucket):
    def test_are_logged_by_name_with_what_they_ask_for(self) -> None:
        here = {"Bucket": self.bucket}
        body = b"precious"
        self.put("a/b c", body, IfNoneMatch="*", ChecksumSHA256=digest(body), Metadata={"Taken": "tonight"})
        self.s3.head_object(**here, Key="a/b c", ChecksumMode="ENABLED")
        self.got("a/b c", Range="bytes=0-1")
        self.s3.get_object_attributes(**here, Key="a/b c", ObjectAttributes=["Checksum", "ETag"])
        self.s3.list_objects_v2(**here, Prefix="a/", Delimiter="/", MaxKeys=5, StartAfter="a/a")
        self.s3.delete_object(**here, Key="a/b c")
        self.s3.put_bucket_versioning(**here, VersioningConfiguration={"Status": "Enabled"})
        calls = self.control("GET", "calls")
        key = {"Bucket": self.bucket, "Key": "a/b c"}
        given = {"IfNoneMatch": "*", "ChecksumSHA256": digest(body), "Metadata.taken": "tonight", "ContentLength": "8"}
        expected = [
            ("CreateBucket", here),
            ("PutObject", key | given),
            ("HeadObject", key | {"ChecksumMode": "ENABLED"}),
            ("GetObject", key | {"Range": "bytes=0-1"}),
            ("GetObjectAttributes", key | {"ObjectAttributes": "Checksum,ETag"}),
            ("ListObjectsV2", here | {"Prefix": "a/", "Delimiter": "/", "MaxKeys": "5", "StartAfter": "a/a"}),
            ("DeleteObject", key),
            ("PutBucketVersioning", here),
        ]
        self.assertEqual([each["action"] for each in calls], [action for action, _ in expected])
        for call, (action, params) in zip(calls, expected, strict=True):
            self.assertEqual(call["params"], call["params"] | params, action)
            self.assertTrue(all(isinstance(value, str) for value in call["params"].values()))
        self.assertNotIn("precious", str(calls))

    def test_to_head_are_logged_with_an_error_though_none_is_answered(self) -> None:
        self.refused("404", self.head, key="nothing")
        self.assertEqual([(each["status"], each["error"]) for each in self.logged("HeadObject")], [(404, "NotFound")])

    def test_may_come_with_a_list_in_several_headers(self) -> None:
        self.put("a", b"data")
        wire = self.wire()
        lists = [f"x-amz-object-attributes: {each}" for each in ("ETag", "ObjectSize")]
        wire.sendall(self.begun("GET", f"/{self.bucket}/a?attributes", *lists))
        answer = all_of(wire)
        self.assertIn(b"<ETag>", answer)
        self.assertIn(b"<ObjectSize>4<", answer)
        self.assertEqual(self.logged("GetObjectAttributes")[0]["params"]["ObjectAttributes"], "ETag,ObjectSize")


class Faults(InBucket):
    def test_are_errors_as_s3_words_them(self) -> None:
        slow = {"error": {"code": "SlowDown", "message": "less & later", "status": 503}}
        self.fault("PutObject", slow, where={"Key": "b"}, skip=1)
        self.put("b", b"1")
        self.put("a")
        with self.assertRaises(ClientError) as raised:
            self.put("b", b"2")
        error = raised.exception.response
        self.assertEqual((error["Error"]["Code"], error["Error"]["Message"]), ("SlowDown", "less & later"))
        self.assertEqual(error["ResponseMetadata"]["HTTPStatusCode"], 503)
        self.put("a")
        self.assertEqual(self.got("b"), b"1")
        call = self.logged("PutObject")[2]
        self.assertEqual((call["status"], call["error"], call["performed"]), (503, "SlowDown", False))
        self.fault("HeadObject", slow)
        self.refused("503", self.head, key="b")
        self.assertEqual(self.logged("HeadObject")[0]["error"], "SlowDown")

    def test_lose_answers_and_requests(self) -> None:
        for effect, raised, kept in [
            ({"dropped": True}, ConnectionClosedError, []),
            ({"lost": "connection"}, ConnectionClosedError, ["a"]),
            ({"lost": "500"}, ClientError, ["a"]),
        ]:
            self.fault("PutObject", effect)
            with self.assertRaises(raised):
                self.put("a", b"data")
            self.assertEqual(self.keys(), kept)
        self.assertEqual([each["performed"] for each in self.logged("PutObject")], [False, True, True])

    def test_delay(self) -> None:
        self.fault("GetObject", {"delay_ms": 300, "when": "after"}, where={"Range": "bytes=0-0"})
        self.put("a", b"data")
        begun = time.monotonic()
        self.got("a")
        self.assertLess(time.monotonic() - begun, 0.3)
        self.got("a", Range="bytes=0-0")
        self.assertGreaterEqual(time.monotonic() - begun, 0.3)


class Bodies(InBucket):
    """As clients other than boto3 send them."""

    data = bytes(range(256)) * 1000

    def packed(self, checksum: str, signed: str = "") -> bytes:
        sizes = [self.data[at : at + 65_536] for at in range(0, len(self.data), 65_536)]
        chunks = b"".join(b"%x%s\r\n%s\r\n" % (len(each), signed.encode(), each) for each in sizes)
        return chunks + f"0{signed}\r\nx-amz-checksum-sha256:{checksum}\r\n\r\n".encode()

    def headers(self, kind: str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER") -> dict[str, str]:
        return {
            "Content-Encoding": "aws-chunked",
            "X-Amz-Content-SHA256": kind,
            "X-Amz-Trailer": "x-amz-checksum-sha256",
            "X-Amz-Decoded-Content-Length": str(len(self.data)),
        }

    def put_raw(self, body: object, headers: dict[str, str]) -> tuple[int, bytes]:
        answer = self.raw("PUT", f"/{self.bucket}/a", body, headers)
        return answer.status, answer.read()

    def test_in_chunks_are_stored_as_what_they_hold(self) -> None:
        right = digest(self.data)
        signed = self.headers("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")
        for body, headers in [
            (self.packed(right), self.headers()),
            (self.packed(right, ";chunk-signature=abc"), signed),
            # An iterator's length is unknown: http.client sends it with HTTP's own chunks around it.
            (iter([self.packed(right)[:100_000], self.packed(right)[100_000:]]), self.headers()),
            (iter([self.data]), {"X-Amz-Checksum-SHA256": right}),
        ]:
            self.assertEqual(self.put_raw(body, headers)[0], 200)
            self.assertEqual(self.got("a"), self.data)
            head = self.head("a")
            self.assertEqual((head["ChecksumSHA256"], head.get("ContentEncoding")), (right, None))
            self.assertEqual(self.logged("PutObject")[-1]["params"]["ChecksumSHA256"], right)
            self.s3.delete_object(Bucket=self.bucket, Key="a")

    def test_keep_an_encoding_of_their_own(self) -> None:
        self.put_raw(self.packed(digest(self.data)), self.headers() | {"Content-Encoding": "zstd, aws-chunked"})
        self.assertEqual(self.head("a")["ContentEncoding"], "zstd")

    def test_with_a_wrong_end_are_refused(self) -> None:
        for code, body, headers in [
            ("BadDigest", self.packed(digest(b"")), self.headers()),
            ("IncompleteBody", self.packed(digest(self.data)), self.headers() | {"X-Amz-Decoded-Content-Length": "7"}),
            ("IncompleteBody", self.packed(digest(self.data)), self.headers() | {"X-Amz-Trailer": "x-amz-checksum-crc32"}),
            ("IncompleteBody", self.packed(digest(self.data))[:-70_000], self.headers()),
        ]:
            status, answer = self.put_raw(body, headers)
            self.assertEqual(status, 400)
            self.assertIn(f"<Code>{code}</Code>".encode(), answer)
        self.assertEqual(self.keys(), [])

    def test_that_end_early_never_arrived(self) -> None:
        whole = len(self.data)
        for header, body in [
            (f"Content-Length: {whole}", self.data[:-1]),
            ("Transfer-Encoding: chunked", b"%x\r\n%s\r\n" % (whole, self.data)),
            ("Transfer-Encoding: chunked", b"%x\r\n%s" % (whole, self.data[:-1])),
        ]:
            wire = self.wire()
            wire.sendall(self.begun("PUT", f"/{self.bucket}/a", header) + body)
            self.assertEqual(all_of(wire), b"")
        self.assertEqual(self.logged("PutObject"), [])

    def test_wait_until_they_may_come(self) -> None:
        wire = self.wire()
        wire.sendall(self.begun("PUT", f"/{self.bucket}/a", f"Content-Length: {len(self.data)}", "Expect: 100-continue"))
        self.assertEqual(wire.recv(1000), b"HTTP/1.1 100 Continue\r\n\r\n")
        wire.sendall(self.data)
        self.assertTrue(all_of(wire).startswith(b"HTTP/1.1 200 OK"))
        self.assertEqual(self.got("a"), self.data)

    def test_are_not_in_answers_to_head(self) -> None:
        self.put("a", self.data)
        answer = self.raw("HEAD", f"/{self.bucket}/a")
        self.assertEqual((answer.getheader("Content-Length"), answer.read()), (str(len(self.data)), b""))
        self.fault("HeadObject", {"error": {"code": "SlowDown", "status": 503}})
        wire = self.wire()
        for key in ("a", "nothing", "a"):
            wire.sendall(self.begun("HEAD", f"/{self.bucket}/{key}"))
        # A body of one would be before the next.
        statuses = [answer[:12] for answer in all_of(wire).split(b"\r\n\r\n")]
        self.assertEqual(statuses, [b"HTTP/1.1 503", b"HTTP/1.1 404", b"HTTP/1.1 200", b""])
