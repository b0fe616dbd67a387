"""Fixing as a command asks for it: which findings, how far, and what of it is really written.

Nothing is written before every edit was made in memory, read again and compared (:mod:`shoreup.stages.fixing`).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from shoreup.formats.files import FileTree
from shoreup.live.prometheus import Prometheus
from shoreup.model.amendment import Amendment, Change, NotFixed, Step
from shoreup.model.errors import UserError
from shoreup.model.finding import Finding
from shoreup.model.grades import Persona
from shoreup.model.measured import Measured, spoken
from shoreup.sources.git_branch import Commit, check_out, make_branch
from shoreup.stages.auditing.examination import Asked, Examination, chosen
from shoreup.stages.auditing.personas import wants
from shoreup.stages.fixing.eyes import for_eyes
from shoreup.stages.fixing.proposals import Choose
from shoreup.stages.fixing.rounds import Outcome, Wish, run
from shoreup.stages.fixing.writing import write
from shoreup.stages.learning import learn_for
from shoreup.stages.measuring import LONGEST, SHORTEST, measure
from shoreup.stages.opening import Opened, opened
from shoreup.stages.own_concerns import NO_OWN_CODE, OwnCode
from shoreup.stages.settings import GivenSettings

Progress = Callable[[str, int, int], None]


class FixOptions(Struct, frozen=True):
    """What is asked for.

    ``select`` and ``ignore`` are concern ids, ``fingerprints`` the beginnings of fingerprints; empty means all.
    ``unsafe`` takes fixes that restart or change behaviour too. ``choose`` is asked before each is taken.
    ``prometheus`` is the address of one that is asked what containers use, over ``window``; the settings' own address
    counts only where ``config`` names the settings, for what stands in the tree may be a stranger's. ``into_modules``
    makes modules of a long file's subjects, where its concern is selected. Of an ``audit_log`` of the Kubernetes API is
    learned which rights are used; ``allow`` are those that lead to more and shall be learned too. ``own`` is the code
    of concerns beside Shoreup's own. ``shown`` asks for the changes with secrets hidden, for who looks at them.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    unsafe: bool = False
    today: date | None = None
    config: Path | None = None
    persona: Persona | None = None
    choose: Choose | None = None
    prometheus: str = ""
    window: timedelta | None = None
    into_modules: bool = False
    audit_log: Path | None = None
    allow: tuple[str, ...] = ()
    own: OwnCode = NO_OWN_CODE
    shown: bool = True


class Fixed(Struct, frozen=True):
    """What came of it, with the tree that it was made for."""

    amendment: Amendment
    tree: FileTree
    before: Examination
    outcome: Outcome


def fix(paths: Sequence[Path], options: FixOptions, say: Progress) -> Fixed:
    """Work out the edits that hold. Nothing is written; see :func:`write_out`.

    Raises :class:`UserError` for a path that is not there, settings that are wrong or a fingerprint that no finding
    has, and :class:`NothingToAudit` where no file is one that Shoreup reads.
    """
    if options.into_modules and not NAMED_ONLY & set(options.select):
        raise UserError("Modules are made only where a long file is named: add --select module-oversized.")
    if options.allow and options.audit_log is None:
        raise UserError("--allow says what to learn of an audit log: name it with --audit-log.")
    estate = opened(paths, config=options.config)
    tree, given = estate.tree, estate.given
    asked = _asked(estate, options)
    started = time.perf_counter()
    laps: dict[str, float] = {}

    def clocked(what: str, done: int, total: int) -> None:
        if what.startswith("checking"):
            laps.setdefault("audit", time.perf_counter() - started)
        say(what, done, total)

    persona = options.persona or given.settings.selection.persona
    wish = Wish(_wanted(options, persona), options.unsafe, options.choose, _heard(options, persona))
    measuring = _measuring(options, given, clocked)

    def inform(seen: Examination, asked: Asked) -> Asked:
        if measuring is not None:
            asked = replace(asked, measured=measuring(seen))
        if options.audit_log is not None:
            lesson = learn_for(seen.estate, options.audit_log, options.allow, clocked)
            asked = replace(asked, learned=lesson.learned.accounts)
        return asked

    informed = inform if measuring is not None or options.audit_log is not None else None
    before, outcome = run(tree, asked, wish, clocked, informed)
    if not options.select and not options.fingerprints:
        outcome.not_fixed.update(_unnamed(before, persona))
    _known(options.fingerprints, before)
    seconds = time.perf_counter() - started
    audit = laps.get("audit", seconds)
    amendment = _amendment(before, outcome, tree, {"audit": audit, "fix": seconds - audit})
    if options.shown:
        amendment = replace(amendment, shown=tuple(map(for_eyes, amendment.changes)))
    return Fixed(amendment, tree, before, outcome)


