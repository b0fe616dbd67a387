"""Which backups stay: the newest of each hour, day, week, month and year, and never fewer than so many.

The rule counts periods in which there was a backup, from the newest backward, and looks at no clock: an outage of a
month costs no backup, and a clock that jumped spoils at most the place of the backups that it dated wrongly. Newer and
older are told by the backups' numbers. What is damaged fills no place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from shoreup.model.backup_settings import Keep


class Policy(Struct, frozen=True):
    """How many of what stay; see :class:`~shoreup.model.backup_settings.Keep`. ``at_least`` below one counts as one."""

    at_least: int = 3
    hourly: int = 0
    daily: int = 7
    weekly: int = 4
    monthly: int = 6
    yearly: int = 0


def policy_of(keep: Keep) -> Policy:
    """The policy that the owner's settings say."""
    return Policy(
        at_least=keep.at_least,
        hourly=keep.hourly,
        daily=keep.daily,
        weekly=keep.weekly,
        monthly=keep.monthly,
        yearly=keep.yearly,
    )


def keep_of(policy: Policy) -> Keep:
    """The settings that would say a policy."""
    return Keep(
        at_least=policy.at_least,
        hourly=policy.hourly,
        daily=policy.daily,
        weekly=policy.weekly,
        monthly=policy.monthly,
        yearly=policy.yearly,
    )


class Aged(Struct, frozen=True):
    """A backup as retention sees it. ``restored`` says that a drill brought it back."""

    id: str
    number: int
    moment: datetime
    good: bool = True
    restored: bool = False


class Decision(Struct, frozen=True):
    """Whether a backup stays, and why."""

    id: str
    stays: bool
    reason: str


_Period = Callable[[datetime], tuple[int, ...]]
_PERIODS: tuple[tuple[str, str, _Period], ...] = (
    ("hourly", "hour", lambda at: (at.year, at.month, at.day, at.hour)),
    ("daily", "day", lambda at: (at.year, at.month, at.day)),
    ("weekly", "week", lambda at: at.isocalendar()[:2]),
    ("monthly", "month", lambda at: (at.year, at.month)),
    ("yearly", "year", lambda at: (at.year,)),
)


def decide(backups: Sequence[Aged], policy: Policy) -> tuple[Decision, ...]:
    """What stays and what goes, the newest first; one decision for each backup.

    Of good backups at least one stays, the newest always does, and so does the newest that a drill restored.
    """
    newest_first = sorted(backups, key=lambda one: (one.number, one.id), reverse=True)
    good = [one for one in newest_first if one.good]
    least = max(1, policy.at_least)
    reasons: dict[str, list[str]] = {}

    def keep(one: Aged, why: str) -> None:
        reasons.setdefault(one.id, []).append(why)

    for place, one in enumerate(good[:least], 1):
        keep(one, "the newest" if place == 1 else f"number {place} of the newest {least}")
    for one in [one for one in good if one.restored][:1]:
        keep(one, "the newest that a drill restored")
    for name, word, period in _PERIODS:
        for place, one in enumerate(_newest_of_each(good, period, getattr(policy, name)), 1):
            keep(one, f"the newest of its {word} ({place} of {getattr(policy, name)})")
    return tuple(_decision(one, reasons.get(one.id, []), len(good) >= least) for one in newest_first)


def _decision(one: Aged, reasons: Sequence[str], enough: bool) -> Decision:
    if reasons:
        return Decision(one.id, True, "; ".join(reasons))
    if one.good:
        return Decision(one.id, False, "newer ones hold every place that it could have")
    if not enough:
        return Decision(one.id, True, "it is damaged, and there are few good ones: perhaps something can be saved")
    return Decision(one.id, False, "it is damaged, and there are good ones")


def _newest_of_each(good: Sequence[Aged], period: _Period, most: int) -> list[Aged]:
    """The first of each run of backups of one period, at most so many."""
    found: list[Aged] = []
    last: tuple[int, ...] | None = None
    for one in good:
        if len(found) >= most:
            break
        now = period(one.moment)
        if now != last:
            found.append(one)
            last = now
    return found
