"""All that one page about an estate shows: the account, each service's readiness, the wiring, fixes and proofs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from shoreup.model.account import Account
from shoreup.model.amendment import Amendment
from shoreup.model.graph import Graph
from shoreup.model.proof import Proof


class Trait(StrEnum):
    """What a service should have, in the order in which it is shown."""

    BACKED_UP = "backed-up"
    RESTORED = "restored"
    PINNED = "pinned"
    PROBED = "probed"
    BUDGETED = "budgeted"
    SCOPED = "scoped"
    NOT_SINGLE = "not-single"


class Standing(StrEnum):
    """How a service stands in one trait. ``WEAK`` where it has it, with trouble; ``NONE`` where nobody asks."""

    GOOD = "good"
    WEAK = "weak"
    TROUBLE = "trouble"
    OPEN = "open"
    NONE = "none"


class Cell(Struct, frozen=True):
    """One trait of one service. ``fingerprints`` are the findings that say so, ``note`` is for people."""

    standing: Standing
    note: str = ""
    fingerprints: tuple[str, ...] = ()


class Readiness(Struct, frozen=True):
    """One service and how it stands. ``things`` are its nodes in the graph, ``tier`` is the owner's word."""

    namespace: str
    name: str
    kind: str
    tier: str
    dependants: int
    things: tuple[str, ...]
    cells: Mapping[Trait, Cell]


class Aim(Struct, frozen=True):
    """What a restore of a proof's subject must reach, in seconds; ``None`` where the owner names nothing."""

    rto: float | None
    rpo: float | None


class Dossier(Struct, frozen=True):
    """The whole. ``proofs`` are the oldest first, ``aims`` by the text of their subject; ``made`` has a zone.

    ``titles`` name concerns by their id, as far as they are known; ``amendment`` is ``None`` where fixes were not
    asked for.
    """

    account: Account
    made: datetime
    services: tuple[Readiness, ...]
    graph: Graph
    proofs: tuple[Proof, ...]
    aims: Mapping[str, Aim]
    amendment: Amendment | None = None
    titles: Mapping[str, str] = {}
