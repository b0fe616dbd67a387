"""Runs of operations, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from shoreup.model.run import RunSeen, State
from shoreup.report.contract import Json, encode
from shoreup.report.terminal import Ink, cells, plain, sentence

_STYLES = {
    State.DONE: "good",
    State.RUNNING: "strong",
    State.INTERRUPTED: "high",
    State.STUCK: "critical",
    State.FAULTY: "critical",
    State.UNDONE: "medium",
}


def render_list(runs: Sequence[RunSeen], where: str, *, colour: bool = False) -> str:
    """One line a run, newest first, and what to do about those that nobody goes on with."""
    if not runs:
        return f"No run yet in {plain(where)}.\n"
    return "".join(f"{line}\n" for line in _lines(runs, Ink(colour)))


def render_one(run: RunSeen, *, colour: bool = False) -> str:
    """Everything that is known of one run."""
    return "".join(f"{line}\n" for line in _whole(run, Ink(colour)))


def list_json(runs: Sequence[RunSeen], where: str) -> str:
    """The list as JSON: see docs/operations.md."""
    return encode({"runs": [as_json(one) for one in runs], "database": where})


def one_json(run: RunSeen) -> str:
    """One run as JSON, with its steps."""
    return encode(
        {
            **as_json(run),
            "given": dict(run.given),
            "results": dict(run.results),
            "steps": [
                {"name": one.name, "began": _iso(one.began), "ended": _iso(one.ended), "failed": one.why}
                for one in run.steps
            ],
            "of": list(run.of),
        }
    )


def as_json(run: RunSeen) -> Mapping[str, Json]:
    """A run as a program reads it."""
    return {
        "id": run.id,
        "operation": run.operation,
        "subject": run.subject,
        "state": run.state.value,
        "asked": _iso(run.asked),
        "ended": _iso(run.ended),
        "host": run.host,
        "step": run.step,
        "why": run.why,
        "left": list(run.left),
    }


def _lines(runs: Sequence[RunSeen], ink: Ink) -> Iterator[str]:
    idle = [one for one in runs if one.state is State.INTERRUPTED]
    widths = [max(cells(plain(text(one))) for one in runs) for text in (_id, _state, _what)]
    for one in runs:
        id_, state, what = (
            plain(text(one)) + " " * (width - cells(plain(text(one))))
            for text, width in zip((_id, _state, _what), widths, strict=True)
        )
        style, rest = _STYLES.get(one.state, "faint"), plain(one.why or one.host)
        yield f"{ink(id_, 'strong')}  {ink(state, style)}  {what}  {ink(rest, 'faint')}".rstrip()
    for one in idle[:1]:
        yield ""
        yield f"What was interrupted goes on with the next run or worker, or now: shoreup runs resume {plain(one.id)}"


def _whole(run: RunSeen, ink: Ink) -> Iterator[str]:
    state = ink(run.state.value, _STYLES.get(run.state, "faint"))
    yield f"{ink(plain(run.operation), 'strong')}  {state}  {plain(run.id)}"
    yield f"  about     {plain(run.subject)}"
    yield f"  asked     {_spoken(run.asked)}"
    if run.ended is not None:
        yield f"  ended     {_spoken(run.ended)}"
    if run.host:
        yield f"  machine   {plain(run.host)}"
    for name, value in run.given.items():
        yield f"  {plain(name):<9} {plain(value)}"
    executed = {one.name for one in run.steps}
    for step in run.steps:
        took = f"{(step.ended - step.began).total_seconds():.1f} s" if step.began and step.ended else ""
        word = ink("failed", "critical") if step.why else ink("done  ", "good")
        yield f"  {word}    {plain(step.name)}  {ink(took, 'faint')}  {plain(step.why)}".rstrip()
    for name in run.of:
        if name not in executed:
            yield f"  {ink('not yet' if run.ended is None else 'never  ', 'faint')}   {plain(name)}"
    if run.why:
        yield f"  {sentence(plain(run.why))}"
    for one in run.left:
        yield f"  {ink('not undone', 'critical')}  {plain(one)}"
    for name, value in run.results.items():
        yield f"  {ink(plain(name), 'faint')}  {plain(value)}"


def _id(run: RunSeen) -> str:
    return run.id


def _state(run: RunSeen) -> str:
    return run.state.value


def _what(run: RunSeen) -> str:
    return run.operation if run.subject.startswith(run.operation) else f"{run.operation} ({run.subject})"


def _iso(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat(timespec="seconds")


def _spoken(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M:%S %Z}"
