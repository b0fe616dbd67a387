"""What a run of ``shoreup fix`` comes to: edits that hold, findings left alone and why, and edits that failed."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from shoreup.model.edit import Impact
from shoreup.model.finding import Finding, Safety


class Applied(Struct, frozen=True):
    """A finding that the edits cure, checked by reading the edited estate again.

    ``files`` are those that the edits change. ``cost`` is what the fix hurts, ``opens`` the concerns that it rightly
    brings up, ``also`` how many other resources the same text changes with it, ``loses_comments`` how many comments go
    with what is taken away. ``note`` is what the owner should know besides, such as who knows of the change only when
    it starts next. ``with_`` names, by their fingerprints, the findings whose edits cure this one too, where it has no
    edit of its own.
    """

    finding: Finding
    title: str
    safety: Safety
    reason: str
    impact: Impact
    files: tuple[str, ...]
    cost: str = ""
    opens: tuple[str, ...] = ()
    also: int = 0
    loses_comments: int = 0
    note: str = ""
    with_: tuple[str, ...] = ()


class NotFixed(Struct, frozen=True):
    """A finding that is left as it is. ``text`` is what a person may complete and paste, empty where there is none."""

    finding: Finding
    reason: str
    text: str = ""


class Dropped(Struct, frozen=True):
    """A fix that was tried and failed a check: which one, and what was seen."""

    finding: Finding
    title: str
    check: str
    cause: str


class Change(Struct, frozen=True):
    """A file before and after. ``before`` is ``None`` for a new file."""

    path: str
    before: bytes | None
    after: bytes


class Step(Struct, frozen=True):
    """What one concern's fixes do to the files, on top of the steps before: what a commit holds."""

    concern: str
    title: str
    findings: tuple[Finding, ...]
    contents: Mapping[str, bytes]
    """The whole content of every file that the step changes."""


class Amendment(Struct, frozen=True):
    """Everything that a run found out. ``changes`` are by path; ``written`` are the paths that were really written."""

    applied: tuple[Applied, ...] = ()
    not_fixed: tuple[NotFixed, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    changes: tuple[Change, ...] = ()
    shown: tuple[Change, ...] = ()
    """The changes for people's eyes: what could be a secret is hidden in them."""
    steps: tuple[Step, ...] = ()
    written: tuple[str, ...] = ()
    before: Mapping[str, int] = field(default_factory=dict)
    """Findings by severity before."""
    after: Mapping[str, int] = field(default_factory=dict)
    """Findings by severity after."""
    timing: Mapping[str, float] = field(default_factory=dict)
    """Seconds: ``audit`` (the first), ``fix`` (everything else)."""
