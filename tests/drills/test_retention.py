"""400 days of a job in a sandbox: which rotations are caught, by what, and when nothing can be said."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from textwrap import indent

import pytest
from msgspec.structs import replace

from engines_here import sandboxed
from shoreup.drills.base import NO_WISHES
from shoreup.drills.registry import experiments
from shoreup.drills.retention import Retention
from shoreup.drills.rotating import trial as rotating
from shoreup.drills.rotating.calendar import Weather, calendar
from shoreup.drills.rotating.halves import halves
from shoreup.drills.rotating.kept import Day, judge
from shoreup.drills.rotating.shelf import Kept, Lying, alike
from shoreup.drills.rotating.specs import retention_spec
from shoreup.drills.rotating.trial import rotate
from shoreup.engines.userlands import BUSYBOX, GNU
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.backups.tried_retention import GROWS, NEWEST_REMOVED, NOTHING_LEFT
from shoreup.facts.comments.kept import KeptClaim, kept_claims
from shoreup.facts.estate import Estate
from shoreup.formats.shell import parse
from shoreup.model.proof import Proof, Verdict
from small_estates import estate

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WEEKLY = "0 3 * * 0"
TWICE_A_WEEK = "0 3 * * 0,3"
DATED = "now=$(date +%Y%m%d); "


def of(script: str, image: str = "postgres:17-alpine", schedule: str = WEEKLY, *, live: bool = True) -> Estate:
    """An estate with one job that keeps its copies at ``/copies`` and, with ``live``, sees live files at ``/data``."""
    path, volume = ", {name: live, mountPath: /data, readOnly: true}", "- {name: live, nfs: {server: nas, path: /live}}"
    return estate(
        f"""
apiVersion: batch/v1
kind: CronJob
metadata: {{name: dump, namespace: data}}
spec:
  schedule: "{schedule}"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: dump
              image: {image}
              command: [/bin/sh, -c]
              args:
                - |
{indent(script, " " * 18)}
              env:
                - {{name: PGPASSWORD, valueFrom: {{secretKeyRef: {{name: db, key: password}}}}}}
              volumeMounts: [{{name: copies, mountPath: /copies}}{path if live else ""}]
          volumes:
            - {{name: copies, nfs: {{server: nas, path: /copies}}}}
            {volume if live else ""}
"""
    )


def tried(script: str, image: str = "postgres:17-alpine", schedule: str = WEEKLY, *, live: bool = True) -> Proof:
    """The proof of the job's 400 days."""
    sandboxed(BUSYBOX if "alpine" in image else GNU)
    found = of(script, image, schedule, live=live)
    spec = retention_spec(found, next(iter(once(running(found)))))
    assert not isinstance(spec, str), spec
    return rotate(spec, run="run", now=NOW)


def seen(proof: Proof) -> dict[str, float]:
    return {one.name: one.value for one in proof.measurements}


# ------------------------------------------------------------------------------------- what a rotation may never do


def test_a_rotation_that_waits_for_a_good_dump_passes() -> None:
    proof = tried(
        "set -euo pipefail\n"
        f"{DATED}pg_dump -h db app | gzip >/copies/.part\nmv /copies/.part /copies/app-$now.sql.gz\n"
        "# keep 30 days\nfind /copies -name 'app-*.gz' -mtime +30 -delete\n"
    )
    assert proof.verdict is Verdict.PASS, proof.after
    assert proof.control.refused
    assert seen(proof)["most kept"] == 5
    assert proof.engine.product == "BusyBox"


def test_an_age_alone_leaves_nothing_when_dumps_fail_for_longer() -> None:
    proof = tried(f"{DATED}pg_dump -h db app -f /copies/app-$now.sql\nfind /copies -mtime +14 -type f -delete\n")
    assert proof.verdict is Verdict.FAIL
    assert "no whole copy was left once the dump had failed" in proof.after
    assert seen(proof)[NOTHING_LEFT] > 0
    assert seen(proof)[NEWEST_REMOVED] == 0


def test_failed_dumps_that_count_as_copies_push_the_good_ones_out() -> None:
    proof = tried(f"{DATED}pg_dump app | gzip >/copies/app-$now.gz\nls -1t /copies/*.gz | tail -n +8 | xargs -r rm\n")
    assert proof.verdict is Verdict.FAIL
    assert "no whole copy was left" in proof.after


def test_an_inverted_rotation_is_seen_to_remove_the_newest() -> None:
    proof = tried(
        f"set -e\ncd /copies\n{DATED}cp -r /data app-$now\nls -1 | tail -n +8 | xargs -r rm -r\n",
        "debian:12",
    )
    assert proof.verdict is Verdict.FAIL
    assert "left no copy of its own, and 7 older ones stayed" in proof.after
    assert seen(proof)[NEWEST_REMOVED] > 0
    assert proof.engine.product == "GNU coreutils"


