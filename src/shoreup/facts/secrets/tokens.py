"""Tokens that an estate asks for and that never end.

A ServiceAccount's token in a Secret lives as long as the Secret. Which tokens of other systems end, and by which
field, is data with a source and a date (``data/endless_tokens.json``).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import mapping, text, why_open
from shoreup.facts.knowledge import table
from shoreup.model.finding import Place
from shoreup.model.resource import Resource

SERVICE_ACCOUNT_TYPE = "kubernetes.io/service-account-token"
_ACCOUNT = "kubernetes.io/service-account.name"


class _Endless(Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    what: str
    ends: tuple[str, ...]
    source: str
    checked: str


@cache
def _bundled() -> tuple[_Endless, ...]:
    return table("endless_tokens", tuple[_Endless, ...])


class EndlessToken(Struct, frozen=True, eq=False):
    """A token without an end. ``account`` is the ServiceAccount's name, empty for a token of another system.

    ``undecided`` says why it may end after all.
    """

    resource: Resource
    what: str
    account: str
    place: Place
    undecided: str = ""


def endless_tokens(estate: Estate) -> Iterator[EndlessToken]:
    """Every token of the estate that nothing ends."""
    for resource in estate.by_kind.get("Secret", ()):
        if text(resource.body.get("type")) == SERVICE_ACCOUNT_TYPE:
            annotations = mapping(mapping(resource.body.get("metadata")).get("annotations"))
            account = text(annotations.get(_ACCOUNT))
            yield EndlessToken(resource, "token", account, Place(resource.key, ("type",)))
    for entry in _bundled():
        for resource in estate.by_kind.get(entry.kind, ()):
            if resource.api_version != "terraform":
                continue
            ends = [resource.body.get(field) for field in entry.ends]
            reason = next((why for value in ends if (why := why_open(value))), "")
            if reason or all(value is None for value in ends):
                yield EndlessToken(resource, entry.what, "", Place(resource.key), reason)
