"""Archives as barman-cloud lays them out, made of a real server: its base backups and the WAL behind them.

Barman itself takes twenty seconds for what these do in one. That they are the same is seen by bench/barman_cloud.py,
which lets barman write an archive and restores it.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, LiteralString, cast

import psycopg

from shoreup.engines.postgresql.server import RunningPostgresql

SEGMENT = 16 << 20
_NOT_COPIED = ("postmaster.pid", "postmaster.opts")


def base_backup(server: RunningPostgresql, archive: Path, number: int, *, packed: bool = False) -> str:
    """A base backup of a server, as the ``number``th in an archive; its name."""
    name = f"20270131T{number:06d}"
    folder = archive / "base" / name
    folder.mkdir(parents=True)
    ending = ".gz" if packed else ""
    with server.connect() as connection:
        begin = _row(connection, "SELECT pg_walfile_name(pg_backup_start('by hand', true))")
        spaces = connection.execute(
            "SELECT oid, spcname, pg_tablespace_location(oid) FROM pg_tablespace WHERE oid > 16383"
        ).fetchall()
        data = list(_files(server.data))
        for oid, _, place in spaces:
            _tar(folder / f"{oid}.tar{ending}", Path(str(place)), list(_files(Path(str(place)))))
        end = _row(connection, "SELECT pg_walfile_name(lsn), labelfile, clock_timestamp() FROM pg_backup_stop(false)")
        # A large one goes on in a second tar, and the label comes last.
        _tar(folder / f"data.tar{ending}", server.data, data[::2])
        _tar(folder / f"data_0001.tar{ending}", server.data, data[1::2], str(end[1]))
        connection.execute("SELECT pg_switch_wal()")
    told = {
        "status": "DONE",
        "begin_wal": begin[0],
        "end_wal": end[0],
        "end_time": end[2],
        "timeline": 1,
        "version": 170010,
        "xlog_segment_size": SEGMENT,
        "tablespaces": [(space, oid, place) for oid, space, place in spaces] or None,
        "error": None,
    }
    info(archive, name, told)
    return name


def info(archive: Path, name: str, told: dict[str, object]) -> None:
    """Write down of a base backup what barman does."""
    folder = archive / "base" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "backup.info").write_text("".join(f"{key}={value}\n" for key, value in sorted(told.items())))


def archive_wal(server: RunningPostgresql, archive: Path, ending: str = ".gz") -> list[Path]:
    """Archive every piece of WAL that is full; where they lie. They are packed by gzip, whatever the ``ending``."""
    with server.connect() as connection:
        (last,) = _row(connection, "SELECT pg_walfile_name(pg_switch_wal())")
    kept: list[Path] = []
    for piece in sorted((server.data / "pg_wal").iterdir()):
        if len(piece.name) == 24 and piece.name <= str(last):
            place = archive / "wals" / piece.name[:16] / f"{piece.name}{ending}"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(gzip.compress(piece.read_bytes(), 1))
            kept.append(place)
    return kept


def moment(server: RunningPostgresql) -> datetime:
    """Now, as the server sees it."""
    with server.connect() as connection:
        (now,) = _row(connection, "SELECT clock_timestamp()")
    assert isinstance(now, datetime)
    return now


def _row(connection: psycopg.Connection[tuple[object, ...]], query: LiteralString) -> tuple[object, ...]:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row


def _files(folder: Path) -> list[Path]:
    return [
        one.relative_to(folder)
        for one in sorted(folder.rglob("*"))
        if one.name not in _NOT_COPIED and one.parent.name not in {"pg_wal", "pg_tblspc"} and not one.is_socket()
    ]


def _tar(path: Path, folder: Path, files: list[Path], label: str = "") -> None:
    with path.open("wb") as file, ExitStack() as stack:
        out: BinaryIO = file
        if path.suffix == ".gz":
            out = cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=file, mode="wb", compresslevel=1)))
        archive = stack.enter_context(tarfile.open(fileobj=out, mode="w"))
        for one in files:
            archive.add(folder / one, arcname=str(one), recursive=False)
        if label:
            entry = tarfile.TarInfo("backup_label")
            entry.size = len(label.encode())
            archive.addfile(entry, io.BytesIO(label.encode()))
