"""The events of a Kubernetes API server's audit log (``audit.k8s.io/v1``, JSON lines), read as far as they are needed.

Such logs have gigabytes: they are read line by line, and no line is kept.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, cast

import msgspec
from msgspec import Struct

from shoreup.model.errors import UserError

DONE = frozenset({"", "ResponseComplete", "ResponseStarted", "Panic"})
"""Stages at which the server has answered; a request has an event at each."""
_LONGEST = 4_000_000
"""Bytes of a line; request bodies at the level RequestResponse are long, and anything longer is no event."""
Progress = Callable[[str, int, int], None]


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


class Event(Struct):
    stage: str = ""
    verb: str = ""
    requestURI: str = ""  # noqa: N815  # the log's own name
    user: _User | None = None
    impersonatedUser: _User | None = None  # noqa: N815  # the log's own name
    objectRef: _Object | None = None  # noqa: N815  # the log's own name
    responseStatus: _Status | None = None  # noqa: N815  # the log's own name
    annotations: dict[str, str] | None = None
    requestReceivedTimestamp: str = ""  # noqa: N815  # the log's own name


class Tally(Struct):
    """What was read so far. ``unread`` counts lines that are no events; ``first`` and ``last`` are the log's times."""

    events: int = 0
    unread: int = 0
    first: str = ""
    last: str = ""


def events(lines: Iterable[bytes], tally: Tally) -> Iterator[Event]:
    """Every event of the lines; ``tally`` is kept up to date on the way."""
    decode = msgspec.json.Decoder(Event).decode
    for line in lines:
        if not line.strip():
            continue
        try:
            event = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            tally.unread += 1
            continue
        tally.events += 1
        when = event.requestReceivedTimestamp
        if when:
            tally.first = min(tally.first or when, when)
            tally.last = max(tally.last, when)
        yield event


def log_lines(path: Path, say: Progress | None = None) -> Iterator[bytes]:
    """The lines of a log; ``.gz`` is unpacked on the way. Raises :class:`UserError` where it cannot be read."""
    try:
        size = path.stat().st_size
        with path.open("rb") as raw:
            file = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
            number = 0
            while line := file.readline(_LONGEST):
                number += 1
                if say is not None and number % 20_000 == 0:
                    say("reading the audit log", min(raw.tell(), size), size)
                yield line
    except (OSError, EOFError, zlib.error) as problem:
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else problem
        raise UserError(f"{path} cannot be read: {why}.") from None


def was_allowed(event: Event) -> bool:
    """Whether the server let the request pass."""
    decision = (event.annotations or {}).get("authorization.k8s.io/decision", "")
    if decision:
        return decision == "allow"
    return event.responseStatus is None or event.responseStatus.code not in (401, 403)
