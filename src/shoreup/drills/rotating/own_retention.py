"""Shoreup's own retention, put to the same test as a stranger's: 400 days with failing backups, judged after each run.

The rule that decides is the very one that ``shoreup backup prune`` follows, with the owner's numbers. What it claims is
counted anew from all backups that ever were, by other means. The control is the same rule turned upside down, so that
it keeps the oldest; whoever is content with that one would be content with anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from shoreup import __version__
from shoreup.drills.proving import Claim, Seen, harness, proof_of
from shoreup.drills.rotating.calendar import DAYS, Calendar, Weather, calendar
from shoreup.drills.rotating.grandfathers import LAST, PERIODS, Claimed
from shoreup.drills.rotating.kept import Day, judge
from shoreup.drills.rotating.shelf import Kept
from shoreup.facts.backups.own import own_subject, retention_inputs, told
from shoreup.facts.backups.tried_retention import GROWS, NEWEST_REMOVED, NOTHING_LEFT
from shoreup.facts.proofs import Drill, Inputs
from shoreup.model.proof import Control, Engine, Proof, ProofSubject
from shoreup.operations.backup.retention import Aged, Decision, Policy, decide, keep_of

Rule: TypeAlias = Callable[[Sequence[Aged], Policy], Sequence[Decision]]
_UPSIDE_DOWN = "the policy turned upside down, so that the oldest stay"
_DAILY = "0 3 * * *"
_SPANS = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 30, "yearly": 365}


class PolicySpec(Struct, frozen=True):
    """The policy of a ``[backup.NAME]`` and when that backup is taken.

    ``schedule`` is as cron says it, empty where none is told; ``pruned`` is whether anything that is scheduled removes
    by the policy.
    """

    name: str
    policy: Policy
    schedule: str = ""
    pruned: bool = False

    @property
    def subject(self) -> ProofSubject:
        """What its proof is about."""
        return own_subject(self.name)

    @property
    def inputs(self) -> Inputs:
        """What the proof holds for."""
        return retention_inputs(keep_of(self.policy), self.schedule)


def try_policy(spec: PolicySpec, *, run: str, now: datetime, rule: Rule = decide) -> Proof:
    """Live 400 days by a policy and judge what it keeps. ``rule`` decides; ``now`` is with a zone."""
    claim = Claim(
        drill=Drill.RETENTION.value,
        text="In 400 days with failing backups the policy always leaves a whole one, and just those that it says.",
        subject=spec.subject,
        inputs=spec.inputs.digests,
        lasts=timedelta(days=180),
    )
    seen = Seen(Engine("Shoreup", __version__), Control(_UPSIDE_DOWN, None))
    with harness(seen):
        _experiment(spec, seen, now, rule)
    return proof_of(claim, seen, run=run, taken=now)


def _experiment(spec: PolicySpec, seen: Seen, now: datetime, rule: Rule) -> None:
    times = calendar(spec.schedule or _DAILY, now, _span(spec.policy), spec.policy.at_least)
    if times is None:
        seen.unknown(f"when it runs is not known, or too seldom to see it ({spec.schedule})")
        return
    seen.limits += times.limits
    if not spec.schedule:
        seen.limits.append("when it is taken: no [schedule] says it, so once a day was tried")
    if not spec.pruned:
        seen.limits.append("whether anything is removed at all: no [schedule] prunes it")
    seen.limits.append("whether a real backup restores: the backups are made up")
    refused = judge([day for day, _ in _lived(spec.policy, times, _upside_down(rule))], times, endless=False)
    if not refused.wrong:
        seen.unknown("it keeps more backups than 400 days make, so that nothing is seen of what it removes")
        return
    seen.control = Control(_UPSIDE_DOWN, bool(refused.newest_removed))
    seen.before = f"{_UPSIDE_DOWN}: refused, {refused.wrong[0]}"
    with seen.timed("simulated"):
        lived = list(_lived(spec.policy, times, rule))
    found = judge([day for day, _ in lived], times, endless=False)
    broken, grows = _unlike_its_words(spec.policy, times, lived)
    seen.measure("days", DAYS, "days")
    seen.measure("runs", len(lived), "runs")
    seen.measure("most kept", found.most, "copies")
    seen.measure("least kept", found.least, "copies")
    seen.measure(NOTHING_LEFT, found.nothing_left, "runs")
    seen.measure(NEWEST_REMOVED, found.newest_removed, "runs")
    seen.measure(GROWS, float(grows), "")
    wrong = [*found.wrong, *broken]
    if wrong:
        seen.fails(f"{told(keep_of(spec.policy))}: {'; '.join(wrong)}")
    else:
        least = f"at least {found.least} and at most {found.most}"
        seen.passes(
            f"{told(keep_of(spec.policy))}: after each of {len(lived)} runs just those were there, {least} whole ones"
        )


def _lived(policy: Policy, times: Calendar, rule: Rule) -> Iterable[tuple[Day, frozenset[int]]]:
    """Each day, with the numbers of all that stays: what is empty is good by its own word, and counts."""
    shelf: list[Aged] = []
    whole: set[int] = set()
    for turn in times.turns:
        if turn.weather is not Weather.REFUSES:
            # A backup that breaks off is none; the worst that can come of that day is one that was found damaged.
            shelf.append(Aged(f"{turn.number:06d}", turn.number, turn.at, turn.weather is not Weather.BREAKS))
        if turn.weather is Weather.GOOD:
            whole.add(turn.number)
        stays = {one.id for one in rule(shelf, policy) if one.stays}
        shelf = [one for one in shelf if one.id in stays]
        kept = Kept(frozenset(one.number for one in shelf if one.number in whole), len(shelf))
        yield Day(turn, 0, kept), frozenset(one.number for one in shelf if one.good)


def _unlike_its_words(
    policy: Policy, times: Calendar, lived: Sequence[tuple[Day, frozenset[int]]]
) -> tuple[list[str], bool]:
    """The first run after which something else was there than the numbers claim; whether it ever was too much."""
    numbers = {name: int(getattr(policy, name)) for name in PERIODS}
    least = max(1, policy.at_least)
    counted = Claimed({LAST: least, **numbers})
    most = least + sum(numbers.values())
    first = ""
    grows = False
    for day, there in lived:
        turn = day.turn
        if turn.weather in (Weather.GOOD, Weather.EMPTY):
            counted.add(turn.number, turn.at)
        claimed = counted.kept()
        grows = grows or len(there) > most
        if not first:
            when = f"after the run of day {times.day(turn)}"
            lacking = next((name for name, wanted in claimed.items() if not wanted <= there), "")
            surplus = there - set[int]().union(*claimed.values())
            if lacking:
                told = f"{lacking} = {numbers[lacking]}" if lacking in numbers else f"at-least = {least}"
                first = f"{when} a backup was gone that {told} keeps"
            elif surplus:
                first = f"{when} what nothing keeps was left, {len(surplus)} of {len(there)} backups"
    return ([first] if first else []), grows


def _upside_down(rule: Rule) -> Rule:
    def turned(backups: Sequence[Aged], policy: Policy) -> Sequence[Decision]:
        return rule([replace(one, number=-one.number) for one in backups], policy)

    return turned


def _span(policy: Policy) -> float:
    """How many days back its oldest backup is, where there is one in each period."""
    return max(span * int(getattr(policy, name)) for name, span in _SPANS.items())
