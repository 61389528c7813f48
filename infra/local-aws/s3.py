"""moto's S3, made to behave like the real one where it deceives: checksums, pages, times; uploads are in s3_uploads.py."""

from typing import Any

from moto.s3.models import FakeKey

import checksums
from s3_call import no_md5
from s3_uploads import Uploads, checksum_of


class LocalS3(Uploads):
    def put_object(self) -> Any:
        status, headers, body = super().put_object()
        key = self._current()
        key.last_modified = self.account.now()
        if key.checksum_value:
            key.checksum_type = "FULL_OBJECT"
        if key.encryption == "aws:kms":
            key._etag = no_md5()
        return status, headers | {"ETag": key.etag}, body

    def _current(self) -> FakeKey | None:
        return self.backend.get_object(self.bucket_name, self.parse_key_name(), version_id=self._query("versionId"))

    def head_object(self, *args: Any, headers: Any) -> Any:
        status, answered, body = super().head_object(*args, headers=headers)
        key = self._current() if status == 200 else None
        if key and key.checksum_value and headers.get("x-amz-checksum-mode") == "ENABLED":
            answered[checksums.header(key.checksum_algorithm)] = self._qualified(key)
            answered["x-amz-checksum-type"] = key.checksum_type
        return status, answered, body

    def get_object_attributes(self) -> Any:
        key, _ = self._get_key(validate_storage_class=False)
        wanted = {each.strip() for each in self.headers.get("x-amz-object-attributes", "").split(",")}
        checksum = None
        if key.checksum_value:
            # Seen with real S3: here, and only here, a composite checksum does not say of how many parts.
            checksum = {f"Checksum{key.checksum_algorithm}": key.checksum_value, "ChecksumType": key.checksum_type}
        return self._answer(
            "GetObjectAttributes",
            LastModified=key.last_modified,
            VersionId=key.version_id if key.version_id != "null" else None,
            ETag=key.etag.strip('"') if "ETag" in wanted else None,
            Checksum=checksum if "Checksum" in wanted else None,
            ObjectParts=self._object_parts(key) if "ObjectParts" in wanted and key.multipart else None,
            StorageClass=key.storage_class if "StorageClass" in wanted else None,
            ObjectSize=key.size if "ObjectSize" in wanted else None,
        )

    def _object_parts(self, key: FakeKey) -> dict[str, Any]:
        parts = key.multipart.chosen
        if key.checksum_type != "COMPOSITE":
            return {"TotalPartsCount": len(parts)}
        marker, limit = int(self.headers.get("x-amz-part-number-marker") or 0), self.headers.get("x-amz-max-parts")
        page, more = self._page([part for part in parts if part.name > marker], limit)
        return {
            "TotalPartsCount": len(parts),
            "PartNumberMarker": marker,
            "NextPartNumberMarker": page[-1].name if page else 0,
            "MaxParts": int(limit or 1000),
            "IsTruncated": more,
            "Parts": [{"PartNumber": part.name, "Size": part.size} | checksum_of(part) for part in page],
        }

    def list_objects_v2(self) -> Any:
        prefix, delimiter = self._query("prefix") or "", self._query("delimiter")
        limit, token, start = self._query("max-keys"), self._query("continuation-token"), self._query("start-after") or ""
        after = "" if token is None else self._last(token)
        entries: dict[str, FakeKey | None] = {}
        for name, key in self.backend.get_bucket(self.bucket_name).keys.items():
            # moto counts the prefixes of what was deleted.
            if name.startswith(prefix) and name > start and isinstance(key, FakeKey):
                rest = name.removeprefix(prefix)
                folder = delimiter and delimiter in rest
                entries[prefix + rest.partition(delimiter)[0] + delimiter if folder else name] = None if folder else key
        page, more = self._page([name for name in sorted(entries) if name > after], limit)
        return self._answer(
            "ListObjectsV2",
            Name=self.bucket_name,
            Prefix=self._encoded(prefix),
            Delimiter=delimiter and self._encoded(delimiter),
            StartAfter=self._encoded(start) if start else None,
            MaxKeys=int(limit or 1000),
            KeyCount=len(page),
            IsTruncated=more,
            ContinuationToken=token,
            NextContinuationToken=self._token(page[-1]) if more and page else None,
            EncodingType=self._query("encoding-type"),
            Contents=[self._listed(entries[name]) for name in page if entries[name]],
            CommonPrefixes=[{"Prefix": self._encoded(name)} for name in page if not entries[name]],
        )

    def _listed(self, key: FakeKey) -> dict[str, Any]:
        listed = {
            "Key": self._encoded(key.name),
            "LastModified": key.last_modified_ISO8601,
            "ETag": key.etag,
            "Size": key.size,
            "StorageClass": key.storage_class,
        }
        if key.checksum_value:
            listed |= {"ChecksumAlgorithm": [key.checksum_algorithm], "ChecksumType": key.checksum_type}
        return listed
