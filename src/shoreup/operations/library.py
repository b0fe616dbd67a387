"""The workflow library, fetched when it is needed and told to keep to itself.

DBOS can report to a conductor of its maker, send traces and run in its maker's cloud; it listens on no port. None of
that is asked for here, and what the environment might ask for is taken away first. What it keeps in the database is
JSON. It would also read rows that say of themselves that they are pickles, and a pickle is a program: whoever may write
to the database could run one on every worker. So those are refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn

from sqlalchemy import Engine, inspect

from shoreup.model.errors import UserError
from shoreup.operations.places import Place

if TYPE_CHECKING:
    from dbos import DBOS, DBOSClient

SCHEMA = "shoreup_workflows"
"""Where its tables are on a server."""
VERSION = "1"
"""Of how runs are kept. It changes when what is here could no longer go on with what was begun before."""


def library() -> type[DBOS]:
    """The library. Raises :class:`UserError` where it is not installed."""
    for name in [one for one in os.environ if one.startswith("DBOS_")]:
        del os.environ[name]
    try:
        from dbos import DBOS
    except ImportError as problem:
        raise UserError(f"Operations need {problem.name}. Install it with: pip install 'shoreup[operations]'") from None
    from dbos import _serialization

    # The object that rows of that format are read with. It has no switch; a test holds that this is still the place.
    _serialization.DBOSDefaultSerializer.deserialize = _refused  # type: ignore[assignment, method-assign]
    return DBOS


def _refused(_: str) -> NoReturn:
    raise ValueError("a row that holds a program is not read")


def launch(place: Place, engine: Engine, executor: str, queues: Sequence[str], prepare: Callable[[], None]) -> None:
    """Start the library in this process. ``prepare`` tells it what it may be asked to execute."""
    transact = library()
    from dbos import DBOSPortableJSONSerializer

    file = place.file is not None
    transact(
        config={
            "name": f"shoreup-{place.estate}",
            "system_database_url": place.url,
            "system_database_engine": None if file else engine,
            "dbos_system_schema": SCHEMA,
            "serializer": DBOSPortableJSONSerializer(),
            "application_version": VERSION,
            "executor_id": executor,
            "enable_otlp": False,
            "use_listen_notify": False,
            "notification_listener_polling_interval_sec": 0.2,
            "log_level": "CRITICAL",
        }
    )
    prepare()
    transact.listen_queues(list(queues))
    transact.launch()


def client(place: Place, engine: Engine) -> DBOSClient | None:
    """Who reads what runs there are, without executing any; ``None`` where there never was one."""
    library()
    from dbos import DBOSClient, DBOSPortableJSONSerializer

    if not inspect(engine).has_table("workflow_status", schema=None if place.file is not None else SCHEMA):
        return None
    return DBOSClient(
        system_database_engine=engine,
        dbos_system_schema=SCHEMA,
        serializer=DBOSPortableJSONSerializer(),
        application_name=f"shoreup-{place.estate}",
        retry_connection_errors=False,
    )
