"""Redis in a scratch folder: what it saved, what it refuses, and whether two are the same."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engines_here import chosen
from shoreup.compare.manifest import Manifest, differences
from shoreup.compare.redis import take
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.redis import Redis, RunningRedis
from shoreup.engines.scratch import Scratch

if TYPE_CHECKING:
    from redis import Redis as Client

CHANGES: dict[str, Callable[[Client], object]] = {
    "a key less": lambda client: client.delete("word:7"),
    "another word": lambda client: client.set("word:7", "other"),
    "a list in another order": lambda client: client.lmove("list", "list", "RIGHT", "LEFT"),
    "a member less": lambda client: client.srem("set", "3"),
    "another score": lambda client: client.zadd("ranks", {"m3": 3.5}),
    "another field": lambda client: client.hset("hash", "f3", "x"),
    "a message more": lambda client: client.xadd("stream", {"a": "b"}),
    "a key that ends": lambda client: client.expire("word:8", 86400),
    "a key that does not": lambda client: client.persist("session"),
}


@pytest.fixture
def running() -> Iterator[RunningRedis]:
    """A server with keys of every type."""
    choice = chosen("redis")
    with Scratch() as scratch, Redis(choice, scratch).start() as server:
        fill(server)
        yield server


def fill(server: RunningRedis) -> None:
    """Keys of every type, and some in another database."""
    with server.connect() as client:
        for number in range(1200):
            client.set(f"word:{number}", f"value {number}")
        client.set("session", "abc", exat=4102444800)
        client.rpush("list", *range(10))
        client.sadd("set", *range(600))
        client.zadd("ranks", {f"m{one}": one / 3 for one in range(300)})
        client.hset("hash", mapping={f"f{one}": one for one in range(100)})
        client.xadd("stream", {"a": "1"}, id="1-1")
    with server.connect(3) as client:
        client.set("other", "database")


@pytest.fixture
def saved(running: RunningRedis, tmp_path: Path) -> bytes:
    """What it saves."""
    assert running.dump(tmp_path / "saved").well
    return (tmp_path / "saved").read_bytes()


def test_what_was_saved_comes_back_whole(running: RunningRedis, saved: bytes, tmp_path: Path) -> None:
    before = take(running.connect)
    assert [(one.name, one.rows) for one in before.contents] == [("0", 1206), ("3", 1)]
    for content in (saved, gzip.compress(saved)):
        with running.connect() as client:
            client.flushall()
        assert differences(before, take(running.connect)) != (), "the control: it is empty"
        (tmp_path / "copy").write_bytes(content)
        assert running.restore(tmp_path / "copy").well
        assert differences(before, take(running.connect)) == ()


def changed(before: Manifest, running: RunningRedis) -> list[str]:
    """The differences as people read them."""
    return [str(one) for one in differences(before, take(running.connect))]


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_is_one_difference(running: RunningRedis, change: str) -> None:
    before = take(running.connect)
    assert changed(before, running) == []
    with running.connect() as client:
        CHANGES[change](client)
    assert len(changed(before, running)) == 1


def test_how_a_server_stores_a_key_does_not_matter(running: RunningRedis) -> None:
    before = take(running.connect)
    with running.connect() as client:
        kind = client.object("ENCODING", "hash")
        client.config_set("hash-max-listpack-entries", 1)
        content = client.dump("hash")
        assert content is not None
        client.restore("hash", 0, content, replace=True)
        assert client.object("ENCODING", "hash") != kind, "the control: it is stored in another way"
    assert changed(before, running) == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda saved: saved[:-200], "does not start with it"),
        (lambda saved: saved[:900] + b"\xff" + saved[901:], "does not start with it"),
        (lambda saved: b"", "it is empty"),
        (lambda saved: b"<html>", "does not begin like"),
        (lambda saved: gzip.compress(saved)[:-40], "ends too early"),
    ],
    ids=["cut off", "one byte", "empty", "something else", "packed and cut off"],
)
def test_a_damaged_copy_is_refused(
    running: RunningRedis, saved: bytes, tmp_path: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    (tmp_path / "copy").write_bytes(spoil(saved))
    with pytest.raises(BrokenCopy, match=words):
        running.restore(tmp_path / "copy")


def test_append_only_files_come_back_whole_and_cut_off_they_are_refused(running: RunningRedis, tmp_path: Path) -> None:
    with running.connect() as client:
        client.config_set("appendonly", "yes")
        while client.info("persistence")["aof_rewrite_in_progress"]:
            client.ping()
        client.set("late", "word")
    before = take(running.connect)
    kept = tmp_path / "kept"
    kept.mkdir()
    for file in (running.socket.parent / "appendonlydir").iterdir():
        (kept / file.name).write_bytes(file.read_bytes())
    assert running.restore(kept).well
    assert changed(before, running) == []
    (last,) = kept.glob("*.incr.aof")
    last.write_bytes(last.read_bytes()[:-4])
    with pytest.raises(BrokenCopy, match="does not start with it"):
        running.restore(kept)


def test_it_listens_on_a_socket_and_nowhere_else(running: RunningRedis) -> None:
    with running.connect() as client:
        assert client.config_get("port") == {"port": "0"}
    assert running.engine.version.count(".") == 2
    assert running.size() > 0
