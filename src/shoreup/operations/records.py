"""What has to be known of runs beside what the workflow library keeps: whose turn it is, and what people wish.

Two runs on one subject must not mix. The first that comes writes its name beside the subject, and the name stands there
until that run has ended, however often it is killed in between: not even a dead run's half-done work is walked over.
A row never needs to be taken away, because whether the run that it names has ended can be looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Column, Engine, MetaData, String, Table, Text, create_engine, event, inspect, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from shoreup.ledger.trouble import trouble_of
from shoreup.model.errors import UserError
from shoreup.operations.places import Place

SCHEMA = "shoreup_operations"
"""Where the tables are on a server, beside those of the workflow library."""
WAIT = 5
"""Seconds for a server that does not answer."""
_LOCK = 0x5404E0C

_metadata = MetaData()
_turns = Table(
    "turns",
    _metadata,
    Column("subject", String(400), primary_key=True),
    Column("run", String(200), nullable=False),
)
_wishes = Table(
    "wishes",
    _metadata,
    Column("run", String(200), primary_key=True),
    Column("wish", Text, nullable=False),
    Column("said", String(32), nullable=False),
)
_fired = Table(
    "fired",
    _metadata,
    Column("schedule", String(400), primary_key=True),
    Column("due", String(32), nullable=False),
)


class Records:
    """The rows of one estate. ``base`` is the engine for everybody who speaks to this database in this process."""

    def __init__(self, place: Place) -> None:
        self.base = _engine(place)
        self._estate = place.estate
        # A schema of its own on a server; a file has none.
        server = self.base.dialect.name == "postgresql"
        self.engine = self.base.execution_options(schema_translate_map={None: SCHEMA if server else None})
        self._insert = postgresql.insert if server else sqlite.insert
        try:
            self._make()
        except SQLAlchemyError as problem:
            self.base.dispose()
            raise unreachable(place, problem) from None

    def take_turn(self, subject: str, run: str, ended: Callable[[str], bool]) -> str:
        """The run whose turn it is with a subject: this one, or another that has begun and not ended."""
        key = f"{self._estate} {subject}"
        here = select(_turns.c.run).where(_turns.c.subject == key)
        while True:
            with self.engine.begin() as connection:
                connection.execute(self._insert(_turns).values(subject=key, run=run).on_conflict_do_nothing())
                holder = str(connection.execute(here).scalar_one())
            if holder == run or not ended(holder):
                return holder
            with self.engine.begin() as connection:
                # Of several that see the end of the one before, one is next.
                free = update(_turns).where(_turns.c.subject == key, _turns.c.run == holder)
                connection.execute(free.values(run=run))

    def turn(self, subject: str) -> str:
        """The run that last had its turn with a subject, empty for none."""
        here = select(_turns.c.run).where(_turns.c.subject == f"{self._estate} {subject}")
        with self.engine.connect() as connection:
            return str(connection.execute(here).scalar() or "")

    def wish_cancelled(self, run: str) -> None:
        """Note that a run is to be cancelled. Who executes it looks before every step."""
        said = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        with self.engine.begin() as connection:
            connection.execute(self._insert(_wishes).values(run=run, wish="cancel", said=said).on_conflict_do_nothing())

    def cancelled(self, run: str) -> bool:
        """Whether somebody wishes that."""
        with self.engine.connect() as connection:
            return connection.execute(select(_wishes.c.run).where(_wishes.c.run == run)).first() is not None

    def wishes(self) -> frozenset[str]:
        """Every run that was ever to be cancelled."""
        with self.engine.connect() as connection:
            return frozenset(str(run) for run in connection.execute(select(_wishes.c.run)).scalars())

    def fired(self) -> Mapping[str, datetime]:
        """When each schedule of the estate was last due and its run was queued."""
        mine = select(_fired.c.schedule, _fired.c.due).where(_fired.c.schedule.startswith(f"{self._estate} "))
        with self.engine.connect() as connection:
            return {
                str(name).partition(" ")[2]: datetime.fromisoformat(str(due)) for name, due in connection.execute(mine)
            }

    def fire(self, schedule: str, due: datetime) -> None:
        """Note until when the runs of a schedule are queued."""
        when = f"{due.astimezone(UTC):%Y-%m-%dT%H:%M:%S+00:00}"
        values = self._insert(_fired).values(schedule=f"{self._estate} {schedule}", due=when)
        with self.engine.begin() as connection:
            connection.execute(values.on_conflict_do_update(index_elements=[_fired.c.schedule], set_={"due": when}))

    def close(self) -> None:
        """Let go of the database."""
        self.base.dispose()

    def _make(self) -> None:
        with self.engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                # Before anything is written to a file that is torn already.
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                if found != "ok":
                    raise DatabaseError("quick_check", None, Exception(str(found).splitlines()[0]))
            elif not inspect(connection).has_table("turns", schema=SCHEMA):
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
                connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
            _metadata.create_all(connection)


def unreachable(place: Place, problem: Exception) -> UserError:
    """What to say of a database that cannot be used, and what to do about it."""
    why = f"The database of runs {place.shown} cannot be used: {trouble_of(problem, place.database)}."
    if place.file is None:
        return UserError(f"{why} What was begun goes on when it is back.")
    return UserError(f"{why} What unended runs keep in files is in {place.folder}.")


def _engine(place: Place) -> Engine:
    if place.closed:
        raise UserError(f"The database of runs {place.shown} was not opened: {place.closed}.")
    try:
        if place.file is not None:
            place.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            engine = create_engine(place.url, connect_args={"timeout": 30, "check_same_thread": False})
            event.listen(engine, "connect", _on_connect)
            return engine
        return create_engine(place.url, pool_pre_ping=True, pool_size=8, connect_args=_REACHED)
    except (SQLAlchemyError, ImportError, ValueError) as problem:
        raise unreachable(place, problem) from None
    except OSError as problem:
        raise UserError(f"The folder {place.file} is to lie in cannot be made: {problem.strerror}.") from None


_REACHED = {
    "connect_timeout": WAIT,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
    "application_name": "shoreup",
    "options": "-c idle_in_transaction_session_timeout=60000",
}
"""A server that is gone is noticed within seconds, on both sides."""


def _on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
