"""The roles that a database of PostgreSQL leans on: they are the server's, and a dump of the database has none of them.

A new server knows nobody who owns the tables. So a backup keeps who they are and what they may, never their passwords,
nor their settings, which some keep secrets in. A restore makes those that are not there, without the powers that reach
beyond the database: to be a superuser again is for somebody to say who knows why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, LiteralString

from msgspec import Struct

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import SQL, Composed

_ROLES: LiteralString = """
WITH RECURSIVE here AS (SELECT oid, datdba FROM pg_catalog.pg_database WHERE datname = current_database()),
needed (oid) AS (
    SELECT datdba FROM here
    UNION SELECT d.refobjid FROM pg_catalog.pg_shdepend d, here
          WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass
            AND (d.dbid = here.oid OR d.classid = 'pg_catalog.pg_database'::regclass AND d.objid = here.oid)
    -- What the first role of a server owns is written down nowhere.
    UNION SELECT c.relowner FROM pg_catalog.pg_class c WHERE c.oid >= 16384
    UNION SELECT n.nspowner FROM pg_catalog.pg_namespace n WHERE n.oid >= 16384
    UNION SELECT p.proowner FROM pg_catalog.pg_proc p WHERE p.oid >= 16384
    UNION SELECT m.roleid FROM pg_catalog.pg_auth_members m JOIN needed n ON n.oid = m.member)
SELECT r.rolname, r.rolcanlogin, r.rolinherit, r.rolcreatedb, r.rolconnlimit,
       array_remove(ARRAY[CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
                          CASE WHEN r.rolreplication THEN 'REPLICATION' END,
                          CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL),
       ARRAY(SELECT g.rolname::text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
             WHERE m.member = r.oid ORDER BY 1)
FROM needed JOIN pg_catalog.pg_roles r USING (oid) WHERE r.rolname !~ '^pg_' ORDER BY 1"""


class Role(Struct, frozen=True, forbid_unknown_fields=True):
    """A role without its password. ``powers`` reach beyond a database; ``member_of`` are other roles, also built-in
    ones. ``connections`` is -1 for any number.
    """

    name: str
    login: bool
    inherit: bool
    create_databases: bool
    connections: int
    powers: tuple[str, ...] = ()
    member_of: tuple[str, ...] = ()


def leant_on(connection: Connection[tuple[object, ...]]) -> tuple[Role, ...]:
    """The roles that own something in the database of a connection or were granted something, and theirs."""
    import msgspec

    names = ("name", "login", "inherit", "create_databases", "connections", "powers", "member_of")
    rows = connection.execute(_ROLES).fetchall()
    return tuple(msgspec.convert(dict(zip(names, row, strict=True)), Role) for row in rows)


def make(connection: Connection[tuple[object, ...]], roles: Sequence[Role], mark: str) -> None:
    """Make those that the server does not have, without powers. They are told by a remark on them, ``mark``."""
    from psycopg import sql

    there = {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_catalog.pg_roles").fetchall()}
    new = [one for one in roles if one.name not in there]
    with connection.transaction():
        for one in new:
            connection.execute(_created(one, powers=False))
            name, words = sql.Identifier(one.name), sql.Literal(mark)
            connection.execute(sql.SQL("COMMENT ON ROLE {} IS {}").format(name, words))
        for grant in _memberships(new, builtin=False):
            connection.execute(grant)


def made(connection: Connection[tuple[object, ...]], mark: str) -> tuple[str, ...]:
    """The roles that were made under a mark."""
    rows = connection.execute(
        "SELECT rolname FROM pg_catalog.pg_roles WHERE shobj_description(oid, 'pg_authid') = %s ORDER BY 1", (mark,)
    )
    return tuple(str(row[0]) for row in rows.fetchall())


def unmake(connection: Connection[tuple[object, ...]], mark: str) -> None:
    """Drop the roles that were made under a mark; what they owned has to be gone."""
    from psycopg import sql

    for name in made(connection, mark):
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def told(names: Sequence[str], roles: Sequence[Role]) -> str:
    """What somebody has to know of roles that were made; empty for none."""
    if not names:
        return ""
    powers = [
        f"{one.name} ({', '.join((*one.powers, *_builtin(one)))})"
        for one in roles
        if one.name in names and (one.powers or _builtin(one))
    ]
    without = f", and without what reached beyond: {', '.join(powers)}" if powers else ""
    return f"the roles {', '.join(names)} were made, without passwords{without}"


def script(roles: Sequence[Role]) -> str:
    """What makes the roles on an empty server, for a person to read and run: with their powers, without passwords."""
    words = [*(_created(one, powers=True) for one in roles), *_memberships(roles, builtin=True)]
    return "".join(f"{one.as_string(None)};\n" for one in words)


def _created(role: Role, *, powers: bool) -> Composed:
    from psycopg import sql

    options: list[SQL] = [
        sql.SQL("LOGIN" if role.login else "NOLOGIN"),
        sql.SQL("INHERIT" if role.inherit else "NOINHERIT"),
    ]
    options += [sql.SQL("CREATEDB")] if role.create_databases else []
    known: tuple[LiteralString, ...] = ("SUPERUSER", "CREATEROLE", "REPLICATION", "BYPASSRLS")
    options += [sql.SQL(one) for one in known if powers and one in role.powers]
    made = sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role.name), sql.SQL(" ").join(options))
    if role.connections >= 0:
        made += sql.SQL(" CONNECTION LIMIT {}").format(sql.Literal(role.connections))
    return made


def _memberships(roles: Sequence[Role], *, builtin: bool) -> Iterator[Composed]:
    from psycopg import sql

    for one in roles:
        for group in one.member_of:
            if builtin or group not in _builtin(one):
                yield sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), sql.Identifier(one.name))


def _builtin(role: Role) -> tuple[str, ...]:
    return tuple(one for one in role.member_of if one.startswith("pg_"))
