"""To a fixpoint: propose, apply in memory, read again, drop what fails, and go on with what collided.

A round costs one reading of the estate when everything holds. What fails is dropped and the rest tried again; what
several could have done is tried in halves, so that one bad edit costs a few readings and never its neighbours.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.concerns.base import Concern
from shoreup.concerns.registry import all_concerns
from shoreup.formats.files import FileTree
from shoreup.model.amendment import Applied, Change, Dropped, NotFixed, Step
from shoreup.model.finding import Finding
from shoreup.stages.auditing.examination import Asked, Examination, examination, understood
from shoreup.stages.auditing.undisturbed import undisturbed
from shoreup.stages.fixing.attempt import Attempt, Failure
from shoreup.stages.fixing.checks import by_concern, check
from shoreup.stages.fixing.company import called_as_before, cured_with
from shoreup.stages.fixing.proposals import Choose, Proposals, propose
from shoreup.stages.fixing.regions import Regions, contents
from shoreup.stages.fixing.verdict import Verdict
from shoreup.stages.fixing.wording import worded

MOST_ROUNDS = 10

Progress = Callable[[str, int, int], None]
Inform = Callable[[Examination, Asked], Asked]
"""Adds to what is asked, knowing the estate."""


class Outcome(Struct):
    """What all rounds came to. ``last`` is the estate as the edits leave it."""

    last: Examination
    tree: FileTree
    applied: list[Applied] = field(default_factory=list)
    not_fixed: dict[str, NotFixed] = field(default_factory=dict)
    dropped: dict[str, Dropped] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


class Wish(Struct, frozen=True):
    """Which findings are to be fixed, of those that are ``heard`` of at all; a strict one is neither found nor new."""

    wanted: Callable[[Finding], bool]
    unsafe: bool
    choose: Choose | None = None
    heard: Callable[[Finding], bool] = lambda finding: not finding.strict


def run(
    tree: FileTree, asked: Asked, wish: Wish, say: Progress, inform: Inform | None = None
) -> tuple[Examination, Outcome]:
    """The estate as it is, and what becomes of it. Nothing is written.

    ``inform`` is asked once what else is known, such as what containers used, when it is known what has a finding.
    """
    with undisturbed():
        first = _heard(examination(tree, asked, say, keep=True), wish)
        if inform is not None:
            asked = inform(first, asked)
            first = replace(first, estate=understood(first.reading, asked))
        return first, _Rounds(first, tree, asked, wish, say).run()


class _Rounds:
    def __init__(self, first: Examination, tree: FileTree, asked: Asked, wish: Wish, say: Progress) -> None:
        self.asked = asked
        self.kinds: Mapping[str, Concern] = {kind.id: kind() for kind in (*all_concerns(), *asked.own)}
        self.wish = wish
        self.say = say
        self.outcome = Outcome(first, tree)
        self.alone: set[str] = set()
        self.done: set[str] = set()
        self.agreed: set[str] = set()
        self.again: set[str] = set()
        """Those that failed in company, and get one more try in another round."""
        self.tried = False

    def run(self) -> Outcome:
        for number in range(1, MOST_ROUNDS + 1):
            proposals = propose(
                self.outcome.last,
                self.kinds,
                self._wanted,
                unsafe=self.wish.unsafe,
                alone=self.alone,
                choose=self.wish.choose and self._choose,
            )
            self._note(proposals)
            attempts = self._apart_from_company(proposals.attempts)
            if attempts:
                self.say(f"checking {len(attempts)} fixes", number, MOST_ROUNDS)
                self._settle(attempts)
            if not any(self._wanted(one) for one in self.outcome.last.account.findings):
                break  # also those that a fix has brought up are answered
        for finding in self.outcome.last.account.findings:
            if self._wanted(finding) and finding.fingerprint not in self.outcome.not_fixed:
                reason = f"its edits collided with those of others for {MOST_ROUNDS} rounds; run fix again"
                self.outcome.not_fixed[finding.fingerprint] = NotFixed(finding, reason)
        return self.outcome

    def _wanted(self, finding: Finding) -> bool:
        return finding.fingerprint not in self.done and self.wish.wanted(finding)

    def _choose(self, offer: Applied, changes: Sequence[Change]) -> bool:
        """A person is asked once about each."""
        mark = offer.finding.fingerprint
        if self.wish.choose is None or mark in self.agreed:
            return True
        if self.wish.choose(offer, changes):
            self.agreed.add(mark)
        return mark in self.agreed

    def _note(self, proposals: Proposals) -> None:
        for one in proposals.not_fixed:
            self.outcome.not_fixed[one.finding.fingerprint] = one
            self.done.add(one.finding.fingerprint)
        for two in proposals.dropped:
            self.outcome.dropped[two.finding.fingerprint] = two
            self.done.add(two.finding.fingerprint)

    def _apart_from_company(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """The attempts without those that failed in company before and would be in company again: they wait."""
        taken = {file for one in attempts if one.finding.fingerprint not in self.again for file in one.files}
        ready = [one for one in attempts if one.finding.fingerprint not in self.again]
        for one in attempts:
            if one.finding.fingerprint in self.again and not taken & set(one.files):
                ready.append(one)
                taken.update(one.files)
        return ready

    def _settle(self, attempts: Sequence[Attempt]) -> None:
        """Apply those of the attempts that hold together."""
        left = list(attempts)
        while left:
            after, amended, verdict = self._try(left)
            if verdict.holds:
                self._accept(left, after, amended, verdict)
                return
            found = verdict.failures or self._apart(verdict.suspects)
            company = [one for one in left if one not in found]
            for attempt, failure in found.items():
                self._fail(attempt, failure, company, sure=attempt in verdict.failures)
            left = company

    def _try(self, attempts: Sequence[Attempt]) -> tuple[Examination, FileTree, Verdict]:
        if self.tried:
            gc.collect()  # the trees of the try before; nothing else looks for garbage here
        self.tried = True
        amended = self.outcome.tree.amended(contents(self.outcome.tree, attempts))
        after = _heard(examination(amended, self.asked, _silent), self.wish)
        return (
            after,
            amended,
            check(self.outcome.last, after, attempts, Regions(attempts), self.kinds, self.wish.wanted),
        )

    def _apart(self, groups: Sequence[tuple[Sequence[Attempt], Failure]]) -> dict[Attempt, Failure]:
        """One of each group, found by halves of all groups at once; what remains of a group then has another turn."""
        left = [list(attempts) for attempts, _ in groups]
        said = [failure for _, failure in groups]
        while any(len(group) > 1 for group in left):
            halves = [group[: len(group) // 2] for group in left]
            tried = [*dict.fromkeys(one for half in halves for one in half)]
            _, _, verdict = self._try(tried)
            sick = {**dict.fromkeys(one for some, _ in verdict.suspects for one in some), **verdict.failures}
            for number, half in enumerate(halves):
                if not half:
                    continue
                guilty = [one for one in half if one in verdict.failures]
                if guilty:
                    left[number], said[number] = guilty[:1], verdict.failures[guilty[0]]
                else:
                    worse = any(one in sick for one in half)
                    left[number] = half if worse else left[number][len(half) :]
        return {group[0]: failure for group, failure in zip(left, said, strict=True)}

    def _fail(self, attempt: Attempt, failure: Failure, company: Sequence[Attempt], *, sure: bool) -> None:
        """Drop an attempt; try it once more where it is not ``sure`` or another wrote beside it, with neither about."""
        mark = attempt.finding.fingerprint
        if failure.shared and not attempt.alone and mark not in self.alone:
            self.alone.add(mark)
            return
        beside = any(set(one.files) & set(attempt.files) for one in company)
        if mark not in self.again and company and (beside or not sure):
            self.again.add(mark)
            return
        self.done.add(mark)
        if failure.shared:
            reason = f"the same text feeds others that have no such trouble: {failure.cause}"
            self.outcome.not_fixed[mark] = NotFixed(attempt.finding, reason, worded(attempt.repair.edits))
        else:
            self.outcome.dropped[mark] = attempt.dropped(failure)

    def _accept(self, attempts: Sequence[Attempt], after: Examination, amended: FileTree, verdict: Verdict) -> None:
        so_far: list[Attempt] = []
        for concern, ones in by_concern(attempts):
            so_far += ones
            changed = {file for one in ones for file in one.files}
            held = {file: text for file, text in contents(self.outcome.tree, so_far).items() if file in changed}
            findings = tuple(one.finding for one in ones)
            self.outcome.steps.append(Step(concern, ones[0].repair.fix.title, findings, held))
        for one in attempts:
            self.done.add(one.finding.fingerprint)
            opened = frozenset(verdict.opened.get(one, ()))
            self.outcome.applied.append(replace(one, also=verdict.also[one], opened=opened).applied())
        for two in cured_with(self.outcome.last, after, attempts, self.wish.wanted):
            mark = two.finding.fingerprint
            self.done.add(mark)
            self.outcome.applied.append(two)
            self.outcome.not_fixed.pop(mark, None)
            self.outcome.dropped.pop(mark, None)
        self.outcome.last, self.outcome.tree = called_as_before(self.outcome.last, after, self.done), amended


def _heard(seen: Examination, wish: Wish) -> Examination:
    findings = tuple(one for one in seen.account.findings if wish.heard(one))
    return replace(seen, account=replace(seen.account, findings=findings))


def _silent(what: str, done: int, total: int) -> None:
    """The progress of the checks is that of the rounds."""
