"""Whether a pooler and its server let in as many connections as the estate's clients may open.

The numbers stand in three places: replicas times pool size of each client, the pooler's settings, the server's limit.
Each looks right by itself. Here they meet: a real PgBouncer with the estate's settings, one for each of its pods, in
front of a real PostgreSQL with the estate's limit. Then the same with the numbers that would be enough, and before both
with a pool of one and half as many doors: an experiment that sees nobody wait there sees nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.drills.pooling.load import Door, Outcome, Rush, rush
from shoreup.drills.proving import Claim, Seen, harness, missing, proof_of
from shoreup.engines.base import EngineTrouble
from shoreup.engines.choosing import Choice, NoProvider, Wanted, choose
from shoreup.engines.jail import fences
from shoreup.engines.pgbouncer import PgBouncer
from shoreup.engines.postgresql.server import Postgresql, PostgresqlOptions, RunningPostgresql
from shoreup.engines.scratch import Limits, Scratch
from shoreup.facts.proofs import Drill
from shoreup.model.proof import Control, Engine, Proof, ProofSubject

MOST = 600
"""Connections that one experiment opens."""
_MAX_CLIENTS, _POOL = 100, 20
"""PgBouncer's max_client_conn and default_pool_size when it is told nothing."""
_LEAVING = 30.0
"""Seconds in which connections that were closed have to be gone."""
_OF_THE_ESTATE = (
    "pool_mode",
    "max_client_conn",
    "default_pool_size",
    "min_pool_size",
    "reserve_pool_size",
    "reserve_pool_timeout",
    "max_db_connections",
    "max_user_connections",
)
"""Settings that decide who gets in; the others are about addresses and passwords, or nothing here."""


class Numbers(Struct, frozen=True):
    """What lets connections in: a pooler's settings, empty for none, and what the server leaves to clients."""

    settings: Mapping[str, str]
    server: int


class PoolSpec(Struct, frozen=True):
    """A pooler, or a server without one, and its clients.

    ``clients`` are the connections that each may open. ``server`` is ``None`` where the estate does not say it.
    """

    subject: ProofSubject
    wanted: Wanted
    pooler: bool
    pods: int
    settings: Mapping[str, str]
    clients: tuple[int, ...]
    server: int | None
    inputs: Mapping[str, str]
    lasts: timedelta = timedelta(days=90)

    @property
    def session(self) -> bool:
        """Whether each connection keeps one of the server's."""
        return not self.pooler or self.settings.get("pool_mode", "session") == "session"

    def number(self, name: str, default: int) -> int:
        """A setting of the pooler."""
        value = self.settings.get(name, "")
        return int(value) if value.isdecimal() else default


def today(spec: PoolSpec) -> Numbers:
    """The numbers as the estate has them. A server's limit that is not said does not stand in the way."""
    settings = {name: value for name, value in spec.settings.items() if name in _OF_THE_ESTATE}
    return Numbers(settings, spec.server if spec.server is not None else MOST)


