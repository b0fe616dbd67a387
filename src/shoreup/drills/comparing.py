"""Whether the dump of one database goes into the version and build of another, and what is missing there.

The data is a copy of the first database where there is one, else a made-up database with the extensions that the estate
creates. It is dumped by its own version's tools and restored by the other's; then both are held against each other. A
dump that lost its end has to be refused first.

What a stand-in lacks says nothing of the estate's own server: an extension that every build of the product brings, and
the one on this machine does not, is no failure. One that is no part of the product is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from shoreup.compare import mysql as compare_mysql
from shoreup.compare import postgresql as compare_postgresql
from shoreup.compare.manifest import Manifest, differences
from shoreup.drills.judging import some
from shoreup.drills.proving import Claim, Seen, harness, missing, proof_of
from shoreup.drills.spoiling import without_its_end
from shoreup.engines.base import EngineTrouble
from shoreup.engines.catalogue import catalogue, numbers
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.jail import Finished, fences
from shoreup.engines.mysql.server import Mysql, RunningMysql
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.postgresql.server import NO_ROLE, Postgresql, RunningPostgresql
from shoreup.engines.scratch import Limits, Scratch
from shoreup.facts.proofs import Drill
from shoreup.model.proof import Control, Engine, Proof, ProofSubject

_PLACE = "compared"
_LACKS = {
    "extension": re.compile(
        r'extension "([^"\n]+)" is not available|extension control file "[^"\n]*/([^"/\n]+)\.control"'
    ),
    "type": re.compile(r'type "([^"\n]+)" does not exist|Unknown data type: \'([^\'\n]+)\''),
    "setting": re.compile(
        r'unrecognized configuration parameter "([^"\n]+)"|Unknown system variable \'([^\'\n]+)\'', re.IGNORECASE
    ),
    "collation": re.compile(r"collation \"([^\"\n]+)\" for encoding|Unknown collation: '([^'\n]+)'"),
    "role": NO_ROLE,
}
"""What a server says of things that it does not have."""
_NEWER_ARCHIVE = re.compile(r"unsupported version \([\d.]+\) in file header")


class CompareSpec(Struct, frozen=True):
    """Which database into which. ``copy`` is a copy of the first, if there is one.

    ``extensions`` are those that the estate creates in the first. ``settings`` are those that it is started with.
    """

    subject: ProofSubject
    wanted: Wanted
    against: Wanted
    name: str
    copy: Path | None = None
    extensions: frozenset[str] = frozenset()
    settings: tuple[str, ...] = ()
    inputs: Mapping[str, str] = {}
    lasts: timedelta = timedelta(days=90)


class Side(Protocol):
    """A server of one of the two."""

    @property
    def engine(self) -> Engine:
        """What a proof says of it."""
        ...

    def fill(self, extensions: Collection[str]) -> None:
        """Make up a database."""
        ...

    def load(self, path: Path, place: str = _PLACE) -> Finished:
        """Restore a copy into a new database of that name. Raises what an engine raises."""
        ...

    def dump(self, path: Path) -> None:
        """Write a dump of the database. Raises :class:`EngineTrouble`."""
        ...

    def holds(self) -> Manifest:
        """What the database holds."""
        ...

    def unknown(self, settings: Sequence[str]) -> tuple[str, ...]:
        """Those settings that this server does not have."""
        ...


def compare(spec: CompareSpec, *, run: str, now: datetime, base: Path | None = None) -> Proof:
    """Carry the one into the other. What breaks on the way ends as a proof that could not verify."""
    claim = Claim(
        drill=Drill.COMPARE.value,
        text=f"A dump of it restores whole into the version and build of {spec.name}.",
        subject=spec.subject,
        inputs=spec.inputs,
        lasts=spec.lasts,
    )
    seen = Seen(Engine(spec.wanted.product, spec.wanted.version), Control("a dump that lost its end", None))
    with harness(seen):
        _experiment(spec, seen, base)
    return proof_of(claim, seen, run=run, taken=now)


def _experiment(spec: CompareSpec, seen: Seen, base: Path | None) -> None:
    entry = catalogue().product(spec.wanted.product)
    own = choose(Wanted(spec.wanted.product, spec.wanted.version, spec.extensions, image=spec.wanted.image))
    other = choose(spec.against)
    for one in (own, other):
        if isinstance(one, NoProvider) or entry is None:
            missing(seen, one) if isinstance(one, NoProvider) else None
            return
    assert entry is not None and isinstance(own, Choice) and isinstance(other, Choice)
    seen.engine = other.engine
    differ = entry.series(numbers(spec.wanted.version)) != entry.series(numbers(spec.against.version))
    if differ and entry.series(own.installation.version) == entry.series(other.installation.version):
        seen.unknown(f"this machine would run both on {own.installation}, which shows nothing of their difference")
        return
    seen.limits += [f"what the engine could reach: {one}" for one in fences().missing]
    with Scratch(Limits(), base) as scratch:
        room = scratch.make("carried")
        was, settings = _taken(spec, seen, own, scratch, room / "dump")
        _Carried(spec, seen, other, scratch, frozenset(entry.bundled)).judge(room / "dump", was, settings)


def _taken(
    spec: CompareSpec, seen: Seen, own: Choice, scratch: Scratch, dump: Path
) -> tuple[Manifest, tuple[str, ...]]:
    """The dump of the first, what it held, and those of its settings that it knows itself."""
    with sides()[spec.wanted.product](own, scratch) as side:
        if spec.copy is not None:
            finished = side.load(spec.copy)
            if not finished.well:
                raise EngineTrouble("its copy does not restore into its own version: 'shoreup drill restore' says why")
        else:
            side.fill(spec.extensions)
            seen.limits.append("the database's own data: no copy of it was found, and a made-up one stood in")
        with seen.timed("dump"):
            side.dump(dump)
        strange = side.unknown(spec.settings)
        return side.holds(), tuple(one for one in spec.settings if one not in strange)


class _Carried(Struct, frozen=True):
    """A dump at the other side."""

    spec: CompareSpec
    seen: Seen
    other: Choice
    scratch: Scratch
    bundled: frozenset[str]

    def judge(self, dump: Path, was: Manifest, settings: Sequence[str]) -> None:
        """Restore it there, first without its end, and say what is missing."""
        seen = self.seen
        spoilt = dump.with_name("spoilt")
        what = without_its_end(dump, spoilt)
        with sides()[self.spec.against.product](self.other, self.scratch) as side:
            seen.engine = side.engine
            refused = _refuses(side, spoilt)
            seen.control = Control(what, bool(refused))
            seen.before = f"{what}: {refused or 'it was taken for whole'}"
            unknown = side.unknown(settings)
            with seen.timed("restore"):
                finished = side.load(dump)
            lacking = lacks(finished.said)
            wrong = [
                f"{side.engine.product} {side.engine.version} has no setting {one}, which it is started with"
                for one in unknown
            ]
            if finished.well:
                with seen.timed("compare"):
                    wrong += [str(one) for one in differences(was, side.holds()) if _counts(one.kind, one.is_now)]
            elif _NEWER_ARCHIVE.search(finished.said):
                wrong.append("the tools of that version do not read a dump of this one: it is older")
            else:
                wrong += [f"the {kind} {name} is missing there" for kind, names in lacking.items() for name in names]
                wrong += [] if lacking else [f"{finished.program} ended with {finished.code}"]
        poor = [one for one in lacking.get("extension", ()) if one in self.bundled]
        if poor and self.other.installation.container is None:
            # Every build of the product has it; what is poor is the server that stands in.
            seen.unknown(
                f"{self.other.installation} has no {', '.join(poor)}, which the estate's own build may well have: "
                f"try it where its image {self.spec.against.image or 'of its own'} is"
            )
        elif wrong:
            seen.fails(some(wrong))
        else:
            rows = sum(one.rows for one in was.contents)
            there = f"{side.engine.product} {side.engine.version}"
            seen.passes(f"it restores into {there}, and every table holds what it held: {rows} rows")


def _refuses(side: Side, spoilt: Path) -> str:
    try:
        finished = side.load(spoilt, "spoilt")
    except BrokenCopy as broken:
        return f"refused, {broken}"
    return "" if finished.well else f"refused, {finished.program} ended with {finished.code}"


def lacks(said: str) -> dict[str, tuple[str, ...]]:
    """What a server said that it does not have, by kind."""
    found: dict[str, tuple[str, ...]] = {}
    for kind, pattern in _LACKS.items():
        names = dict.fromkeys(next(filter(None, match.groups())) for match in pattern.finditer(said))
        if names:
            found[kind] = tuple(names)
    return found


def _counts(kind: str, is_now: str) -> bool:
    """Whether a difference is the estate's: an extension's version is its package's."""
    return kind != "extension" or is_now == "missing"


