"""The workflow library keeps to itself: no port, no call, no program out of the database."""

from __future__ import annotations

import base64
import os
import pickle
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from operating import executing
from shoreup.operations.library import library
from shoreup.operations.outcomes import Ended
from shoreup.operations.places import VARIABLE, Place, locate


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "estate").mkdir()
    return locate(tmp_path / "estate")


class Program:
    """What runs when it is read."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self._marker),)


def test_a_row_that_holds_a_program_is_not_read(place: Place, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with executing(place) as executor:
        executor.queue(executor.asked("write", "files", {}, waits=True), run="planted")
    row = base64.b64encode(pickle.dumps({"args": (Program(marker),), "kwargs": {}})).decode()
    assert place.file is not None
    with closing(sqlite3.connect(place.file)) as database, database:
        database.execute("UPDATE workflow_input SET inputs = ?", (row,))
        database.execute("UPDATE workflow_status SET serialization = 'py_pickle'")
    with executing(place) as executor:
        executor.put("planted", executor.here)
        assert executor.wait("planted").ended is Ended.STUCK
    assert not marker.exists()


def test_nothing_listens_and_nothing_is_called(
    place: Place, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    called: list[object] = []
    monkeypatch.setenv("DBOS__CLOUD", "true")
    monkeypatch.setenv("DBOS__CONDUCTOR_KEY", "key")
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: called.append(address))
    monkeypatch.setattr(socket.socket, "bind", lambda _, address: called.append(address))
    with executing(place) as executor:
        assert executor.wait(executor.begin(executor.asked("write", "files", {}))).ended is Ended.DONE
    assert called == []
    assert not [name for name in os.environ if name.startswith("DBOS_")]
    assert capfd.readouterr() == ("", "")


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from shoreup.model.errors import UserError

    monkeypatch.setitem(__import__("sys").modules, "dbos", None)
    with pytest.raises(UserError, match=r"pip install 'shoreup\[operations\]'"):
        library()


def test_an_address_in_a_variable_is_the_users_own_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "postgresql://me:sesame@db.example.org/runs")
    found = locate(tmp_path, "sqlite:///mine.sqlite")
    assert (found.closed, found.shown) == ("", "postgresql+psycopg://db.example.org/runs")
