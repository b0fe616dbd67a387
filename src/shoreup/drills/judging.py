"""What several trials of one job come to together, and how reasons are told."""

from __future__ import annotations

import re
from collections.abc import Sequence

from shoreup.drills.proving import Seen
from shoreup.model.proof import Control, Verdict
from shoreup.model.track_record import RECOVERY_TIME
from shoreup.model.wording import some as first_of

_OURS = re.compile(
    r"no space left|disk (?:is )?full|quota exceeded|errno: 28\b|out of memory|cannot allocate memory"
    r"|too many open files|server closed the connection|terminating connection|lost connection to"
    r"|server has gone away|connection to server",
    re.IGNORECASE,
)
"""What tools say when the disk is full, or when the server went away under them."""
_TOLD = 5
"""Differences that are named; the rest is counted."""


def merged(whole: Seen, parts: Sequence[Seen], names: Sequence[str]) -> None:
    """Put what the parts saw into the whole: it passes where every one did, and their times and numbers add up."""
    several = len(parts) > 1
    fetched = whole.seconds("fetch")
    for name, unit in dict.fromkeys((one.name, one.unit) for part in parts for one in part.measurements):
        total = sum(one.value for part in parts for one in part.measurements if one.name == name)
        whole.measure(name, total + (fetched if name == RECOVERY_TIME else 0), unit)
    named = [f"{name or part.engine.product}: " if several else "" for name, part in zip(names, parts, strict=True)]
    whole.engine = parts[0].engine
    refused = [part.control.refused for part in parts]
    whole.control = Control(
        "; ".join(dict.fromkeys(part.control.what for part in parts)), None if None in refused else all(refused)
    )
    whole.before = "; ".join(f"{name}{part.before}" for name, part in zip(named, parts, strict=True) if part.before)
    whole.after = "; ".join(f"{name}{part.after}" for name, part in zip(named, parts, strict=True) if part.after)
    common = [one for one in parts[0].limits if all(one in part.limits for part in parts)]
    own = [(name, one) for name, part in zip(named, parts, strict=True) for one in part.limits if one not in common]
    whole.limits += [*common, *(f"{name}{one}" for name, one in own)]
    verdicts = {part.verdict for part in parts}
    whole.verdict = next(one for one in (Verdict.FAIL, Verdict.COULD_NOT_VERIFY, Verdict.PASS) if one in verdicts)


def blame(errors: Sequence[str]) -> str:
    """The complaint that is about this machine and not about the copy; empty where there is none."""
    return next((one for one in errors if _OURS.search(one)), "")


def some(reasons: Sequence[object]) -> str:
    """The first of many reasons."""
    return first_of(reasons, _TOLD, between="; ")