def proposed(spec: PoolSpec) -> Numbers:
    """The least numbers that let every connection in; no number becomes smaller."""
    now = today(spec)
    if not spec.pooler:
        return replace(now, server=max(now.server, sum(spec.clients)))
    settings = dict(now.settings)
    share = sum(-(-one // spec.pods) for one in spec.clients)
    settings["max_client_conn"] = str(max(spec.number("max_client_conn", _MAX_CLIENTS), share))
    if spec.session:
        each = max(-(-one // spec.pods) for one in spec.clients)
        reserve = spec.number("reserve_pool_size", 0)
        settings["default_pool_size"] = str(max(spec.number("default_pool_size", _POOL), each - reserve))
        for name in ("max_db_connections", "max_user_connections"):
            if 0 < spec.number(name, 0) < share:
                settings[name] = str(share)
    return Numbers(settings, max(now.server, _enough_for(spec, settings)))


def _enough_for(spec: PoolSpec, settings: Mapping[str, str]) -> int:
    """Connections of the server that the pools of every pod can come to."""
    if not spec.pooler:
        return sum(spec.clients)
    grown = replace(spec, settings=settings)
    each = grown.number("default_pool_size", _POOL) + grown.number("reserve_pool_size", 0)
    return sum(spec.pods * min(each, -(-one // spec.pods)) for one in spec.clients)


def pool(spec: PoolSpec, *, run: str, now: datetime, base: Path | None = None) -> Proof:
    """Let every client open all that it may. What breaks on the way ends as a proof that could not verify."""
    claim = Claim(
        drill=Drill.POOL.value,
        text="As many connections as its clients may open are let in, and each is served.",
        subject=spec.subject,
        inputs=spec.inputs,
        lasts=spec.lasts,
    )
    seen = Seen(
        Engine(spec.wanted.product, spec.wanted.version), Control("a pool of one, for half of the clients", None)
    )
    with harness(seen):
        _experiment(spec, seen, base)
    return proof_of(claim, seen, run=run, taken=now)


def _experiment(spec: PoolSpec, seen: Seen, base: Path | None) -> None:
    server = choose(Wanted("postgresql")) if spec.pooler else choose(spec.wanted)
    pooler = choose(spec.wanted) if spec.pooler else None
    for one in (pooler, server):
        if isinstance(one, NoProvider):
            missing(seen, one)
            return
    assert isinstance(server, Choice)
    assert not isinstance(pooler, NoProvider)
    seen.engine = (pooler or server).engine
    seen.limits += [f"what the engine could reach: {one}" for one in fences().missing]
    seen.limits.append("how long the applications' own transactions are: here each holds the server for 5 ms")
    if spec.server is None:
        seen.limits.append("the limit of the server behind it, which the estate does not say")
    with Scratch(Limits(), base) as scratch, ExitStack() as servers:
        place = _Place(spec=spec, seen=seen, scratch=scratch, server=server, pooler=pooler, running=servers)
        asked = sum(spec.clients)
        seen.measure("clients", asked, "connections")
        tight = place.tried("control", _tight(spec))
        seen.control = Control(seen.control.what, not tight.whole)
        seen.before = f"{seen.control.what}: {_said(tight)}"
        as_is = place.tried("today", today(spec))
        enough = proposed(spec)
        after = as_is if enough == today(spec) else place.tried("proposed", enough)
    if as_is.whole:
        seen.passes(f"all {asked} connections are served: {_said(as_is)}")
    else:
        better = f"with {_changed(spec, enough)}, {_said(after)}"
        seen.fails(f"of {asked} connections {_said(as_is)}; {better}")


def _tight(spec: PoolSpec) -> Numbers:
    half = max(1, sum(spec.clients) // 2)
    if not spec.pooler:
        return Numbers({}, half)
    doors = {"max_client_conn": str(max(1, half // spec.pods)), "default_pool_size": "1", "reserve_pool_size": "0"}
    return Numbers({**today(spec).settings, **doors, "min_pool_size": "0"}, today(spec).server)


class _Place(Struct, frozen=True):
    """Where the experiment takes place."""

    spec: PoolSpec
    seen: Seen
    scratch: Scratch
    server: Choice
    pooler: Choice | None
    running: ExitStack
    servers: dict[int, RunningPostgresql] = field(default_factory=dict)

    def tried(self, name: str, numbers: Numbers) -> Outcome:
        """One rush with these numbers, measured under a name."""
        with ExitStack() as running:
            server = self._server(numbers.server)
            running.enter_context(_alone(server))
            doors = self._doors(running, server, numbers.settings)
            clients = [Rush(f"client{number}", each) for number, each in enumerate(self.spec.clients)]
            outcome = rush(doors, clients, keep=self.spec.session)
        for what, value, unit in (
            ("served", outcome.served, "connections"),
            ("refused", outcome.refused, "connections"),
            ("waiting in vain", outcome.in_vain, "connections"),
            ("wait p50", outcome.percentile(50), "ms"),
            ("wait p99", outcome.percentile(99), "ms"),
        ):
            self.seen.measure(f"{name}: {what}", value, unit)
        return outcome

    def _server(self, connections: int) -> RunningPostgresql:
        """A server that leaves so many connections to clients, each of whom has a database."""
        if connections not in self.servers:
            # One that clients may not have, and the one that looks on.
            settings = {"max_connections": str(connections + 2), "superuser_reserved_connections": "1"}
            options = PostgresqlOptions(settings=settings, memory=64 << 20)
            server = self.running.enter_context(Postgresql(self.server, self.scratch, options).start())
            with server.connect() as connection:
                connection.execute("CREATE ROLE client LOGIN")
                for number in range(len(self.spec.clients)):
                    connection.execute(f"CREATE DATABASE client{number}".encode())
            self.servers[connections] = server
        return self.servers[connections]

    def _doors(self, running: ExitStack, server: RunningPostgresql, settings: Mapping[str, str]) -> Sequence[Door]:
        if self.pooler is None:
            return [Door(server.socket, 5432, "client")]
        pods = [
            running.enter_context(PgBouncer(self.pooler, self.scratch, server, settings, user="client").start())
            for _ in range(self.spec.pods)
        ]
        return [Door(one.socket, 6432, "client") for one in pods]


@contextmanager
def _alone(server: RunningPostgresql) -> Iterator[None]:
    """Look on from when everybody else has left: a connection that is closed goes on taking a place for a moment."""
    others = b"SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    until = monotonic() + _LEAVING
    with server.connect() as connection:
        while connection.execute(others).fetchone() is not None:
            if monotonic() > until:
                raise EngineTrouble(f"earlier connections were still there after {_LEAVING:g} s")
            sleep(0.01)
        yield


def _changed(spec: PoolSpec, enough: Numbers) -> str:
    was = today(spec)
    words = [f"{name} = {value}" for name, value in enough.settings.items() if was.settings.get(name) != value]
    if enough.server != was.server:
        words.append(f"{enough.server} connections of the server for clients")
    return " and ".join(words)


def _said(outcome: Outcome) -> str:
    words = [f"{outcome.served} are served"] if outcome.served else ["none is served"]
    for reason, count in sorted(outcome.refusals.items(), key=lambda one: -one[1])[:2]:
        words.append(f"{count} are refused ({reason})")
    if outcome.in_vain:
        words.append(f"{outcome.in_vain} wait in vain")
    if outcome.waits:
        words.append(
            f"half of them within {outcome.percentile(50):.0f} ms and 99 in 100 within {outcome.percentile(99):.0f} ms"
        )
    return ", ".join(words)