def write_out(fixed: Fixed) -> Amendment:
    """Write the changed files, each whole or not at all. Raises :class:`UserError` where a file changed meanwhile."""
    changes = fixed.amendment.changes
    write(fixed.tree, changes)
    return replace(fixed.amendment, written=tuple(one.path for one in changes))


def branch_out(fixed: Fixed, name: str) -> Amendment:
    """The same as a new branch, one commit for each concern, checked out. :func:`refuse_branch` is asked before."""
    if not fixed.amendment.changes:
        return fixed.amendment
    root = fixed.tree.root
    commits = [Commit(message(step), step.contents) for step in fixed.amendment.steps]
    branch = make_branch(root, name, commits)
    amendment = write_out(fixed)
    check_out(root, branch)
    return amendment


def message(step: Step) -> str:
    """A commit's message: what was done, and for which findings."""
    lines = [step.title, "", f"{step.concern}:"]
    for one in step.findings:
        lines.append(f"- {one.message} ({one.file}:{one.line}, {one.fingerprint[:8]})")
    return "\n".join(lines) + "\n"


def _asked(estate: Opened, options: FixOptions) -> Asked:
    today = options.today or date.today()  # noqa: DTZ011  # support ends on a day, wherever one is
    own = options.own.load()
    concerns = chosen((), options.ignore, estate.given, own)
    return Asked(
        concerns,
        today,
        proven=estate.proven(),
        given=estate.given,
        whole=estate.whole,
        own=own,
        editable=True,
        into_modules=options.into_modules,
    )


def _measuring(options: FixOptions, given: GivenSettings, say: Progress) -> Callable[[Examination], Measured] | None:
    said = given.settings.prometheus
    url = options.prometheus or (said.url if options.config is not None else "")
    if not url:
        return None
    server = Prometheus(url)
    window = options.window or said.window
    if not SHORTEST <= window <= LONGEST:
        raise UserError(f"A window of {spoken(window)} is not between {spoken(SHORTEST)} and {spoken(LONGEST)}.")

    def ask(seen: Examination) -> Measured:
        return measure(seen.estate, seen.drafts.values(), server, window, say)

    return ask


def _heard(options: FixOptions, persona: Persona) -> Callable[[Finding], bool]:
    """What the owner is told of: what is strict, only where the persona is, or where it is named."""

    def heard(finding: Finding) -> bool:
        return not finding.strict or persona is Persona.STRICT or _named(options, finding)

    return heard


def _named(options: FixOptions, finding: Finding) -> bool:
    marks = options.fingerprints
    return finding.concern in options.select or bool(marks and finding.fingerprint.startswith(marks))


def _wanted(options: FixOptions, persona: Persona) -> Callable[[Finding], bool]:
    def wanted(finding: Finding) -> bool:
        if not wants(persona, finding) and not _named(options, finding):
            return False
        if options.select and finding.concern not in options.select:
            return False
        if finding.concern in NAMED_ONLY and finding.concern not in options.select:
            return False
        return not options.fingerprints or finding.fingerprint.startswith(options.fingerprints)

    return wanted


NAMED_ONLY = frozenset({"module-oversized"})
"""Concerns whose fix moves code about; it is made only for who names the concern."""


def _unnamed(seen: Examination, persona: Persona) -> Iterator[tuple[str, NotFixed]]:
    for one in seen.account.findings:
        if one.concern in NAMED_ONLY and wants(persona, one):
            reason = f"its fix moves code about, so it is made only for who names it: --select {one.concern}"
            yield one.fingerprint, NotFixed(one, reason)


def _known(marks: Sequence[str], seen: Examination) -> None:
    for mark in marks:
        if not any(one.fingerprint.startswith(mark) for one in seen.account.findings):
            raise UserError(
                f"No finding of this estate has the fingerprint {mark!r}. 'shoreup audit' shows each with its own."
            )


def _amendment(before: Examination, outcome: Outcome, tree: FileTree, timing: dict[str, float]) -> Amendment:
    touched = dict.fromkeys(path for step in outcome.steps for path in step.contents)
    every = [Change(path, tree.read(path), outcome.tree.read(path) or b"") for path in sorted(touched)]
    changes = tuple(one for one in every if one.before != one.after)
    return Amendment(
        applied=tuple(outcome.applied),
        not_fixed=tuple(outcome.not_fixed.values()),
        dropped=tuple(outcome.dropped.values()),
        changes=changes,
        steps=tuple(outcome.steps),
        before=_by_severity(before),
        after=_by_severity(outcome.last),
        timing=timing,
    )


def _by_severity(seen: Examination) -> dict[str, int]:
    return dict(Counter(one.severity.value for one in seen.account.findings))
