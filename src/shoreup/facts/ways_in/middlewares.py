"""The pieces of a proxy's chain: Traefik middlewares, chains laid flat, and what a whole entry point adds.

A chain names its pieces by provider (``auth-gate@kubernetescrd``), by reference (``name``, ``namespace``) or in the
proxy's own static configuration. What a name of another provider (``@file``) does is not in the estate and stays
undecided.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field

from shoreup.facts.estate import Middleware, Release
from shoreup.facts.fields import document, items, known_text, mapping, text, why_open
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.model.value import Value

UNDECIDED = "undecided"
"""The kind of a middleware whose specification is not decided."""

_TRAEFIK_GROUPS = ("traefik.io/", "traefik.containo.us/")
_ENTRY_POINT_ARGUMENT = re.compile(
    r"--entrypoints\.(?P<entry>[\w-]+)\.http\.middlewares(?:=|\s+)(?P<names>\S+)", re.IGNORECASE
)
_CONFIGURATION_SIGN = "entrypoints"


def is_traefik(resource: Resource) -> bool:
    """Whether the object is one of Traefik's own kinds."""
    return resource.api_version.startswith(_TRAEFIK_GROUPS)


def read_middlewares(by_kind: Mapping[str, Sequence[Resource]]) -> tuple[Middleware, ...]:
    """Every Traefik middleware of the estate; a chain has the kind ``chain`` and is laid flat by :class:`Chains`."""
    found: list[Middleware] = []
    for resource in by_kind.get("Middleware", ()):
        if is_traefik(resource):
            spec = resource.body.get("spec")
            kinds = (
                (UNDECIDED,)
                if why_open(spec)
                else tuple(key for key, value in mapping(spec).items() if value is not None)
            )
            found.append(Middleware(resource.namespace or "default", resource.name, kinds, Place(resource.key)))
    return tuple(found)


class Chain(Struct):
    """What a way in passes through: the pieces found, the names that the estate does not declare, and what is open."""

    middlewares: list[Middleware] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    undecided: str = ""

    def add(self, middleware: Middleware) -> None:
        """Add a piece once."""
        if UNDECIDED in middleware.kinds:
            self.open(f"what the middleware {middleware.name} does is not decided")
        if middleware not in self.middlewares:
            self.middlewares.append(middleware)

    def open(self, reason: str) -> None:
        """Note the first reason why the chain is not wholly known."""
        self.undecided = self.undecided or reason


