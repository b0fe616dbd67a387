"""400 days of a repository's own retention: restic itself decides what goes, in a sandbox, on the simulated days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from textwrap import indent

import pytest

from engines_here import sandboxed
from shoreup.drills.rotating import trial
from shoreup.drills.rotating.calendar import Weather, calendar, quieter
from shoreup.drills.rotating.grandfathers import LAST, Back, Claimed, Counting, Words, said_by, unlike
from shoreup.drills.rotating.specs import RetentionSpec, retention_spec
from shoreup.drills.rotating.trial import rotate
from shoreup.drills.sandboxed_jobs.layout import job_layout
from shoreup.drills.sandboxed_jobs.repositories import HOSTNAME
from shoreup.drills.sandboxed_jobs.standins import standins
from shoreup.engines.sandbox import Sandbox
from shoreup.engines.sandbox_ground import STATE
from shoreup.engines.scratch import Scratch
from shoreup.engines.userlands import BUSYBOX, GNU, userland
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.backups.tried_retention import GROWS
from shoreup.model.proof import Proof, Verdict
from small_estates import estate

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MONTHLY = "0 3 1 * *"
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
PLAIN = Counting(UNITS)


@pytest.fixture(autouse=True)
def short_control(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few runs of the control say as much here as a dozen."""
    monkeypatch.setattr(trial, "_CONTROLLED", 3)


def spec_of(script: str, tool: str = "restic", image: str = "restic/restic:0.17.3") -> RetentionSpec:
    """One job that backs up a live folder to a store far away, with a password that is not in the repository."""
    kind = BUSYBOX if "restic" in image else GNU
    sandboxed(kind)
    commands = userland(kind, (tool,))
    if isinstance(commands, str) or tool not in commands.commands:
        pytest.skip(f"not run: {tool} is not in /usr/bin (Debian has it)")
    found = estate(
        f"""
apiVersion: batch/v1
kind: CronJob
metadata: {{name: photos, namespace: data}}
spec:
  schedule: "{MONTHLY}"
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: restic
              image: {image}
              command: [/bin/sh, -c]
              args:
                - |
{indent(script, " " * 18)}
              env:
                - {{name: RESTIC_REPOSITORY, value: "s3:https://s3.example.org/photos"}}
                - {{name: RESTIC_PASSWORD, valueFrom: {{secretKeyRef: {{name: restic, key: password}}}}}}
                - {{name: BORG_PASSPHRASE, valueFrom: {{secretKeyRef: {{name: borg, key: password}}}}}}
              volumeMounts: [{{name: photos, mountPath: /photos, readOnly: true}}]
          volumes: [{{name: photos, persistentVolumeClaim: {{claimName: photos}}}}]
"""
    )
    spec = retention_spec(found, next(iter(once(running(found)))))
    assert not isinstance(spec, str), spec
    return spec


def tried(script: str) -> Proof:
    return rotate(spec_of(script), run="run", now=NOW)


def test_snapshots_that_are_forgotten_by_one_name_pass_and_are_read_at_the_end() -> None:
    script = (
        "set -e\nrestic snapshots || restic init\n"
        "restic -r s3:far backup --host photos --password-file /elsewhere /photos\n"
        "restic forget --host photos --keep-daily 3 --keep-weekly 2 --prune\n"
    )
    proof = tried(script)
    assert proof.verdict is Verdict.PASS, proof.after
    assert proof.control.refused
    assert (proof.engine.product, proof.engine.stands_in_for) == ("restic", "restic/restic:0.17.3")
    seen = {one.name: one.value for one in proof.measurements}
    assert seen["most kept"] == 3
    assert seen["read at the end"] > 0


def test_an_empty_dump_through_a_pipe_is_a_snapshot_that_pushes_the_good_one_out() -> None:
    proof = tried("pg_dump app | restic backup --host a --stdin\nrestic forget --host a --keep-last 1\n")
    assert proof.verdict is Verdict.FAIL
    assert "no whole copy was left once the dump had broken off" in proof.after


def test_snapshots_under_the_pods_names_are_never_forgotten() -> None:
    proof = tried("set -e\nrestic backup /photos\nrestic forget --keep-last 4 --prune\n")
    assert proof.verdict is Verdict.FAIL
    assert "last 4 is asked for" in proof.after
    assert "what nothing keeps was left" in proof.after
    assert "each pod is named anew" in proof.after
    assert {one.name: one.value for one in proof.measurements}[GROWS] == 1


def test_snapshots_of_a_folder_that_is_another_each_time_are_never_forgotten() -> None:
    script = "set -e\nwork=$(mktemp -d)\ncp -R /photos/. $work\nrestic backup --host a $work\n"
    proof = tried(f"{script}restic forget --host a --keep-last 4 --prune\n")
    assert proof.verdict is Verdict.FAIL
    assert "each run reads other paths" in proof.after
    assert {one.name: one.value for one in proof.measurements}[GROWS] == 1
    assert tried(f"{script}restic forget --group-by host --keep-last 4 --prune\n").verdict is Verdict.PASS


def test_borg_counts_a_time_from_today_and_leaves_nothing_in_an_outage() -> None:
    words = (
        "set -e\nborg create --stats ssh://backup@far/./photos::photos-{now:%Y-%m} /photos || true\n"
        "borg prune --list --keep-within 20d ssh://backup@far/./photos\nborg compact\n"
    )
    proof = rotate(spec_of(words, "borg", "debian:12"), run="run", now=NOW)
    assert proof.verdict is Verdict.FAIL, proof.after
    assert proof.after.startswith("no whole copy was left once the dump had ")
    assert proof.after.count(";") == 0
    assert (proof.engine.product, proof.engine.stands_in_for) == ("borg", "debian:12")
    assert proof.control.refused


