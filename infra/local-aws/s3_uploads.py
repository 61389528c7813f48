"""moto's multipart uploads, made to behave like the real ones where they deceive: checksums, order, pages, their end."""

from typing import Any
from xml.etree import ElementTree

from moto.s3.exceptions import (
    InvalidMaxPartNumberArgument,
    InvalidPart,
    InvalidPartOrder,
    MalformedXML,
    NoSuchUpload,
    PreconditionFailed,
    S3ClientError,
)
from moto.s3.models import FakeKey, FakeMultipart
from moto.s3.utils import metadata_from_headers

import checksums
from s3_call import S3Call, no_md5

MAX_PARTS = 10_000
# What is documented for composite checksums of parts whose numbers are not 1, 2, 3, ...
GAP = "<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>"


def invalid(message: str) -> S3ClientError:
    return S3ClientError("InvalidRequest", message)


def checksum_of(part: FakeKey) -> dict[str, str]:
    return {f"Checksum{part.checksum_algorithm}": part.checksum_value} if part.checksum_value else {}


class Uploads(S3Call):
    def _key_response_post(self, request: Any, body: bytes, bucket_name: str, query: dict[str, Any], key_name: str) -> Any:
        if not query.keys() & {"uploads", "uploadId"}:
            return super()._key_response_post(request, body, bucket_name, query, key_name)
        self._set_action("KEY", "POST", query)
        self._authenticate_and_authorize_s3_action()
        return self.create_multipart_upload(key_name) if "uploads" in query else self.complete_multipart_upload(key_name)

    def create_multipart_upload(self, key_name: str) -> Any:
        algorithm, kind = self.headers.get("x-amz-checksum-algorithm"), self.headers.get("x-amz-checksum-type")
        if kind and not algorithm:
            raise invalid("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
        if algorithm:
            # Fails for what cannot be computed, before parts come.
            checksums.computed(algorithm, b"")
            kind = kind or "COMPOSITE"
        if kind == "FULL_OBJECT" and algorithm in ("SHA1", "SHA256"):
            name = algorithm.lower()
            raise invalid(f"The {kind} checksum type cannot be used with the {name} checksum algorithm.")
        encryption = self.headers.get("x-amz-server-side-encryption")
        key_id = self.headers.get("x-amz-server-side-encryption-aws-kms-key-id")
        upload = self.backend.create_multipart_upload(
            self.bucket_name,
            key_name,
            metadata_from_headers(self.headers),
            self.headers.get("x-amz-storage-class", "STANDARD"),
            self._tagging_from_headers(self.headers),
            self._acl_from_headers(self.headers),
            encryption,
            key_id,
        )
        upload.algorithm, upload.kind, upload.started = algorithm, kind, self.account.now()
        return self._answer(
            "CreateMultipartUpload",
            Bucket=self.bucket_name,
            Key=key_name,
            UploadId=upload.id,
            ChecksumAlgorithm=algorithm,
            ChecksumType=kind,
            ServerSideEncryption=encryption,
            SSEKMSKeyId=key_id,
        )

    def upload_part(self) -> Any:
        upload, number = self._upload(), self._get_int_param("partNumber")
        if not 1 <= number <= MAX_PARTS:
            raise InvalidMaxPartNumberArgument(number)
        headers: dict[str, Any] = {}
        algorithm, value = self._get_checksum(headers)
        if algorithm != upload.algorithm and (algorithm or upload.kind == "COMPOSITE") and upload.algorithm:
            wanted, given = upload.algorithm.lower(), algorithm.lower() or "null"
            message = f"expected checksum Type: {wanted}, actual checksum Type: {given}"
            raise invalid(f"Checksum Type mismatch occurred, {message}")
        part = upload.set_part(number, self.body or b"")
        # Whoever began the upload without a checksum gets none of its parts' back.
        part.checksum_algorithm, part.checksum_value = (algorithm, value) if upload.algorithm else ("", None)
        part.last_modified = self.account.now()
        if upload.sse_encryption == "aws:kms":
            part._etag = no_md5()
        return 200, part.response_dict | headers | {"content-length": "0"}, ""

    def complete_multipart_upload(self, key_name: str) -> Any:
        existing = self.backend.get_object(self.bucket_name, key_name)
        # Documented is that an upload is gone once it is completed, and a client must live with that. Seen with the
        # real one: who completes an upload again is answered as before, for a while, whatever the preconditions.
        again = existing and existing.multipart and existing.multipart.id == self._query("uploadId")
        if again and self.account.settings["completed_uploads_last"]:
            return self._completed(existing)
        upload = self._upload()
        if self.headers.get("If-None-Match") == "*" and existing:
            raise PreconditionFailed("If-None-Match")
        chosen = self._chosen(upload)
        if upload.kind == "COMPOSITE":
            if [number for number, _ in chosen] != list(range(1, len(chosen) + 1)):
                return 500, {}, GAP
            whole = checksums.composite(upload.algorithm, [upload.parts[number].checksum_value for number, _ in chosen])
            given = self.headers.get(checksums.header(upload.algorithm))
            if given and given not in (whole, f"{whole}-{len(chosen)}"):
                message = f"The {upload.algorithm.lower()} you specified did not match the calculated checksum."
                raise S3ClientError("BadDigest", message)

        key = self.backend.complete_multipart_upload(self.bucket_name, upload.id, iter(chosen))
        key.last_modified = self.account.now()
        key.checksum_algorithm, key.checksum_type, key.checksum_parts = upload.algorithm, upload.kind, len(chosen)
        if not upload.algorithm:
            # Real S3 adds a CRC64NVME then; moto's is another checksum under that name.
            key.checksum_value = None
        for header in ("x-amz-checksum-algorithm", "x-amz-checksum-type"):
            key.metadata.pop(header, None)
        upload.chosen = [upload.parts[number] for number, _ in chosen]
        return self._completed(key)

    def _completed(self, key: FakeKey) -> Any:
        return self._answer(
            "CompleteMultipartUpload",
            Location=f"http://{self.headers['host']}/{self.bucket_name}/{key.name}",
            Bucket=self.bucket_name,
            Key=key.name,
            ETag=key.etag,
            ServerSideEncryption=key.encryption,
            SSEKMSKeyId=key.kms_key_id,
            VersionId=key.version_id if key.version_id != "null" else None,
            ChecksumType=key.checksum_type,
            **({f"Checksum{key.checksum_algorithm}": self._qualified(key)} if key.checksum_value else {}),
        )

    def _qualified(self, key: FakeKey) -> str:
        """The checksum as S3 gives it nearly everywhere: a composite one says of how many parts."""
        return f"{key.checksum_value}-{key.checksum_parts}" if key.checksum_type == "COMPOSITE" else key.checksum_value

    def _chosen(self, upload: FakeMultipart) -> list[tuple[int, str]]:
        """The parts that the request names, numbers and ETags, if they are what was uploaded."""
        try:
            named = ElementTree.fromstring(self.body).iterfind("{*}Part")
            parts = [{field.tag.rpartition("}")[2]: field.text for field in part} for part in named]
            chosen = [(int(part["PartNumber"]), part["ETag"]) for part in parts]
        except (ElementTree.ParseError, KeyError, ValueError):
            raise MalformedXML from None
        numbers = [number for number, _ in chosen]
        if numbers != sorted(set(numbers)):
            raise InvalidPartOrder
        for number, part in zip(numbers, parts, strict=True):
            stored = upload.parts.get(number)
            given = {name: value for name, value in part.items() if name.startswith("Checksum")}
            if upload.kind == "COMPOSITE" and not given:
                raise invalid(
                    f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must "
                    f"include the checksum for each part. It was missing for part {number} in the request."
                )
            if stored is None or not given.items() <= checksum_of(stored).items():
                raise InvalidPart
        return chosen

    def abort_multipart_upload(self) -> Any:
        self._upload()
        return super().abort_multipart_upload()

    def list_parts(self) -> Any:
        upload, marker, limit = self._upload(), int(self._query("part-number-marker") or 0), self._query("max-parts")
        # moto takes the marker for a count of parts.
        page, more = self._page([number for number in upload.partlist if number > marker], limit)
        return self._answer(
            "ListParts",
            Bucket=self.bucket_name,
            Key=upload.key_name,
            UploadId=upload.id,
            PartNumberMarker=marker,
            NextPartNumberMarker=page[-1] if page else 0,
            MaxParts=int(limit or 1000),
            IsTruncated=more,
            StorageClass=upload.storage,
            ChecksumAlgorithm=upload.algorithm,
            ChecksumType=upload.kind,
            Parts=[self._listed_part(upload.parts[number]) for number in page],
        )

    def _listed_part(self, part: FakeKey) -> dict[str, Any]:
        listed = {"PartNumber": part.name, "ETag": part.etag, "Size": part.size}
        return listed | {"LastModified": part.last_modified_ISO8601} | checksum_of(part)

    def list_multipart_uploads(self) -> Any:
        if self._query("delimiter"):
            raise S3ClientError("NotImplemented", "The local AWS lists no common prefixes of uploads.")
        prefix, limit = self._query("prefix") or "", self._query("max-uploads")
        key_marker, id_marker = self._query("key-marker") or "", self._query("upload-id-marker") or ""
        uploads = self.backend.list_multipart_uploads(self.bucket_name).values()
        # Those of one key in the order of their ids, so that a marker serves though its upload is gone.
        found = sorted((upload.key_name, upload.id, upload) for upload in uploads if upload.key_name.startswith(prefix))
        # Without an id the marker is the end of its key.
        after = (key_marker, id_marker or "~") if key_marker else ("", "")
        page, more = self._page([upload for key, upload_id, upload in found if (key, upload_id) > after], limit)
        last = page[-1] if more and page else None
        return self._answer(
            "ListMultipartUploads",
            Bucket=self.bucket_name,
            Prefix=self._encoded(prefix),
            KeyMarker=self._encoded(key_marker),
            UploadIdMarker=id_marker,
            NextKeyMarker=last and self._encoded(last.key_name),
            NextUploadIdMarker=last and last.id,
            MaxUploads=int(limit or 1000),
            IsTruncated=more,
            EncodingType=self._query("encoding-type"),
            Uploads=[self._listed_upload(upload) for upload in page],
        )

    def _listed_upload(self, upload: FakeMultipart) -> dict[str, Any]:
        listed = {
            "Key": self._encoded(upload.key_name),
            "UploadId": upload.id,
            "Initiated": upload.started,
            "StorageClass": upload.storage,
            "ChecksumAlgorithm": upload.algorithm,
            "ChecksumType": upload.kind,
        }
        return {name: value for name, value in listed.items() if value is not None}

    def _upload(self) -> FakeMultipart:
        upload_id = self._query("uploadId")
        upload = self.backend.get_bucket(self.bucket_name).multiparts.get(upload_id)
        # moto fails where there is none, and takes any key.
        if upload is None or upload.key_name != self.parse_key_name():
            raise NoSuchUpload(upload_id=upload_id)
        return upload
