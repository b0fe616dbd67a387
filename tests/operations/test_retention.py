"""Which backups stay: the rule, and what holds of it whatever the backups, the policy and the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from shoreup.operations.backup.retention import Aged, Policy, decide

START = datetime(2026, 1, 1, 3, tzinfo=UTC)
NUMBERS = st.integers(0, 5)
POLICIES = st.builds(Policy, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
MOMENTS = st.datetimes(timezones=st.just(UTC)) | st.builds(
    lambda hours: START + timedelta(hours=hours), st.integers(0, 5000)
)


@st.composite
def shelves(draw: st.DrawFn) -> list[Aged]:
    """Backups of any age, as a clock that jumps at will would date them; some damaged, some restored."""
    count = draw(st.integers(0, 16))
    return [
        Aged(f"{number:06d}", number, draw(MOMENTS), draw(st.integers(0, 5)) > 0, draw(st.integers(0, 5)) == 0)
        for number in range(1, count + 1)
    ]


def stays(backups: list[Aged], policy: Policy) -> list[Aged]:
    kept = {one.id for one in decide(backups, policy) if one.stays}
    return [one for one in backups if one.id in kept]


@given(shelves(), POLICIES)
def test_what_is_good_is_never_all_removed_and_the_newest_never_goes(backups: list[Aged], policy: Policy) -> None:
    good, left = [one for one in backups if one.good], [one for one in stays(backups, policy) if one.good]
    assert left[-1:] == good[-1:]
    assert len(left) >= min(len(good), max(1, policy.at_least))


@given(shelves(), POLICIES)
def test_the_newest_that_came_back_in_a_drill_stays(backups: list[Aged], policy: Policy) -> None:
    restored = [one for one in backups if one.good and one.restored]
    assert set(restored[-1:]) <= set(stays(backups, policy))


@given(shelves(), POLICIES)
def test_every_backup_is_decided_once_and_with_a_reason(backups: list[Aged], policy: Policy) -> None:
    decided = decide(backups, policy)
    assert [one.id for one in decided] == sorted((one.id for one in backups), reverse=True)
    assert all(one.reason for one in decided)


@given(shelves(), POLICIES)
def test_pruning_twice_removes_nothing_more(backups: list[Aged], policy: Policy) -> None:
    left = stays(backups, policy)
    assert stays(left, policy) == left


@given(shelves(), POLICIES, st.sampled_from(Policy.__struct_fields__), st.integers(1, 5))
def test_a_policy_that_keeps_more_removes_nothing_that_stayed(
    backups: list[Aged], policy: Policy, which: str, more: int
) -> None:
    larger = replace(policy, **{which: getattr(policy, which) + more})
    assert {one.id for one in stays(backups, policy) if one.good} <= {one.id for one in stays(backups, larger)}


@given(shelves(), POLICIES, st.data())
def test_in_no_period_goes_a_newer_one_for_an_older(backups: list[Aged], policy: Policy, data: st.DataObject) -> None:
    """Backups of one hour differ by their number alone, so whichever rule keeps one keeps the newest of them."""
    moment = data.draw(MOMENTS)
    alike = [replace(one, moment=moment, restored=False) for one in backups]
    left = [one.number for one in stays(alike, policy) if one.good]
    good = [one.number for one in alike if one.good]
    assert left == good[len(good) - len(left) :]


def test_a_year_of_days_comes_to_a_bounded_number() -> None:
    policy, left = Policy(at_least=3, daily=7, weekly=4, monthly=6, yearly=2), list[Aged]()
    for day in range(400):
        if 100 <= day < 145:
            continue  # the dump was broken for six weeks, and nobody noticed
        left = stays([*left, Aged(f"{day:06d}", day, START + timedelta(days=day))], policy)
        assert len(left) <= 3 + 7 + 4 + 6 + 2
    assert [one.number for one in left][-7:] == list(range(393, 400))
    assert {(one.moment.year, one.moment.month) for one in left} >= {(2026, month) for month in (9, 10, 11, 12)}


def test_an_outage_costs_no_backup() -> None:
    before = [Aged(f"{day:06d}", day, START + timedelta(days=day)) for day in range(3)]
    later = Aged("000900", 900, START + timedelta(days=900))
    assert stays([*before, later], Policy(at_least=1, daily=4)) == [*before, later]


def test_a_clock_that_jumped_spoils_one_place() -> None:
    days = [Aged(f"{day:06d}", day, START + timedelta(days=day)) for day in range(10)]
    wrong = replace(days[5], moment=datetime(2099, 1, 1, tzinfo=UTC))
    left = stays([*days[:5], wrong, *days[6:]], Policy(1, daily=6, weekly=0, monthly=0))
    assert left == [days[4], wrong, *days[6:]]


def test_what_is_damaged_fills_no_place() -> None:
    days = [Aged(f"{day:06d}", day, START + timedelta(days=day), good=day != 9) for day in range(10)]
    assert [one.number for one in stays(days, Policy(1, daily=3, weekly=0, monthly=0))] == [6, 7, 8]
    few = [replace(one, good=one.number == 0) for one in days]
    assert [one.number for one in stays(few, Policy(at_least=3, daily=3))] == list(range(10))
