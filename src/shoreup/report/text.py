"""The account as a person reads it: first what to do first, then everything by group, then what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from msgspec import Struct

from shoreup.model.account import Account
from shoreup.model.finding import (
    Category,
    Confidence,
    Finding,
    Notice,
    Related,
    Suppressed,
    Undecided,
)
from shoreup.model.wording import some
from shoreup.report.folding import MANY, Group, Kind, Spot, groups, kinds, severity_counts, urgent
from shoreup.report.terminal import Ink, brief, cells, plain, sentence, wrap

SHOWN = 10
"""How many problems, and how many kinds of open questions, are listed."""
MARK = 8
"""Characters of a fingerprint that are shown; enough to tell findings of one estate apart."""
NAMED = 4
"""How many other instances of a place are named."""
SUBJECTS = 12
"""How many subjects of folded findings are named; of more only the number is said."""
_NAME = 30
"""Columns for the name of a concern, where each has one line."""
NARROWEST = 60
WIDEST = 120
"""Prose is not read across more columns than this; paths may be longer."""

_OTHERWISE: Mapping[Detail, str] = {
    "brief": "without --brief each says what it is about.",
    "folded": "--brief takes one line a kind, --full folds nothing.",
    "full": "without --full it is shorter.",
}
GROUP_NAMES = {
    Category.BACKUPS: "Backups and restores",
    Category.VERSIONS: "Versions and images",
    Category.ACCESS: "Access and secrets",
    Category.NETWORK: "Network",
    Category.AVAILABILITY: "Availability",
    Category.PRACTICE: "Code and practice",
}


Detail = Literal["brief", "folded", "full"]
"""A line for each kind of trouble; the same trouble said once; nothing folded."""


def render(account: Account, *, width: int = 100, colour: bool = False, detail: Detail = "folded") -> str:
    """The account in at most ``width`` columns, as far as paths allow."""
    page = _Page(Ink(colour), max(NARROWEST, min(width, WIDEST)), detail)
    return "".join(f"{line}\n" for line in page.account(account))


class _Page(Struct, frozen=True):
    ink: Ink
    width: int
    detail: Detail

    @property
    def full(self) -> bool:
        return self.detail == "full"

    def account(self, account: Account) -> Iterator[str]:
        folded = kinds(account.findings)
        yield from self._headline(account)
        if folded:
            yield ""
            yield from self._first(urgent(folded))
        for group in groups(folded):
            yield ""
            yield from self._group(group)
        if account.unproven:
            yield ""
            yield self.ink("Not proven", "heading")
            yield from self._prose("Nothing here is broken; nobody has seen it work either.", "  ", "faint")
            for kind in kinds(account.unproven):
                yield from self._kind(kind)
        yield ""
        yield from self._notes(account)

    # -- the top -------------------------------------------------------------------------------------------

    def _headline(self, account: Account) -> Iterator[str]:
        estate = ", ".join(plain(path) for path in account.estate)
        yield f"{self.ink('Shoreup', 'strong')} {plain(account.version)}  {estate}"
        counts = [
            self.ink(f"{count} {severity.value}", severity.value)
            for severity, count in severity_counts(account.findings).items()
            if count
        ]
        yield "  ".join(counts) if counts else self.ink("No findings.", "good")

    def _first(self, worst: Iterable[Kind]) -> Iterator[str]:
        yield self.ink("Do these first", "heading")
        for number, kind in enumerate(worst, start=1):
            one = kind.first
            label = one.severity.value
            more = f"  and {kind.count - 1} more" if kind.count > 1 else ""
            yield ""
            yield (
                f"{self.ink(f'{number:>2}', 'strong')}  {self.ink(label, label)}  "
                f"{self.ink(plain(one.concern), 'strong')}{self.ink(f'{_likely(one)}{more}  {_mark(one)}', 'faint')}"
            )
            told = sentence(one.subject) in sentence(one.message)
            yield from self._pair(one, "" if told else sentence(one.subject), "    ", "faint")
            yield from self._prose(brief(one.message), "    ")
            yield from self._prose(f"If not: {one.consequence}", "    ")
            for fix in one.fixes[:1]:
                yield from self._prose(f"Fix ({fix.safety.value}): {fix.title}", "    ", "faint")

    # -- the body ------------------------------------------------------------------------------------------

    def _group(self, group: Group) -> Iterator[str]:
        found = [one for kind in group.kinds for spot in kind.spots for one in spot.findings]
        counts = "  ".join(f"{count} {severity.value}" for severity, count in severity_counts(found).items() if count)
        yield f"{self.ink(GROUP_NAMES[group.category], 'heading')}  {self.ink(counts, 'faint')}"
        for kind in group.kinds:
            yield from self._kind(kind)

    def _kind(self, kind: Kind) -> Iterator[str]:
        if self.detail == "brief":
            yield from self._row(kind)
            return
        severity = kind.severity
        head = f"  {self.ink(severity.value.ljust(8), severity.value)}  {self.ink(plain(kind.concern), 'strong')}"
        if len(kind.spots) > MANY and not self.full:
            yield from self._folded(head, kind)
            return
        yield head
        for spot in kind.spots:
            yield from self._spot(spot)

    def _row(self, kind: Kind) -> Iterator[str]:
        label = kind.severity.value
        times = f"×{kind.count}" if kind.count > 1 else ""
        name = plain(kind.concern).ljust(_NAME)
        line = f"  {self.ink(label.ljust(8), label)}  {self.ink(name, 'strong')} {times:>4}"
        room = self.width - (12 + cells(name) + 7)
        place = _where(kind.first)
        if cells(place) > room:
            place = _tail(place, room)
        yield f"{line}  {self.ink(place, 'place')}" if cells(place) <= room else line.rstrip()

    def _folded(self, head: str, kind: Kind) -> Iterator[str]:
        counts = severity_counts(one for spot in kind.spots for one in spot.findings)
        several = [f"{count} {severity.value}" for severity, count in counts.items() if count]
        mixed = f" ({', '.join(several)})" if len(several) > 1 else ""
        size = f"×{kind.count}{mixed} in {_number(kind.files, 'file')}"
        taken = 12 + cells(plain(kind.concern)) + 2 + cells(size)
        place = _where(kind.first)
        lead = f"{head}  {size}"
        if taken + len("  first ") + cells(place) <= self.width:
            yield f"{lead}  {self.ink('first', 'faint')} {self.ink(place, 'place')}"
        else:
            yield lead
            yield f"            {self.ink('first', 'faint')} {self.ink(place, 'place')}"
        names = list(dict.fromkeys(sentence(one.subject) for spot in kind.spots for one in spot.findings))
        if 1 < len(names) <= SUBJECTS:
            yield from self._prose("; ".join(names), "            ")

    def _spot(self, spot: Spot) -> Iterator[str]:
        # Several troubles of one thing are each said; one trouble of several things is said once.
        alike = len({one.subject for one in spot.findings}) > 1 or len({one.message for one in spot.findings}) == 1
        shown = spot.findings[:1] if alike and not self.full else spot.findings
        for one in shown:
            times = f" ×{len(spot.findings)}" if len(shown) < len(spot.findings) else ""
            message = brief(one.message + _likely(one) + ("" if self.full else _others(spot)))
            yield from self._pair(one, message, "            ", times=times)
            if self.full:
                yield from self._details(one)

    def _details(self, one: Finding) -> Iterator[str]:
        indent = "              "
        if one.resource is not None:
            yield f"{indent}{self.ink(plain(one.resource.address), 'faint')}"
        yield from self._prose(f"If not: {one.consequence}", indent, "faint")
        for related in one.related:
            yield from self._prose(f"{related.note}: {_related(related)}", indent, "faint")
        for fix in one.fixes:
            yield from self._prose(f"Fix ({fix.safety.value}): {fix.title}; {fix.reason}", indent, "faint")
        yield from self._prose(f"Why: shoreup explain {_mark(one)}", indent, "faint")

    # -- the foot ------------------------------------------------------------------------------------------

    def _notes(self, account: Account) -> Iterator[str]:
        if account.suppressed:
            yield from self._accepted(account.suppressed)
        if account.compared:
            count = _number(len(account.known), "finding")
            yield from self._labelled("Known", f"{count} of {plain(account.compared)}, not shown and not counted above")
        if account.notices:
            yield from self._notices(account.notices)
        if account.undecided:
            yield from self._undecided(account.undecided)
        if account.errors:
            yield self._note("Not read", _number(len(account.errors), "problem"))
            for error in account.errors[: None if self.full else SHOWN]:
                place = plain(error.file) + (f":{error.line}" if error.line else "")
                yield from self._prose(
                    f"{place}: {_ended(error.cause)} Left out: {error.skipped}.", "            ", hanging="  "
                )
            if len(account.errors) > SHOWN and not self.full:
                yield f"            and {len(account.errors) - SHOWN} more"
        yield from self._coverage(account)
        if account.findings:
            yield from self._labelled(
                "More",
                "'shoreup explain ID' says what a concern means, 'shoreup explain FINGERPRINT' why a finding is one; "
                "'shoreup fix' shows what code can cure; " + _OTHERWISE[self.detail],
            )

    def _accepted(self, suppressed: tuple[Suppressed, ...]) -> Iterator[str]:
        yield self._note("Accepted", _number(len(suppressed), "finding") + " by the owner, with a reason")
        by_reason: dict[tuple[str, str], list[Suppressed]] = {}
        for one in suppressed:
            by_reason.setdefault((one.finding.concern, one.reason), []).append(one)
        entries = list(by_reason.items())
        for (concern, reason), ones in entries if self.full else entries[:SHOWN]:
            times = f" ×{len(ones)}" if len(ones) > 1 else ""
            until = f" (until {ones[0].until.isoformat()})" if ones[0].until else ""
            where = f"{_where(ones[0].finding)}{times}"
            yield from self._prose(f"{concern} {where}: {reason}{until}", "            ", hanging="  ")
        if len(entries) > SHOWN and not self.full:
            yield f"            and {len(entries) - SHOWN} more"

    def _notices(self, notices: tuple[Notice, ...]) -> Iterator[str]:
        yield self._note("Note", _number(len(notices), "remark") + " on ignores and settings")
        for notice in notices if self.full else notices[:SHOWN]:
            place = plain(notice.file) + (f":{notice.line}" if notice.line else "")
            yield from self._prose(
                f"{place}: {notice.message}" if place else notice.message, "            ", hanging="  "
            )
        if len(notices) > SHOWN and not self.full:
            yield f"            and {len(notices) - SHOWN} more"

    def _undecided(self, undecided: tuple[Undecided, ...]) -> Iterator[str]:
        yield self._note("Undecided", _number(len(undecided), "question") + " that the source leaves open")
        by_concern = Counter(one.concern for one in undecided)
        for concern, count in by_concern.most_common(None if self.full else SHOWN):
            reasons = Counter(
                f"{brief(one.unknown)}: {brief(one.reason)}" for one in undecided if one.concern == concern
            )
            example, times = reasons.most_common(1)[0]
            more = ", and others" if times < count else ""
            yield from self._prose(f"{count} {concern}: {example}{more}", "            ", hanging="  ")
        if len(by_concern) > SHOWN and not self.full:
            yield f"            and {_number(len(by_concern) - SHOWN, 'more concern')}"

    def _coverage(self, account: Account) -> Iterator[str]:
        coverage = account.coverage
        parts = [_counted("file", coverage.files), _counted("resource", coverage.resources)]
        parts.append(_number(coverage.roots, "root"))
        if coverage.skipped:
            left = ", ".join(f"{count} {plain(reason)}" for reason, count in coverage.skipped.items())
            parts.append(f"left alone: {left}")
        yield from self._labelled("Read", "; ".join(parts))
        total = account.timing.get("total", sum(account.timing.values()))
        slow = [
            f"{plain(name)} {seconds:.2f}"
            for name, seconds in account.timing.items()
            if name != "total" and seconds >= 0.005
        ]
        detail = f" ({', '.join(slow)})" if slow else ""
        cached = ", from the cache" if account.cached else ""
        yield from self._labelled("Time", f"{total:.2f} s{cached}{detail}")

    # -- pieces --------------------------------------------------------------------------------------------

    def _place(self, one: Finding) -> str:
        return self.ink(_where(one), "place")

    def _pair(self, one: Finding, said: str, indent: str, style: str = "", times: str = "") -> Iterator[str]:
        """A place and what is said of it, beside each other where both fit."""
        place = f"{indent}{self._place(one)}{self.ink(times, 'strong')}"
        if len(indent) + cells(_where(one)) + cells(times) + 2 + cells(said) <= self.width:
            yield f"{place}  {self.ink(said, style) if style else said}".rstrip()
        else:
            yield place
            if said:
                yield from self._prose(said, indent, style)

    def _note(self, label: str, text: str) -> str:
        return f"{self.ink(label.ljust(10), 'strong')}  {text}"

    def _labelled(self, label: str, text: str) -> Iterator[str]:
        lines = wrap(text, self.width - 12)
        yield self._note(label, next(lines))
        for line in lines:
            yield f"            {line}"

    def _prose(self, text: str, indent: str, style: str = "", hanging: str = "") -> Iterator[str]:
        lead = indent
        for line in wrap(sentence(text), self.width - len(indent) - len(hanging)):
            yield lead + (self.ink(line, style) if style else line)
            lead = indent + hanging


def _mark(one: Finding) -> str:
    """As much of the fingerprint as ``shoreup explain`` needs."""
    return plain(one.fingerprint[:MARK])


def _likely(one: Finding) -> str:
    """A remark on findings that are not certain."""
    return "  (likely)" if one.confidence is Confidence.LIKELY else ""


def _others(spot: Spot) -> str:
    """Whom else this place concerns, where a module is called several times."""
    names = dict.fromkeys(one.resource.name for one in spot.findings if one.resource is not None)
    others = list(names)[1:]
    if not others:
        return ""
    return f" Also: {some(others, NAMED)}."


def _where(one: Finding) -> str:
    if not one.file:
        return plain(one.resource.address if one.resource else one.subject)
    if not one.line:
        return plain(one.file)
    return f"{plain(one.file)}:{one.line}:{one.column}"


def _tail(place: str, room: int) -> str:
    """As many of a path's last parts as there is room for, the last of them at least."""
    parts = place.split("/")
    tails = ["…/" + "/".join(parts[number:]) for number in range(1, len(parts))]
    return next((one for one in tails if cells(one) <= room), parts[-1])


def _related(related: Related) -> str:
    return f"{related.file}:{related.line}" if related.line else related.file


def _counted(word: str, counts: Mapping[str, int]) -> str:
    total = _number(sum(counts.values()), word)
    each = [(plain(name), count) for name, count in sorted(counts.items(), key=lambda pair: -pair[1])]
    if len(each) == 1:
        return f"{total} ({each[0][0]})"
    return f"{total} ({', '.join(f'{count} {name}' for name, count in each)})" if each else total


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