# ---------------------------------------------------------------------------------------------- the products' sides


class _Starts(Protocol):
    def __call__(self, choice: Choice, scratch: Scratch) -> AbstractContextManager[Side]: ...


def sides() -> Mapping[str, _Starts]:
    """How a server of each product is started for it."""
    return {"postgresql": _postgresql, "mariadb": _mysql, "mysql": _mysql}


def _sample(product: str) -> str:
    return resources.files("shoreup.drills").joinpath("data", f"sample.{product}.sql").read_text(encoding="utf-8")


_TYPES_OF_EXTENSIONS = """
SELECT pg_catalog.format_type(t.oid, NULL) FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_depend d ON d.objid = t.oid AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
WHERE d.deptype = 'e' AND t.typtype IN ('b', 'd', 'e', 'r') AND t.typelem = 0 AND t.typisdefined ORDER BY 1
"""


class _Postgresql:
    def __init__(self, running: RunningPostgresql) -> None:
        self._running = running

    @property
    def engine(self) -> Engine:
        return self._running.engine

    def fill(self, extensions: Collection[str]) -> None:
        from psycopg import sql

        self._running.create(_PLACE)
        with self._running.connect(_PLACE) as connection:
            for extension in sorted(extensions):
                connection.execute(sql.SQL("CREATE EXTENSION {} CASCADE").format(sql.Identifier(extension)))
            connection.execute(_sample("postgresql").encode())
            # A column of each type that an extension brings.
            types = [str(row[0]) for row in connection.execute(_TYPES_OF_EXTENSIONS)]
            columns = ", ".join(f"c{number} {name}" for number, name in enumerate(types))
            connection.execute(f"CREATE TABLE of_extensions ({columns})".encode())

    def load(self, path: Path, place: str = _PLACE) -> Finished:
        self._running.create(place)
        return self._running.restore(path, place)

    def dump(self, path: Path) -> None:
        finished = self._running.dump(path, _PLACE)
        if not finished.well:
            raise EngineTrouble(f"{finished.program} ended with {finished.code}")

    def holds(self) -> Manifest:
        return compare_postgresql.take(self._running.connect, [_PLACE])

    def unknown(self, settings: Sequence[str]) -> tuple[str, ...]:
        with self._running.connect() as connection:
            known = {str(row[0]).lower() for row in connection.execute("SELECT name FROM pg_catalog.pg_settings")}
        # A name with a dot is an extension's, which is not loaded here.
        return tuple(one for one in settings if "." not in one and one.lower() not in known)


