"""Who is at work, so that what a dead process began goes on elsewhere, and what a living one does is left to it.

Nobody can ask a process on another machine whether it is alive. Each that executes runs therefore holds something that
goes away by itself when it does: on one machine the lock on a file, which the kernel lets go of; on a shared PostgreSQL
an advisory lock of its session, which the server lets go of. The server also does so when only the connection is lost.
So a lease there may be missing for a while (``patience``) before its runs are taken, and whoever cannot get his own
lease back in half that time ends at once: two never execute one run.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from shoreup.operations.places import Place

PATIENCE = 20.0
"""Seconds for which a worker may be out of the server's sight before its runs are taken."""
LOST = 75
"""The exit code of a process that lost its lease: try again later (EX_TEMPFAIL)."""


class Leases(Protocol):
    """The leases of everyone who works on the same runs."""

    def hold(self) -> None:
        """Take one's own, before the first run. It is kept until the process ends or lets go."""
        ...

    def release(self) -> None:
        """Let go; runs that had not ended may be taken at once."""
        ...

    def confirm(self) -> None:
        """Come back only while one's own lease is certain. Where it was lost for too long, the process ends."""
        ...

    def living(self, executor: str) -> bool:
        """Whether somebody holds that lease, or may still come back for it."""
        ...

    def missing(self, executor: str) -> bool:
        """Whether nobody holds that lease at this moment."""
        ...

    def inherit(self, executor: str) -> AbstractContextManager[bool]:
        """Take what a dead one left, alone: gives whether it is ours to take, for as long as the block lasts."""
        ...

    def bury(self, executor: str) -> None:
        """Nothing is left of that one; called inside the block."""
        ...


def leases(place: Place, engine: Engine, executor: str, patience: float = PATIENCE) -> Leases:
    """The leases of everyone who works on the runs of a place. ``executor`` is who asks."""
    if place.file is None:
        return SessionLeases(engine, executor, patience)
    return FileLeases(place.file.with_name(f"{place.file.name}-leases"), executor)


class FileLeases:
    """Locks on files, for processes of one machine. The kernel drops a lock when its holder is gone, however."""

    def __init__(self, folder: Path, executor: str) -> None:
        self._folder = folder
        self._executor = executor
        self._handle: int | None = None

    def hold(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._handle = os.open(self._path(self._executor), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def release(self) -> None:
        if self._handle is not None:
            self._path(self._executor).unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = None

    def confirm(self) -> None:
        assert self._handle is not None, "a run is executed without a lease"

    def living(self, executor: str) -> bool:
        return not self.missing(executor)

    def missing(self, executor: str) -> bool:
        with self.inherit(executor) as dead:
            return dead

    @contextmanager
    def inherit(self, executor: str) -> Iterator[bool]:
        if executor == self._executor:
            yield False
            return
        try:
            handle = os.open(self._path(executor), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # no folder, so nobody ever worked here
            yield True
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(handle)

    def bury(self, executor: str) -> None:
        self._path(executor).unlink(missing_ok=True)

    def _path(self, executor: str) -> Path:
        return self._folder / f"{executor}.lease"


class SessionLeases:
    """Advisory locks of sessions on a PostgreSQL server. The way there must not be a pooler that shares sessions."""

    def __init__(self, engine: Engine, executor: str, patience: float = PATIENCE) -> None:
        self._engine = engine
        self._executor = executor
        self._patience = patience
        self._session: Connection | None = None
        self._sure = 0.0
        self._missing: dict[str, float] = {}
        self._ended = Event()

    def hold(self) -> None:
        self._renew()
        Thread(target=self._keep, name="lease", daemon=True).start()
        Thread(target=self._judge, name="lease-judge", daemon=True).start()

    def release(self) -> None:
        self._ended.set()
        self._drop()

    def confirm(self) -> None:
        while _now() - self._sure > self._patience / 4:
            time.sleep(self._patience / 100)  # it comes back, or the judge ends the process

    def living(self, executor: str) -> bool:
        if not self.missing(executor):
            self._missing.pop(executor, None)
            return True
        return _now() - self._missing.setdefault(executor, _now()) < self._patience

    def missing(self, executor: str) -> bool:
        if executor == self._executor:
            return False
        with self._engine.connect() as connection:
            return connection.scalar(_HOLDER, _halves(executor)) is None

    @contextmanager
    def inherit(self, executor: str) -> Iterator[bool]:
        if self.living(executor):
            yield False
            return
        with self._engine.connect() as connection:
            # A lock beside the lease, which stays free for its holder, should he come back in the last moment.
            ours = connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _key(f"heir {executor}")})
            yield bool(ours)

    def bury(self, executor: str) -> None:
        self._missing.pop(executor, None)

    def _keep(self) -> None:
        while not self._ended.wait(self._patience / 10):
            with suppress(SQLAlchemyError):
                self._renew()

    def _judge(self) -> None:
        # Apart from who asks the server, because a question to a server that hangs never comes back.
        while not self._ended.wait(self._patience / 10):
            if _now() - self._sure > self._patience / 2 and not self._ended.is_set():
                sys.stderr.write(
                    f"shoreup: The database of runs has been out of reach for {self._patience / 2:.0f} s. "
                    "This process ends, so that another may go on with its runs; none is lost.\n"
                )
                sys.stderr.flush()
                os._exit(LOST)

    def _renew(self) -> None:
        asked = _now()
        try:
            if self._session is None:
                self._session = self._begun()
            self._session.execute(text("SELECT 1"))
            self._session.commit()
        except SQLAlchemyError:
            self._drop()
            raise
        self._sure = asked

    def _begun(self) -> Connection:
        session = self._engine.connect()
        for name, value in _SESSION.items():
            # Not every server knows every setting.
            session.execute(
                text("SELECT set_config(name, :value, false) FROM pg_settings WHERE name = :name"),
                {"name": name, "value": value},
            )
        holder = session.scalar(_HOLDER, _halves(self._executor))
        if holder:
            # Our own old session, of which the server has not noticed yet that nobody is there.
            session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": holder})
        session.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _key(self._executor)})
        session.commit()
        return session

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(SQLAlchemyError):
                session.invalidate()
            with suppress(SQLAlchemyError):
                session.close()


_SESSION = {
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    "idle_session_timeout": "0",
}
_HOLDER = text(
    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND classid::bigint = :high AND objid::bigint = :low"
)


def _halves(name: str) -> dict[str, int]:
    """A lock's number as the server lists it."""
    return {"high": _key(name) >> 32, "low": _key(name) & 0xFFFFFFFF}


def _key(name: str) -> int:
    """A lock's number: 63 bits, so that it has one reading for the server and for us."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8, person=b"shoreup").digest(), "big") >> 1


def _now() -> float:
    """Seconds that go on while the machine sleeps, and that nobody sets back."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
