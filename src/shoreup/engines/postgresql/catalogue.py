"""Whether two clusters have the same objects, told by their catalogues alone: quick enough for a server that is closed.

No row of the data is read. What is compared are digests and counts that mean the same in every version, so a difference
is one. That rows are the same too is the rehearsal's to show.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from shoreup.engines.postgresql.cluster import OwnCluster

QUIETLY = ("--no-psqlrc", "--no-password", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1")
"""Options with which ``psql`` prints nothing but answers, and stops at the first error."""
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
_CLUSTER = """
SELECT json_build_object(
    'roles', (SELECT md5(string_agg(concat_ws(' ', rolname, rolsuper, rolcanlogin, rolcreaterole, rolcreatedb,
                                              rolreplication), ',' ORDER BY rolname::text COLLATE "C"))
              FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_'),
    'databases', (SELECT string_agg(datname, ',' ORDER BY datname::text COLLATE "C") FROM pg_catalog.pg_database),
    'settings', (SELECT count(*)::text FROM pg_catalog.pg_db_role_setting));
"""
_DATABASE = f"""
SELECT json_build_object(
    'relations', (SELECT md5(string_agg(concat_ws(' ', n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner)),
                                        ',' ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"))
                  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS}),
    'columns', (SELECT md5(string_agg(concat_ws(' ', n.nspname, c.relname, a.attname,
                                                format_type(a.atttypid, a.atttypmod)), ','
                                      ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C", a.attnum))
                FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'v', 'f') AND {_OURS}),
    'constraints', (SELECT count(*)::text FROM pg_catalog.pg_constraint o
                    JOIN pg_catalog.pg_namespace n ON n.oid = o.connamespace WHERE o.contype <> 'n' AND {_OURS}),
    'unusable indexes', (SELECT count(*)::text FROM pg_catalog.pg_index
                         WHERE NOT (indisvalid AND indisready)),
    'functions', (SELECT md5(string_agg(concat_ws(' ', n.nspname, p.proname, md5(p.prosrc)), ','
                                        ORDER BY n.nspname::text COLLATE "C", p.proname::text COLLATE "C",
                                                 md5(p.prosrc)))
                  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE {_OURS}),
    'triggers', (SELECT count(*)::text FROM pg_catalog.pg_trigger WHERE NOT tgisinternal),
    'extensions', (SELECT string_agg(extname || ' ' || extversion, ',' ORDER BY extname::text COLLATE "C")
                   FROM pg_catalog.pg_extension),
    'sequences', (SELECT count(*)::text FROM pg_catalog.pg_sequence));
"""  # noqa: S608 (constants)


def questions(databases: Sequence[str]) -> str:
    """A script for ``psql`` that asks them all in one session: each further one would cost as much as its questions."""
    return "".join((_CLUSTER, *(f"{_connect(name)}\n{_DATABASE}" for name in databases)))


def answers(said: bytes, databases: Sequence[str]) -> dict[str, dict[str, str]]:
    """What the catalogues say, by database; that of the whole cluster is under an empty name."""
    lines = [line for line in said.splitlines() if line.startswith(b"{")]
    found = [msgspec.json.decode(line, type=dict[str, str | None]) for line in lines]
    told = [{key: value or "" for key, value in one.items()} for one in found]
    return dict(zip(("", *databases), told, strict=True))


def catalogue(cluster: OwnCluster, databases: Sequence[str], script: Path) -> dict[str, dict[str, str]]:
    """The answers of a running cluster. ``script`` is a file that its owner may read; it is written."""
    script.write_text(questions(databases), encoding="utf-8")
    cluster.owner.give(script)
    return answers(cluster.tool("psql", [*QUIETLY, "--file", script], 3600).output, databases)


def different(was: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """What is not the same, in words."""
    found: list[str] = []
    for name, one in was.items():
        place = f"of the database {name}" if name else "of the cluster"
        other = now.get(name, {})
        found += [f"the {key} {place} are others" for key, value in one.items() if other.get(key) != value]
    return tuple(found)


def _connect(name: str) -> str:
    if _PLAIN.fullmatch(name):
        return f"\\connect {name}"
    quoted = name.replace("\\", "\\\\").replace("'", "\\'").replace('"', '""')
    return f"\\connect -reuse-previous=on \"dbname='{quoted}'\""