class Chains:
    """Looks up names of middlewares and lays chains flat."""

    def __init__(
        self, by_kind: Mapping[str, Sequence[Resource]], middlewares: Sequence[Middleware], releases: Sequence[Release]
    ) -> None:
        self._bodies = {
            (resource.namespace or "default", resource.name): resource
            for resource in by_kind.get("Middleware", ())
            if is_traefik(resource)
        }
        self._found = {(middleware.namespace, middleware.name): middleware for middleware in middlewares}
        self._joined = {f"{namespace}-{name}": (namespace, name) for namespace, name in self._found}
        self._entry_points = _entry_points(by_kind, releases)
        self._unread = next((release.open for release in releases if _is_proxy(release) and release.open), "")

    def referenced(self, chain: Chain, references: Value, namespace: str) -> None:
        """Add pieces given as a list of ``name`` and ``namespace``."""
        reason = why_open(references)
        if reason:
            chain.open(reason)
        for reference in items(references):
            entry = mapping(reference)
            why = why_open(reference) or why_open(entry.get("name"))
            if why:
                chain.open(why)
                continue
            name = known_text(entry.get("name"))
            if "@" in name:
                self.named(chain, name, namespace)
            elif name:
                where = entry.get("namespace")
                self._piece(chain, namespace if where is None else text(where), name, ())

    def named(self, chain: Chain, names: Value, namespace: str) -> None:
        """Add pieces given as ``namespace-name@kubernetescrd,...``."""
        reason = why_open(names)
        if reason:
            chain.open(reason)
            return
        for entry in known_text(names).split(","):
            name, _, provider = entry.strip().partition("@")
            if not name:
                continue
            if provider and provider.lower() != "kubernetescrd":
                chain.open(f"{name}@{provider} is declared outside the estate's Kubernetes objects")
                continue
            joined = self._joined.get(name)
            if joined is None and not provider and (namespace, name) in self._found:
                joined = (namespace, name)
            if joined is None:
                chain.missing.append(name)
            else:
                self._piece(chain, *joined, ())

    def entry_points(self, chain: Chain, names: Iterable[str]) -> None:
        """Add what the proxy's static configuration puts before every router of these entry points (all if none)."""
        chain.open(self._unread)
        wanted = {name.lower() for name in names}
        for entry_point, values in self._entry_points:
            if not wanted or entry_point.lower() in wanted:
                for value in values:
                    self.named(chain, value, "default")

    def _piece(self, chain: Chain, namespace: str, name: str, passed: tuple[tuple[str, str], ...]) -> None:
        middleware = self._found.get((namespace, name))
        if middleware is None:
            if "*" in namespace or any("*" in "".join(key) for key in self._found):
                chain.open(f"which middleware {name} is meant is not decided")
            else:
                chain.missing.append(f"{namespace}-{name}")
            return
        spec = mapping(self._bodies[(namespace, name)].body.get("spec"))
        members = mapping(spec.get("chain")).get("middlewares")
        if "chain" not in spec:
            chain.add(middleware)
            return
        reason = why_open(spec.get("chain")) or why_open(members)
        if reason:
            chain.open(reason)
        for member in map(mapping, items(members)):
            why = why_open(member.get("name"))
            if why:
                chain.open(why)
                continue
            where = member.get("namespace")
            key = (namespace if where is None else text(where), text(member.get("name")))
            if key[1] and key not in passed and len(passed) < 16:
                self._piece(chain, *key, (*passed, (namespace, name)))


def _is_proxy(release: Release) -> bool:
    return release.chart.rpartition("/")[2] == "traefik"


def _entry_points(
    by_kind: Mapping[str, Sequence[Resource]], releases: Sequence[Release]
) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    found: list[tuple[str, tuple[Value, ...]]] = []
    for release in releases:
        if _is_proxy(release):
            found.extend(_from_values(release.values))
    for resource in by_kind.get("HelmChartConfig", ()):
        if resource.name.startswith("traefik"):
            found.extend(_from_values(document(mapping(resource.body.get("spec")).get("valuesContent"))))
    for kind in ("Deployment", "DaemonSet", "StatefulSet"):
        for resource in by_kind.get(kind, ()):
            template = mapping(mapping(mapping(resource.body.get("spec")).get("template")).get("spec"))
            for container in map(mapping, items(template.get("containers"))):
                found.extend(_from_arguments((*items(container.get("args")), *items(container.get("command")))))
    for resource in by_kind.get("ConfigMap", ()):
        for value in mapping(resource.body.get("data")).values():
            if isinstance(value, str) and _CONFIGURATION_SIGN in value[:4096].lower():
                found.extend(_from_configuration(document(value)))
    return tuple(found)


def _from_values(values: Mapping[str, Value]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    for name, port in mapping(values.get("ports")).items():
        for names in (mapping(port).get("middlewares"), mapping(mapping(port).get("http")).get("middlewares")):
            if isinstance(names, list):
                yield name, tuple(names)
    for key in ("additionalArguments", "globalArguments"):
        yield from _from_arguments(items(values.get(key)))


def _from_arguments(arguments: Sequence[Value]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    for argument in arguments:
        if isinstance(argument, str):
            found = _ENTRY_POINT_ARGUMENT.match(argument)
            if found:
                yield found["entry"], (found["names"],)


def _from_configuration(document: Mapping[str, Value]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    for key, entry_points in document.items():
        if key.lower() == _CONFIGURATION_SIGN:
            for name, entry_point in mapping(entry_points).items():
                names = mapping(mapping(entry_point).get("http")).get("middlewares")
                if isinstance(names, list):
                    yield name, tuple(names)
