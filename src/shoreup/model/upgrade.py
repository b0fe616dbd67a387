"""What a plan of an upgrade says: from which version to which, what stands in the way, how long it will take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from msgspec import Struct

from shoreup.model.proof import Verdict


class Weight(StrEnum):
    """What a point of a plan means for the upgrade."""

    BLOCKS = "blocks"
    """It does not go as long as this is so."""
    BEFORE = "before"
    """To be done first."""
    AFTER = "after"
    """To be done when the new version runs."""
    UNKNOWN = "unknown"
    """Nobody can tell from here; how to find out is said."""


class Point(Struct, frozen=True):
    """One thing to know. ``what`` is how it is, ``do`` what to do about it."""

    weight: Weight
    what: str
    do: str


class Room(Struct, frozen=True):
    """The bytes on disk that a way of carrying over needs beside the old cluster, and those that are free there."""

    mode: str
    needs: int
    free: int

    @property
    def fits(self) -> bool:
        """Whether there is enough."""
        return self.needs <= self.free


class SupportedLine(Struct, frozen=True):
    """A version to go to. ``ends`` is the last day with fixes, where one is known."""

    name: str
    ends: date | None


class Tried(Struct, frozen=True):
    """How rehearsals stand. ``says`` is a sentence; ``downtimes`` are seconds by how files are carried over."""

    counts: bool
    says: str
    target: str = ""
    downtimes: Mapping[str, float] = {}


class Made(Struct, frozen=True):
    """How the old cluster was made, and what it holds. ``size`` is bytes."""

    encoding: str
    collate: str
    provider: str
    locale: str
    checksums: bool
    size: int
    databases: tuple[str, ...]
    extensions: Mapping[str, str]


class UpgradePlan(Struct, frozen=True):
    """The plan for one database.

    ``version`` is what runs and ``ends`` the last day with fixes for it; ``target`` the version to go to, one of
    ``lines`` unless somebody wished for another. ``made`` is ``None`` where nobody looked inside.
    """

    subject: str
    product: str
    version: str
    ends: date | None
    supported: bool
    target: str
    lines: tuple[SupportedLine, ...]
    points: tuple[Point, ...]
    tried: Tried
    by_dump: bool = False
    image: str = ""
    made: Made | None = None
    rooms: tuple[Room, ...] = ()

    @property
    def blocked(self) -> bool:
        """Whether something stands in the way."""
        return any(one.weight is Weight.BLOCKS for one in self.points)


class GatedChange(Struct, frozen=True):
    """A changed image of something that keeps data, and whether a proof lets it through.

    ``was`` and ``now`` are the images, or versions where an operator has them. ``needs`` is the drill whose proof it
    takes. ``says`` is how that stands, ``do`` what to do where it does not.
    """

    subject: str
    was: str
    now: str
    needs: str
    verdict: Verdict
    says: str
    do: str = ""
