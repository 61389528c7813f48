"""S3's checksums of bodies: moto believes what it is told."""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha1, sha256
from typing import Any

from moto.s3.exceptions import S3ClientError

ALGORITHMS: dict[str, Callable[[bytes], bytes] | None] = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    # These would need a package; moto quietly takes CRC32 for them.
    "CRC32C": None,
    "CRC64NVME": None,
    "SHA1": lambda data: sha1(data).digest(),
    "SHA256": lambda data: sha256(data).digest(),
}


def header(algorithm: str) -> str:
    return f"x-amz-checksum-{algorithm.lower()}"


def computed(algorithm: str, data: bytes) -> str:
    compute = ALGORITHMS.get(algorithm)
    if compute is None:
        raise S3ClientError("NotImplemented", f"The local AWS cannot compute {algorithm} checksums.")
    return b64encode(compute(data)).decode()


def checked(headers: Any, body: bytes) -> tuple[str, str | None]:
    """The algorithm and the value that the headers give for the body, if they do and it is right."""
    given = {each: headers[header(each)] for each in ALGORITHMS if headers.get(header(each))}
    if len(given) > 1:
        message = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise S3ClientError("InvalidRequest", message)
    for algorithm, value in given.items():
        right = computed(algorithm, body)
        if len(decoded(value)) != len(decoded(right)):
            raise S3ClientError("InvalidRequest", f"Value for {header(algorithm)} header is invalid.")
        if value != right:
            raise S3ClientError("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")
        return algorithm, value
    return "", None


def composite(algorithm: str, parts: list[str]) -> str:
    """The checksum of the parts' checksums."""
    return computed(algorithm, b"".join(map(decoded, parts)))


def decoded(value: str) -> bytes:
    try:
        return b64decode(value, validate=True)
    except ValueError:
        return b""
