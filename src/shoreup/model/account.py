"""The whole answer of one audit, ready for any report."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from shoreup.model.finding import Finding, Notice, ReadError, Suppressed, Undecided


class Coverage(Struct, frozen=True):
    """What was read. ``resources`` counts by source, ``files`` by format."""

    files: Mapping[str, int]
    resources: Mapping[str, int]
    roots: int
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Files recognised and left alone, by reason (``encrypted``, ``binary``)."""


class Account(Struct, frozen=True):
    """What an audit found. ``timing`` is in seconds by stage; ``cached`` says it was not computed anew.

    ``ledger`` says that the owner has configured a ledger: then what is unproven decides an exit code too.
    """

    version: str
    estate: tuple[str, ...]
    findings: tuple[Finding, ...]
    unproven: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    undecided: tuple[Undecided, ...]
    errors: tuple[ReadError, ...]
    coverage: Coverage
    timing: Mapping[str, float]
    cached: bool = False
    ledger: bool = False
    known: tuple[Finding, ...] = ()
    """Findings of the baseline, or from before a revision. They are counted and decide nothing."""
    notices: tuple[Notice, ...] = ()
    """Ignores that match nothing, have no reason or have run out, and the like."""
    compared: str = ""
    """What ``known`` is known from: a baseline's file, a revision; empty where nothing was compared."""