def test_a_program_that_asks_for_its_own_shell_comes_to_the_same() -> None:
    script = f"set -e\n{DATED}pg_dump app -f /copies/app-$now.sql\nls -1t /copies/* | tail -n +8 | xargs -r rm\n"
    plain, asking = (tried(f"{script}{more}", "debian:12") for more in ("", 'echo "$0 $$"\n'))
    assert plain.verdict is Verdict.PASS, plain.after
    assert [one for one in plain.measurements if one.unit != "s"] == [
        one for one in asking.measurements if one.unit != "s"
    ]


@pytest.mark.parametrize(("cut", "meet"), [("tail -n +8", True), ("head -n -7", False)])
def test_two_halves_at_the_same_time_come_to_what_one_year_comes_to(
    cut: str, meet: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    met: list[bool] = []

    def compared(one: Sequence[Lying], other: Sequence[Lying]) -> bool:
        met.append(alike(one, other))
        return met[-1]

    monkeypatch.setattr(rotating, "alike", compared)
    script = f"{DATED}pg_dump app -f /copies/app-$now.sql\nls -1t /copies/* | {cut} | xargs -r rm\n"
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    abreast = tried(script, schedule=TWICE_A_WEEK, live=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert any(met) is meet
    in_turn = tried(script, schedule=TWICE_A_WEEK, live=False)
    assert (abreast.verdict, abreast.after) == (in_turn.verdict, in_turn.after)
    assert [one for one in abreast.measurements if one.unit != "s"] == [
        one for one in in_turn.measurements if one.unit != "s"
    ]


def test_a_year_is_cut_where_all_has_been_well_for_as_long_as_copies_are_kept() -> None:
    times = calendar("0 3 * * *", NOW, None, 30)
    assert times is not None
    cut = halves(times.turns, None, 30)
    assert cut is not None
    assert cut.counts - cut.begins >= 30
    assert {one.weather for one in times.turns[cut.begins : cut.counts]} == {Weather.GOOD}
    assert max(cut.counts, 400 - cut.begins) < 280
    assert halves(times.turns, None, None) is None
    assert halves(times.turns, 300.0, None) is None
    seldom = calendar(TWICE_A_WEEK, NOW, None, 7)
    assert seldom is not None and halves(seldom.turns, None, 7) is not None


def test_shelves_are_alike_when_only_seconds_tell_them_apart() -> None:
    old, new = Lying(40 * 10**9, 0, "old", "a"), Lying(5 * 10**9, 0, "new", "b")
    assert alike([new, old], [replace(new, age=6 * 10**9), old])
    assert not alike([new, old], [new])
    assert not alike([new, old], [new, replace(old, content="c")])
    assert not alike([new, old], [new, replace(old, age=old.age + 86400 * 10**9)])
    assert not alike([new, old], [old, new])


def test_what_is_never_removed_piles_up() -> None:
    proof = tried(f"{DATED}pg_dump app >/copies/app-$now.sql")
    assert proof.verdict is Verdict.FAIL
    assert "no copy was ever removed" in proof.after
    assert seen(proof)[GROWS] == 1


def test_the_images_own_commands_decide() -> None:
    listing = "find /copies -mindepth 1 -maxdepth 1 -regex '.*/[0-9]+'"
    script = f"set -e\n{DATED}cp -r /data /copies/$now\n{listing} | sort | head -n -9 | xargs -r rm -r\n"
    assert "no copy was ever removed" in tried(script, "alpine:3.22").after
    assert tried(script, "debian:12").verdict is Verdict.PASS


def test_a_copy_that_takes_over_its_folders_age_is_removed_at_once() -> None:
    copying = f"{DATED}mkdir /copies/$now\ncp -a /data/. /copies/$now/"
    proof = tried(f"set -e\n{copying}\nfind /copies -mindepth 1 -maxdepth 1 -mtime +30 -exec rm -r {{}} +\n")
    assert proof.verdict is Verdict.FAIL
    assert "take over the age of the folder" in proof.after


def test_the_comments_number_is_held_against_what_was_kept() -> None:
    dumping = f"set -e\n{DATED}pg_dump app -f /copies/app-$now.sql"
    proof = tried(f"{dumping}\n# the last 10 stay\nls -1t /copies/* | tail -n +8 | xargs -r rm\n")
    assert proof.verdict is Verdict.FAIL
    assert 'the comment says "the last 10 stay", and 7 copies were kept' in proof.after


# --------------------------------------------------------------------------------------- when nothing can be said


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("rustic backup /data\nrustic forget --keep-daily 7 --prune", "rustic"),
        (f"{DATED}frobnicate /data >/copies/$now && pg_dump app >/copies/$now.sql", "frobnicate"),
        (f"{DATED}pg_dump app >/copies/$now.sql; find /copies -newermt 2026-01-01", "time that cannot be made up"),
        (f"{DATED}pg_dump app >/copies/$now.sql; exit 3", "ended with code 3"),
        (f"{DATED}pg_dump app >/copies/$now.sql; date -d 'last monday'; rm /copies/$now.sql", "clock"),
        ("pg_dump app >/elsewhere.sql", "of which a sandbox has none"),
    ],
)
def test_what_a_sandbox_cannot_run_is_not_judged(script: str, why: str) -> None:
    sandboxed(GNU)
    found = of(script, "debian:12")
    spec = retention_spec(found, next(iter(once(running(found)))))
    if isinstance(spec, str):
        assert why in spec
        return
    proof = rotate(spec, run="run", now=NOW)
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert why in proof.after


