"""Bringing a PostgreSQL back to a moment: WAL is replayed until the moment, or until there is no more of it.

A server that is told to recover runs a shell command for each piece of WAL, and a server of a stranger's data gets no
shell. So the pieces are laid into its own folder, and it is started as one that follows; when it has reached the moment
it stops following by itself, and when it has read everything it is told to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import LiteralString

from shoreup.engines.base import LOAD_SECONDS, EngineTrouble, wait_until_ready
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.postgresql.server import RunningPostgresql
from shoreup.engines.scratch import Scratch

FOLLOWS_SINCE = (12,)
"""The version from which on a server is told by a file to follow, and by a function to stop."""

_BEAT = 0.5
_STALLED = 10.0
"""Seconds for which a server has to wait for one and the same piece."""
_WAITING = frozenset({"RecoveryRetrieveRetryInterval", "RecoveryWalStream", "RecoveryWalAll"})
"""What the process that replays does when there is nothing left to read."""
_STATE: LiteralString = """
    SELECT pg_is_in_recovery(), pg_last_xact_replay_timestamp(),
           (SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'startup')"""
_CHECKPOINT: LiteralString = "SELECT checkpoint_time FROM pg_control_checkpoint()"


def wait_for(server: RunningPostgresql, scratch: Scratch) -> None:
    """Wait until a server answers that has to replay WAL first.

    Raises :class:`BrokenCopy` where a piece is missing that it needs, and what waiting for a server raises.
    """
    stalled = _Stalled(scratch)

    def ready() -> bool:
        stalled.look()
        return server.answers()

    server.begun = wait_until_ready(server.server, ready, "PostgreSQL", LOAD_SECONDS)
    server.look()


class _Stalled:
    """Sees that a server waits for a piece of WAL that will not come, before it could even be asked."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._looked = self._since = monotonic()
        self._waits = ""

    def look(self) -> None:
        """Look, now and then. Raises :class:`BrokenCopy`."""
        now = monotonic()
        if now - self._looked < _BEAT:
            return
        self._looked = now
        waits = next((one for one in map(_waits_for, self._scratch.processes()) if one), "")
        if waits != self._waits or not waits:
            self._waits, self._since = waits, now
        elif now - self._since > _STALLED:
            raise BrokenCopy(f"WAL is missing that makes it whole: {waits}")


def _waits_for(pid: int) -> str:
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
    _, waits, segment = title.partition("startup waiting for ")
    return segment[:24] if waits else ""


def target(until: datetime | None) -> Mapping[str, str]:
    """Settings of a server that follows until a moment; the copy's own wishes about that are overruled."""
    return {
        "restore_command": "",
        "recovery_end_command": "",
        "archive_cleanup_command": "",
        "recovery_target": "",
        "recovery_target_lsn": "",
        "recovery_target_name": "",
        "recovery_target_xid": "",
        "recovery_target_time": until.isoformat() if until is not None else "",
        "recovery_target_timeline": "latest",
        "recovery_target_action": "promote",
        "hot_standby": "on",
        "wal_retrieve_retry_interval": "100ms",
        "recovery_min_apply_delay": "0",
    }


def reached(server: RunningPostgresql, until: datetime | None) -> datetime | None:
    """Wait for the end of the replay, and give the moment that the data is of: that of the last change.

    Raises :class:`BrokenCopy` where the WAL ends before ``until``.
    """
    began = monotonic()
    with server.connect() as connection:
        while True:
            row = connection.execute(_STATE).fetchone()
            assert row is not None
            moment = row[1] if isinstance(row[1], datetime) else None
            if not row[0]:
                return moment
            if row[2] in _WAITING:
                break
            if not server.server.pause():
                raise EngineTrouble(f"PostgreSQL ended while it replayed: {server.server.last_words()}")
            if monotonic() - began > LOAD_SECONDS:
                raise EngineTrouble("PostgreSQL did not come to the end of its WAL in time")
        if until is not None:
            last = f"the last change in its WAL is of {moment:%Y-%m-%d %H:%M:%S %Z}" if moment else "no change is in it"
            raise BrokenCopy(f"it does not reach {until:%Y-%m-%d %H:%M:%S %Z}: {last}")
        # A quiet server changes nothing, and still says in its checkpoints that it was there.
        connection.execute("CHECKPOINT")
        told = connection.execute(_CHECKPOINT).fetchone()
        connection.execute("SELECT pg_promote()")
    alive = told[0] if told is not None and isinstance(told[0], datetime) else None
    return max((one for one in (moment, alive) if one is not None), default=None)
