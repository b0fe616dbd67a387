"""What ``shoreup fix`` has to say: the diff, what it does, and what it left alone and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib import resources

from msgspec import Struct

from shoreup.model.amendment import Amendment, Applied, Change, Dropped, NotFixed
from shoreup.model.finding import Finding
from shoreup.report import patch
from shoreup.report.contract import Json, encode
from shoreup.report.terminal import Ink, plain, sentence, wrap

NARROWEST = 60
WIDEST = 120
MARK = 8
"""Characters of a fingerprint that are shown."""
FEW = 3
"""Concerns that are left alone whose texts are shown; those of more would bury everything else."""
UNSAFE = "unsafe: "
"""How the reason begins why a fix was not made that --unsafe makes."""
NAMED = 3
"""Places named of many that are left alone for one reason."""


def render(amendment: Amendment, *, width: int = 100, colour: bool = False, diff: bool = True) -> str:
    """The run in at most ``width`` columns; the diff stays as wide as it is. Without ``diff`` only the words."""
    page = _Page(Ink(colour), max(NARROWEST, min(width, WIDEST)))
    return "".join(f"{line}\n" for line in page.lines(amendment, diff))


def render_offer(offer: Applied, changes: Sequence[Change], *, width: int = 100, colour: bool = False) -> str:
    """One fix before it is taken: the finding beside the diff."""
    page = _Page(Ink(colour), max(NARROWEST, min(width, WIDEST)))
    return "".join(f"{line}\n" for line in page.offer(offer, changes))


def render_json(amendment: Amendment) -> str:
    """The run as JSON: see docs/json-contract.md."""
    return encode(
        {
            "applied": [_applied(one) for one in amendment.applied],
            "not_fixed": [{**_who(one.finding), "reason": one.reason, "text": one.text} for one in amendment.not_fixed],
            "dropped": [
                {**_who(one.finding), "title": one.title, "check": one.check, "cause": one.cause}
                for one in amendment.dropped
            ],
            "written": list(amendment.written),
            "before": dict(amendment.before),
            "after": dict(amendment.after),
            "timing": {name: round(seconds, 6) for name, seconds in amendment.timing.items()},
        }
    )


def schema() -> str:
    """The JSON schema of what :func:`render_json` gives."""
    return resources.files("shoreup.report").joinpath("amendment.schema.json").read_text(encoding="utf-8")


def _who(finding: Finding) -> Mapping[str, Json]:
    return {
        "fingerprint": finding.fingerprint,
        "concern": finding.concern,
        "file": finding.file,
        "line": finding.line,
    }


def _applied(one: Applied) -> Mapping[str, Json]:
    return {
        **_who(one.finding),
        "title": one.title,
        "safety": one.safety.value,
        "reason": one.reason,
        "impact": one.impact.value,
        "files": list(one.files),
        "cost": one.cost,
        "opens": list(one.opens),
        "also": one.also,
        "loses_comments": one.loses_comments,
        "note": one.note,
        "with": list(one.with_),
    }


def _opened(concern: str, cured: Collection[str]) -> str:
    """A concern that comes up with an edit, and that no edit of the run cures it, where that is so."""
    return concern if concern in cured else f"{concern}, which these edits do not cure"


class _Page(Struct, frozen=True):
    ink: Ink
    width: int

    def lines(self, amendment: Amendment, diff: bool) -> Iterator[str]:
        if diff:
            for change in amendment.shown:
                yield from self.change(change)
        if amendment.applied:
            yield self.ink("Written" if amendment.written else "Would be fixed", "heading")
            yield from self._applied(amendment.applied)
        else:
            yield self.ink("Nothing to fix here with these options.", "heading")
        if amendment.dropped:
            yield ""
            yield self.ink("Dropped: tried, and failed a check", "heading")
            for one in amendment.dropped:
                yield from self._dropped(one)
        if amendment.not_fixed:
            yield ""
            yield self.ink("Left alone", "heading")
            yield from self._left(amendment.not_fixed)
        yield ""
        yield from self._counts(amendment)

    def offer(self, offer: Applied, changes: Sequence[Change]) -> Iterator[str]:
        """A fix that a person is asked about."""
        one = offer.finding
        yield ""
        severity = one.severity.value
        yield f"{self.ink(severity, severity)}  {self.ink(plain(one.concern), 'strong')}  {self._place(one)}"
        yield from self._prose(one.message, "  ")
        yield from self._prose(f"If not: {one.consequence}", "  ")
        yield from self._prose(
            f"{offer.title} ({offer.safety.value}, impact: {offer.impact.value}; {offer.reason})", "  ", "strong"
        )
        if offer.cost:
            yield from self._prose(f"It costs: {offer.cost}", "  ")
        if offer.note:
            yield from self._prose(f"Note: {offer.note}", "  ")
        yield ""
        for change in changes:
            yield from self.change(change)

    def change(self, change: Change) -> Iterator[str]:
        """One file's diff with colours."""
        for line in patch.lines(change):
            text = plain(line.rstrip(b"\r\n").decode("utf-8", "replace"))
            style = _style(text)
            yield self.ink(text, style) if style else text
        yield ""

    def _applied(self, ones: Sequence[Applied]) -> Iterator[str]:
        groups: dict[tuple[str, str, str, str], list[Applied]] = defaultdict(list)
        marks = {one.finding.fingerprint: one.finding.concern for one in ones}
        cured = {one.finding.concern for one in ones}
        for one in ones:
            if one.with_:
                continue
            groups[(one.finding.concern, one.title, one.safety.value, one.impact.value)].append(one)
        opening = Counter(name for some in groups.values() for name in {name for one in some for name in one.opens})
        for (concern, title, safety, impact), some in groups.items():
            count = f"  {len(some)} findings" if len(some) > 1 else f"  {some[0].finding.fingerprint[:MARK]}"
            yield f"  {self.ink(plain(concern), 'strong')}{self.ink(count, 'faint')}"
            yield from self._prose(f"{title} ({safety}, impact: {impact}; {some[0].reason})", "    ")
            for cost in sorted({one.cost for one in some if one.cost}):
                yield from self._prose(f"It costs: {cost}", "    ")
            for note in sorted({one.note for one in some if one.note}):
                yield from self._prose(f"Note: {note}", "    ")
            for opened in sorted({name for one in some for name in one.opens if opening[name] == 1}):
                yield from self._prose(f"It opens {_opened(opened, cured)}.", "    ")
            also = sum(one.also for one in some)
            if also:
                yield from self._prose(f"The same text feeds {also} more that had the same trouble.", "    ", "faint")

        for opened in sorted(name for name, count in opening.items() if count > 1):
            yield from self._prose(f"Some of these open {_opened(opened, cured)}.", "  ")
        for one in (one for one in ones if one.with_):
            edits = ", ".join(dict.fromkeys(marks.get(mark, mark) for mark in one.with_))
            count = f"  {one.finding.fingerprint[:MARK]}"
            yield f"  {self.ink(plain(one.finding.concern), 'strong')}{self.ink(count, 'faint')}"
            yield from self._prose(f"The edit for {edits} cures it too.", "    ")

    def _dropped(self, one: Dropped) -> Iterator[str]:
        yield f"  {self.ink(plain(one.finding.concern), 'strong')}  {self._place(one.finding)}"
        yield from self._prose(f"{one.title}. Check {one.check!r}: {one.cause}", "    ")

    def _left(self, ones: Sequence[NotFixed]) -> Iterator[str]:
        groups: dict[tuple[str, str], list[NotFixed]] = defaultdict(list)
        for one in ones:
            groups[(one.finding.concern, one.reason)].append(one)
        few = len({concern for concern, _ in groups}) <= FEW
        for (concern, reason), some in groups.items():
            count = self.ink(f"  {len(some)} findings", "faint") if len(some) > 1 else ""
            yield f"  {self.ink(plain(concern), 'strong')}{count}  {self._place(some[0].finding)}"
            yield from self._prose(reason, "    ")
            if few:
                yield from self._texts(list(dict.fromkeys(one.text for one in some if one.text)))

        written = len({one.finding.concern for one in ones if one.text})
        if written and not few:
            yield ""
            yield from self._prose(
                f"For {written} of these concerns there is a text to complete: 'shoreup fix --select ID' shows it.",
                "  ",
            )

    def _texts(self, texts: Sequence[str]) -> Iterator[str]:
        """The first of what a person may complete, and how to see the others."""
        for text in texts[:1]:
            yield ""
            yield from (f"        {plain(line)}" for line in text.splitlines())
            yield ""
        if len(texts) > 1:
            more = f"{len(texts) - 1} more like it: name a fingerprint, or ask for --format json"
            yield from self._prose(more, "    ", "faint")

    def _counts(self, amendment: Amendment) -> Iterator[str]:
        before, after = sum(amendment.before.values()), sum(amendment.after.values())
        cured, unsafe = len(amendment.applied), sum(one.reason.startswith(UNSAFE) for one in amendment.not_fixed)
        came = after + cured - before
        sum_up = (
            f"{cured} of {before + came} findings are cured by these edits, which let {came} of them come up; "
            if came > 0 and cured
            else f"{cured} of {before} findings are cured by these edits, "
        )
        yield from self._prose(
            f"{sum_up}{after} are left. "
            + (f"--unsafe cures {unsafe} more. " if unsafe else "")
            + (
                f"{len(amendment.written)} files written."
                if amendment.written
                else "Nothing was written; --write does that."
                if amendment.applied
                else "Nothing was written."
            ),
            "",
        )

    def _place(self, finding: Finding) -> str:
        return self.ink(f"{plain(finding.file)}:{finding.line}", "faint")

    def _prose(self, text: str, indent: str, style: str = "") -> Iterator[str]:
        for line in wrap(sentence(text), self.width - len(indent)):
            yield f"{indent}{self.ink(line, style) if style else line}"


def _style(line: str) -> str:
    if line.startswith(("+++", "---", "diff --git")):
        return "strong"
    if line.startswith("@@"):
        return "faint"
    return "good" if line.startswith("+") else "critical" if line.startswith("-") else ""
