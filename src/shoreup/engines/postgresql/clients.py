"""Connections to servers of our own, whatever the variables of whoever runs Shoreup say about other servers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from shoreup.engines.base import EngineTrouble, need_client

if TYPE_CHECKING:
    import psycopg

_LOCALE = re.compile(r'LC_(?:COLLATE|CTYPE) "([^"\n]*)",? +which is not recognized')
"""What a server says that was made on a machine with more locales than this one."""


def connected(
    what: str, socket: Path, port: int, *, user: str, database: str, seconds: int, pooled: bool = False
) -> psycopg.Connection[tuple[object, ...]]:
    """A connection through the socket in a folder, each statement its own transaction.

    ``pooled`` is for a pool, which bears no prepared statements. Raises :class:`EngineTrouble`, which names ``what``.
    """
    need_client("psycopg")
    import psycopg

    try:
        return psycopg.connect(
            host=str(socket),
            port=port,
            user=user,
            dbname=database,
            connect_timeout=seconds,
            autocommit=True,
            prepare_threshold=None if pooled else 5,
            hostaddr="",
            options="",
            passfile="",
            sslmode="disable",
            gssencmode="disable",
            application_name="shoreup",
        )
    except psycopg.Error as problem:
        locale = _LOCALE.search(str(problem))
        if locale is not None:
            raise EngineTrouble(
                f"the locale {locale.group(1)[:40]}, in which its text is sorted, is not on this machine; install it "
                "(Debian: locales, then dpkg-reconfigure locales)"
            ) from None
        words = (str(problem).strip().splitlines() or [type(problem).__name__])[0][:300]
        raise EngineTrouble(f"{what} takes no connection: {words}") from None
