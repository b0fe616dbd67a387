"""How many connections clients may open, and how many a pooler or a server takes.

Only numbers that the estate writes down are added up: a client without one is left out, so that what is said is the
least that may happen. A pooler in session mode gives a server's connection to each of its clients' for as long as that
one stands, so there its pool is the limit; in the other modes only `max_client_conn` is. Defaults and meanings are
those of pgbouncer.org (config) and postgresql.org (runtime-config-connection), read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import ConfigEntry, Container, Database, Estate, Workload
from shoreup.facts.fields import known_text, text
from shoreup.facts.wiring.reading import Wiring, wiring
from shoreup.model.finding import Place
from shoreup.model.resource import Resource

_POOLER = "pooler"
_MAX_CLIENTS, _POOL = 100, 20
"""PgBouncer's max_client_conn and default_pool_size when it is told nothing."""
_SIZE = re.compile(
    r"_(?:MAX_?OPEN_?CONN(?:ECTION)?S|MAX_?CONN(?:ECTION)?S|(?:MAX(?:IMUM)?_?)?POOL_?SIZE|POOL_?MAX(?:_?SIZE)?|MAX_?POOL|"
    r"CONNECTION_?LIMIT|POOL_?MAX_?CONNS?)$",
    re.IGNORECASE,
)
_OF_A_DATABASE = re.compile(
    r"(?:^|_)(?:DB|DATABASE|POSTGRES(?:QL)?|PG|PSQL|MYSQL|MARIADB|SQL|STORAGE|DATASOURCE)(?:_|$)", re.IGNORECASE
)
_IN_URL = re.compile(
    r"[?&](?:pool_max_conns|connection_limit|max_pool_size|pool_size|maxPoolSize|max_connections)=(\d+)"
)
_SETTING = re.compile(r"^[ \t]*(?P<name>[a-z_]+)[ \t]*=[ \t]*(?P<value>[^\s;#]+)", re.MULTILINE)
_SECTION = re.compile(r"^[ \t]*\[(?P<name>[\w-]+)\]", re.MULTILINE)
_SERVER_LIMIT = re.compile(r"max[_-]connections[= ]+(\d+)")


class Client(Struct, frozen=True, eq=False):
    """A workload that opens connections: ``each`` from each of its ``pods``."""

    resource: Resource
    pods: int
    each: int
    place: Place

    @property
    def total(self) -> int:
        """All of them."""
        return self.pods * self.each


class Limit(Struct, frozen=True, eq=False):
    """What something takes: ``number`` for each of ``pods``, by the setting ``name``, written at ``place``."""

    resource: Resource
    pods: int
    number: int
    name: str
    place: Place
    clients: tuple[Client, ...]
    waits: bool = False
    """Whether what is too much waits rather than being refused."""

    @property
    def total(self) -> int:
        """What all of them take."""
        return self.pods * self.number

    @property
    def asked(self) -> int:
        """What the clients may open."""
        return sum(client.total for client in self.clients)


class Pool(Struct, frozen=True, eq=False):
    """What stands between clients and a server, whether anything is exceeded or not.

    ``settings`` are a pooler's own words; ``pooler`` is false for a server that its clients reach without one.
    ``server`` is how many connections the server leaves to clients, ``None`` where the estate does not say it.
    ``undecided`` says why it cannot be tried as it is, empty where it can.
    """

    workload: Workload
    container: Container
    pods: int
    settings: Mapping[str, str]
    clients: tuple[Client, ...]
    server: int | None
    pooler: bool = True
    undecided: str = ""

    @property
    def session(self) -> bool:
        """Whether a client keeps its connection to the server for as long as it stands."""
        return not self.pooler or self.settings.get("pool_mode", "session") == "session"


class _Pooler(Struct, frozen=True, eq=False):
    """A pooler's settings with the places where they are written."""

    workload: Workload
    pods: int
    settings: Mapping[str, str]
    places: Mapping[str, Place]
    databases: int | None
    """How many databases it serves; ``None`` where that is open."""
    own_pools: bool
    """Whether a database has a pool size of its own."""

    def number(self, name: str, default: int) -> int | None:
        """A setting as a number; ``None`` where it is not decided."""
        written = self.settings.get(name)
        return default if written is None else int(written) if written.isdecimal() else None

    def place(self, name: str) -> Place:
        """Where a setting is written, else the pooler itself."""
        return self.places.get(name, Place(self.workload.resource.key))


