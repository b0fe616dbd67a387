"""Why one finding is one: what proves it, what hangs on it, and where it stands among the others."""

from __future__ import annotations

from msgspec import Struct

from shoreup.model.finding import Finding


class SourceLine(Struct, frozen=True):
    """A line of a file, 1-based, with its secrets masked. ``marked`` lines are what is meant, others stand around."""

    number: int
    text: str
    marked: bool


class Excerpt(Struct, frozen=True):
    """Lines of a file that prove something. ``note`` says what, empty for the finding's own place."""

    file: str
    note: str
    lines: tuple[SourceLine, ...]


class Step(Struct, frozen=True):
    """One step on a way through the wiring: ``name`` depends on what follows, as ``how`` says, written at ``place``.

    ``place`` is ``file:line``, empty where the estate says it nowhere; the last step of a way has no ``how``.
    """

    name: str
    how: str = ""
    place: str = ""


class Explanation(Struct, frozen=True):
    """Everything that is known of one finding.

    ``among`` is how many findings are ranked with it. ``ways`` lead from outside to what the finding is about;
    ``ways_left`` counts those that are not shown. ``needs`` is what it depends on itself. ``standing`` says why it is
    no open finding, where it is accepted. ``settings`` is what the owner says of the thing in ``shoreup.toml``,
    ``drills`` what drills have seen of it, the newest first.
    """

    finding: Finding
    among: int
    weights: tuple[str, ...]
    excerpts: tuple[Excerpt, ...]
    ways: tuple[tuple[Step, ...], ...]
    ways_left: int
    needs: tuple[Step, ...]
    standing: str = ""
    settings: tuple[str, ...] = ()
    drills: tuple[str, ...] = ()