def test_each_turn_of_a_loop_over_folders_finds_its_folder() -> None:
    loop = 'for one in photos films; do restic backup "/photos/$one"; done\nrestic forget --keep-last 3\n'
    paths = {one.path for one in spec_of(loop).sources}
    assert {"photos/content", "films/content"} <= paths


def test_the_pods_name_of_the_day_is_what_programs_are_told() -> None:
    spec = spec_of('echo "$HOSTNAME $(hostname)"; restic backup --host "$HOSTNAME" /photos')
    commands = trial.commands_for(spec.commands, ("restic",))
    assert spec.repository is not None and not isinstance(commands, str)
    helpers = standins(spec.run, commands, (), before={"restic": "exit 0", "hostname": HOSTNAME})
    assert not isinstance(helpers, str)
    with Scratch() as scratch, Sandbox(scratch, job_layout(spec, commands, helpers)) as sandbox:
        for pod in ("photos-1", "photos-2"):
            sandbox.inside(STATE).write("day", f"000001 good 0 2026-01-01 03:00:00 {pod}\n".encode())
            assert sandbox.run("start0", 20).said == f"{pod} {pod}"


@pytest.mark.parametrize(
    ("words", "numbers", "within"),
    [
        ("forget --keep-within 1y6m10d", {}, Back(timedelta(days=10), 18)),
        ("forget --keep-daily 7 --keep-weekly=4 --prune", {"daily": 7, "weekly": 4}, None),
        ("forget -d 7 -w4 --keep-last 0", {"daily": 7, "weekly": 4}, None),
        ("forget --keep-within 1d12h", {}, Back(timedelta(days=1, hours=12))),
        ("forget --host a", {}, None),
        ("prune --list -d7", {"daily": 7}, None),
    ],
)
def test_the_words_of_a_removal_say_what_is_kept(words: str, numbers: dict[str, int], within: Back | None) -> None:
    assert said_by(words, UNITS, {"m": 1, "y": 12}) == Words(numbers, within)


@pytest.mark.parametrize("words", ["--keep-tag gold", "--keep-within 3x", "--keep-last unlimited"])
def test_words_that_are_not_counted_are_named(words: str) -> None:
    assert said_by(words, UNITS).unclear == words


@pytest.mark.parametrize(
    ("at", "back", "before"),
    [
        ("2026-09-10", Back(timedelta(), 2), "2026-07-10"),
        ("2026-03-31", Back(timedelta(), 1), "2026-03-03"),
        ("2026-01-15", Back(timedelta(days=14), 13), "2024-12-01"),
        ("2028-02-29", Back(timedelta(), 12), "2027-03-01"),
        ("2026-06-22", Back(timedelta(days=30)), "2026-05-23"),
    ],
)
def test_months_go_back_by_the_calendar(at: str, back: Back, before: str) -> None:
    assert back.before(datetime.fromisoformat(at)) == datetime.fromisoformat(before)
    assert datetime.fromisoformat(at) - datetime.fromisoformat(before) <= back.longest


def test_of_each_period_the_newest_is_claimed() -> None:
    claimed = Claimed({"weekly": 2, LAST: 1})
    for day in range(1, 23):
        claimed.add(day, datetime(2026, 6, day, 3, tzinfo=UTC))
    assert claimed.kept() == {"weekly": {21, 22}, LAST: {22}}


def test_borgs_rules_add_up_and_its_times_go_back_from_today() -> None:
    claimed = Claimed({"weekly": 2, "daily": 3}, Back(timedelta(days=2)), adding=True)
    for day in range(1, 23):
        claimed.add(day, datetime(2026, 6, day, 3, tzinfo=UTC))
    now = datetime(2026, 6, 22, 4, tzinfo=UTC)
    assert claimed.kept(now) == {"within": {21, 22}, "daily": {18, 19, 20}, "weekly": {7, 14}}
    assert claimed.kept(now + timedelta(days=9))["within"] == set()


def test_what_is_gone_too_early_or_stays_too_long_is_told_and_the_oldest_may_stay() -> None:
    at = {number: datetime(2026, 6, number, 3, tzinfo=UTC) for number in range(1, 6)}
    words, every = Words({LAST: 2}), frozenset(at)

    def left(third: set[int]) -> list[tuple[int, frozenset[int]]]:
        return [(1, frozenset({1})), (2, frozenset({1, 2})), (3, frozenset(third))]

    assert unlike(words, PLAIN, left({2, 3}), at, every) == (0, "")
    assert unlike(words, PLAIN, left({1, 2, 3}), at, every) == (0, "")
    assert unlike(words, PLAIN, left({3}), at, every) == (3, "a copy was gone that last 2 keeps")
    late = [*left({1, 2, 3}), (4, frozenset({1, 2, 3, 4}))]
    assert unlike(words, PLAIN, late, at, every) == (4, "what nothing keeps was left, 1 of 4 copies")
    assert unlike(words, PLAIN, late, at, frozenset({1, 2, 3})) == (0, "")


def test_of_a_long_year_all_days_of_trouble_stay() -> None:
    whole = calendar("0 3 * * *", NOW, None, None)
    assert whole is not None
    fewer = quieter(whole)
    assert len(fewer.turns) < 200
    assert [one.number for one in fewer.turns] == list(range(1, len(fewer.turns) + 1))
    troubled = [[one.at for one in times.turns if one.weather is not Weather.GOOD] for times in (whole, fewer)]
    assert troubled[0] == troubled[1]
    assert any("of 400 runs" in one for one in fewer.limits)
    seldom = calendar("0 3 * * 0", NOW, None, None)
    assert seldom is not None and quieter(seldom) is seldom