def exceeded(estate: Estate) -> Iterator[Limit]:
    """Every pooler and server whose clients may open more than it takes: the tightest limit of each."""
    graph = wiring(estate)
    poolers = [found for workload in estate.workloads if (found := _pooler(estate, workload)) is not None]
    for pooler in poolers:
        yield from [limit for limit in _limits(estate, graph, pooler) if limit.asked > limit.total][:1]
    for database in estate.databases:
        limit = _server(estate, graph, database, poolers)
        if limit is not None and limit.asked > limit.total:
            yield limit


def pools(estate: Estate) -> Iterator[Pool]:
    """Every pooler, and every server that clients reach without one, whose clients' numbers are written down."""
    graph = wiring(estate)
    poolers = [found for workload in estate.workloads if (found := _pooler(estate, workload)) is not None]
    behind: dict[int, Database] = {}
    for database in estate.databases:
        for node in graph.of(database.resource.key):
            behind |= {edge.source.resource: database for edge in graph.why(node)}
    for pooler in poolers:
        clients = _clients(estate, graph, pooler.workload.resource)
        if not clients:
            continue
        server = behind.get(pooler.workload.resource.key)
        undecided = "its databases have pool sizes of their own" if pooler.own_pools else ""
        if any(value == "*" for value in pooler.settings.values()):
            undecided = "not all of its settings are decided in the repository"
        container = next(
            one for one in pooler.workload.containers if estate.products.kind(one.image.product) == _POOLER
        )
        yield Pool(
            workload=pooler.workload,
            container=container,
            pods=pooler.pods,
            settings=pooler.settings,
            clients=clients,
            server=_left_to_clients(estate, server) if server is not None else None,
            undecided=undecided,
        )
    for database in estate.databases:
        clients = _clients(estate, graph, database.resource)
        left = _left_to_clients(estate, database)
        if clients and left is not None and database.workload is not None and database.workload.containers:
            yield Pool(
                workload=database.workload,
                container=database.workload.containers[0],
                pods=1,
                settings={},
                clients=clients,
                server=left,
                pooler=False,
            )


def _left_to_clients(estate: Estate, database: Database) -> int | None:
    workload, product = database.workload, estate.products.by_id[database.product]
    found = _server_limit(workload) if workload is not None and workload.enabled and not workload.partial else None
    return found[0] - product.reserved if found is not None and product.reserved else None


# Clients


def _clients(estate: Estate, graph: Wiring, resource: Resource) -> tuple[Client, ...]:
    found: dict[int, Client] = {}
    by_key = {workload.resource.key: workload for workload in estate.workloads}
    for node in graph.of(resource.key):
        for edge in graph.why(node):
            workload = by_key.get(edge.source.resource)
            if workload is not None and workload.resource is not resource and workload.resource.key not in found:
                client = _client(workload)
                if client is not None:
                    found[workload.resource.key] = client
    return tuple(found.values())


def _client(workload: Workload) -> Client | None:
    pods = workload.replicas if isinstance(workload.replicas, int) else workload.least_replicas
    if pods is None or not workload.enabled or workload.kind in ("CronJob", "Job"):
        return None
    for container in workload.containers:
        if container.init:
            continue
        for name, value in container.env.items():
            written = known_text(value)
            size = written if _SIZE.search(name) and _OF_A_DATABASE.search(name) else ""
            in_url = _IN_URL.search(written)
            if in_url is not None:
                size = in_url.group(1)
            if size.isdecimal() and int(size) > 0:
                return Client(workload.resource, pods, int(size), _env_place(workload, container, name))
    return None


def _env_place(workload: Workload, container: Container, name: str) -> Place:
    held = container.body.get("env")
    if isinstance(held, list):
        for index, item in enumerate(held):
            if isinstance(item, dict) and text(item.get("name")) == name:
                route = (*container.route, "env", index, "value")
                return Place(workload.resource.key, route, container=container.name)
    return Place(workload.resource.key, container.route, container=container.name)


# Poolers


def _pooler(estate: Estate, workload: Workload) -> _Pooler | None:
    container = next(
        (one for one in workload.containers if estate.products.kind(one.image.product) == _POOLER and not one.init),
        None,
    )
    pods = workload.replicas
    if container is None or not isinstance(pods, int) or not workload.enabled or workload.partial:
        return None
    entry = _configuration(estate, workload)
    if entry is not None:
        return _by_file(workload, pods, entry)
    if not container.env or not any(name.upper().endswith(("HOST", "URL")) for name in container.env):
        return None
    settings: dict[str, str] = {}
    places: dict[str, Place] = {}
    for name, value in container.env.items():
        setting = name.lower().removeprefix("pgbouncer_")
        if setting in ("max_client_conn", "default_pool_size", "pool_mode", "reserve_pool_size"):
            settings[setting] = known_text(value) or "*"
            places[setting] = _env_place(workload, container, name)
    return _Pooler(workload=workload, pods=pods, settings=settings, places=places, databases=None, own_pools=False)


