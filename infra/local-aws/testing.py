"""What the tests of the local AWS share: one server, an account for each test, short words."""

import functools
import itertools
import json
import socket
import subprocess
import sys
import unittest
import urllib.request
from base64 import b64encode
from hashlib import sha256
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SERVER = str(Path(__file__).with_name("server.py"))
ZONE = "us-east-1a"
ACCOUNTS = itertools.count(100_000_000_000)
NIGHT = "2026-11-23T02:00:00.041Z"


@functools.cache
def server_url() -> str:
    """Starts the server, which ends with the module's tests, or with this process: its standard input closes then."""
    command = [sys.executable, SERVER, "--until-stdin-closes"]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    unittest.addModuleCleanup(stop, server)
    return server.stdout.readline().split()[-1]


def stop(server: subprocess.Popen[str]) -> None:
    with server:
        server.stdin.close()
    server_url.cache_clear()


class LocalAws(unittest.TestCase):
    def setUp(self) -> None:
        self.url = server_url()
        self.account = str(next(ACCOUNTS))
        self.ec2 = self.client("ec2")
        self.addCleanup(self.ec2.close)

    def logged(self, action: str) -> list[dict[str, Any]]:
        return [each for each in self.control("GET", "calls") if each["action"] == action]

    def client(self, service: str, account: str | None = None, session_token: str | None = None) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=account or self.account,
            aws_secret_access_key="x",
            aws_session_token=session_token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def control(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_local/{self.account}/{path}", data, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def fault(self, action: str, effect: dict[str, Any], **rule: Any) -> None:
        self.control("POST", "faults", {"action": action, "effect": effect, **rule})

    def refused(self, code: str, call: Any, **params: Any) -> None:
        with self.assertRaises(ClientError) as raised:
            call(**params)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)

    def volume(self, tags: dict[str, str] | None = None, **params: Any) -> str:
        params = {"AvailabilityZone": ZONE, "Size": 8, **params}
        return self.ec2.create_volume(**params, **specified("volume", tags))["VolumeId"]

    def snapshot(self, volume: str, tags: dict[str, str] | None = None) -> str:
        return self.ec2.create_snapshot(VolumeId=volume, **specified("snapshot", tags))["SnapshotId"]

    def snapshots(self, **params: Any) -> list[dict[str, Any]]:
        return self.ec2.describe_snapshots(**params)["Snapshots"]

    def found(self, **filters: list[str]) -> set[str]:
        return {each["SnapshotId"] for each in self.snapshots(Filters=[named(*each) for each in filters.items()])}


class InBucket(LocalAws):
    """Tests with a bucket of their own, which has the same name in all of them."""

    bucket = "backups"

    def setUp(self) -> None:
        super().setUp()
        self.s3 = self.client("s3")
        self.addCleanup(self.s3.close)
        self.s3.create_bucket(Bucket=self.bucket)

    def put(self, key: str, data: bytes = b"", **more: Any) -> dict[str, Any]:
        return self.s3.put_object(Bucket=self.bucket, Key=key, Body=data, **more)

    def got(self, key: str, **more: Any) -> bytes:
        return self.s3.get_object(Bucket=self.bucket, Key=key, **more)["Body"].read()

    def head(self, key: str) -> dict[str, Any]:
        return self.s3.head_object(Bucket=self.bucket, Key=key, ChecksumMode="ENABLED")

    def keys(self, **more: Any) -> list[str]:
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=self.bucket, **more).get("Contents", [])]

    def raw(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> HTTPResponse:
        """A request as it is told, and not as boto3 would make it."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        self.addCleanup(connection.close)
        connection.request(method, path, body, {"Authorization": self.credential()} | (headers or {}))
        return connection.getresponse()

    def begun(self, method: str, path: str, *headers: str) -> bytes:
        """A request up to its body, byte by byte as it is told."""
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: {self.credential()}", *headers]
        return "\r\n".join([*head, "", ""]).encode()

    def wire(self) -> socket.socket:
        connection = socket.create_connection((urlsplit(self.url).hostname, urlsplit(self.url).port), 10)
        self.addCleanup(connection.close)
        return connection

    def credential(self) -> str:
        return f"AWS4-HMAC-SHA256 Credential={self.account}/20261123/us-east-1/s3/aws4_request"


def digest(data: bytes) -> str:
    return b64encode(sha256(data).digest()).decode()


def all_of(connection: socket.socket) -> bytes:
    """What is answered until the other side hangs up, which it does once there is no more to come."""
    connection.shutdown(socket.SHUT_WR)
    with connection.makefile("rb") as stream:
        return stream.read()


def named(name: str, values: list[str]) -> dict[str, Any]:
    return {"Name": name, "Values": values}


def listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def many(count: int) -> dict[str, str]:
    return {f"k{number}": "v" for number in range(count)}


def specified(resource: str, tags: dict[str, str] | None) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": resource, "Tags": listed(tags)}]} if tags else {}
