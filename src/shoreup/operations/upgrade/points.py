"""What stands in the way of an upgrade of PostgreSQL, what to prepare, and what is left to do afterwards.

pg_upgrade checks much of this by itself, but only once both clusters are there and with a server stopped or about to
be. Read from the catalogue of the running one, the same is known weeks before. What is left out here, the rehearsal
finds: it lets pg_upgrade itself say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shoreup.engines.postgresql.inventory import Cluster
from shoreup.engines.providers import Installation
from shoreup.model.upgrade import Point, Weight
from shoreup.model.wording import some

_RIGHTS_CHANGED = 16
"""The version from which on access rights in columns are kept in another form."""
_SLOTS_GO_ALONG = 17
"""The version from which on logical slots of an old cluster are carried over."""
_STATISTICS_GO_ALONG = 18
_CHECKSUMS_BY_DEFAULT = 18
_SORTS_ALIKE = frozenset({"C", "POSIX"})
_TOLD = 5


def points(cluster: Cluster, source: int, target: int, programs: Installation | None, *, own: bool) -> Iterator[Point]:
    """What is to be known of going from major ``source`` to ``target``.

    ``programs`` are the target's as far as this machine has some; ``own`` says that they are the very ones that will
    run.
    """
    yield from _databases(cluster)
    yield from _columns(cluster, source, target)
    if cluster.prepared:
        yield Point(
            Weight.BLOCKS,
            f"{_many(cluster.prepared, 'prepared transaction')} that nobody has ended",
            "COMMIT PREPARED or ROLLBACK PREPARED each of them (SELECT * FROM pg_prepared_xacts)",
        )
    if cluster.tablespaces:
        yield Point(
            Weight.BLOCKS,
            f"tablespaces outside of the data directory: {_listed(cluster.tablespaces)}",
            "move their tables to pg_default, or upgrade by hand: the way back of this operation is one directory",
        )
    yield from _extensions(cluster, programs, own=own)
    yield from _followers(cluster, source)
    yield from _manner(cluster, source, target)


def _databases(cluster: Cluster) -> Iterator[Point]:
    invalid = [one.name for one in cluster.databases if not one.valid]
    closed = [one.name for one in cluster.databases if one.valid and not one.connects and one.name != "template0"]
    if invalid:
        yield Point(Weight.BLOCKS, f"invalid databases: {_listed(invalid)}", "DROP DATABASE each of them")
    if closed:
        yield Point(
            Weight.BLOCKS,
            f"databases that take no connection: {_listed(closed)}",
            "ALTER DATABASE ... ALLOW_CONNECTIONS true, or drop them",
        )
    if any(one.name == "template0" and one.connects for one in cluster.databases):
        yield Point(Weight.BLOCKS, "template0 takes connections", "ALTER DATABASE template0 ALLOW_CONNECTIONS false")


def _columns(cluster: Cluster, source: int, target: int) -> Iterator[Point]:
    references = [f"{name}: {column}" for name, one in cluster.inside.items() for column in one.references]
    if references:
        yield Point(
            Weight.BLOCKS,
            f"columns that name objects by their numbers, which change: {_listed(references)}",
            "drop them, or turn them into text",
        )
    rights = [f"{name}: {column}" for name, one in cluster.inside.items() for column in one.rights]
    if rights and source < _RIGHTS_CHANGED <= target:
        yield Point(
            Weight.BLOCKS,
            f"columns with access rights, whose form changed in version {_RIGHTS_CHANGED}: {_listed(rights)}",
            "drop them, or turn them into text",
        )


def _extensions(cluster: Cluster, programs: Installation | None, *, own: bool) -> Iterator[Point]:
    used = sorted(cluster.extensions - {"plpgsql"})
    if used and programs is None:
        yield Point(
            Weight.UNKNOWN,
            f"whether the new version has {_listed(used)}",
            "install it here, or name the folder of its programs with --new-bin",
        )
    lacking = sorted(cluster.extensions - programs.extensions) if programs is not None else []
    if lacking:
        weight = Weight.BLOCKS if own else Weight.UNKNOWN
        do = "install them for the new version" if own else "see that the new image has them"
        yield Point(weight, f"{programs} lacks {_listed(lacking)}, which the data needs", do)
    moved = [name for name in used if name not in lacking]
    if moved:
        yield Point(
            Weight.AFTER,
            f"extensions keep their old version: {_listed(moved)}",
            "ALTER EXTENSION ... UPDATE in each database",
        )
    loads = [one.strip() for one in cluster.preloads.split(",") if one.strip()]
    if loads:
        yield Point(
            Weight.BEFORE,
            f"the server loads {_listed(loads)} when it starts, and does not start without",
            "see that the new version has them, or take them out of shared_preload_libraries",
        )


def _followers(cluster: Cluster, source: int) -> Iterator[Point]:
    logical = [one.name for one in cluster.slots if one.logical]
    physical = [one.name for one in cluster.slots if not one.logical]
    if logical and source >= _SLOTS_GO_ALONG:
        yield Point(
            Weight.BEFORE,
            f"logical replication slots: {_listed(logical)}",
            "let their subscribers catch up first; link mode is refused with them, copy mode takes them along",
        )
    elif logical:
        yield Point(
            Weight.BEFORE,
            f"logical replication slots, which are lost: {_listed(logical)}",
            "drop them, and make the subscriptions anew afterwards",
        )
    if physical or cluster.standbys:
        named = f" by {_listed(physical)}" if physical else ""
        yield Point(
            Weight.AFTER,
            f"standbys follow this server{named}; an upgraded primary leaves them behind",
            "make each of them anew from a base backup of the new server",
        )


def _manner(cluster: Cluster, source: int, target: int) -> Iterator[Point]:
    shape = cluster.shape
    if not shape.checksums:
        also = f", although version {target} has them by default" if target >= _CHECKSUMS_BY_DEFAULT else ""
        yield Point(
            Weight.AFTER,
            f"pages have no checksums, and the new cluster is made without them too{also}",
            "switch them on later with pg_checksums --enable, with the server stopped",
        )
    sorted_by = {one.collate for one in cluster.databases if one.connects} - _SORTS_ALIKE
    if shape.provider != "builtin" and any(not one.upper().startswith("C.") for one in sorted_by):
        by = "ICU" if shape.provider == "icu" else "the C library"
        yield Point(
            Weight.AFTER,
            f"text is sorted by {by} ({_listed(sorted(sorted_by))}), and another image may bring another version of it",
            "where datcollversion is not pg_database_collation_actual_version(oid), REINDEX what sorts text",
        )
    if target < _STATISTICS_GO_ALONG or source < 14:
        yield Point(
            Weight.AFTER,
            "the planner has no statistics",
            "run vacuumdb --all --analyze-in-stages, where 'upgrade postgres run' has not",
        )


def _listed(names: Sequence[str]) -> str:
    return some(names, _TOLD)


def _many(count: int, what: str) -> str:
    return f"{count} {what}" + ("" if count == 1 else "s")
