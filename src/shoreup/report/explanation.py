"""One finding on a terminal: what, why, where the estate says so, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from shoreup.model.explanation import Excerpt, Explanation, Step
from shoreup.report.terminal import Ink, plain, sentence, wrap

NARROWEST = 60
WIDEST = 120


def render(explanation: Explanation, *, width: int = 100, colour: bool = False) -> str:
    """The explanation in at most ``width`` columns; source lines stay whole."""
    page = _Page(Ink(colour), max(NARROWEST, min(width, WIDEST)))
    return "".join(f"{line}\n" for line in page.lines(explanation))


class _Page(Struct, frozen=True):
    ink: Ink
    width: int

    def lines(self, explanation: Explanation) -> Iterator[str]:
        one = explanation.finding
        severity = one.severity.value
        yield (
            f"{self.ink(severity, severity)}  {self.ink(plain(one.concern), 'strong')}  "
            f"{self.ink(plain(one.fingerprint), 'faint')}"
        )
        if one.resource is not None:
            yield self.ink(plain(one.resource.address), "faint")
        yield ""
        yield from self._prose(one.message)
        yield from self._prose(f"If not: {one.consequence}")
        if explanation.standing:
            yield from self._prose(explanation.standing)
        yield from self._weight(explanation)
        if explanation.settings:
            yield from self._heading("Your settings")
            for said in explanation.settings:
                yield from self._prose(said, "  ")
        if explanation.drills:
            yield from self._heading("Drills")
            for said in explanation.drills:
                yield from self._prose(said, "  ")
        if explanation.excerpts:
            yield from self._heading("Evidence")
            for number, excerpt in enumerate(explanation.excerpts):
                if number:
                    yield ""
                yield from self._excerpt(excerpt)
        if explanation.ways or explanation.needs:
            yield from self._heading("Wiring")
            yield from self._wiring(explanation)
        yield from self._heading("Fix")
        for fix in one.fixes:
            yield from self._prose(f"{fix.safety.value}: {fix.title}; {fix.reason}", "  ")
        if not one.fixes:
            yield "  None on offer; the page of the concern says what helps."
        yield from self._prose(f"'shoreup explain {one.concern}' says what it means in general.", "  ", "faint")

    def _weight(self, explanation: Explanation) -> Iterator[str]:
        yield from self._heading("Weight")
        one = explanation.finding
        if not explanation.standing:
            yield f"  rank {one.rank} of {explanation.among}"
        for weight in explanation.weights:
            yield from self._prose(weight, "  ")

    def _excerpt(self, excerpt: Excerpt) -> Iterator[str]:
        note = f"  {self.ink(sentence(excerpt.note), 'faint')}" if excerpt.note else ""
        yield f"  {self.ink(plain(excerpt.file), 'place')}{note}"
        size = max((len(str(line.number)) for line in excerpt.lines), default=1)
        for line in excerpt.lines:
            sign = ">" if line.marked else " "
            text = plain(line.text.expandtabs(4))
            shown = f"  {sign} {str(line.number).rjust(size)} | {text}".rstrip()
            yield shown if line.marked else self.ink(shown, "faint")

    def _wiring(self, explanation: Explanation) -> Iterator[str]:
        for way in explanation.ways:
            for depth, step in enumerate(way):
                yield self._step(step, "  " + "  " * depth + ("-> " if depth else ""))
        if explanation.ways_left:
            yield f"  and {explanation.ways_left} more ways that lead to it"
        if explanation.needs:
            yield "  it depends on"
            for step in explanation.needs:
                yield self._step(step, "    ")

    def _step(self, step: Step, lead: str) -> str:
        how = self.ink(f"  {sentence(step.how)}", "faint") if step.how else ""
        place = f"  {self.ink(plain(step.place), 'place')}" if step.place else ""
        return f"{lead}{sentence(step.name)}{how}{place}"

    def _heading(self, text: str) -> Iterator[str]:
        yield ""
        yield self.ink(text, "heading")

    def _prose(self, text: str, indent: str = "", style: str = "") -> Iterator[str]:
        for line in wrap(sentence(text), self.width - len(indent)):
            yield indent + (self.ink(line, style) if style else line)
