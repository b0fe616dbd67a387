"""Programs that wait for ever, or not long enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.outside_calls import SHORT, OutsideCall, ends_in_time, outside_calls
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity

_FIX = Fix(
    "Give each call a time-out from a setting, and retries with a growing pause",
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

    Unsafe: the program changes and restarts.
    """

    id = "script-timeout-fixed"
    title = "Program that waits for ever, or not long enough"
    severity = Severity.LOW
    consequence_class = Consequence.HYGIENE
    category = Category.PRACTICE
    section = Section.FRAGILE_AREAS

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every program that calls something."""
        for calls in outside_calls(estate):
            script = calls[0].script
            endless = [call for call in calls if not call.timed and call.name != "curl" and not ends_in_time(script)]
            hasty = [
                call for call in calls if call.timeout is not None and 0 < call.timeout <= SHORT and not call.retried
            ]
            unknown = [call for call in calls if call.timed and call.timeout is None and call.name != "curl"]
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


def _names(calls: Sequence[OutsideCall]) -> str:
    return " and ".join(dict.fromkeys(call.name for call in calls))
