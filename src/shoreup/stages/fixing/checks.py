"""Whether edits did what they should and nothing else, seen by reading the edited estate again; and whose fault not.

Before anything is written, four questions: does every file still read as well as before, did the resources change as
asked and nowhere else, is the finding gone, and did no other one come. Each failure is laid at the door of the attempts
whose bytes it stands in; where that cannot be told, of every attempt that could have done it, and the caller tries
them apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from shoreup.concerns.base import Concern
from shoreup.model.edit import ANYTHING
from shoreup.model.finding import Finding
from shoreup.model.resource import Resource
from shoreup.stages.auditing.examination import Examination
from shoreup.stages.auditing.places import identity
from shoreup.stages.fixing.attempt import Attempt, Failure, repaired
from shoreup.stages.fixing.intention import Intention
from shoreup.stages.fixing.moved import Moved
from shoreup.stages.fixing.regions import Regions, by_file
from shoreup.stages.fixing.remarks import remarks
from shoreup.stages.fixing.verdict import Verdict, Writers

_Kind = tuple[str, ...]
_OF_WHOLE_FILES = frozenset({"module-oversized"})
"""Concerns that no line of a file has, so that they do not move with lines."""
_MADE_UNTRUE = frozenset({"comment-contradicted"})
"""Concerns about words that a cure makes untrue ("no probe yet"); the next round takes the words away."""
_COMMENT_SIGNS = (b"#", b"//", b"/*")


def check(
    before: Examination,
    after: Examination,
    attempts: Sequence[Attempt],
    regions: Regions,
    kinds: Mapping[str, Concern],
    wanted: Callable[[Finding], bool],
) -> Verdict:
    """Compare the estate before and after the attempts.

    ``kinds`` are the concerns by their ids; a ``wanted`` finding is looked at in the next round.
    """
    return _Check(before, after, attempts, regions, kinds, wanted).run()


class _Check:
    def __init__(
        self,
        before: Examination,
        after: Examination,
        attempts: Sequence[Attempt],
        regions: Regions,
        kinds: Mapping[str, Concern],
        wanted: Callable[[Finding], bool],
    ) -> None:
        self.wanted = wanted
        self.before = before
        self.after = after
        self.attempts = attempts
        self.writers = Writers(attempts, regions, after)
        self.verdict = Verdict()
        self.kinds = kinds
        self.counts = (_counted(before), _counted(after))

    def run(self) -> Verdict:
        self._read()
        self._remarked()
        Intention(self.before, self.after, self.writers, self.kinds, self.verdict).check()
        self._gone()
        self._nothing_new()
        return self.verdict

    # Does it read as well as before?

    def _read(self) -> None:
        known = Counter((one.file, one.cause) for one in self.before.account.errors)
        for problem in self.after.account.errors:
            if known[(problem.file, problem.cause)] > 0:
                known[(problem.file, problem.cause)] -= 1
                continue
            line = f":{problem.line}" if problem.line else ""
            cause = f"{problem.file}{line} would not read as before: {problem.cause}"
            self.verdict.blame(self.writers.of_file(problem.file), Failure("read", cause))

    def _remarked(self) -> None:
        """No comment goes but those that a fix says it takes away; it may go to another file of the same fix."""
        for file, ones in by_file(self.attempts).items():
            old = self.before.reading.tree.read(file) or b""
            if not any(sign in old[one.start : one.end] for one in ones for sign in _COMMENT_SIGNS):
                continue
            if self._comments_gone(file) <= 0:
                continue
            writers = self.writers.of_file(file)
            together = {path for one in writers for path in one.files}
            near = [one for one in self.attempts if together & set(one.files)]
            gone = sum(map(self._comments_gone, together))
            if gone > sum(one.repair.loses_comments for one in near):
                self.verdict.blame(writers, Failure("read", f"{file} would lose {gone} comments"))

    def _comments_gone(self, file: str) -> int:
        old, new = self.before.reading.tree.read(file) or b"", self.after.reading.tree.read(file) or b""
        return remarks(file, old) - remarks(file, new)

    # Is the finding gone, and did no other come?

    def _gone(self) -> None:
        before, after = self.counts
        mine: dict[_Kind, list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            mine[kind_of(attempt.finding, self.before)].append(attempt)
        for kind, attempts in mine.items():
            if after[kind] > before[kind] - len(attempts):
                self.verdict.blame(attempts, Failure("gone", "the finding would still be there"))

    def _nothing_new(self) -> None:
        before, after = self.counts
        moved = Moved(edit for one in self.attempts for edit in one.repair.edits).files
        for finding in self.after.account.findings:
            kind = kind_of(finding, self.after)
            if after[kind] <= before[kind]:
                continue
            there = (*kind[:2], moved.get(kind[2], ""), *kind[3:])
            if kind[1] == "file" and after[there] < before[there] and finding.concern not in _OF_WHOLE_FILES:
                continue
            if self._goes_next(finding):
                continue
            guilty = self._of_finding(finding, self.after.drafts[finding.fingerprint].at.resource)
            for one in guilty:
                if self._may(one, finding):
                    self.verdict.opened.setdefault(one, set()).add(finding.concern)
            guilty = [one for one in guilty if not self._may(one, finding)]
            if guilty:
                where = finding.resource.address if finding.resource else finding.file
                cause = f"{finding.concern} would come up at {where}"
                self.verdict.blame(guilty, Failure("new", cause))

    def _may(self, attempt: Attempt, finding: Finding) -> bool:
        """Whether a finding rightly comes up with an attempt; of its own concern only what it names."""
        opens = attempt.repair.opens
        return finding.concern in opens or (ANYTHING in opens and finding.concern != attempt.finding.concern)

    def _goes_next(self, finding: Finding) -> bool:
        """Whether words that a cure makes untrue go in the next round; those that say more are their author's."""
        if finding.concern not in _MADE_UNTRUE or not self.wanted(finding):
            return False
        draft = self.after.drafts[finding.fingerprint]
        return repaired(self.kinds[finding.concern], self.after.estate, draft) is not None

    def _of_finding(self, finding: Finding, key: int) -> list[Attempt]:
        if finding.resource is not None:
            for one, edits in self.writers.edits.items():
                old = self.before.places.resources[one]
                if _whose(old) == (finding.resource.kind, finding.resource.namespace, finding.resource.name):
                    return list(dict.fromkeys(attempt for _, attempt in edits))
            if key >= 0:
                found = self.writers.of_field(key, self.after.drafts[finding.fingerprint].at.route)
                if found:
                    return found
        return self.writers.of_file(finding.file)


def _whose(resource: Resource) -> tuple[str, str, str]:
    return resource.kind, resource.namespace or "", resource.name


def kind_of(finding: Finding, seen: Examination) -> _Kind:
    """What a finding's fingerprint is made of, in an examination."""
    return identity(seen.drafts[finding.fingerprint], finding.resource, finding.file)


def _counted(seen: Examination) -> Counter[_Kind]:
    return Counter(
        identity(seen.drafts[one.fingerprint], one.resource, one.file)
        for one in seen.account.findings
        if one.fingerprint in seen.drafts
    )


def by_concern(attempts: Sequence[Attempt]) -> Iterator[tuple[str, list[Attempt]]]:
    """The attempts of each concern, in the order in which concerns first appear."""
    groups: dict[str, list[Attempt]] = {}
    for one in attempts:
        groups.setdefault(one.finding.concern, []).append(one)
    yield from groups.items()
