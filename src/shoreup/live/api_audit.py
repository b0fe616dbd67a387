"""What ServiceAccounts have asked of a Kubernetes API server, from its audit log (``audit.k8s.io/v1``, JSON lines).

Such logs have gigabytes: they are read line by line, each line only as far as it is needed, and what is kept grows with
the kinds of requests and not with their number. Requests that were refused are not counted as used.
"""

from __future__ import annotations

import gzip
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, cast

import msgspec
from msgspec import Struct

from shoreup.facts.least_rights import NAMED
from shoreup.model.access import Request
from shoreup.model.errors import UserError

_ACCOUNT = "system:serviceaccount:"
_DONE = frozenset({"", "ResponseComplete", "ResponseStarted", "Panic"})
_MOST_NAMES = 50
"""Names of one kind of request that are kept; with more the names are no configuration."""
_LONGEST = 4_000_000
"""Bytes of a line; request bodies at the level RequestResponse are long, and anything longer is no event."""


class _Object(Struct):
    resource: str = ""
    namespace: str = ""
    name: str = ""
    apiGroup: str = ""  # noqa: N815  # the log's own name
    subresource: str = ""


class _User(Struct):
    username: str = ""


class _Status(Struct):
    code: int = 0


class _Event(Struct):
    stage: str = ""
    verb: str = ""
    requestURI: str = ""  # noqa: N815  # the log's own name
    user: _User | None = None
    impersonatedUser: _User | None = None  # noqa: N815  # the log's own name
    objectRef: _Object | None = None  # noqa: N815  # the log's own name
    responseStatus: _Status | None = None  # noqa: N815  # the log's own name
    annotations: dict[str, str] | None = None
    requestReceivedTimestamp: str = ""  # noqa: N815  # the log's own name


class Used(Struct):
    """What a log tells. ``accounts`` are by namespace and name. ``unread`` counts the lines that are no events."""

    accounts: dict[tuple[str, str], set[Request]]
    events: int = 0
    unread: int = 0
    first: str = ""
    last: str = ""


def read_log(path: Path, say: Callable[[str, int, int], None] | None = None) -> Used:
    """What a log file tells; ``.gz`` is unpacked on the way. Raises :class:`UserError` where it cannot be read."""
    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            file = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
            return used(_lines(file, raw, size, say))
    except (OSError, EOFError, zlib.error) as problem:
        raise UserError(f"{path} cannot be read: {problem}") from None


def _lines(file: IO[bytes], raw: IO[bytes], size: int, say: Callable[[str, int, int], None] | None) -> Iterator[bytes]:
    number = 0
    while line := file.readline(_LONGEST):
        number += 1
        if say is not None and number % 20_000 == 0:
            say("reading the audit log", min(raw.tell(), size), size)
        yield line


def used(lines: Iterable[bytes]) -> Used:
    """What the lines of a log tell."""
    decode = msgspec.json.Decoder(_Event).decode
    found = Used(defaultdict(set))
    names: dict[tuple[str, str, str, str, str, str], set[str]] = defaultdict(set)
    for line in lines:
        if not line.strip():
            continue
        try:
            event = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            found.unread += 1
            continue
        found.events += 1
        when = event.requestReceivedTimestamp
        if when:
            found.first = min(found.first or when, when)
            found.last = max(found.last, when)
        if event.stage in _DONE and _was_allowed(event):
            for account, request in _requests(event):
                key = (*account, request.verb, request.group, request.resource, request.namespace)
                if request.name:
                    names[key].add(request.name)
                    if len(names[key]) > _MOST_NAMES:
                        request = Request(request.verb, request.group, request.resource, request.namespace)
                found.accounts[account].add(request)
    return found


def _was_allowed(event: _Event) -> bool:
    decision = (event.annotations or {}).get("authorization.k8s.io/decision", "")
    if decision:
        return decision == "allow"
    return event.responseStatus is None or event.responseStatus.code not in (401, 403)


def _requests(event: _Event) -> Iterator[tuple[tuple[str, str], Request]]:
    asked = event.user.username if event.user else ""
    acting = event.impersonatedUser.username if event.impersonatedUser else ""
    if acting and (account := _account(asked)):
        other = _account(acting)
        if other:
            yield account, Request("impersonate", "", "serviceaccounts", other[0], other[1])
        else:
            yield account, Request("impersonate", "", "users", "", "")
    account = _account(acting or asked)
    if account is None or not event.verb:
        return
    held = event.objectRef
    if held is None or not held.resource:
        path = event.requestURI.partition("?")[0]
        if path:
            yield account, Request(event.verb, path=path)
        return
    resource = f"{held.resource}/{held.subresource}" if held.subresource else held.resource
    name = held.name if (held.apiGroup, resource) in NAMED and event.verb not in ("create", "list", "watch") else ""
    yield account, Request(event.verb, held.apiGroup, resource, held.namespace, name)


def _account(username: str) -> tuple[str, str] | None:
    if not username.startswith(_ACCOUNT):
        return None
    namespace, _, name = username.removeprefix(_ACCOUNT).partition(":")
    return (namespace, name) if namespace and name else None
