"""What may go wrong beside a kill: full disks, read-only ones, stores that mean no good, secrets that get about."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import sqlite3
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from backups_here import planned, restore, small_disk, started, take, written
from engines_here import chosen
from shoreup.cli.main import run
from shoreup.engines.redis import Redis
from shoreup.engines.scratch import Scratch
from shoreup.operations.backup.opening import content
from shoreup.operations.backup.plan import Plan
from shoreup.operations.backup.records import Record
from shoreup.operations.backup.restoring import Wish
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.steps import Undone
from shoreup.stores.folder import Folder
from stores_here import restic_repository


@pytest.fixture
def photos(tmp_path: Path) -> Plan:
    """A backup of a folder, taken."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(os.urandom(60_000))
    plan = planned(tmp_path, f"files:{tmp_path / 'photos'}")
    take(plan, tmp_path)
    return plan


def forged(plan: Plan, tar: bytes) -> None:
    """The store holds something else now, and its record agrees with it."""
    shelf = plan.shelf()
    record = shelf.find().record
    assert record is not None
    packed = zstandard.compress(tar)
    fields = {"size": len(packed), "sha256": sha256(packed).hexdigest(), "content": len(tar), "manifest": None}
    folder = plan.root / "store" / "bank"
    (folder / record.file).write_bytes(packed)
    described = folder / f"{record.id}.backup.json"
    described.write_text(json.dumps({**json.loads(described.read_text()), **fields}))
    assert shelf.find().good


def tar_of(*members: tuple[str, bytes, str, bytes]) -> bytes:
    """A tar of names, kinds, what links lead to, and contents."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, kind, leads_to, held in members:
            one = tarfile.TarInfo(name)
            one.type, one.linkname, one.size = kind, leads_to, len(held)
            archive.addfile(one, io.BytesIO(held))
    return made.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        [("../climbed", tarfile.REGTYPE, "", b"evil")],
        [("link", tarfile.SYMTYPE, "{outside}", b""), ("link/climbed", tarfile.REGTYPE, "", b"evil")],
        [("link", tarfile.SYMTYPE, "{outside}/mine", b""), ("link", tarfile.REGTYPE, "", b"evil")],
        [("same", tarfile.LNKTYPE, "{outside}/mine", b""), ("same", tarfile.REGTYPE, "", b"evil")],
        [("same", tarfile.LNKTYPE, "../outside/mine", b"")],
        [("disk", tarfile.FIFOTYPE, "", b""), ("disk", tarfile.REGTYPE, "", b"evil")],
    ],
)
def test_a_store_that_means_no_good_writes_nothing_outside_of_the_folder(
    photos: Plan, tmp_path: Path, members: list[tuple[str, bytes, str, bytes]]
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    (outside / "mine").chmod(0o600)
    forged(photos, tar_of(*((name, kind, to.format(outside=outside), held) for name, kind, to, held in members)))
    with pytest.raises(Undone, match=r"cannot be unpacked|names something twice"):
        restore(photos, tmp_path, Wish(folder=str(tmp_path / "new")))
    assert [one.name for one in outside.iterdir()] == ["mine"]
    assert ((outside / "mine").read_text(), (outside / "mine").stat().st_nlink) == ("mine", 1)
    assert not list(tmp_path.glob("*climbed")) and not (tmp_path / "new").exists()


def test_what_swells_is_stopped_at_the_size_that_it_was_made_of(photos: Plan, tmp_path: Path) -> None:
    record = photos.shelf().find().record
    assert isinstance(record, Record)
    bomb = zstandard.compress(bytes(256 << 20))
    rest = record.size - len(bomb) - 8
    assert rest > 0, "the bomb has to be as long as what it takes the place of"
    skipped = b"\x50\x2a\x4d\x18" + rest.to_bytes(4, "little") + bytes(rest)
    (tmp_path / "store" / "bank" / record.file).write_bytes(bomb + skipped)
    assert photos.shelf().find().good, "nobody has looked inside"
    seen = 0
    with pytest.raises(BackupTrouble, match="unpacks to more than"):
        for piece in content(photos, photos.shelf(), record):
            seen += len(piece)
    assert seen <= record.content


@pytest.fixture
def remembering(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An estate whose state is to lie on a disk of its own, with notes to back up."""
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with closing(sqlite3.connect(tmp_path / "notes.sqlite3")) as connection:
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY)")
    yield written(tmp_path, f"sqlite:{tmp_path / 'notes.sqlite3'}")
    # The workflow library keeps the stream that it found first, which is gone with this test.
    logging.getLogger("dbos").handlers.clear()