def test_it_is_found_and_makes_a_trial_of_every_job() -> None:
    assert any(isinstance(one, Retention) for one in experiments())
    [trial] = Retention().trials(of("pg_dump app >/copies/app.sql"), NO_WISHES)
    assert trial.name == "data/dump"
    assert {"command", "image", "volume"} <= set(trial.inputs.digests)


# ------------------------------------------------------------------------------------------ days, claims, judgement


def test_the_year_has_every_kind_of_trouble_and_an_outage_longer_than_what_is_kept() -> None:
    found = calendar("0 3 * * *", NOW, 60.0, None)
    assert found is not None
    days = {weather: len([one for one in found.turns if one.weather is weather]) for weather in Weather}
    assert days[Weather.BREAKS] == 7
    assert days[Weather.EMPTY] == 5
    assert days[Weather.REFUSES] == 75
    assert len(found.turns) == 400
    assert not found.limits


def test_a_job_that_runs_seldom_meets_every_kind_of_trouble_too() -> None:
    for schedule in (WEEKLY, "0 3 1 * *", "0 3 1,15 * *"):
        found = calendar(schedule, NOW, None, None)
        assert found is not None
        assert {one.weather for one in found.turns} == set(Weather)


def test_a_job_that_runs_all_the_time_is_run_twice_a_day_and_one_that_never_does_not_at_all() -> None:
    often = calendar("*/20 * * * *", NOW, None, None)
    assert often is not None and len(often.turns) <= 3 * 400
    assert often.limits
    assert calendar("0 0 30 2 *", NOW, None, None) is None
    assert calendar("whenever", NOW, None, None) is None


def _days(kept: dict[int, set[int]]) -> Iterator[Day]:
    times = calendar("0 3 * * *", NOW, None, None)
    assert times is not None
    for turn in times.turns[: max(kept)]:
        runs = frozenset(kept.get(turn.number, {turn.number}))
        yield Day(turn, 0, Kept(runs, len(runs)))


def test_one_bad_day_of_many_is_enough() -> None:
    times = calendar("0 3 * * *", NOW, None, None)
    assert times is not None
    assert not judge(list(_days({90: {90}})), times).wrong
    assert judge(list(_days({90: {90}, 50: {49}})), times).newest_removed == 1
    assert judge(list(_days({90: {90}, 50: set()})), times).nothing_left == 1


@pytest.mark.parametrize(
    ("comment", "claim"),
    [
        ("# Rotate — 14 day retention", KeptClaim("Rotate — 14 day retention", days=14)),
        ("# the last 28 stay", KeptClaim("the last 28 stay", copies=28)),
        (
            "# Newest first; whatever comes after the first 14 goes.",
            KeptClaim("Newest first; whatever comes after the first 14 goes.", copies=14),
        ),
        ("# keep 8 weekly snapshots (~2 months)", None),
        ("# TODO: keep 30 days", None),
        ("# keep 7 days here and 30 days there", None),
        ("# dumps took 40 days once", None),
    ],
)
def test_a_comment_is_taken_at_its_word_where_it_is_plain(comment: str, claim: KeptClaim | None) -> None:
    assert kept_claims(parse(f"{comment}\ntrue\n")) == ((claim,) if claim is not None else ())


def test_a_proof_lasts_and_names_what_it_does_not_show() -> None:
    dumping = f"set -e\n{DATED}pg_dump app -f /copies/app-$now.sql"
    proof = tried(f"{dumping}\nls -1t /copies/* | tail -n +8 | xargs -r rm\n")
    assert proof.verdict is Verdict.PASS, proof.after
    assert proof.expires - proof.taken == timedelta(days=180)
    assert any("stand-ins" in one for one in proof.limits)
