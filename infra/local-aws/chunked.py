"""Bodies that come in pieces: HTTP's own, and S3's within a body, whose end may bear a checksum."""

from email.message import Message
from io import BytesIO
from typing import BinaryIO


def read_body(headers: Message, stream: BinaryIO) -> bytes | None:
    """A request's body; nothing where the connection ended before it did."""
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        try:
            return pieces(stream)[0]
        except ValueError:
            return None
    length = int(headers.get("Content-Length") or 0)
    body = stream.read(length)
    return body if len(body) == length else None


def unpacked(headers: Message, body: bytes) -> bytes:
    """What an `aws-chunked` body holds. The headers become those of a plain request: a trailing checksum is among them."""
    encodings = [each.strip() for each in headers.get("Content-Encoding", "").split(",")]
    if "aws-chunked" not in encodings and not headers.get("X-Amz-Content-SHA256", "").startswith("STREAMING-"):
        return body
    data, trailers = pieces(BytesIO(body))
    if len(data) != int(headers.get("X-Amz-Decoded-Content-Length", -1)):
        raise ValueError("The body is not as long as x-amz-decoded-content-length says.")
    if (promised := headers.get("X-Amz-Trailer", "").lower()) and promised not in trailers:
        raise ValueError(f"The body does not end with the {promised} that x-amz-trailer promises.")

    rest = ",".join(each for each in encodings if each not in ("", "aws-chunked"))
    replaced = {"Content-Encoding": rest, "Content-Length": str(len(data)), "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}
    for name in (*replaced, *trailers, "X-Amz-Trailer", "X-Amz-Decoded-Content-Length"):
        del headers[name]
    for name, value in (replaced | trailers).items():
        if value:
            headers[name] = value
    return data


def pieces(stream: BinaryIO) -> tuple[bytes, dict[str, str]]:
    """The data and the trailers. HTTP and S3 write them alike: the size in hex, extensions, the data; no data at last."""
    data, trailers = [], {}
    # At the end of the stream a line is empty, and no number.
    while size := int(stream.readline().partition(b";")[0], 16):
        data.append(stream.read(size))
        stream.readline()
    while line := stream.readline().decode().strip():
        name, _, value = line.partition(":")
        trailers[name.strip().lower()] = value.strip()
    return b"".join(data), trailers
