"""Programs that give up after one failed call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.programs.outside_calls import OutsideCall, outside_calls, started_again
from shoreup.facts.programs.repeating import PYTHON_TEXT, SHELL_TEXT, calls_at, retried
from shoreup.facts.programs.shell_repeating import retrying
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Try again a few times, with a growing pause",
    Safety.UNSAFE,
    "the program's text changes, so what runs it restarts; a call that is not safe to repeat must not be",
)


class ScriptRetryMissing(Concern):
    """A program in the estate calls another machine once and gives up.

    **What**

    In the programs of containers and ConfigMaps: `requests`, `urlopen`, `kubectl` and the like from Python, and `curl`
    and BusyBox's `wget` in shell, outside of any loop, with no `--retry` and no library for it. Left alone is what
    Kubernetes starts again by itself with a growing pause: jobs with a backoff, init containers.

    **Why**

    Names fail to resolve for a second, a server restarts, a connection breaks: one lost packet at the wrong moment
    ends the run, and what it should have done waits for the next one or is lost.

    **Example**

    `urllib.request.urlopen(url, timeout=30)` on its own in a long-running program; `curl -fsS https://...` without
    `--retry` in a job with `backoffLimit: 0`.

    **Fix safety**

    Unsafe: the program changes and restarts. Only what may happen twice is tried again: requests that ask, commands
    that read. Python gets a small function with pauses of 1, 2, 4 and 8 seconds that says each failure, `curl` its own
    `--retry`, a `wget` that writes to a file such a function in shell. For anything else the text is shown.
    """

    id = "script-retry-missing"
    title = "Program that gives up after one failed call"
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
            once = [call for call in calls if not call.retried]
            if not once or started_again(calls[0].script):
                continue
            if calls[0].script.workload is None:
                reason = "nothing in the estate shows what starts the program, and whether that starts it again"
                yield self.undecided(once[0].place, unknown=f"retry of {once[0].name}", reason=reason)
            else:
                yield self._once(once)

    def _once(self, once: Sequence[OutsideCall]) -> Outcome:
        names = " and ".join(dict.fromkeys(call.name for call in once))
        return self.found(
            once[0].place,
            field="retry",
            subject=once[0].who,
            message=f"A program of {once[0].who} calls {names} with a single try.",
            consequence=(
                "One lost packet or one restart on the other side fails the call; its work waits for the next run "
                "or is lost."
            ),
            related=tuple((call.place, f"{call.name} too") for call in once[1:]),
            fixes=(_FIX,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """Second tries for the calls that have none."""
        once = [call for call in calls_at(estate, draft.at) if not call.retried]
        edits = retried(once) if once else "the program could not be found again"
        if isinstance(edits, str):
            if once and once[0].script.language == "python":
                return NoRepair(edits, PYTHON_TEXT)
            own = any(call.name != "curl" for call in once)
            return NoRepair(
                edits, f"{retrying()}\nretry <the call>   # only what may happen twice" if own else SHELL_TEXT
            )
        return Repair(
            _FIX, edits, cost="a call that fails for good is given up 15 seconds later, or when its time ends"
        )
