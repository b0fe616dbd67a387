"""Reading a ledger without writing to it.

An audit reads whatever it finds: a ledger that is torn, locked by someone else, written by a newer Shoreup or no
ledger at all is a sentence for the report (:class:`LedgerTrouble`), never a crash and never an empty ledger.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct
from sqlalchemy import Connection, create_engine, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from shoreup.ledger.location import Location
from shoreup.ledger.schema import HEAD, proofs
from shoreup.ledger.trouble import LedgerTrouble, NothingYet, trouble_of
from shoreup.ledger.wire import BEGINNING, WrongProof, chain, decode
from shoreup.model.proof import Proof

WAIT = 2
"""Seconds for a ledger that is busy or a server that does not answer."""
VERSIONS = "alembic_version"


class Break(Struct, frozen=True):
    """A proof whose place in the chain is not what it says. ``number`` is the row's."""

    number: int
    cause: str


class Kept(Struct, frozen=True):
    """The proofs of one estate, oldest first, and what is wrong with the ledger that they come from."""

    proofs: tuple[Proof, ...]
    breaks: tuple[Break, ...]


def read_proofs(where: Location) -> Kept:
    """The proofs of an estate; none where nothing has been written yet. Raises :class:`LedgerTrouble`.

    The chain is followed over the whole ledger. Where it breaks, what stands behind the break still counts: the break
    itself is reported, and whether to believe the rest is the owner's to say.
    """
    return _kept(read_rows(where), where.estate)


class Row(Struct, frozen=True):
    """A proof as it lies in the ledger. ``columns`` are those for searching: id, drill, verdict, time."""

    number: int
    estate: str
    content: bytes
    previous: str
    hash: str
    columns: tuple[str, str, str, str]

    def proof(self) -> Proof:
        """What it says. Raises :class:`WrongProof`."""
        return decode(self.content)


def read_rows(where: Location) -> tuple[Row, ...]:
    """Everything that lies in a ledger, of every estate, oldest first. Raises :class:`LedgerTrouble`."""
    if where.file is not None and not where.file.exists():
        return ()
    table = proofs.c
    query = select(
        table.number, table.estate, table.content, table.previous, table.hash,
        table.id, table.drill, table.verdict, table.taken,
    )  # fmt: skip
    try:
        with opened(where) as connection:
            return tuple(
                Row(
                    int(number),
                    str(estate),
                    bytes(content),
                    str(previous),
                    str(mark),
                    (str(proof), str(drill), str(verdict), str(taken)),
                )
                for number, estate, content, previous, mark, proof, drill, verdict, taken in connection.execute(
                    query.order_by(table.number)
                )
            )
    except NothingYet:
        return ()


def breaks_in(rows: Sequence[Row]) -> tuple[Break, ...]:
    """Where the chain does not hold, oldest first."""
    found: list[Break] = []
    before = BEGINNING
    for row in rows:
        if row.previous != before:
            found.append(Break(row.number, "the proof before it is missing or was replaced"))
        before = row.hash
        if not _as_written(row):
            found.append(Break(row.number, "it was changed after it was written, and counts for nothing"))
            continue
        try:
            row.proof()
        except WrongProof as problem:
            found.append(Break(row.number, f"it is no proof: {problem}"))
    return tuple(found)


def _kept(rows: Sequence[Row], estate: str) -> Kept:
    found: list[Proof] = []
    for row in rows:
        if row.estate == estate and _as_written(row):
            with suppress(WrongProof):
                found.append(row.proof())
    return Kept(tuple(found), breaks_in(rows))


def _as_written(row: Row) -> bool:
    return chain(row.previous, row.estate, row.content) == row.hash


def head(where: Location) -> str:
    """The hash of the newest proof, which changes with each. Raises :class:`LedgerTrouble`."""
    newest = select(proofs.c.hash).order_by(proofs.c.number.desc()).limit(1)
    try:
        with opened(where) as connection:
            return str(connection.execute(newest).scalar() or BEGINNING)
    except NothingYet:
        return BEGINNING


@contextmanager
def opened(where: Location) -> Iterator[Connection]:
    """A connection that only reads, to a ledger that this Shoreup understands. Raises :class:`LedgerTrouble`."""
    try:
        engine = create_engine(_url(where), poolclass=NullPool, connect_args=waiting(where))
        with engine.connect() as connection:
            if where.file is not None:
                # The file may be a stranger's: what its schema computes must not reach beyond it.
                connection.exec_driver_sql("PRAGMA trusted_schema=OFF")
            _check(connection)
            yield connection
    except (SQLAlchemyError, ImportError, ValueError) as problem:
        raise trouble_of(problem, where) from None


def _check(connection: Connection) -> None:
    tables = inspect(connection).get_table_names()
    if not tables:
        raise NothingYet("nothing was written to it yet")
    if VERSIONS not in tables or proofs.name not in tables:
        raise LedgerTrouble("it is a database without a ledger's tables")
    version = connection.exec_driver_sql(f"SELECT version_num FROM {VERSIONS}").scalar()  # noqa: S608 (a constant)
    if version != HEAD:
        raise LedgerTrouble(f"its tables are of version {version}, and this Shoreup knows {HEAD}")


def _url(where: Location) -> str:
    if where.file is None:
        return where.url
    # A file in WAL mode needs its companions beside it, also to be read. Where they are not there and cannot be made,
    # nobody has it open, and it can be read as it lies.
    alone = not Path(f"{where.file}-wal").exists() and not os.access(where.file.parent, os.W_OK)
    return f"sqlite:///file:{quote(str(where.file))}?mode=ro{'&immutable=1' if alone else ''}&uri=true"


def waiting(where: Location) -> dict[str, int]:
    """How long a driver may wait for a connection, in its own words."""
    if where.url.startswith("sqlite"):
        return {"timeout": WAIT}
    return {"connect_timeout": WAIT} if where.url.startswith(("postgresql", "mysql", "mariadb")) else {}
