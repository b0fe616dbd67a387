"""What every store promises, on real ones: a folder, an S3 server, an SSH server, a repository of restic."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backups_here import planned, take
from shoreup.operations.backup.opening import fetch
from shoreup.operations.backup.shelf import State
from shoreup.operations.backup.verifying import look
from shoreup.stores.base import NotThere, Store, StoreTrouble
from shoreup.stores.folder import Folder
from shoreup.stores.objects import Objects
from shoreup.stores.opening import Place, open_store
from stores_here import KEY_ID, SECRET, restic_repository, s3_server, ssh_server

Opens = Callable[..., Store]
KINDS = ["folder", "s3", "sftp", "restic"]


def place(url: str, secret: str = "", *, key_id: str = KEY_ID, endpoint: str = "", keys: Path | None = None) -> Place:
    known = keys.with_name("known") if keys is not None else Path("/nowhere")
    return Place(url, lambda _: secret, lambda: key_id, endpoint, "", keys, known)


@pytest.fixture(scope="module", params=KINDS)
def opens(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opens]:
    """A way to open a store of each kind, with another secret where one is given."""
    folder = tmp_path_factory.mktemp(request.param)
    kept = folder / "kept"
    kept.mkdir()
    if request.param == "folder":
        yield lambda: open_store(place(str(kept)))
    elif request.param == "s3":
        with s3_server(folder) as (_, address):
            yield lambda secret=SECRET: open_store(place("s3://keep/below/here", secret, endpoint=address))
    elif request.param == "sftp":
        with ssh_server(folder) as server:
            url = f"sftp://root@127.0.0.1:{server.port}{kept}"
            yield lambda secret="key": open_store(place(url, keys=folder / secret))
    else:
        repository = restic_repository(folder, "b4ttery")
        yield lambda secret="b4ttery": open_store(place(f"restic:{repository}", secret))


def content(store: Store, name: str) -> bytes:
    return b"".join(store.get(name))


def test_what_is_put_is_there_by_its_name_until_it_is_removed(opens: Opens) -> None:
    store = opens()
    store.put("bank/first", [b"another"])
    store.put("bank/first", [b"one ", b"", b"piece"])
    store.put("other/first", [b"y"])
    assert [one.name for one in opens().entries("bank")] == ["bank/first"]
    assert {one.size for one in store.entries("bank")} in ({9}, {None})
    assert content(opens(), "bank/first") == b"one piece"
    store.remove("bank/first")
    store.tidy()
    assert (store.entries("bank"), content(store, "other/first")) == ((), b"y")


def test_a_store_that_others_write_to_can_be_looked_through(opens: Opens) -> None:
    store = opens()
    if not isinstance(store, Folder | Objects):
        assert not hasattr(store, "tree")
        return
    for name in ("deep/b/two", "deep/a/x/one", "deep/three", "deeper/four"):
        store.put(name, [name.encode()])
    assert [(one.name, one.size) for one in store.tree("deep")] == [
        ("deep/a/x/one", 12),
        ("deep/b/two", 10),
        ("deep/three", 10),
    ]
    assert [one.name for one in store.entries("deep")] == ["deep/three"]
    assert store.tree("nowhere") == ()


def test_a_stream_that_breaks_leaves_nothing_under_its_name(opens: Opens) -> None:
    store = opens()

    def breaking(pieces: int) -> Iterator[bytes]:
        for _ in range(pieces):
            yield b"x" * (1 << 20)
        raise KeyError("the dump broke")

    for pieces in (0, 30):
        with pytest.raises(KeyError, match="the dump broke"):
            store.put("bank/broken", breaking(pieces))
        assert opens().entries("bank") == ()
    store.remove("bank/broken")


def test_a_stream_of_many_parts_comes_back_as_it_was(opens: Opens) -> None:
    store, source, seen = opens(), random.Random(7), hashlib.sha256()
    pieces = [source.randbytes(size) for size in (5 << 20, 1, 3 << 20, 1 << 20, 20 << 20)]

    def measured() -> Iterator[bytes]:
        for piece in pieces:
            seen.update(piece)
            yield piece

    store.put("large/one", measured())
    back = hashlib.sha256()
    for piece in store.get("large/one"):
        assert len(piece) <= 32 << 20
        back.update(piece)
    assert back.digest() == seen.digest()


def test_what_is_not_there_is_said_to_be_not_there(opens: Opens) -> None:
    store = opens()
    assert store.entries("nobody") == ()
    store.remove("bank/nothing")
    with pytest.raises(NotThere):
        content(store, "bank/nothing")


def test_who_may_not_come_in_is_told_so_without_the_secret(opens: Opens, request: pytest.FixtureRequest) -> None:
    kind = request.node.callspec.params["opens"]
    if kind == "folder":
        pytest.skip("a folder has no secret")
    stranger = opens(secret="stranger")
    for trying in (
        lambda: stranger.put("bank/x", [b"x"]),
        lambda: stranger.entries("bank"),
        lambda: content(stranger, "bank/x"),
    ):
        with pytest.raises(StoreTrouble) as caught:
            trying()
        said = str(caught.value)
        assert {"s3": "SignatureDoesNotMatch", "sftp": "does not let us in", "restic": "wrong password"}[kind] in said
        assert "stranger" not in said and SECRET not in said


@pytest.mark.parametrize("name", ["../up", "/top", "a//b", "", "a/.hidden", "-option", "a b"])
def test_a_name_that_leads_elsewhere_is_no_name(opens: Opens, name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        opens().put(name, [b"x"])


def test_a_server_that_is_not_the_known_one_is_given_nothing(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    with ssh_server(tmp_path) as server:
        url = f"sftp://root@127.0.0.1:{server.port}{tmp_path / 'kept'}"
        where = Place(url, lambda _: "", lambda: "", "", "", tmp_path / "key", tmp_path / "unknown")
        with pytest.raises(StoreTrouble, match="its key is not the one"):
            open_store(where).put("bank/x", [b"x"])
        server.stop()
        with pytest.raises(StoreTrouble):
            open_store(place(url, keys=tmp_path / "key")).entries("bank")
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize("url", ["ftp://x/y", "bucket", "s3:", ""])
def test_an_address_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(StoreTrouble):
        open_store(place(url, key_id=""))


def test_a_backup_lies_in_it_whole_and_what_becomes_of_it_is_found(
    opens: Opens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notes.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)")
        connection.execute("INSERT INTO note (text) VALUES ('x')")
        connection.commit()
    plan = planned(tmp_path, f"sqlite:{path}")
    monkeypatch.setattr("shoreup.operations.backup.plan.open_store", lambda _: opens())
    record = take(plan, tmp_path)
    assert record.packing == (() if opens().packs else ("zstd",))
    assert fetch(plan, plan.shelf(), record, tmp_path / "back").stat().st_size == record.content
    (kept,) = plan.shelf().kept()
    assert kept.good
    opens().put(f"bank/{record.file}", [b"x" * record.size])
    assert "other bytes" in look(plan, kept, now=datetime.now(UTC)).check.why
    (kept,) = plan.shelf().kept()
    assert kept.state is State.DAMAGED
    plan.shelf().remove(record.id)
    assert opens().entries("bank") == ()
