"""Whether a way in is open to the internet, as far as the estate says so.

Evidence for: a tunnel or a proxied public DNS record for the host, a certificate that is proven over HTTP, a gateway or
class called external. Evidence against: an address filter with private ranges alone, a private name, a record that
points to a private address, a gateway or class called internal. Without evidence the answer is ``None``. What the owner
says of hosts, entry points, gateways and networks outranks all of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from msgspec import Struct, field

from shoreup.facts.estate import Middleware
from shoreup.facts.fields import document, items, known_text, mapping, text, texts, truth, why_open
from shoreup.facts.scheduling.nodes import block
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.settings import Exposure as Said
from shoreup.model.value import Value
from shoreup.model.value import pattern as pattern_of

_OPEN_WORDS = frozenset({"external", "public", "internet", "wan"})
_CLOSED_WORDS = frozenset({"internal", "private", "lan", "local", "intranet"})
_WORDS = re.compile(r"[a-z]+")
_PRIVATE_SUFFIXES = (".local", ".lan", ".internal", ".home.arpa", ".localdomain", ".intranet", ".home", ".localhost")
_TUNNEL_TYPES = ("cloudflare_zero_trust_tunnel_cloudflared_config", "cloudflare_tunnel_config")
_RECORD_TYPES = ("cloudflare_record", "cloudflare_dns_record")
_RULESET_PHASE = "http_ratelimit"


class TunnelRule(Struct, frozen=True):
    """A host that a tunnel publishes, and the address behind it."""

    resource: Resource
    host: str
    address: Value
    place: Place


class Exposure(Struct, frozen=True, eq=False):
    """What the estate says of hosts."""

    tunnel_rules: tuple[TunnelRule, ...]
    records: Mapping[str, bool]
    """Hosts with a public (true) or a private (false) DNS record."""
    proven_issuers: frozenset[str]
    """Certificate issuers that prove control over HTTP, for which the host must be reachable."""
    zone_limits: tuple[tuple[str, Middleware], ...]
    """Rate limits of a DNS provider's edge, with the zone that each is for (empty: not decided)."""
    said: Said = field(default_factory=Said)
    """What the owner says."""

    def said_of_hosts(self, hosts: Sequence[str]) -> bool | None:
        """The owner's word on hosts: one that the internet reaches opens all, only all of the LAN close them."""
        if any(_matches(host, self.said.internet.hosts) for host in hosts):
            return True
        return False if hosts and all(_matches(host, self.said.lan.hosts) for host in hosts) else None

    def said_of_names(self, names: Sequence[str]) -> bool | None:
        """The owner's word on entry points, gateways and classes."""
        for side, answer in ((self.said.internet, True), (self.said.lan, False)):
            if any(_matches(name, (*side.entry_points, *side.gateways)) for name in names if name):
                return answer
        return None

    def fenced(self, ranges: Sequence[str]) -> bool:
        """Whether an address filter lets in the owner's network alone."""
        return only_private(ranges, self.said.lan.networks, self.said.internet.networks)

    def published(self, host: str, names: Sequence[str] = ()) -> bool | None:
        """Whether a host is reached from outside, by tunnels and records.

        A tunnel's rule for every host of a domain publishes what the proxy behind it serves, so it counts for a way in
        only when its address names one of the gateways or classes (``names``) that the way in is attached to.
        """
        for rule in self.tunnel_rules:
            if covers(rule.host, host) and ("*" not in rule.host or _names(rule.address, names)):
                return True
        return self.records.get(host.lower())

    def limits(self, hosts: Sequence[str]) -> tuple[Middleware, ...]:
        """The edge's rate limits that may hold for these hosts."""
        return tuple(
            limit
            for zone, limit in self.zone_limits
            if not zone or not hosts or any(host == zone or host.endswith(f".{zone}") for host in hosts)
        )


def _names(address: Value, names: Sequence[str]) -> bool:
    shown = pattern_of(address).lower()
    return any(name.lower() in shown for name in names if name)


def covers(pattern: str, host: str) -> bool:
    """Whether a host pattern (``*.example.com``) covers a host."""
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and host != pattern[1:]
    return bool(pattern) and pattern.lower() == host.lower()


def private_name(host: str) -> bool:
    """Whether a host's name can only be resolved at home."""
    return host.endswith(_PRIVATE_SUFFIXES) or ("." not in host and bool(host) and "*" not in host)


def spoken(names: Iterable[str]) -> bool | None:
    """What the names of gateways, classes and entry points say: external, internal, or nothing."""
    words = {word for name in names for word in _WORDS.findall(name.lower())}
    outside, inside = bool(words & _OPEN_WORDS), bool(words & _CLOSED_WORDS)
    return None if outside == inside else outside


def only_private(ranges: Sequence[str], inside: Sequence[str] = (), outside: Sequence[str] = ()) -> bool:
    """Whether an address filter lets in private ranges alone, or those that the owner calls ``inside``.

    A range that touches one of ``outside`` is not private.
    """
    if not ranges:
        return False
    home = [ip_network(entry, strict=False) for entry in inside]
    away = [ip_network(entry, strict=False) for entry in outside]
    for entry in ranges:
        try:
            network = ip_network(entry.strip(), strict=False)
        except ValueError:
            return False
        if any(network.overlaps(other) for other in away if other.version == network.version):
            return False
        if any(_within(network, other) for other in home):
            continue
        if not network.is_private or network.prefixlen == 0:
            return False
    return True


