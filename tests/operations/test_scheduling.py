"""What runs when: by whose clock, once, and also after nobody was there."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import pytest
import yaml

from operating import executing, world
from shoreup.cli.main import run
from shoreup.cli.scraping import Page, scraped
from shoreup.model.errors import UserError
from shoreup.operations.outcomes import Ended
from shoreup.operations.places import Place, locate
from shoreup.operations.workflows import Executor
from shoreup.report.exposition import CONTENT_TYPE
from shoreup.stages.running.commanding import Commanded
from shoreup.stages.running.cron_jobs import Pods, manifests, objects, unmounted
from shoreup.stages.running.scheduling import Entry, entries, queue_due
from shoreup.stages.settings import parse_settings

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SETTINGS = """\
[backup.photos]
of = "postgresql://me@db.example.org/photos"
store = "/mnt/backups"

[schedule.photos]
run = "backup run photos"
when = "30 2 * * *"
time-zone = "Europe/Berlin"

[schedule.tidy]
run = "backup prune photos"
when = "0 4 * * 0"

[schedule.drills]
run = "drill --due"
when = "0 5 1 * *"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "estate"
    root.mkdir()
    return locate(root)


def entry(cron: str, zone: str = "UTC") -> Entry:
    return Entry("files", "write", cron, zone, Commanded(("write",), "write", "files", {}))


def times(cron: str, zone: str, start: datetime, many: int) -> list[str]:
    """When it comes, by its own clock."""
    found, one = [], entry(cron, zone)
    for _ in range(many):
        start = one.after(start)
        found.append(start.astimezone(ZoneInfo(zone)).strftime("%d %H:%M %Z"))
    return found


def test_what_falls_into_the_hour_that_is_left_out_comes_at_its_end() -> None:
    before = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert times("30 2 * * *", "Europe/Berlin", before, 2) == ["29 03:00 CEST", "30 02:30 CEST"]


def test_what_falls_into_the_hour_that_comes_twice_comes_once() -> None:
    before = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert times("30 2 * * *", "Europe/Berlin", before, 2) == ["25 02:30 CEST", "26 02:30 CET"]
    assert times("0 * * * *", "Europe/Berlin", datetime(2026, 10, 24, 23, 30, tzinfo=UTC), 3) == [
        "25 02:00 CEST",
        "25 02:00 CET",
        "25 03:00 CET",
    ], "what comes every hour comes in both"


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_looking_back_finds_what_looking_ahead_has_announced(zone: str) -> None:
    one, moment = entry("30 2 * * *", zone), datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(380):
        moment = one.after(moment)
        assert one.latest(moment) == moment
        assert one.latest(moment + timedelta(hours=20, seconds=1)) == moment


def due(executor: Executor, now: datetime, cron: str = "0 * * * *") -> tuple[str, ...]:
    return queue_due(executor, (entry(cron),), now)


def test_what_was_missed_runs_once_and_what_was_never_looked_at_does_not_run(place: Place) -> None:
    with executing(place) as executor:
        assert due(executor, NOON) == ()
        assert due(executor, NOON + timedelta(minutes=59)) == ()
        after_two_days = due(executor, NOON + timedelta(days=2, minutes=1))
        assert [name.rpartition("-")[2] for name in after_two_days] == ["20260603T1200Z"]
        assert due(executor, NOON + timedelta(days=2, minutes=2)) == ()
        assert due(executor, NOON + timedelta(days=2, hours=1)) == (), "the one before has not ended"


def test_a_clock_that_is_set_back_doubles_nothing_and_stops_nothing(place: Place) -> None:
    with executing(place) as executor:
        due(executor, NOON)
        first = due(executor, NOON + timedelta(hours=1))
        executor.put(first[0], executor.here)
        assert executor.wait(first[0]).ended is Ended.DONE
        assert due(executor, NOON + timedelta(minutes=30)) == ()
        due(executor, NOON + timedelta(hours=1))
        assert len(executor.runs.all()) == 1
        assert len(due(executor, NOON + timedelta(hours=2))) == 1
        far = datetime(2040, 1, 1, tzinfo=UTC)
        executor.records.fire(entry("0 * * * *").key, far)
        due(executor, NOON + timedelta(hours=3))
    assert world(place.root, first[0]) == ["one", "two", "three"]