@contextmanager
def _postgresql(choice: Choice, scratch: Scratch) -> Iterator[Side]:
    with Postgresql(choice, scratch).start() as running:
        yield _Postgresql(running)


class _Mysql:
    def __init__(self, running: RunningMysql) -> None:
        self._running = running

    @property
    def engine(self) -> Engine:
        return self._running.engine

    def fill(self, extensions: Collection[str]) -> None:
        self._running.create(_PLACE)
        with closing(self._running.connect(_PLACE)) as connection, connection.cursor() as cursor:
            for statement in _sample("mysql").split(";\n"):
                if statement.strip():
                    cursor.execute(statement)

    def load(self, path: Path, place: str = _PLACE) -> Finished:
        self._running.create(place)
        return self._running.restore(path, place)

    def dump(self, path: Path) -> None:
        finished = self._running.dump(path, _PLACE)
        if not finished.well:
            raise EngineTrouble(f"{finished.program} ended with {finished.code}")

    def holds(self) -> Manifest:
        return compare_mysql.take(self._running.connect, [_PLACE], product=self._running.engine.product)

    def unknown(self, settings: Sequence[str]) -> tuple[str, ...]:
        with closing(self._running.connect()) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW GLOBAL VARIABLES")
            known = {str(row[0]).lower() for row in cursor.fetchall()}
        return tuple(one for one in settings if one.lower().replace("-", "_") not in known)


@contextmanager
def _mysql(choice: Choice, scratch: Scratch) -> Iterator[Side]:
    with Mysql(choice, scratch).start() as running:
        yield _Mysql(running)
