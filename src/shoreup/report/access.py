"""Who was denied what, and who read which Secrets, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shoreup.model.access import AccessReport, Denied, SecretRead
from shoreup.report.contract import Json, encode
from shoreup.report.terminal import Ink, plain

SHOWN = 40
"""Lines of each table; JSON has them all."""


def render(report: AccessReport, *, colour: bool = False) -> str:
    """Two tables, the most frequent first."""
    return "".join(f"{line}\n" for line in _lines(report, Ink(colour)))


def render_json(report: AccessReport) -> str:
    """Everything, as JSON: ``first``, ``last``, ``events``, ``unread``, ``denied``, ``secrets``."""
    return encode(
        {
            "first": report.first,
            "last": report.last,
            "events": report.events,
            "unread": report.unread,
            "denied": [_denied(one) for one in report.denied],
            "secrets": [_read(one) for one in report.secrets],
        }
    )


def _denied(one: Denied) -> Mapping[str, Json]:
    return {
        "who": one.who,
        "verb": one.verb,
        "group": one.group,
        "resource": one.resource,
        "namespace": one.namespace,
        "name": one.name,
        "times": one.times,
    }


def _read(one: SecretRead) -> Mapping[str, Json]:
    return {"who": one.who, "verb": one.verb, "namespace": one.namespace, "name": one.name, "times": one.times}


def _lines(report: AccessReport, ink: Ink) -> Iterator[str]:
    yield f"{report.events} {'event' if report.events == 1 else 'events'}{_when(report)}"
    yield ""
    yield ink("Denied", "heading")
    denied = [(one.times, one.who, f"{one.verb} {_thing(one)}") for one in report.denied]
    yield from _table(denied, "Nothing was refused.", ink)
    yield ""
    yield ink("Secrets read", "heading")
    yield from _table([(one.times, one.who, f"{one.verb} {_secrets(one)}") for one in report.secrets], "None.", ink)


def _when(report: AccessReport) -> str:
    if not report.first or not report.last:
        return "; the log does not say when"
    if report.first == report.last:
        return f" at {plain(report.first)}"
    return f" from {plain(report.first)} to {plain(report.last)}"


def _table(rows: Sequence[tuple[int, str, str]], none: str, ink: Ink) -> Iterator[str]:
    if not rows:
        yield f"  {none}"
        return
    width = len(str(max(times for times, _, _ in rows)))
    for times, who, what in rows[:SHOWN]:
        yield f"  {times:>{width}}  {ink(plain(who), 'strong')}  {plain(what)}"
    if len(rows) > SHOWN:
        yield ink(f"  and {len(rows) - SHOWN} more; --format json has them all", "faint")


def _thing(one: Denied) -> str:
    group = f".{one.group}" if one.group else ""
    where = f" in {one.namespace}" if one.namespace else ""
    return f"{one.resource}{group}{f' {one.name}' if one.name else ''}{where}"


def _secrets(one: SecretRead) -> str:
    if one.name:
        return f"{one.namespace}/{one.name}"
    return f"every Secret of {one.namespace}" if one.namespace else "every Secret of the cluster"
