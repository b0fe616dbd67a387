"""What a server of PostgreSQL is asked most, as its own pg_stat_statements counts it.

The counts live in the server's memory: a dump does not have them, nor has a base backup. So only a server that runs can
be asked, and only one whose owner has loaded and created the extension.
"""

from __future__ import annotations

from contextlib import suppress
from typing import LiteralString

import msgspec
from msgspec import Struct

from shoreup.engines.base import EngineTrouble
from shoreup.engines.postgresql.inventory import Ask, inventory

MOST = 50
"""So many statements are looked at, those first that the server spends most of its time on."""
_EXTENSION = "pg_stat_statements"
_STATEMENTS: LiteralString = """
SELECT coalesce(json_agg(json_build_object('number', number, 'database', database, 'text', text)), '[]') FROM (
    SELECT s.queryid::text AS number, d.datname AS database, min(s.query) AS text
    FROM pg_stat_statements s
    JOIN pg_catalog.pg_database d ON d.oid = s.dbid
    WHERE s.query ~* '^\\s*(select|with|values|table)\\M' AND d.datname NOT IN ('template0', 'template1')
    GROUP BY s.queryid, d.datname
    ORDER BY sum(coalesce(to_jsonb(s) ->> 'total_exec_time', to_jsonb(s) ->> 'total_time')::float8) DESC
    LIMIT 50) AS most"""


class Statement(Struct, frozen=True):
    """A statement that reads. ``number`` is its ``queryid``; in ``text`` values are ``$1``, ``$2`` ..."""

    number: str
    database: str
    text: str


def statements(ask: Ask) -> tuple[Statement, ...]:
    """What the server is asked most, where it counts that. Whatever else ``ask`` raises is raised."""
    for name, inside in inventory(ask).inside.items():
        if _EXTENSION in inside.extensions:
            # The extension may lie in a schema of its own, or be created and not loaded.
            with suppress(EngineTrouble):
                return msgspec.json.decode(ask(name, _STATEMENTS), type=tuple[Statement, ...])
    return ()
