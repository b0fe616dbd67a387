"""The certificates that routes ask for by a Secret's name, and whether anything makes that Secret in their namespace.

A proxy looks for the Secret beside the route and nowhere else. One of that name that is made in another namespace is
the usual mistake; one that nothing makes at all may have been made by hand. Traefik keeps the certificates of all its
routes in one store and picks by host name (https://doc.traefik.io/traefik/https/tls/, 2026-11-23), so there a route of
the other namespace may hide the mistake.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from shoreup.facts.estate import Estate
from shoreup.facts.fields import items, known_text, mapping, text
from shoreup.facts.naming import named
from shoreup.facts.wiring.creators import creators, made_secrets
from shoreup.facts.wiring.references import BY_HAND, COPIES, Dangling
from shoreup.model.finding import Confidence, Place, Severity
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value

_TRAEFIK = ("traefik.io/", "traefik.containo.us/")
_ISSUED = ("cert-manager.io/issuer", "cert-manager.io/cluster-issuer", "kubernetes.io/tls-acme")
"""Annotations by which cert-manager makes the certificate of the object that bears them."""
_DEFAULT_KEYS = frozenset({"default-ssl-certificate", "defaultcertificate", "defaulttlssecret"})
_DEEPEST = 8
_OWN = "the proxy serves a certificate of its own, which no client trusts"
_LENT = "Traefik reports an error and serves the certificate only as long as a route in the namespace {where} loads it"
_NO_LISTENER = "the gateway does not open that listener"


class _Asked(Struct, frozen=True, eq=False):
    """One certificate that a route asks for."""

    resource: Resource
    namespace: str
    name: Value
    place: Place
    effect: str


class _Made(Struct):
    """Secrets that the estate makes: by namespace and name, each with what makes it and the name as it is written."""

    there: dict[tuple[str, str], list[tuple[Resource, Value]]] = field(default_factory=lambda: defaultdict(list))
    copied: set[str] = field(default_factory=set)

    def elsewhere(self, namespace: str, name: Value) -> Resource | None:
        """What makes a Secret of that name in another namespace."""
        for (where, written), makers in self.there.items():
            if written == text(name) and where != namespace and "*" not in where:
                for resource, value in makers:
                    if _same(value, name):
                        return resource
        return None


def dangling_certificates(estate: Estate) -> Iterator[Dangling]:
    """Every route whose certificate nothing in the estate makes where the proxy looks for it."""
    if _has_default(estate):
        # Whatever a route asks for and does not get, the default certificate may well be the one that is meant.
        return
    made, sure, beside = _made(estate), made_secrets(estate), creators(estate)
    asked_for: set[str] = set()
    all_asked = tuple(_asked(estate))
    loaded = {(one.namespace, text(one.name)) for one in all_asked if one.resource.api_version.startswith(_TRAEFIK)}
    for asked in all_asked:
        name = text(asked.name)
        place = (asked.namespace, name)
        if not name or "*" in asked.namespace or "$" in name + asked.namespace:
            continue
        if place in made.there or place in sure or ("*", name) in sure or name in made.copied:
            continue
        maker = made.elsewhere(asked.namespace, asked.name)
        why = beside.of(asked.namespace)
        if maker is None:
            if "*" in name or name in asked_for:
                continue
            # Whether someone made a certificate by that name is one question, however many routes bear it.
            asked_for.add(name)
            why = why or BY_HAND
        wanted = f"Secret {asked.namespace}/{name}"
        near, effect, severity = None, asked.effect, Severity.MEDIUM
        if maker is not None:
            where = maker.namespace or "default"
            if asked.resource.api_version.startswith(_TRAEFIK) and (where, name) in loaded:
                effect, severity = _LENT.format(where=where), Severity.LOW
            near = (Place(maker.key), f"{named(maker)} makes it, in the namespace {where} alone")
        yield Dangling(
            place=asked.place,
            who=named(asked.resource),
            wanted=wanted,
            field=f"Secret {name}",
            effect=effect,
            undecided=why,
            near=near,
            confidence=Confidence.LIKELY,
            severity=severity,
        )


def _same(one: Value, other: Value) -> bool:
    """Whether two names are one: the same text, or unknown in the same parts for the same reasons."""
    if isinstance(one, PartialText) and isinstance(other, PartialText):
        return one.parts == other.parts or [_shown(part) for part in one.parts] == [_shown(p) for p in other.parts]
    return one == other


def _shown(part: str | Unknown) -> str:
    return part.reason if isinstance(part, Unknown) else part


def _asked(estate: Estate) -> Iterator[_Asked]:
    for kind in ("Ingress", "IngressRoute", "IngressRouteTCP", "Gateway"):
        for resource in estate.by_kind.get(kind, ()):
            annotations = mapping(mapping(resource.body.get("metadata")).get("annotations"))
            if any(annotations.get(key) is not None for key in _ISSUED):
                continue
            if kind == "Gateway":
                yield from _of_gateway(resource)
            elif kind == "Ingress":
                for index, entry in enumerate(items(mapping(resource.body.get("spec")).get("tls"))):
                    yield from _one(resource, mapping(entry), ("spec", "tls", index))
            elif resource.api_version.startswith(_TRAEFIK):
                yield from _one(resource, mapping(mapping(resource.body.get("spec")).get("tls")), ("spec", "tls"))


def _one(resource: Resource, tls: Mapping[str, Value], route: Route) -> Iterator[_Asked]:
    if tls.get("secretName") is not None:
        place = Place(resource.key, (*route, "secretName"))
        yield _Asked(resource, resource.namespace or "default", tls.get("secretName"), place, _OWN)


def _of_gateway(resource: Resource) -> Iterator[_Asked]:
    if not resource.api_version.startswith("gateway.networking.k8s.io/"):
        return
    for index, listener in enumerate(items(mapping(resource.body.get("spec")).get("listeners"))):
        for number, entry in enumerate(items(mapping(mapping(listener).get("tls")).get("certificateRefs"))):
            reference = mapping(entry)
            if known_text(reference.get("kind")) in ("", "Secret") and known_text(reference.get("group")) == "":
                namespace = text(reference.get("namespace")) or resource.namespace or "default"
                route: Route = ("spec", "listeners", index, "tls", "certificateRefs", number, "name")
                place = Place(resource.key, route)
                yield _Asked(resource, namespace, reference.get("name"), place, _NO_LISTENER)


def _made(estate: Estate) -> _Made:
    made = _Made()
    for resource in estate.by_kind.get("Secret", ()):
        metadata = mapping(resource.body.get("metadata"))
        _enter(made, resource, metadata.get("name"), metadata.get("annotations"))
    for resource in estate.by_kind.get("Certificate", ()):
        spec = mapping(resource.body.get("spec"))
        _enter(made, resource, spec.get("secretName"), mapping(spec.get("secretTemplate")).get("annotations"))
    for resource in estate.by_kind.get("ExternalSecret", ()):
        target = mapping(mapping(resource.body.get("spec")).get("target"))
        metadata = mapping(mapping(target.get("template")).get("metadata"))
        name = target.get("name") or mapping(resource.body.get("metadata")).get("name")
        _enter(made, resource, name, metadata.get("annotations"))
    return made


def _enter(made: _Made, resource: Resource, name: Value, annotations: Value) -> None:
    if isinstance(annotations, Unknown) or any(key.startswith(COPIES) for key in mapping(annotations)):
        made.copied.add(text(name))
    made.there[(resource.namespace or "default", text(name))].append((resource, name))


def _has_default(estate: Estate) -> bool:
    """Whether a proxy is told of a certificate for all that have none, or a policy may copy Secrets."""
    if any(True for kind in ("TLSStore",) for _ in estate.by_kind.get(kind, ())):
        return True
    if any(_speaks(dict(resource.body), 0) for resource in estate.by_kind.get("ClusterPolicy", ())):
        return True
    return any(_speaks(dict(release.values), 0) for release in estate.releases)


def _speaks(value: Value, depth: int) -> bool:
    if depth > _DEEPEST:
        return False
    if isinstance(value, dict):
        if value.get("kind") == "Secret" and "clone" in value:
            return True
        return any(key.lower() in _DEFAULT_KEYS or _speaks(item, depth + 1) for key, item in value.items())
    return any(_speaks(item, depth + 1) for item in value) if isinstance(value, list) else False
