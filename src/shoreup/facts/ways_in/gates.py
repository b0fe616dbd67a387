"""What stands between a caller and a workload: the ways in that lead to it, and which of them ask who comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.facts.estate import Container, Estate, Service, WayIn, Workload
from shoreup.facts.fields import known_text, mapping, number, text
from shoreup.model.value import Value

ASKING = frozenset({"forwardAuth", "basicAuth", "digestAuth", "oidc", "jwt", "authorization"})
"""Pieces of a chain that let only those through who have said who they are."""
_FILTERING = frozenset({"ipAllowList", "ipWhiteList"})


class Access(Struct, frozen=True, eq=False):
    """The ways in to one workload. ``asked`` ask who comes, ``open`` certainly do not, ``unclear`` may."""

    asked: tuple[WayIn, ...] = ()
    open: tuple[WayIn, ...] = ()
    unclear: tuple[WayIn, ...] = ()

    @property
    def behind_gate(self) -> bool:
        """Whether every way in asks who comes."""
        return bool(self.asked) and not self.open and not self.unclear

    @property
    def from_internet(self) -> tuple[WayIn, ...]:
        """The ways in that ask nobody and are open to the internet."""
        return tuple(way for way in self.open if way.internet is True)


NO_ACCESS = Access()


def access_to(estate: Estate, workload: Workload | None, container: Container | None = None) -> Access:
    """The ways in that lead to a workload through a Service; of several containers, those that lead to this one."""
    if workload is None:
        return NO_ACCESS
    access = estate.once(_by_workload).get(id(workload), NO_ACCESS)
    if container is None or len([one for one in workload.containers if not one.init or one.sidecar]) < 2:
        return access
    ways = (*access.asked, *access.open, *access.unclear)
    return _sorted([way for way in ways if _leads_to(way, workload, container)])


def asks(way: WayIn) -> bool | None:
    """Whether a way in asks who comes; ``None`` where its chain is not wholly known."""
    if any(ASKING & set(piece.kinds) for piece in way.middlewares):
        return True
    return None if way.undecided or way.missing else False


def filtered(way: WayIn) -> bool:
    """Whether a way in lets only certain addresses through."""
    return any(_FILTERING & set(piece.kinds) for piece in way.middlewares)


def _leads_to(way: WayIn, workload: Workload, container: Container) -> bool:
    """Whether a way in certainly ends at a port of this container."""
    for service in way.services:
        if workload not in service.workloads:
            continue
        for target in _targets(way, service):
            if any(port.number == target or port.name == str(target) for port in container.ports):
                return True
            if any(str(target) in known_text(word) for word in container.command):
                return True
    return False


def _targets(way: WayIn, service: Service) -> Iterator[int | str]:
    """The pods' ports behind the ports of a Service that a way in names."""
    asked = set(_ports(dict(way.resource.body), service.name))
    for port, target in zip(service.ports, service.target_ports, strict=True):
        if {port.name, str(port.number)} & asked:
            held = number(target)
            yield known_text(target) if held is None else held


def _ports(value: Value, service: str) -> Iterator[str]:
    """The ports that stand beside a Service's name anywhere in a route."""
    if isinstance(value, dict):
        port = value.get("port")
        if text(value.get("name")) == service and port is not None:
            yield from (
                text(one) for one in (port, mapping(port).get("number"), mapping(port).get("name")) if text(one)
            )
        for item in value.values():
            yield from _ports(item, service)
    elif isinstance(value, list):
        for item in value:
            yield from _ports(item, service)


def _by_workload(estate: Estate) -> Mapping[int, Access]:
    found: dict[int, list[WayIn]] = defaultdict(list)
    for way in estate.ways_in:
        for service in way.services:
            for workload in service.workloads:
                if way not in found[id(workload)]:
                    found[id(workload)].append(way)
    return {key: _sorted(ways) for key, ways in found.items()}


def _sorted(ways: Sequence[WayIn]) -> Access:
    answers = [(way, asks(way)) for way in ways]
    return Access(
        tuple(way for way, answer in answers if answer is True),
        tuple(way for way, answer in answers if answer is False),
        tuple(way for way, answer in answers if answer is None),
    )