def test_times_that_change_begin_anew(place: Place) -> None:
    with executing(place) as executor:
        due(executor, NOON)
        assert due(executor, NOON + timedelta(minutes=30), "15 * * * *") == ()
        assert len(due(executor, NOON + timedelta(minutes=80), "15 * * * *")) == 1


def test_the_settings_say_what_runs(tmp_path: Path) -> None:
    found = {one.name: one for one in entries(parse_settings(SETTINGS.encode()), tmp_path)}
    assert {one.does.operation for one in found.values()} == {"backup run", "backup prune", "drill"}
    assert found["photos"].does.subject == found["tidy"].does.subject == "backup photos"
    assert found["photos"].latest(NOON).astimezone(ZoneInfo("Europe/Berlin")).hour == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('run = "backup run nothing"\nwhen = "0 1 * * *"', r"toml:6: run: There is no \[backup.nothing\]"),
        ('run = "rm -rf /"\nwhen = "0 1 * * *"', "cannot be scheduled. These can: 'backup run"),
        ('run = "backup run photos"\nwhen = "61 1 * * *"', "toml:7: when: '61 1"),
        ('run = "backup run photos"\nwhen = "0 0 30 2 *"', "Bad day-of-month"),
        ('run = "backup run photos"\nwhen = "0 1 * * *"\ntime-zone = "Mars/North"', "toml:8: there is no time zone"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line: str, told: str, tmp_path: Path) -> None:
    text = SETTINGS.partition("[schedule.")[0] + f"[schedule.it]\n{line}\n"
    with pytest.raises(UserError, match=told):
        entries(parse_settings(text.encode()), tmp_path)


def test_the_list_is_for_people_and_for_programs(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (place.root / "shoreup.toml").write_text(SETTINGS, encoding="utf-8")
    assert run(["schedule", "--at", str(place.root)]) == 0
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines()] == ["drills", "photos", "tidy"]
    assert run(["schedule", "--at", str(place.root), "--format", "json"]) == 0
    (_, photos, _) = json.loads(capsys.readouterr().out)["schedules"]
    assert list(photos) == ["name", "run", "when", "time_zone", "next", "last", "last_run", "state"]
    assert len(photos["next"]) == 3


IMAGE = "registry.example.org/shoreup:1.2.3@sha256:" + "0" * 64
STORAGE = {
    "192.0.2.5:/volume1/backups": "/mnt/backups",
    "shoreup/dumps": "/mnt/dumps",
    "elsewhere/dumps": "/mnt/others",
    "nas:/x": "/state/x",
}