def _within(network: IPv4Network | IPv6Network, other: IPv4Network | IPv6Network) -> bool:
    return (
        network.version == other.version and network.prefixlen >= other.prefixlen and network.network_address in other
    )


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def read_exposure(by_kind: Mapping[str, Sequence[Resource]], said: Said | None = None) -> Exposure:
    """Everything of the estate that says which hosts are reached from outside."""
    return Exposure(
        tuple(_tunnel_rules(by_kind)),
        _records(by_kind),
        _proven_issuers(by_kind),
        tuple(_zone_limits(by_kind)),
        said or Said(),
    )


def _tunnel_rules(by_kind: Mapping[str, Sequence[Resource]]) -> Iterable[TunnelRule]:
    for resource in by_kind.get("ConfigMap", ()):
        for key, value in mapping(resource.body.get("data")).items():
            if isinstance(value, str) and "ingress:" in value and "hostname:" in value and "service:" in value:
                yield from _tunnel_file(resource, ("data", key), value)
    for kind in _TUNNEL_TYPES:
        for resource in by_kind.get(kind, ()):
            config = block(resource.body.get("config"))
            for key in ("ingress_rule", "ingress"):
                for index, rule in enumerate(map(mapping, items(config.get(key)))):
                    if text(rule.get("hostname")):
                        route: Route = ("config", 0, key, index)
                        if isinstance(resource.body.get("config"), dict):
                            route = ("config", key, index)
                        yield TunnelRule(
                            resource, text(rule.get("hostname")), rule.get("service"), Place(resource.key, route)
                        )


def _tunnel_file(resource: Resource, route: Route, content: str) -> Iterable[TunnelRule]:
    for rule in map(mapping, items(document(content).get("ingress"))):
        host = known_text(rule.get("hostname"))
        if host:
            start = content.find(host)
            chars = (start, start + len(host)) if start >= 0 else None
            yield TunnelRule(resource, host, rule.get("service"), Place(resource.key, route, chars))


def _records(by_kind: Mapping[str, Sequence[Resource]]) -> Mapping[str, bool]:
    zones = _zones(by_kind)
    found: dict[str, bool] = {}
    for kind in _RECORD_TYPES:
        for resource in by_kind.get(kind, ()):
            body = resource.body
            name = known_text(body.get("name")).lower()
            zone = zones.get(text(body.get("zone_id")), "")
            if not name:
                continue
            if name == "@":
                name = zone
            elif zone and not name.endswith(zone):
                name = f"{name}.{zone}"
            public = _public(body)
            if public is not None and name:
                found[name] = public
    return found


def _public(record: Mapping[str, Value]) -> bool | None:
    if truth(record.get("proxied")) is True:
        return True
    content = known_text(record.get("content")) or known_text(record.get("value"))
    if content.endswith(".cfargotunnel.com"):
        return True
    if text(record.get("type")) in {"A", "AAAA"}:
        try:
            return not ip_address(content).is_private
        except ValueError:
            return None
    return None


def _zones(by_kind: Mapping[str, Sequence[Resource]]) -> Mapping[str, str]:
    """The names of zones by what identifies them in the estate."""
    found: dict[str, str] = {}
    for resource in by_kind.get("cloudflare_zone", ()):
        name = known_text(resource.body.get("zone")) or known_text(resource.body.get("name"))
        if name:
            found[text(resource.body.get("id")) or resource.address] = name
    found.pop("*", None)
    return found


def _proven_issuers(by_kind: Mapping[str, Sequence[Resource]]) -> frozenset[str]:
    found: set[str] = set()
    for kind in ("ClusterIssuer", "Issuer"):
        for resource in by_kind.get(kind, ()):
            acme = mapping(mapping(resource.body.get("spec")).get("acme"))
            solvers = [mapping(solver) for solver in items(acme.get("solvers"))]
            public = "letsencrypt.org" in text(acme.get("server")) or "zerossl" in text(acme.get("server"))
            if public and solvers and all(solver.get("http01") is not None for solver in solvers):
                found.add(resource.name)
    return frozenset(found)


def _zone_limits(by_kind: Mapping[str, Sequence[Resource]]) -> Iterable[tuple[str, Middleware]]:
    zones = _zones(by_kind)
    for resource in by_kind.get("cloudflare_ruleset", ()):
        if text(resource.body.get("phase")) == _RULESET_PHASE:
            rules = [mapping(rule) for rule in items(resource.body.get("rules"))]
            if why_open(resource.body.get("rules")) or any(truth(rule.get("enabled")) is not False for rule in rules):
                yield _zone_limit(resource, zones)
    for resource in by_kind.get("cloudflare_rate_limit", ()):
        if truth(resource.body.get("disabled")) is not True:
            yield _zone_limit(resource, zones)


def _zone_limit(resource: Resource, zones: Mapping[str, str]) -> tuple[str, Middleware]:
    zone = zones.get(text(resource.body.get("zone_id")), "")
    return zone, Middleware("", resource.name, ("rateLimit",), Place(resource.key))


def ranges_of(spec: Mapping[str, Value]) -> tuple[str, ...]:
    """The ranges of a Traefik address filter, old and new name."""
    for key in ("ipAllowList", "ipWhiteList"):
        if mapping(spec.get(key)):
            return texts(mapping(spec.get(key)).get("sourceRange"))
    return ()
