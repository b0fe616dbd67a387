"""Adding to a ledger: the only way in which it ever changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util.exc import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, insert, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from shoreup.ledger.location import Location
from shoreup.ledger.reading import waiting
from shoreup.ledger.schema import HEAD, proofs
from shoreup.ledger.trouble import LedgerTrouble, trouble_of
from shoreup.ledger.wire import BEGINNING, chain, encode
from shoreup.model.proof import Proof

ATTEMPTS = 50
"""How often a proof is put behind another one that came first at the same moment."""
_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATING = Lock()
"""Alembic keeps what it works on in a module, so only one thread may let it work."""
_LOCK = 0x5404E0B
"""The number under which ledgers on a PostgreSQL server take turns."""


class Ledger:
    """A ledger that can be written to. Made and brought up to date when it is opened; close it when done.

    Raises :class:`LedgerTrouble` where it cannot be opened.
    """

    def __init__(self, where: Location) -> None:
        self._where = where
        with _told(where):
            if where.file is not None:
                where.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._engine = _engine(where)
            with self._engine.begin() as connection:
                _migrate(connection)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it."""
        self._engine.dispose()

    def append(self, proof: Proof, *, run: str, step: str) -> str:
        """Add a proof and give its hash. ``run`` and ``step`` say which piece of work it is of.

        Work that is done again after a crash adds nothing: the hash of what is there already is given. Raises
        :class:`LedgerTrouble`.
        """
        content = encode(proof)
        with _told(self._where):
            for _ in range(ATTEMPTS - 1):
                with suppress(IntegrityError), self._engine.begin() as connection:
                    return self._added(connection, proof, content, run, step)
            with self._engine.begin() as connection:
                return self._added(connection, proof, content, run, step)

    def _added(self, connection: Connection, proof: Proof, content: bytes, run: str, step: str) -> str:
        there = select(proofs.c.hash).where(proofs.c.run == run, proofs.c.step == step)
        known = connection.execute(there).scalar()
        if known is not None:
            return str(known)
        newest = select(proofs.c.hash).order_by(proofs.c.number.desc()).limit(1)
        previous = str(connection.execute(newest).scalar() or BEGINNING)
        mark = chain(previous, self._where.estate, content)
        connection.execute(
            insert(proofs).values(
                estate=self._where.estate,
                run=run,
                step=step,
                id=proof.id,
                drill=proof.drill,
                verdict=proof.verdict.value,
                taken=f"{proof.taken:%Y-%m-%dT%H:%M:%S.%fZ}",
                content=content,
                previous=previous,
                hash=mark,
            )
        )
        return mark


@contextmanager
def _told(where: Location) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, ImportError, ValueError) as problem:
        raise trouble_of(problem, where) from None
    except CommandError:
        raise LedgerTrouble("its tables are of a version that this Shoreup does not know; use the newer one") from None
    except OSError as problem:
        raise LedgerTrouble(f"{problem.strerror or problem}; see that you may write there") from None


def _engine(where: Location) -> Engine:
    if where.file is None:
        return create_engine(where.url, poolclass=NullPool, connect_args=waiting(where))
    engine = create_engine(where.url, poolclass=NullPool, connect_args={"timeout": 30})
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # Python's driver would begin transactions where it likes; ours begin where SQLAlchemy says.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(connection: Connection) -> None:
    with _MIGRATING:
        if connection.dialect.name == "postgresql":
            # Two that open a new ledger at once would both make its tables.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        if MigrationContext.configure(connection).get_current_revision() != HEAD:
            _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    settings = Config()
    settings.set_main_option("script_location", str(_MIGRATIONS))
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