def test_the_manifests_are_what_kubernetes_takes_and_what_an_audit_has_nothing_against(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = entries(parse_settings(SETTINGS.encode()), tmp_path)
    pods = Pods(IMAGE, repository="https://git.example.org/platform.git", storage=STORAGE)
    made = list(objects(found, SETTINGS, pods))
    assert [one["kind"] for one in made] == ["ConfigMap", "NetworkPolicy", "CronJob", "CronJob", "CronJob"]
    assert [one["kind"] for one in objects(found, SETTINGS, Pods(IMAGE))].count("CronJob") == 2, "no drill"
    assert unmounted(found, pods) == ("elsewhere/dumps", "nas:/x")
    for one in made:
        import_module("kubernetes_validate").validate(one, "1.31", strict=True)
    (tmp_path / "jobs.yaml").write_text(yaml.safe_dump_all(made), encoding="utf-8")
    assert run(["audit", str(tmp_path), "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(one["concern"], one["message"]) for one in said["findings"]] == []


def test_the_manifests_read_as_people_write_them(tmp_path: Path) -> None:
    found = entries(parse_settings(SETTINGS.encode()), tmp_path)
    text = manifests(found, SETTINGS, Pods(IMAGE))
    assert "shoreup.toml: |" in text and "&id" not in text
    held = next(one for one in yaml.safe_load_all(text) if one["kind"] == "ConfigMap")
    assert held["data"]["shoreup.toml"] == SETTINGS


def test_a_drill_in_a_pod_has_the_repository_and_the_copies_where_the_settings_say(tmp_path: Path) -> None:
    found = [one for one in entries(parse_settings(SETTINGS.encode()), tmp_path) if one.name == "drills"]
    pods = Pods(IMAGE, repository="git@git.example.org:me/platform.git", storage=STORAGE)
    written = yaml.safe_load_all(manifests(found, SETTINGS, pods))
    (job,) = [one["spec"]["jobTemplate"]["spec"] for one in written if one["kind"] == "CronJob"]
    pod = job["template"]["spec"]
    (main,), (clone,) = pod["containers"], pod["initContainers"]
    assert clone["command"][-2:] == ["git@git.example.org:me/platform.git", "/estate/repository"]
    words = ["drill", "--due", "/estate/repository", "--config", "/estate/repository/shoreup.toml"]
    assert main["args"] == words
    copies = {one["mountPath"]: one["name"] for one in main["volumeMounts"] if one["name"].startswith("copies")}
    volumes = {one.pop("name"): one for one in pod["volumes"]}
    assert {where: volumes[name] for where, name in copies.items()} == {
        "/mnt/backups": {"nfs": {"server": "192.0.2.5", "path": "/volume1/backups", "readOnly": True}},
        "/mnt/dumps": {"persistentVolumeClaim": {"claimName": "dumps", "readOnly": True}},
    }
    assert all(one.get("readOnly") for one in main["volumeMounts"] if one["name"] not in ("state", "scratch"))
    assert job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"] == [4, 5], "a verdict is not tried again"


@pytest.mark.parametrize("address", ["https://me:sesame@git.example.org/x", "--upload-pack=evil", "/srv/x"])
def test_a_repository_is_an_address_without_a_password(address: str) -> None:
    with pytest.raises(UserError) as told:
        manifests((), SETTINGS, Pods(IMAGE, repository=address))
    assert "sesame" not in told.value.message


def test_a_password_is_not_written_into_a_config_map() -> None:
    with pytest.raises(UserError, match="SHOREUP_OPERATIONS_URL"):
        manifests((), '[operations]\nurl = "postgresql://me:sesame@db/runs"\n', Pods("x"))


def test_who_serves_tells_prometheus_how_it_stands_and_stops_when_told(place: Place) -> None:
    (place.root / "shoreup.toml").write_text(SETTINGS, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "shoreup", "serve", "--no-web", "--metrics", "127.0.0.1:0", "--at", str(place.root)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    assert process.stderr is not None
    page = ""
    for line in process.stderr:
        page = page or line.partition("metrics at ")[2].strip()
        if "working on the runs" in line:
            break
    with urlopen(page, timeout=30) as answer:
        assert answer.headers["Content-Type"] == CONTENT_TYPE
        assert b'shoreup_backup_store_up{estate="estate",backup="photos"} 0' in answer.read()
    for strange, code in (
        (Request(page, headers={"Host": "rebound.example.org"}), 403),
        (Request(page.removesuffix("metrics")), 404),
    ):
        with pytest.raises(HTTPError) as refused:
            urlopen(strange, timeout=30)
        assert refused.value.code == code
    process.send_signal(signal.SIGTERM)
    rest = process.stderr.read()
    assert process.wait(20) == 0
    assert "stopping" in rest
    assert "Traceback" not in rest
    leases = place.root.parent.rglob("*.lease")
    assert list(leases) == []


def test_metrics_that_cannot_be_made_are_said_once_and_no_password_with_them() -> None:
    told: list[str] = []

    def make() -> str:
        raise ValueError("sesame")

    page = Page(make, told.append, fresh=0)
    assert (page.text(), page.text()) == (None, None)
    assert told == ["no metrics: a fault in Shoreup, ValueError"]


def test_an_address_that_is_taken_or_none_is_said_before_anything_runs(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UserError, match="--metrics none"), scraped(address, str, print):
            pass
    for strange in ("9817", "127.0.0.1:no", ":1"):
        with pytest.raises(UserError, match="HOST:PORT"), scraped(strange, str, print):
            pass