def _configuration(estate: Estate, workload: Workload) -> ConfigEntry | None:
    names = {volume.source for volume in workload.volumes if volume.kind in ("config-map", "secret") and volume.source}
    for entry in estate.config:
        if entry.namespace == workload.namespace and entry.name in names and "[pgbouncer]" in text(entry.value):
            return entry
    return None


def _by_file(workload: Workload, pods: int, entry: ConfigEntry) -> _Pooler:
    written = text(entry.value)
    parts = list(_SECTION.finditer(written))
    settings: dict[str, str] = {}
    places: dict[str, Place] = {}
    databases: int | None = 0
    own = False
    for index, part in enumerate(parts):
        end = parts[index + 1].start() if index + 1 < len(parts) else len(written)
        body = written[part.end() : end]
        if part["name"] == "databases":
            lines = [line for line in body.splitlines() if "=" in line and not line.lstrip().startswith((";", "#"))]
            open_ = any(line.lstrip().startswith("*") for line in lines)
            databases = None if open_ else len(lines)
            own = "pool_size" in body
        elif part["name"] == "pgbouncer":
            for match in _SETTING.finditer(body):
                settings[match["name"]] = match["value"]
                chars = (part.end() + match.start("name"), part.end() + match.end("value"))
                places[match["name"]] = Place(
                    entry.resource.key, entry.route, chars if isinstance(entry.value, str) else None
                )
    return _Pooler(workload=workload, pods=pods, settings=settings, places=places, databases=databases, own_pools=own)


def _limits(estate: Estate, graph: Wiring, pooler: _Pooler) -> Iterator[Limit]:
    """The limits of a pooler, the one that refuses first."""
    resource = pooler.workload.resource
    clients = _clients(estate, graph, resource)
    most = pooler.number("max_client_conn", _MAX_CLIENTS)
    if most is not None:
        yield Limit(
            resource=resource,
            pods=pooler.pods,
            number=most,
            name="max_client_conn",
            place=pooler.place("max_client_conn"),
            clients=clients,
        )
    pool, reserve = pooler.number("default_pool_size", _POOL), pooler.number("reserve_pool_size", 0)
    session = pooler.settings.get("pool_mode", "session") == "session"
    if session and pool is not None and reserve is not None and not pooler.own_pools:
        place = pooler.place("default_pool_size")
        for client in sorted(clients, key=lambda one: -one.total):
            # Each pair of database and user has a pool of its own, so clients are not added up here.
            yield Limit(
                resource=resource,
                pods=pooler.pods,
                number=pool + reserve,
                name="default_pool_size",
                place=place,
                clients=(client,),
                waits=True,
            )


# Servers


def _server(estate: Estate, graph: Wiring, database: Database, poolers: list[_Pooler]) -> Limit | None:
    workload = database.workload
    if (
        workload is None
        or not estate.products.by_id[database.product].reserved
        or not workload.enabled
        or workload.partial
    ):
        return None
    found = _server_limit(workload)
    if found is None:
        return None
    number, place = found
    clients = list(_clients(estate, graph, database.resource))
    by_key = {pooler.workload.resource.key: pooler for pooler in poolers}
    for node in graph.of(database.resource.key):
        for edge in graph.why(node):
            pooler = by_key.get(edge.source.resource)
            pool = pooler.number("default_pool_size", _POOL) if pooler is not None else None
            if pooler is not None and pool is not None and pooler.databases:
                where = pooler.place("default_pool_size")
                clients.append(Client(pooler.workload.resource, pooler.pods, pooler.databases * pool, where))
    return Limit(
        resource=workload.resource,
        pods=1,
        number=number - estate.products.by_id[database.product].reserved,
        name="max_connections",
        place=place,
        clients=tuple(clients),
    )


def _server_limit(workload: Workload) -> tuple[int, Place] | None:
    """What the server's own arguments say; a limit that nothing says is not guessed."""
    for container in workload.containers:
        for field in ("command", "args"):
            held = container.body.get(field)
            for index, value in enumerate(held if isinstance(held, list) else ()):
                match = _SERVER_LIMIT.search(text(value))
                if match is not None:
                    place = Place(workload.resource.key, (*container.route, field, index), container=container.name)
                    return int(match.group(1)), place
    return None