def fill(folder: Path) -> Path:
    """Take all room that is left, and give what took it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))
    return filler


def test_where_runs_are_remembered_a_full_disk_and_a_read_only_one_are_said_and_lose_nothing(
    remembering: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words, state = ["backup", "run", "bank", "--at", str(remembering)], remembering / "state"

    class Filling(Folder):
        """A store that is written to while the other disk becomes full."""

        def put(self, name: str, pieces: Iterable[bytes]) -> None:
            super().put(name, pieces)
            fill(state)

    with small_disk(state, kilobytes=4096) as remount:
        assert run(words) == 0
        filler = fill(state)
        assert run(words) == 2
        assert re.search("free some space|room on its disk", capsys.readouterr().err)
        filler.unlink()
        with monkeypatch.context() as patch:
            patch.setattr("shoreup.operations.backup.plan.open_store", lambda _: Filling(remembering / "store"))
            assert run(words) == 2
        assert "Nothing of it is lost" in capsys.readouterr().err
        filler.unlink()
        assert run(words) == 0, "what could not be written down has gone on first"
        remount("ro")
        assert run(words) == 2
        assert "see that you may write to it" in capsys.readouterr().err
        assert run(["backup", "list", "--at", str(remembering), "--format", "json"]) == 0
    (group,) = json.loads(capsys.readouterr().out)["backups"]
    assert [one["state"] for one in group["kept"]] == ["good", "good", "good"]


def shoreup(*words: str, root: Path) -> int:
    return run([*words, "--at", str(root)])


def test_passwords_are_in_no_argument_no_database_no_proof_and_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, store, wrong = "sesame-of-the-source", "sesame-of-the-store", "sesame-that-is-wrong"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "home").mkdir()
    repository = restic_repository(tmp_path, store)
    with Scratch() as scratch, Redis(chosen("redis"), scratch).start() as server:
        with server.connect() as client:
            client.mset({f"key:{number}": "x" for number in range(50)})
            client.config_set("requirepass", source)
        (tmp_path / "source").write_text(source)
        more = f'password-file = "{tmp_path / "source"}"\n[store.there]\nurl = "restic:{repository}"\n'
        more += f'secret-file = "{tmp_path / "password"}"\n[backup.far]\nof = "sqlite:/notes"\nstore = "there"\n'
        root = written(tmp_path / "home", f"redis:///?socket={server.socket}", more=more)
        with started() as programs:
            assert shoreup("backup", "run", "bank", root=root) == 0
            assert shoreup("backup", "verify", "bank", "--drill", "--format", "json", root=root) == 0
            assert shoreup("backup", "list", root=root) == 0
            (tmp_path / "source").write_text(wrong)
            assert shoreup("backup", "run", "bank", root=root) == 2
            (tmp_path / "password").write_text(wrong)
            assert shoreup("backup", "list", "far", root=root) == 5
            assert shoreup("runs", "--format", "json", root=root) == 0
    said = capsys.readouterr()
    assert "invalid username-password" in said.err and "wrong password" in said.out
    assert {"restic", "redis-cli"} <= {Path(one.split()[0]).name for one in programs if one}
    kept = b"".join(one.read_bytes() for one in (*(tmp_path / "state").rglob("*"), *root.rglob("*")) if one.is_file())
    everywhere = kept + "".join((*programs, said.out, said.err)).encode()
    assert b"backup run" in kept, "what was run is remembered"
    assert [one for one in (source, store, wrong) if one.encode() in everywhere] == []
    logging.getLogger("dbos").handlers.clear()
