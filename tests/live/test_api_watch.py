"""Refusals and reads of Secrets, from the lines of an audit log."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from shoreup.cli.main import run
from shoreup.live import api_watch
from shoreup.live.api_watch import access
from shoreup.model.access import Denied, SecretRead

AGENT = "system:serviceaccount:tools:agent"


def event(
    verb: str,
    resource: str,
    *,
    who: str = AGENT,
    code: int = 200,
    namespace: str = "web",
    name: str = "",
    stage: str = "",
) -> bytes:
    return json.dumps(
        {
            "stage": stage or "ResponseComplete",
            "verb": verb,
            "requestURI": f"/api/v1/{resource}",
            "user": {"username": who},
            "objectRef": {"resource": resource, "namespace": namespace, "name": name},
            "responseStatus": {"code": code},
            "requestReceivedTimestamp": "2026-11-23T09:00:00Z",
        }
    ).encode()


def log() -> Iterator[bytes]:
    yield from [event("delete", "pods", code=403, name="wiki-0")] * 3
    yield event("get", "secrets", name="db")
    yield event("list", "secrets", namespace="", who="admin")
    yield event("get", "pods", name="wiki-0")
    yield event("get", "secrets", code=403, name="db", who="guest")
    yield event("get", "secrets", name="db", stage="RequestReceived")
    yield b"no event\n"


def test_refusals_and_reads_are_counted_once_for_each_request() -> None:
    told = access(log())
    assert told.denied == (
        Denied(AGENT, "delete", "", "pods", "web", "wiki-0", 3),
        Denied("guest", "get", "", "secrets", "web", "db", 1),
    )
    assert told.secrets == (SecretRead("admin", "list", "", "", 1), SecretRead(AGENT, "get", "web", "db", 1))
    assert (told.events, told.unread) == (8, 1)


def test_names_without_end_fold_into_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_watch, "_MOST", 3)
    told = access(event("get", "secrets", name=f"s{number}") for number in range(10))
    assert len(told.secrets) == 4
    assert SecretRead(AGENT, "get", "web", "*", 7) in told.secrets


def test_a_packed_log_is_told_as_text_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "audit.log.gz"
    file.write_bytes(gzip.compress(b"\n".join(log())))
    assert run(["rbac", "report", str(file)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("8 events at 2026-11-23T09:00:00Z\n")
    assert f"  3  {AGENT}  delete pods wiki-0 in web" in shown
    assert "  1  admin  list every Secret of the cluster" in shown
    assert run(["rbac", "report", str(file), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["denied"][0]["times"] == 3


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ([""], "1 event; the log does not say when"),
        (
            ["2026-11-23T09:00:00Z", "2026-11-23T10:00:00Z"],
            "2 events from 2026-11-23T09:00:00Z to 2026-11-23T10:00:00Z",
        ),
    ],
)
def test_it_says_from_when_the_events_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], times: list[str], said: str
) -> None:
    file = tmp_path / "audit.log"
    bodies = [json.loads(event("get", "pods")) | {"requestReceivedTimestamp": time} for time in times]
    file.write_text("".join(f"{json.dumps(body)}\n" for body in bodies), encoding="utf-8")
    assert run(["rbac", "report", str(file)]) == 0
    assert capsys.readouterr().out.splitlines()[0] == said


def test_what_is_no_log_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.log").write_text("hello\n", encoding="utf-8")
    assert run(["rbac", "report", str(tmp_path / "a.log")]) == 2
    assert "no event" in capsys.readouterr().err
