"""The way into an estate: what must hold for every command that takes it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from shoreup.model.errors import NothingToAudit, UserError
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.drill import DrillOptions, drill
from shoreup.stages.explanation import Question, explain
from shoreup.stages.fix import FixOptions, fix
from shoreup.stages.opening import opened

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
    - {name: web, image: nginx:latest}
"""


def quiet(_what: str, _done: int, _of: int) -> None:
    """Progress that nobody watches."""


def asks_to_audit(estate: Path, config: Path | None) -> None:
    audit([estate], AuditOptions(cache=False, config=config))


def asks_to_fix(estate: Path, config: Path | None) -> None:
    fix([estate], FixOptions(config=config), quiet)


def asks_to_explain(estate: Path, config: Path | None) -> None:
    with suppress(UserError):  # no finding has this fingerprint; the estate is read all the same
        explain(Question("0", [estate], config), quiet)


def asks_to_drill(estate: Path, config: Path | None) -> None:
    with suppress(UserError):  # there is no backup here; the estate is read all the same
        drill([estate], DrillOptions(config=config), quiet)


COMMANDS = [asks_to_audit, asks_to_fix, asks_to_explain, asks_to_drill]


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A server that a stranger put into the settings of a tree, waiting to be called."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        yield listening


def settings_naming(server: socket.socket) -> str:
    port = server.getsockname()[1]
    return f'[ledger]\nurl = "postgresql+psycopg://me:sesame@127.0.0.1:{port}/x?connect_timeout=2"\n'


def was_called(server: socket.socket) -> bool:
    server.setblocking(False)
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize("command", COMMANDS)
def test_a_ledger_that_only_the_audited_tree_names_is_called_by_no_command(
    command: Callable[[Path, Path | None], None], tmp_path: Path, server: socket.socket
) -> None:
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    (tmp_path / "shoreup.toml").write_text(settings_naming(server), encoding="utf-8")
    command(tmp_path, None)
    assert not was_called(server)


def test_a_ledger_is_called_where_the_user_names_its_settings(tmp_path: Path, server: socket.socket) -> None:
    (tmp_path / "pod.yaml").write_text(POD, encoding="utf-8")
    settings = tmp_path / "mine.toml"
    settings.write_text(settings_naming(server), encoding="utf-8")
    asks_to_audit(tmp_path, settings)
    assert was_called(server)


def test_nothing_to_read_is_refused_unless_it_may_be_empty(tmp_path: Path) -> None:
    with pytest.raises(NothingToAudit):
        opened([tmp_path])
    assert opened([tmp_path], empty=True).whole


def test_parts_of_an_estate_are_told_from_the_whole(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pod.yaml").write_text(POD, encoding="utf-8")
    found = opened([tmp_path / "a", tmp_path / "b" / "pod.yaml"])
    assert (found.root, found.only, found.whole) == (tmp_path, ("a", "b/pod.yaml"), False)
