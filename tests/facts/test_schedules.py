"""How long a schedule may leave between two runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.facts.programs.schedules import longest_gap, spoken

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        ("0 3 * * *", DAY),
        ("*/15 * * * *", HOUR / 4),
        ("0 */6 * * *", 6 * HOUR),
        ("0 */5 * * *", 5 * HOUR),
        ("0 8-18/2 * * *", 14 * HOUR),
        ("30 2,14 * * *", 12 * HOUR),
        ("0 0 * * 0", 7 * DAY),
        ("0 0 * * 7", 7 * DAY),
        ("0 3 * * MON-FRI", 3 * DAY),
        ("0 3 1 * *", 31 * DAY),
        ("0 3 1,15 * *", 17 * DAY),
        ("0 3 1 * mon", 7 * DAY),
        ("0 3 31 * *", 61 * DAY),
        ("0 0 29 2 *", 1461 * DAY),
        ("0 0 1 JAN *", 366 * DAY),
        ("0 0 2 * * *", DAY),
        ("TZ=Europe/Berlin 0 3 * * *", DAY),
        ("H * * * *", HOUR),
        ("H H * * *", DAY),
        ("H/20 * * * *", HOUR / 3),
        ("@daily", DAY),
        ("@daily-random", DAY),
        ("@hourly", HOUR),
        ("@every 6h", 6 * HOUR),
        ("@every 1h30m", 1.5 * HOUR),
        ("86400", DAY),
        ("6h", 6 * HOUR),
        ("1d", DAY),
    ],
)
def test_the_longest_time_between_two_runs(schedule: str, gap: timedelta) -> None:
    assert longest_gap(schedule) == gap


@pytest.mark.parametrize(
    "schedule", ["", "daily", "* * *", "0 25 * * *", "0 3 * * * * *", "0 3 30 2 *", "0 3 L * *", "H(0-7) 3 * * *",
                 "$CRON", "0 H-5 * * *", "0", "0/0 * * * *", "5-1 * * * *", "@reboot", "0 3 * * * UTC"],
)  # fmt: skip
def test_what_is_not_understood_is_not_guessed(schedule: str) -> None:
    assert longest_gap(schedule) is None


@given(st.integers(1, 23), st.integers(0, 59))
def test_a_step_over_hours_leaves_no_more_than_the_step_or_the_rest_of_the_day(step: int, minute: int) -> None:
    last = 23 // step * step
    assert longest_gap(f"{minute} */{step} * * *") == max(step if last else 24, 24 - last) * HOUR


@given(st.text(alphabet="0123456789*/,-? @abcdefgmonTZ=", max_size=30))
def test_nothing_crashes(schedule: str) -> None:
    assert longest_gap(schedule) is None or longest_gap(schedule) > timedelta()  # type: ignore[operator]  # not None


@pytest.mark.parametrize(
    ("time", "said"),
    [(DAY, "24 hours"), (7 * DAY, "7 days"), (1.5 * HOUR, "90 minutes"), (HOUR, "1 hour"), (HOUR / 80, "45 seconds")],
)
def test_a_time_for_people(time: timedelta, said: str) -> None:
    assert spoken(time) == said
