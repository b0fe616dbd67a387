"""Plans of upgrades, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.model.proof import Verdict
from shoreup.model.upgrade import GatedChange, UpgradePlan, Weight
from shoreup.report.contract import Json, encode
from shoreup.report.terminal import Ink, plain, sentence, wrap

NARROWEST = 60
WIDEST = 120
_TITLES = {
    Weight.BLOCKS: ("In the way", "critical"),
    Weight.UNKNOWN: ("Not known", "medium"),
    Weight.BEFORE: ("Before", "strong"),
    Weight.AFTER: ("Afterwards", "strong"),
}

_VERDICTS = {
    Verdict.PASS: ("PASS", "good"),
    Verdict.FAIL: ("FAIL", "critical"),
    Verdict.COULD_NOT_VERIFY: ("COULD NOT VERIFY", "medium"),
}


def render(plans: Sequence[UpgradePlan], *, width: int = 100, colour: bool = False) -> str:
    """The plans one below the other."""
    page = _Page(Ink(colour), max(NARROWEST, min(width, WIDEST)))
    return "".join(f"{line}\n" for one in plans for line in (*page.lines(one), ""))


def render_json(plans: Sequence[UpgradePlan]) -> str:
    """The same as JSON: see docs/upgrades.md."""
    return encode({"plans": [as_json(one) for one in plans]})


def done(run: str, results: Mapping[str, object]) -> str:
    """What a run of an upgrade, or of its way back, did. ``results`` are its steps' by name."""
    lines = [f"Done (run {run})."]
    opened = results.get("open")
    if isinstance(opened, Mapping):
        if opened.get("held"):
            lines.append("The new server runs and is shut. Let clients in with 'open', or go back with 'rollback'.")
        else:
            lines.append(f"Nobody was served for {opened.get('downtime')} s.")
    for name, words in (("analyze", "Statistics: {}."), ("judge", "{}"), ("start", "PostgreSQL {} runs again.")):
        if isinstance(results.get(name), str):
            lines.append(words.format(results[name]))
    if isinstance(opened, Mapping):
        lines.append(_way_back(linked=bool(opened.get("linked")), held=bool(opened.get("held"))))
    return "".join(f"{line}\n" for text in lines for line in wrap(sentence(text), WIDEST))


def _way_back(*, linked: bool, held: bool) -> str:
    if linked:
        return (
            "The old cluster shares its files with the new one and is of no use any more. Only the backup (by "
            "'rollback') or the snapshot of before goes back, and what was written since is lost then."
        )
    lost = "" if held else ", and loses what was written since"
    return f"The old cluster is kept beside the data directory until you remove it; 'rollback' goes back to it{lost}."


def done_json(run: str, results: Mapping[str, Json]) -> str:
    """The same as JSON: see docs/upgrades.md."""
    return encode({"run": run, "results": dict(results)})


def gated(changes: Sequence[GatedChange], since: str, *, width: int = 100, colour: bool = False) -> str:
    """What a gate says of changed images."""
    ink, lines = Ink(colour), list[str]()
    for one in changes:
        verdict = ink(_VERDICTS[one.verdict][0], _VERDICTS[one.verdict][1])
        lines.append(f"{verdict}  {ink(plain(one.subject), 'strong')}  {plain(one.was)} -> {plain(one.now)}")
        words = [f"{one.says[:1].upper()}{one.says[1:]}.", f"Next: {one.do}." if one.do else ""]
        lines += [f"  {line}" for text in words if text for line in wrap(sentence(text), width - 2)]
    if not changes:
        lines.append(f"No image under data has changed since {plain(since)}.")
    return "".join(f"{line}\n" for line in lines)


def gated_json(changes: Sequence[GatedChange], since: str, verdict: Verdict) -> str:
    """The same as JSON: see docs/upgrades.md."""
    return encode(
        {
            "since": since,
            "verdict": verdict.value,
            "changes": [
                {
                    "subject": one.subject,
                    "was": one.was,
                    "now": one.now,
                    "needs": one.needs,
                    "verdict": one.verdict.value,
                    "says": one.says,
                    "do": one.do,
                }
                for one in changes
            ],
        }
    )


