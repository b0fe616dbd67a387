"""What ServiceAccounts have asked of a Kubernetes API server, from its audit log.

What is kept grows with the kinds of requests and not with their number. Requests that were refused are not counted as
used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from shoreup.facts.rights.least_rights import NAMED
from shoreup.live.api_events import DONE, Event, Progress, Tally, events, log_lines, was_allowed
from shoreup.model.access import Request

_ACCOUNT = "system:serviceaccount:"
_MOST_NAMES = 50
"""Names of one kind of request that are kept; with more the names are no configuration."""


class Used(Struct):
    """What a log tells. ``accounts`` are by namespace and name. ``unread`` counts the lines that are no events."""

    accounts: dict[tuple[str, str], set[Request]]
    events: int = 0
    unread: int = 0
    first: str = ""
    last: str = ""


def read_log(path: Path, say: Progress | None = None) -> Used:
    """What a log file tells; ``.gz`` is unpacked on the way. Raises :class:`UserError` where it cannot be read."""
    return used(log_lines(path, say))


def used(lines: Iterable[bytes]) -> Used:
    """What the lines of a log tell."""
    tally = Tally()
    accounts: dict[tuple[str, str], set[Request]] = defaultdict(set)
    names: dict[tuple[str, str, str, str, str, str], set[str]] = defaultdict(set)
    for event in events(lines, tally):
        if event.stage in DONE and was_allowed(event):
            for account, request in _requests(event):
                key = (*account, request.verb, request.group, request.resource, request.namespace)
                if request.name:
                    names[key].add(request.name)
                    if len(names[key]) > _MOST_NAMES:
                        request = Request(request.verb, request.group, request.resource, request.namespace)
                accounts[account].add(request)
    return Used(accounts, tally.events, tally.unread, tally.first, tally.last)


def _requests(event: Event) -> Iterator[tuple[tuple[str, str], Request]]:
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
