"""What every mended EC2 call needs: its account, the resources it names, pages."""

import time
from typing import Any
from uuid import uuid4

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends, validate_resource_ids
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.responses import EC2Response

from account import Account, account
from rules import check_ids, checked_specifications, invalid

MIN_PAGE, MAX_PAGE = 5, 1000


def tags_of(resource: Any) -> list[dict[str, str]]:
    """moto matches the identifier of every tagged resource against a pattern; its index does as well."""
    return [{"key": key, "value": value} for key, value in resource.ec2_backend.tags.get(resource.id, {}).items()]


TaggedEC2Resource.get_tags = tags_of


def is_visible(resource: Any) -> bool:
    return time.monotonic() >= getattr(resource, "hidden_until", 0.0)


class EC2Call(EC2Response):
    @property
    def account(self) -> Account:
        return account(self.current_account)

    def _page(self, key: str, found: list[Any], whole: bool) -> tuple[list[Any], str | None]:
        """A page of what was found when the first was asked for, and the next one's token.

        Resources asked for by identifier come whole: EC2 has no pages then.
        """
        limit, token = self._get_param("MaxResults"), self._get_param("NextToken")
        if whole and limit is not None:
            message = f"The parameter {key} cannot be used with the parameter maxResults"
            raise EC2ClientError("InvalidParameterCombination", message)
        if limit is not None and limit < MIN_PAGE:
            raise invalid(f"Value ( {limit} ) for parameter maxResults is invalid. Expecting a value of at least 5.")
        if token:
            if self.account.pages.get(token, ("", []))[0] != key:
                raise invalid(f"Value ( {token} ) for parameter nextToken is invalid.")
            found = self.account.pages[token][1]
        size = min(limit or MAX_PAGE, self.account.settings["page_size"] or MAX_PAGE)
        if whole or len(found) <= size:
            return found, None
        # Tokens stay good, for a client that repeats a call.
        following = uuid4().hex
        self.account.pages[following] = (key, found[size:])
        return found[:size], following

    def _specified_tags(self, resource_type: str) -> dict[str, str]:
        return checked_specifications(self._get_param("TagSpecifications", []), resource_type)

    def _found_snapshots(self, ids: list[str], region: str | None = None) -> list[Any]:
        check_ids("snap", ids)
        known = ec2_backends[self.current_account][region or self.region].snapshots
        if missing := [each for each in ids if each not in known or not is_visible(known[each])]:
            raise EC2ClientError("InvalidSnapshot.NotFound", f"The snapshot '{missing[0]}' does not exist.")
        return [known[each] for each in dict.fromkeys(ids)]

    def _found_volumes(self, ids: list[str]) -> list[Any]:
        check_ids("vol", ids)
        known = self.ec2_backend.volumes
        if missing := [each for each in ids if each not in known or not is_visible(known[each])]:
            raise EC2ClientError("InvalidVolume.NotFound", f"The volume '{missing[0]}' does not exist.")
        return [known[each] for each in dict.fromkeys(ids)]

    def _taggable(self) -> list[str]:
        ids = self._get_param("Resources", [])
        self._found_snapshots([each for each in ids if each.startswith("snap-")])
        self._found_volumes([each for each in ids if each.startswith("vol-")])
        validate_resource_ids(ids)
        self.ec2_backend.do_resources_exist([each for each in ids if not each.startswith(("snap-", "vol-"))])
        return ids

    def _key_arn(self, key: str | None) -> str | None:
        if key is None or key.startswith("arn:"):
            return key
        name = key if key.startswith("alias/") else f"key/{key}"
        return f"arn:aws:kms:{self.region}:{self.current_account}:{name}"