def as_json(plan: UpgradePlan) -> Mapping[str, Json]:
    """A plan as a program reads it."""
    made = plan.made
    return {
        "subject": plan.subject,
        "product": plan.product,
        "version": plan.version,
        "image": plan.image,
        "supported": plan.supported,
        "ends": plan.ends.isoformat() if plan.ends else None,
        "target": plan.target,
        "lines": [{"name": one.name, "ends": one.ends.isoformat() if one.ends else None} for one in plan.lines],
        "by_dump": plan.by_dump,
        "blocked": plan.blocked,
        "points": [{"weight": one.weight.value, "what": one.what, "do": one.do} for one in plan.points],
        "cluster": None
        if made is None
        else {
            "encoding": made.encoding,
            "collate": made.collate,
            "provider": made.provider,
            "locale": made.locale,
            "checksums": made.checksums,
            "size": made.size,
            "databases": list(made.databases),
            "extensions": dict(made.extensions),
        },
        "room": [{"mode": one.mode, "needs": one.needs, "free": one.free, "fits": one.fits} for one in plan.rooms],
        "rehearsal": {
            "counts": plan.tried.counts,
            "says": plan.tried.says,
            "target": plan.tried.target,
            "downtime_seconds": dict(plan.tried.downtimes),
        },
    }


class _Page(Struct, frozen=True):
    ink: Ink
    width: int

    def lines(self, plan: UpgradePlan) -> Iterator[str]:
        yield f"{self.ink(plain(plan.subject), 'strong')}  {plain(plan.product)} {plain(plan.version)}" + (
            f" -> {plain(plan.target)}" if plan.target else ""
        )
        yield from self._prose(_supported(plan))
        if plan.made is not None:
            made = plan.made
            checksums = "with checksums" if made.checksums else "without checksums"
            sorting = " ".join(part for part in (made.provider, made.locale or made.collate) if part)
            yield from self._prose(
                f"{_bytes(made.size)} in {len(made.databases)} databases, {made.encoding}, {sorting}, {checksums}"
            )
            if made.extensions:
                yield from self._prose("Extensions: " + ", ".join(sorted(made.extensions)))
        for room in plan.rooms:
            enough = "which is there" if room.fits else "which is more than there is"
            yield from self._prose(f"By {room.mode} it needs {_bytes(room.needs)} of {_bytes(room.free)}, {enough}.")
        yield from self._prose(_downtime(plan))
        for weight, (title, style) in _TITLES.items():
            for one in plan.points:
                if one.weight is weight:
                    yield from self._prose(f"{title}: {one.what}.", style=style if weight is Weight.BLOCKS else "")
                    yield from self._prose(f"{one.do[:1].upper()}{one.do[1:]}.", "    ")

    def _prose(self, text: str, indent: str = "  ", style: str = "") -> Iterator[str]:
        for line in wrap(sentence(text), self.width - len(indent)):
            yield f"{indent}{self.ink(line, style) if style else line}"


def _supported(plan: UpgradePlan) -> str:
    if not plan.version:
        return "Which version runs is not known."
    until = f"supported until {plan.ends}" if plan.supported and plan.ends else "supported"
    now = until if plan.supported else f"out of support since {plan.ends}" if plan.ends else "out of support"
    lines = ", ".join(f"{one.name} (until {one.ends})" if one.ends else one.name for one in plan.lines)
    return f"Version {plan.version} is {now}. " + (f"To go to: {lines}." if lines else "There is nothing newer.")


def _downtime(plan: UpgradePlan) -> str:
    measured = ", ".join(f"{seconds:.1f} s by {mode}" for mode, seconds in plan.tried.downtimes.items())
    away = f" It was away for {measured} on this kind of machine." if measured else " How long it is away is not known."
    return f"{plan.tried.says[:1].upper()}{plan.tried.says[1:]}.{away}"


def _bytes(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / 1024:.0f} KiB"
