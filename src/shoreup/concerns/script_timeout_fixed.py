"""Programs that wait for ever, or not long enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.programs.outside_calls import SHORT, OutsideCall, ends_in_time, outside_calls
from shoreup.facts.programs.repeating import SECONDS, calls_at, timed
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    f"Give each call a time-out of {SECONDS} seconds",
    Safety.UNSAFE,
    "the program's text changes, so what runs it restarts, and it gives up where it waited before",
)


class ScriptTimeoutFixed(Concern):
    """A program in the estate waits for another machine with no time-out, or with a short one and a single try.

    **What**

    In the programs of containers and ConfigMaps: `requests` and `urlopen` without `timeout`, or with a literal one of
    ten seconds or less and no second try; a process started from Python that talks to another machine (`kubectl`,
    `ssh`, `restic` ...) without `timeout`. In shell, `curl` with such a short limit and no second try. A job that
    Kubernetes ends by `activeDeadlineSeconds` is not said to wait for ever.

    **Why**

    A peer that takes the connection and never answers holds the program for ever, and it looks alive. A short fixed
    limit fails on the day the other side is slow.

    **Example**

    `subprocess.run(["kubectl", "get", "pods"])`, `urlopen(request, timeout=10)` outside of any loop.

    **Fix safety**

    Unsafe: the program changes and restarts. Requests and commands that only read get 60 seconds. How long a copy or a
    command that changes something may take only its owner knows; there the text is shown.
    """

    id = "script-timeout-fixed"
    title = "Program that waits for ever, or not long enough"
    severity = Severity.LOW
    consequence_class = Consequence.HYGIENE
    category = Category.PRACTICE
    section = Section.FRAGILE_AREAS
    sources = (
        Source(
            "Amazon: time-outs, retries and backoff with jitter",
            "https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/",
        ),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every program that calls something."""
        for calls in outside_calls(estate):
            endless = [call for call in calls if _endless(call)]
            hasty = [call for call in calls if _hasty(call)]
            unknown = [call for call in calls if call.timed and call.timeout is None and call.command is None]
            if endless or hasty:
                yield self._timed(endless, hasty)
            elif unknown:
                reason = "the time-out is decided when it runs"
                yield self.undecided(unknown[0].place, unknown=f"timeout of {unknown[0].name}", reason=reason)

    def _timed(self, endless: Sequence[OutsideCall], hasty: Sequence[OutsideCall]) -> Outcome:
        calls = sorted([*endless, *hasty], key=lambda call: call.place.chars or (0, 0))
        said = []
        if endless:
            said.append(f"{_names(endless)} with no time-out")
        if hasty:
            said.append(
                f"{_names(hasty)} with a fixed one of {min(call.timeout or 0 for call in hasty):g} s and one try"
            )
        return self.found(
            calls[0].place,
            field="timeout",
            subject=calls[0].who,
            message=f"A program of {calls[0].who} calls {', and '.join(said)}.",
            consequence=(
                "When the other side hangs, the program hangs with it and still looks alive."
                if endless
                else "On a day when the other side is slow, the call fails although it would have succeeded."
            ),
            related=tuple((call.place, f"{call.name} too") for call in calls[1:]),
            fixes=(_FIX,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A time-out for the calls that have none, and a longer one where it is short."""
        calls = [call for call in calls_at(estate, draft.at) if _endless(call) or _hasty(call)]
        edits = timed(calls) if calls else "the program could not be found again"
        if isinstance(edits, str):
            return NoRepair(edits, _SHOWN)
        return Repair(_FIX, edits, cost=f"a call that takes longer than {SECONDS} seconds now fails")


_SHOWN = "timeout=<seconds: what its longest good run takes, doubled>"


def _endless(call: OutsideCall) -> bool:
    return not call.timed and call.command is None and not ends_in_time(call.script)


def _hasty(call: OutsideCall) -> bool:
    return call.timeout is not None and 0 < call.timeout <= SHORT and not call.retried


def _names(calls: Sequence[OutsideCall]) -> str:
    return " and ".join(dict.fromkeys(call.name for call in calls))
