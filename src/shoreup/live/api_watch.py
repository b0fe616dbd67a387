"""Who was denied what, and who read which Secrets, from an API audit log.

Everybody counts here, people and parts of the cluster too. What is kept is bounded: where one of them asks for names
without end, the names fold into one.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from shoreup.live.api_events import DONE, Event, Progress, Tally, events, log_lines, was_allowed
from shoreup.model.access import AccessReport, Denied, SecretRead

K = TypeVar("K", tuple[str, str, str, str], tuple[str, str, str, str, str, str])
_READS = frozenset({"get", "list", "watch"})
_MOST = 50_000
"""Different lines that are kept one by one; from then on names are left out."""


def read_access(path: Path, say: Progress | None = None) -> AccessReport:
    """What a log file tells of refusals and Secrets. Raises :class:`UserError` where it cannot be read."""
    return access(log_lines(path, say))


def access(lines: Iterable[bytes]) -> AccessReport:
    """What the lines of a log tell, the most frequent first."""
    tally = Tally()
    denied: dict[tuple[str, str, str, str, str, str], int] = {}
    read: dict[tuple[str, str, str, str], int] = {}
    for event in events(lines, tally):
        if event.stage not in DONE:
            continue
        who, held = _who(event), event.objectRef
        resource = "" if held is None else f"{held.resource}/{held.subresource}" if held.subresource else held.resource
        group, namespace, name = (held.apiGroup, held.namespace, held.name) if held is not None else ("", "", "")
        if not was_allowed(event):
            path = "" if resource else event.requestURI.partition("?")[0]
            asked = (who, event.verb, group, resource or path, namespace)
            _count(denied, (*asked, name), (*asked, "*"))
        elif resource == "secrets" and not group and event.verb in _READS:
            _count(read, (who, event.verb, namespace, name), (who, event.verb, namespace, "*"))
    return AccessReport(
        first=tally.first,
        last=tally.last,
        events=tally.events,
        unread=tally.unread,
        denied=tuple(Denied(*key, times) for key, times in _ordered(denied)),
        secrets=tuple(SecretRead(*key, times) for key, times in _ordered(read)),
    )


def _who(event: Event) -> str:
    asked = event.user.username if event.user else ""
    acting = event.impersonatedUser.username if event.impersonatedUser else ""
    return f"{asked} as {acting}" if acting else asked or "somebody who is not named"


def _count(counts: dict[K, int], key: K, folded: K) -> None:
    """Count one more; what is new after very many different ones counts without its name."""
    if key not in counts and len(counts) >= _MOST:
        key = folded
    counts[key] = counts.get(key, 0) + 1


def _ordered(counts: dict[K, int]) -> list[tuple[K, int]]:
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))
