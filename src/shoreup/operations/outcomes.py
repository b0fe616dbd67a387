"""What is asked of a run and what came of it, as the database keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum

from msgspec import Struct, to_builtins

from shoreup.operations.steps import Plain


class Asked(Struct, frozen=True):
    """What a run is to do. ``subject`` is what it is about: two runs on one subject never mix.

    ``steps`` are the operation's steps when the run was asked for. ``waits`` says that it waits for its turn.
    """

    operation: str
    subject: str
    given: Mapping[str, Plain]
    steps: tuple[str, ...] = ()
    waits: bool = False


class Ended(StrEnum):
    """How a run ended."""

    DONE = "done"
    UNDONE = "undone"
    """A step failed, and everything before it was taken back."""
    STUCK = "stuck"
    """A step failed, and not everything could be taken back: a person has to look."""
    CANCELLED = "cancelled"
    """Somebody wished so, and everything was taken back."""
    REFUSED = "refused"
    """Nothing was begun."""


class Outcome(Struct, frozen=True):
    """What came of a run. ``why`` says for people what kept it from being done; ``left`` what could not be undone."""

    run: str
    ended: Ended
    results: Mapping[str, Plain] = {}
    step: str = ""
    why: str = ""
    left: tuple[str, ...] = ()


def written(what: Asked | Outcome) -> dict[str, object]:
    """As the database keeps it."""
    kept: dict[str, object] = to_builtins(what)
    return kept


def asked_from(kept: object) -> Asked:
    """What a run was asked to do, of what the database has kept."""
    fields = kept if isinstance(kept, dict) else {}
    return Asked(
        str(fields.get("operation", "unknown")),
        str(fields.get("subject", "")),
        _table(fields.get("given")),
        tuple(str(name) for name in _items(fields.get("steps"))),
        fields.get("waits") is True,
    )


def outcome_from(run: str, kept: object) -> Outcome:
    """What came of a run, of what the database has kept."""
    fields = kept if isinstance(kept, dict) else {}
    ended = fields.get("ended")
    return Outcome(
        run=run,
        ended=Ended(ended) if ended in {one.value for one in Ended} else Ended.STUCK,
        results=_table(fields.get("results")),
        step=str(fields.get("step", "")),
        why=str(fields.get("why", "" if fields else "what came of it cannot be read")),
        left=tuple(str(name) for name in _items(fields.get("left"))),
    )


def _table(value: object) -> Mapping[str, Plain]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()
