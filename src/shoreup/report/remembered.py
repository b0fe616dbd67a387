"""What drills have proven so far, for people and for programs: how each claim stands, and where its numbers go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.model.finding import ReadError
from shoreup.model.proof import Verdict
from shoreup.model.track_record import COPY_SIZE, RECOVERY_POINT, RECOVERY_TIME, Stands, TrackRecord
from shoreup.report.contract import Json, encode
from shoreup.report.quantities import duration
from shoreup.report.terminal import Ink, plain, sentence, wrap

NARROWEST = 60
WIDEST = 120
_BARS = "▁▂▃▄▅▆▇█"
_SHOWN = 20
"""Proofs that a line of bars shows."""
_STYLES = {
    Stands.PROVEN: "good",
    Stands.FAILED: "critical",
    Stands.EXPIRED: "medium",
    Stands.CHANGED: "medium",
    Stands.NOT_VERIFIED: "medium",
    Stands.NEVER: "medium",
    Stands.GONE: "faint",
}


def render_json(claims: Sequence[TrackRecord], ledger: str, errors: Sequence[ReadError]) -> str:
    """As JSON: see docs/json-contract.md."""
    return encode(
        {
            "claims": [_claim(one) for one in claims],
            "ledger": ledger,
            "errors": [{"file": one.file, "cause": one.cause} for one in errors],
        }
    )


def render(
    claims: Sequence[TrackRecord], ledger: str, errors: Sequence[ReadError], *, width: int = 100, colour: bool = False
) -> str:
    """As text, one claim below the other."""
    page = _Page(Ink(colour), max(NARROWEST, min(width, WIDEST)))
    return "".join(f"{line}\n" for line in page.lines(claims, ledger, errors))


def sparkline(values: Sequence[float]) -> str:
    """Numbers as bars, from nothing to the largest of them."""
    most = max(values, default=0.0)
    steps = len(_BARS) - 1
    return "".join(_BARS[round(max(0.0, one) / most * steps) if most > 0 else 0] for one in values)


def _claim(one: TrackRecord) -> dict[str, Json]:
    newest = one.newest
    return {
        "drill": one.drill,
        "subject": str(one.subject),
        "stands": one.stands.value,
        "proofs": len(one.proofs),
        "verdict": newest.verdict.value if newest is not None else None,
        "taken": newest.taken.isoformat() if newest is not None else None,
        "last_success": one.last_success.isoformat() if one.last_success is not None else None,
        "expires": one.expires.isoformat() if one.expires is not None else None,
        "changed": list(one.changed),
        "rto": _row(one, RECOVERY_TIME, one.recovery_time),
        "rpo": _row(one, RECOVERY_POINT, one.recovery_point),
    }


def _row(one: TrackRecord, name: str, objective: float | None) -> Json:
    return {
        "objective": objective,
        "values": [{"taken": taken.isoformat(), "seconds": value} for taken, value in one.row(name)],
    }


class _Page(Struct, frozen=True):
    ink: Ink
    width: int

    def lines(self, claims: Sequence[TrackRecord], ledger: str, errors: Sequence[ReadError]) -> Iterator[str]:
        for one in claims:
            yield from self._claim(one)
        if not claims:
            yield from self._prose("Nothing here can be proven by a drill, and nothing was.", "")
        elif not ledger and not any(one.proofs for one in claims):
            yield from self._prose("Nothing was proven yet. 'shoreup drill' makes the first proofs.", "")
        elif len(claims) > 1:
            counts = Counter(one.stands for one in claims)
            told = ", ".join(f"{counts[stands]} {_word(stands).lower()}" for stands in Stands if counts[stands])
            missing = len(claims) - counts[Stands.PROVEN] - counts[Stands.GONE]
            own = sum(1 for one in claims if _restored_by_verify(one) and one.stands is not Stands.PROVEN)
            advice = " 'shoreup drill --due' tries what has no proof that counts." if missing > own else ""
            advice += " 'shoreup backup verify NAME --drill' restores what [backup.NAME] takes." if own else ""
            yield ""
            yield from self._prose(f"{len(claims)} claims: {told}.{advice}", "")
        for error in errors:
            yield from self._prose(f"{error.file or 'The ledger'}: {error.cause}.", "")

    def _claim(self, one: TrackRecord) -> Iterator[str]:
        word = _word(one.stands)
        if one.stands is Stands.PROVEN and one.decides is not None:
            word += f" until {one.decides.last_day.isoformat()}"
        about = self.ink(plain(str(one.subject)), "strong")
        yield f"{self.ink(word, _STYLES[one.stands])}  {about}  {self.ink(plain(one.drill), 'faint')}"
        yield from self._prose(_why(one))
        for title, name, objective in (
            ("RTO", RECOVERY_TIME, one.recovery_time),
            ("RPO", RECOVERY_POINT, one.recovery_point),
        ):
            yield from self._trend(one, title, name, objective)
        size = one.newest_of(COPY_SIZE)
        if size is not None:
            yield f"  copy  {size[1] / 1e6:.3g} MB"

    def _trend(self, one: TrackRecord, title: str, name: str, objective: float | None) -> Iterator[str]:
        values = [value for _, value in one.row(name)]
        if not values:
            return
        bars = sparkline(values[-_SHOWN:])
        goal = ""
        if objective is not None:
            missed = values[-1] > objective
            goal = f" of {duration(objective)}" + (self.ink(", missed", "critical") if missed else "")
        yield f"  {title}   {duration(values[-1])}{goal}  {self.ink(bars, 'faint')}"

    def _prose(self, text: str, indent: str = "  ") -> Iterator[str]:
        for line in wrap(sentence(text), self.width - len(indent)) if text else ():
            yield f"{indent}{line}"


def _restored_by_verify(one: TrackRecord) -> bool:
    """Whether it is the restore of a backup that Shoreup takes itself, which ``drill`` does not try."""
    return one.drill == "restore" and one.subject.kind == "Backup" and one.stands is not Stands.GONE


def _word(stands: Stands) -> str:
    return "NEVER TRIED" if stands is Stands.NEVER else stands.value.replace("-", " ").upper()


def _why(one: TrackRecord) -> str:
    newest, decides = one.newest, one.decides
    if newest is None:
        return ""
    if one.stands is Stands.GONE:
        return f"The estate no longer has it; the last of {len(one.proofs)} is of {newest.day.isoformat()}."
    if one.stands is Stands.CHANGED and decides is not None:
        return f"Passed on {decides.day.isoformat()}, and since then the {' and the '.join(one.changed)} changed."
    if one.stands is Stands.EXPIRED and decides is not None:
        return f"Passed on {decides.day.isoformat()}, which counted until {decides.last_day.isoformat()}."
    if one.stands is Stands.FAILED and decides is not None:
        return f"Failed on {decides.day.isoformat()}: {decides.after}."
    if newest.verdict is Verdict.COULD_NOT_VERIFY:
        return f"The last try, of {newest.day.isoformat()}, could not verify it: {newest.after}."
    return ""
