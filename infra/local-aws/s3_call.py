"""What every mended S3 call needs: its account, buckets of its own, answers, pages."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

from moto.core.request import Request as MotoRequest
from moto.core.responses import ActionResult
from moto.s3.exceptions import BucketAlreadyExists, S3ClientError
from moto.s3.models import FakeBucket, S3Backend, s3_backends
from moto.s3.responses import S3Response

import checksums
from account import Account, account

MAX_PAGE = 1000


class NoStrangers(dict[str, Any]):
    """Where moto notes whose each bucket is, so that a name is taken in all accounts and opens the bucket from any.

    Nothing is noted here: an account then knows its own buckets and no other, and tests that run at once may all have
    one of the same name. The price: no test can reach into the bucket of another account.
    """

    def __setitem__(self, name: str, owner: Any) -> None:
        pass


def create_bucket(backend: S3Backend, bucket_name: str, *rest: Any, **named: Any) -> FakeBucket:
    # Which moto asks its notes, too.
    if bucket_name in backend.buckets:
        raise BucketAlreadyExists(bucket=bucket_name)
    return moto_create_bucket(backend, bucket_name, *rest, **named)


moto_create_bucket = S3Backend.create_bucket
S3Backend.create_bucket = create_bucket
s3_backends.bucket_accounts = NoStrangers()


def no_md5() -> str:
    """An ETag of what KMS encrypts: whoever takes it for the MD5 of the data must fail."""
    return uuid4().hex


class S3Call(S3Response):
    @classmethod
    def dispatch(cls, request: MotoRequest) -> Any:
        _, _, key = request.path.lstrip("/").partition("/")
        respond = cls.key_dispatch if key else cls.bucket_dispatch
        return respond(request, request.raw_url, request.headers)

    @staticmethod
    def subdomain_based_buckets(request: Any) -> bool:
        return False

    @property
    def account(self) -> Account:
        return account(self.current_account)

    def _authenticate_and_authorize_s3_action(self, **_: Any) -> None:
        # The one thing that every action may ask for.
        if self.headers.get("x-amz-expected-bucket-owner", self.account.id) != self.account.id:
            raise S3ClientError("AccessDenied", "Access Denied")

    def _answer(self, action: str, **members: Any) -> Any:
        self.data["Action"] = action
        return self.serialized(ActionResult({name: value for name, value in members.items() if value is not None}))

    def _query(self, name: str) -> str | None:
        return self.querystring.get(name, [None])[0]

    def _page(self, found: list[Any], limit: str | None) -> tuple[list[Any], bool]:
        """As much as fits on a page, and whether there is more."""
        size = min(int(limit or MAX_PAGE), self.account.settings["page_size"] or MAX_PAGE, MAX_PAGE)
        return found[:size], len(found) > size

    def _token(self, last: str) -> str:
        token = uuid4().hex
        self.account.pages[token] = ("objects", [last])
        return token

    def _last(self, token: str) -> str:
        kind, last = self.account.pages.get(token, ("", []))
        if kind != "objects":
            raise S3ClientError("InvalidArgument", "The continuation token provided is incorrect")
        return last[0]

    def _encoded(self, text: str) -> str:
        return quote(text) if self._query("encoding-type") == "url" else text

    def _get_checksum(self, response_headers: dict[str, Any]) -> tuple[str, str | None]:
        # moto asks before it stores.
        algorithm, value = checksums.checked(self.headers, self.body or b"")
        if value:
            response_headers[checksums.header(algorithm)] = value
        return algorithm, value
