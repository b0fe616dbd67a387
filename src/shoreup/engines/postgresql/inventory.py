"""What there is in a cluster of PostgreSQL, as far as an upgrade has to know: asked of its catalogue, nothing is read
of the data.

Every question is one statement that gives one value of JSON, so that whoever can speak to the server can ask it: a
client library in a scratch folder, ``psql`` beside somebody's own server. Columns that only some versions have are
taken from the whole row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, LiteralString

import msgspec
from msgspec import Struct

Ask = Callable[[str, LiteralString], bytes]
"""Puts a question to the database of that name, and gives the answer as JSON."""

_CLUSTER: LiteralString = """
SELECT json_build_object(
    'version', current_setting('server_version'),
    'shape', (
        SELECT json_build_object(
            'superuser', (SELECT rolname FROM pg_catalog.pg_roles WHERE oid = 10),
            'encoding', pg_catalog.pg_encoding_to_char(d.encoding),
            'collate', d.datcollate, 'ctype', d.datctype,
            'provider', CASE to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin'
                                                              ELSE 'libc' END,
            'locale', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', ''),
            'checksums', current_setting('data_checksums') = 'on',
            'segment', pg_catalog.pg_size_bytes(current_setting('wal_segment_size')))
        FROM pg_catalog.pg_database d WHERE d.datname = 'template0'),
    'databases', (
        SELECT json_agg(json_build_object(
            'name', datname, 'size', pg_catalog.pg_database_size(oid), 'collate', datcollate,
            'connects', datallowconn, 'template', datistemplate, 'valid', datconnlimit <> -2) ORDER BY datname)
        FROM pg_catalog.pg_database),
    'prepared', (SELECT count(*) FROM pg_catalog.pg_prepared_xacts),
    'slots', (
        SELECT coalesce(json_agg(json_build_object('name', slot_name, 'logical', slot_type = 'logical')), '[]')
        FROM pg_catalog.pg_replication_slots WHERE NOT temporary),
    'standbys', (SELECT count(*) FROM pg_catalog.pg_stat_replication),
    'tablespaces', (
        SELECT coalesce(json_agg(spcname), '[]')
        FROM pg_catalog.pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global')),
    'preloads', current_setting('shared_preload_libraries'))"""
_DATABASE: LiteralString = """
WITH kept AS (
    SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname) AS name, ltrim(t.typname, '_') AS type
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
    WHERE c.relkind IN ('r', 'm') AND a.attnum > 0 AND NOT a.attisdropped AND tn.nspname = 'pg_catalog'
      AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')
SELECT json_build_object(
    'extensions', (SELECT coalesce(json_object_agg(extname, extversion), '{}') FROM pg_catalog.pg_extension),
    'tables', (SELECT count(*) FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm')),
    'references', (
        SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM kept
        WHERE type IN ('regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator',
                       'regproc', 'regprocedure')),
    'rights', (SELECT coalesce(json_agg(name ORDER BY name), '[]') FROM kept WHERE type = 'aclitem'))"""


class Shape(Struct, frozen=True):
    """How a cluster was made, as far as another one must be made like it. ``segment`` is bytes of one WAL file."""

    superuser: str
    encoding: str
    collate: str
    ctype: str
    provider: Literal["libc", "icu", "builtin"]
    locale: str
    checksums: bool
    segment: int


class DatabaseSeen(Struct, frozen=True):
    """One database. ``size`` is bytes. One that is not ``valid`` was being dropped when something broke."""

    name: str
    size: int
    collate: str
    connects: bool
    template: bool
    valid: bool


class Slot(Struct, frozen=True):
    """A replication slot: a promise to somebody that WAL is kept."""

    name: str
    logical: bool


class Inside(Struct, frozen=True):
    """What one database has that an upgrade may stumble over.

    ``extensions`` are versions by name. ``references`` are columns that name objects by their numbers, ``rights`` those
    that hold access rights: their form on disk is not the same in every version.
    """

    extensions: dict[str, str]
    tables: int
    references: list[str]
    rights: list[str]


class Cluster(Struct, frozen=True):
    """What a whole cluster has. ``inside`` is by database, of those that can be connected to."""

    version: str
    shape: Shape
    databases: list[DatabaseSeen]
    prepared: int
    slots: list[Slot]
    standbys: int
    tablespaces: list[str]
    preloads: str
    inside: dict[str, Inside] = {}

    @property
    def size(self) -> int:
        """Bytes of all databases."""
        return sum(one.size for one in self.databases)

    @property
    def extensions(self) -> frozenset[str]:
        """The names of all extensions that some database uses."""
        return frozenset(name for one in self.inside.values() for name in one.extensions)


def inventory(ask: Ask) -> Cluster:
    """What there is. Whatever ``ask`` raises is raised."""
    found = msgspec.json.decode(ask("postgres", _CLUSTER), type=Cluster)
    inside = {
        one.name: msgspec.json.decode(ask(one.name, _DATABASE), type=Inside)
        for one in found.databases
        if one.connects and one.valid
    }
    return msgspec.structs.replace(found, inside=inside)
