"""What is killed of backups besides taking them: removing old ones, and bringing one back over what is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from backups_here import flip, take
from shoreup.operations.backup.of_postgresql import server
from shoreup.operations.backup.plan import GIVEN, Plan
from shoreup.operations.backup.pruning import REMOVE, backup_prune, decisions
from shoreup.operations.backup.restoring import WISH, Wish, backup_restore
from shoreup.operations.backup.sources import Asked
from shoreup.operations.backup.verifying import look
from shoreup.operations.steps import Operation, Plain
from shoreup.stages.backups import plan_of
from shoreup.stages.settings import read_settings

BEFORE = "before"
AFTER = "after"
_ROWS_BEFORE, _ROWS_AFTER = 10, 3000


def _planned(root: Path) -> Plan:
    return plan_of(read_settings(root), "bank", root)


class Prune:
    """``backup prune`` of six backups, of which one is damaged and two stay."""

    cheap = False
    outside: tuple[str, ...] = ()
    final = frozenset({REMOVE})

    def __init__(self, root: Path) -> None:
        self._root = root
        self._plan = _planned(root)

    @property
    def operation(self) -> Operation:
        return backup_prune()

    def given(self) -> Mapping[str, Plain]:
        return {GIVEN: self._plan.spec.plain()}

    def begin(self) -> Plain:
        kept = self._plan.shelf().kept()
        for _ in range(6 - len(kept)):
            take(self._plan, self._root)
        kept = self._plan.shelf().kept()
        if all(one.good for one in kept):
            record = kept[1].record
            assert record is not None
            flip(self._root / "store" / "bank" / record.file, record.size // 2)
            look(self._plan, kept[1], now=datetime.now(UTC))
        ids: list[Plain] = [one.id for one in kept]
        stay: list[Plain] = [one.id for one in decisions(self._plan, datetime.now(UTC)) if one.stays]
        return {"all": ids, "stay": stay}

    def look(self, begun: Plain) -> str:
        assert isinstance(begun, dict) and isinstance(begun["all"], list) and isinstance(begun["stay"], list)
        kept = self._plan.shelf().kept()
        ids = {one.id for one in kept}
        wrong = [one.id for one in kept if one.id in begun["stay"] and not look(self._plan, one, now=_now()).check.good]
        if wrong or not ids >= set(begun["stay"]):
            return f"of {begun['stay']} there are {sorted(ids)}, damaged {wrong}"
        loose = {path.name[: len(next(iter(ids)))] for path in self._root.glob("store/bank/*")} - ids
        if loose:
            return f"left of what was removed: {sorted(loose)}"
        return BEFORE if ids == set(begun["all"]) else AFTER if ids == set(begun["stay"]) else f"some: {sorted(ids)}"


class Restore:
    """``backup restore --over`` of a database of a real PostgreSQL."""

    cheap = False
    outside: tuple[str, ...] = ()
    final = frozenset[str]()

    def __init__(self, root: Path) -> None:
        self._root = root
        self._plan = _planned(root)

    @property
    def operation(self) -> Operation:
        return backup_restore()

    def given(self) -> Mapping[str, Plain]:
        return {GIVEN: self._plan.spec.plain(), WISH: Wish(over=True).plain()}

    def begin(self) -> Plain:
        own = server(Asked(self._plan.address, self._plan.secret, self._root))
        with closing(own.connect("postgres")) as connection:
            for name in self._databases():
                connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
            connection.execute("CREATE DATABASE bank")
        with closing(own.connect()) as connection:
            connection.execute("CREATE TABLE account (id int PRIMARY KEY, balance int)")
            connection.execute(f"INSERT INTO account SELECT g, 100 FROM generate_series(1, {_ROWS_AFTER}) g".encode())
        if not self._plan.shelf().kept():
            take(self._plan, self._root)
        with closing(own.connect()) as connection:
            connection.execute(f"DELETE FROM account WHERE id > {_ROWS_BEFORE}".encode())
        return None

    def look(self, begun: Plain) -> str:
        found = {name: self._rows(name) for name in self._databases()}
        others = {name: rows for name, rows in found.items() if name != "bank"}
        if found.get("bank") == _ROWS_BEFORE and not others:
            return BEFORE
        kept = [rows for name, rows in others.items() if name.startswith("bank_before_")]
        return (
            AFTER if found.get("bank") == _ROWS_AFTER and kept == [_ROWS_BEFORE] == [*others.values()] else str(found)
        )

    def _databases(self) -> tuple[str, ...]:
        own = server(Asked(self._plan.address, self._plan.secret, self._root))
        with closing(own.connect("postgres")) as connection:
            query = "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'"
            return tuple(str(row[0]) for row in connection.execute(query))

    def _rows(self, database: str) -> int:
        own = server(Asked(self._plan.address, self._plan.secret, self._root))
        with closing(own.connect(database)) as connection:
            row = connection.execute("SELECT count(*) FROM account").fetchone()
        return int(str(row[0])) if row else -1


class RestoreFile:
    """``backup restore --over`` of a database of SQLite."""

    cheap = False
    outside: tuple[str, ...] = ()
    final = frozenset[str]()

    def __init__(self, root: Path) -> None:
        self._root = root
        self._plan = _planned(root)

    @property
    def operation(self) -> Operation:
        return backup_restore()

    def given(self) -> Mapping[str, Plain]:
        return {GIVEN: self._plan.spec.plain(), WISH: Wish(over=True).plain()}

    def begin(self) -> Plain:
        path = self._plan.address.path
        for old in path.parent.iterdir():
            old.unlink()
        if not self._plan.shelf().kept():
            self._fill(path, _ROWS_AFTER)
            take(self._plan, self._root)
            path.unlink()
        self._fill(path, _ROWS_BEFORE)
        return None

    def look(self, begun: Plain) -> str:
        path = self._plan.address.path
        found = {one.name: self._rows(one) for one in sorted(path.parent.iterdir())}
        rows = found.pop(path.name, -1)
        if (rows, found) == (_ROWS_BEFORE, {}):
            return BEFORE
        return AFTER if rows == _ROWS_AFTER and [*found.values()] == [_ROWS_BEFORE] else f"{rows}, {found}"

    def _fill(self, path: Path, rows: int) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE account (id INTEGER PRIMARY KEY)")
            connection.executemany("INSERT INTO account (id) VALUES (?)", [(number,) for number in range(rows)])
            connection.commit()

    def _rows(self, path: Path) -> int:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM account").fetchone()[0])


def _now() -> datetime:
    return datetime.now(UTC)
