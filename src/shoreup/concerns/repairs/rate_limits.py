"""The edits that put a rate limit into a route's chain, in the words of its proxy.

The numbers are the estate's own where it limits anything already. Else they are generous: 100 requests a second over
time and 200 at once are more than a person's browser asks for, and far less than a loop does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

from shoreup.facts.estate import Estate, WayIn
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.ways_in.middlewares import is_traefik
from shoreup.facts.ways_in.rate_limits import LIMIT
from shoreup.facts.wiring.siblings import companions, siblings
from shoreup.model.edit import Add, Append, Edit, Put
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value, at, unknowns

AVERAGE = 100
BURST = 200
TOGETHER = 500
"""Requests a second of one route at one proxy, of all clients together: Envoy's local limit counts no addresses."""
_ENVOY = "gateway.envoyproxy.io"
_NGINX = "nginx.ingress.kubernetes.io/"
_TRAEFIK_CHAIN = "traefik.ingress.kubernetes.io/router.middlewares"
_NAMES = ("rate-limit", "ratelimit", "request-rate-limit")
_SHOWN = f"""apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata:
  name: rate-limit
spec:
  rateLimit:
    average: {AVERAGE}   # requests a second, over time
    burst: {BURST}     # at once
"""
_SHOWN_NGINX = f"""metadata:
  annotations:
    {_NGINX}limit-rps: "{AVERAGE}"
    {_NGINX}limit-burst-multiplier: "2"
"""
_SHOWN_GATEWAY = f"""apiVersion: gateway.envoyproxy.io/v1alpha1   # Envoy Gateway; others have policies of their own
kind: BackendTrafficPolicy
metadata:
  name: rate-limit
spec:
  targetRefs:
    - group: gateway.networking.k8s.io
      kind: HTTPRoute
      name: app   # the route
  rateLimit:
    type: Local
    local:
      rules:
        - limit: {{requests: {TOGETHER}, unit: Second}}
"""
SHOWN: Mapping[str, str] = {"traefik": _SHOWN, "nginx": _SHOWN_NGINX, "gateway": _SHOWN_GATEWAY}


class Limited(Struct, frozen=True):
    """The edits and the numbers that they bring in; ``own`` says that those are the estate's.

    ``together`` says that the numbers are of all clients, not of one address.
    """

    edits: tuple[Edit, ...]
    said: str
    own: bool
    together: bool = False


def limited(estate: Estate, way: WayIn) -> Limited | None:
    """A limit in the chain of a way in; ``None`` where this proxy's words for it are not known."""
    if way.resource.kind == "IngressRoute" and is_traefik(way.resource):
        return _traefik(estate, way)
    if way.resource.kind == "HTTPRoute":
        return _envoy(estate, way)
    if way.resource.kind != "Ingress":
        return None
    if way.controller == "nginx":
        return _nginx(estate, way)
    return _traefik(estate, way) if way.controller == "traefik" else None


def _envoy(estate: Estate, way: WayIn) -> Limited | None:
    """In the policy that holds for the route now; a new one would take the place of it for this route."""
    if "*" in way.namespace or "*" in way.name:
        return None
    policies = [one for one in estate.by_kind.get("BackendTrafficPolicy", ()) if one.api_version.startswith(_ENVOY)]
    limit: dict[str, Value] = {
        "type": "Local",
        "local": {"rules": [{"limit": {"requests": TOGETHER, "unit": "Second"}}]},
    }
    said = f"{TOGETHER} requests a second of one route at each proxy"
    own = [one for one in policies if _targets(one, "HTTPRoute", {(way.namespace, way.name)})]
    parents = {
        (text(parent.get("namespace")) or way.namespace, text(parent.get("name")))
        for parent in map(mapping, items(mapping(way.resource.body.get("spec")).get("parentRefs")))
    }
    for policy in (*own, *(one for one in policies if _targets(one, "Gateway", parents))):
        return Limited((Put(policy.key, ("spec", LIMIT), limit),), said, own=False, together=True)
    if not any(
        _ENVOY in text(mapping(one.body.get("spec")).get("controllerName"))
        for one in estate.by_kind.get("GatewayClass", ())
    ):
        return None
    metadata: dict[str, Value] = {"name": f"{way.name}-rate-limit"}
    if mapping(way.resource.body.get("metadata")).get("namespace") is not None:
        metadata["namespace"] = way.namespace
    target: dict[str, Value] = {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": way.name}
    body: dict[str, Value] = {
        "apiVersion": f"{_ENVOY}/v1alpha1",
        "kind": "BackendTrafficPolicy",
        "metadata": metadata,
        "spec": {"targetRefs": [target], LIMIT: limit},
    }
    return Limited((Add(way.resource.key, body),), said, own=False, together=True)


def _targets(policy: Resource, kind: str, names: set[tuple[str, str]]) -> bool:
    """Whether a policy holds for one of the objects: named, or by a selector that asks for no labels."""
    spec = mapping(policy.body.get("spec"))
    for target in map(mapping, (spec.get("targetRef"), *items(spec.get("targetRefs")))):
        if target.get("kind") == kind and (policy.namespace or "default", text(target.get("name"))) in names:
            return True
    return any(
        selector.get("kind") == kind
        and not selector.get("matchLabels")
        and not selector.get("matchExpressions")
        and any(namespace == policy.namespace for namespace, _ in names)
        for selector in map(mapping, items(spec.get("targetSelectors")))
    )


def _nginx(estate: Estate, way: WayIn) -> Limited | None:
    written: Counter[tuple[tuple[str, str], ...]] = Counter()
    for ingress in estate.by_kind.get("Ingress", ()):
        notes = mapping(mapping(ingress.body.get("metadata")).get("annotations"))
        limits = {key: text(value) for key, value in notes.items() if key.startswith(f"{_NGINX}limit-")}
        if limits.get(f"{_NGINX}limit-rps") and not any("*" in value for value in limits.values()):
            written[tuple(sorted(limits.items()))] += 1
    held = at(dict(way.resource.body), "metadata", "annotations")
    if isinstance(held, Unknown):
        return None
    usual = written.most_common(1)
    limits = (
        dict(usual[0][0])
        if usual
        else {
            f"{_NGINX}limit-rps": str(AVERAGE),
            f"{_NGINX}limit-burst-multiplier": str(BURST // AVERAGE),
        }
    )
    route: Route = ("metadata", "annotations")
    edits = tuple(Put(way.resource.key, (*route, key), value) for key, value in limits.items())
    return Limited(edits, f"{limits[f'{_NGINX}limit-rps']} requests a second", bool(usual))


def _traefik(estate: Estate, way: WayIn) -> Limited | None:
    names = {
        one.name: one
        for one in estate.by_kind.get("Middleware", ())
        if is_traefik(one) and (one.namespace or "default") == way.namespace
    }
    if "*" in way.namespace:
        return None
    as_others = _as_siblings(estate, way)
    if as_others is not None:
        return as_others
    own = [one for one in names.values() if _limit(one) is not None]
    edits: list[Edit] = []
    elsewhere = [found for one in estate.by_kind.get("Middleware", ()) if (found := _limit(one)) is not None]
    if own:
        name, limit = own[0].name, _limit(own[0])
    else:
        name = next((one for one in _NAMES if one not in names), "")
        limit = elsewhere[0] if elsewhere else {"average": AVERAGE, "burst": BURST}
        if not name:
            return None
        beside = next(iter(names.values()), way.resource)
        version = way.resource.api_version if is_traefik(way.resource) else "traefik.io/v1alpha1"
        edits.append(Add(beside.key, _middleware(name, limit, way, beside, version)))
    entry = _entry(way, name)
    if entry is None:
        return None
    limit = limit or {}
    average, burst = limit.get("average"), limit.get("burst")
    said = f"{average} requests a second, {burst} at once" if burst is not None else f"{average} requests"
    return Limited((*edits, entry), said, bool(own or elsewhere))


def _as_siblings(estate: Estate, way: WayIn) -> Limited | None:
    """The limit that the same code gives to other routes, with this route's own names; the most generous of them."""
    place = (*way.place.route[:3], "middlewares")
    own = at(dict(way.resource.body), *place)
    if way.resource.kind != "IngressRoute" or place[:2] != ("spec", "routes") or not isinstance(own, list | None):
        return None
    found: list[tuple[int, Resource, int, Resource]] = []
    for other in siblings(estate, way.resource):
        chain = [mapping(one) for one in items(at(dict(other.body), *place))]
        for one in companions(estate, other):
            limit, named = _limit(one), [text(entry.get("name")) for entry in chain]
            average = limit.get("average") if limit is not None else None
            if isinstance(average, int) and one.name in named:
                found.append((average, other, named.index(one.name), one))
    if not found:
        return None
    average, other, index, middleware = max(found, key=lambda one: one[0])
    limit = _limit(middleware) or {}
    names = {other.name: way.name, other.namespace or "": way.namespace}
    body = _renamed(dict(middleware.body), names)
    entry = _renamed(at(dict(other.body), *place, index), names)
    if not isinstance(body, dict):
        return None
    chained: Value = [*items(own)[:index], entry, *items(own)[index:]]
    said = f"{average} requests a second, {limit.get('burst', average)} at once"
    return Limited((Add(way.resource.key, body), Put(way.resource.key, place, chained)), said, own=True)


def _renamed(value: Value, names: Mapping[str, str]) -> Value:
    """A value with the names of another one's objects changed to one's own."""
    if isinstance(value, dict):
        return {key: _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, str):
        old = next((name for name in names if name and (value == name or value.startswith(f"{name}-"))), "")
        return names[old] + value[len(old) :] if old else value
    return value


def _middleware(name: str, limit: Mapping[str, Value], way: WayIn, beside: Resource, version: str) -> dict[str, Value]:
    metadata: dict[str, Value] = {"name": name}
    if mapping(beside.body.get("metadata")).get("namespace") is not None:
        metadata["namespace"] = way.namespace
    return {
        "apiVersion": beside.api_version if is_traefik(beside) else version,
        "kind": "Middleware",
        "metadata": metadata,
        "spec": {LIMIT: dict(limit)},
    }


def _limit(middleware: Resource) -> Mapping[str, Value] | None:
    """The limit of a middleware, where all of it is known and it counts requests a second."""
    held = mapping(middleware.body.get("spec")).get(LIMIT)
    if not isinstance(held, dict) or not is_traefik(middleware) or next(unknowns(held), None) is not None:
        return None
    return held if isinstance(held.get("average"), int) else None


def _entry(way: WayIn, name: str) -> Edit | None:
    key = way.resource.key
    if way.resource.kind == "IngressRoute":
        route = way.place.route[:3]
        if len(route) < 3 or route[:2] != ("spec", "routes"):
            return None
        listed = at(dict(way.resource.body), *route, "middlewares")
        if listed is not None and not isinstance(listed, list):
            return None
        named = next((mapping(one) for one in items(listed) if "namespace" in mapping(one)), None)
        value: dict[str, Value] = {"name": name}
        if named is not None:
            value["namespace"] = way.namespace
        return Append(key, (*route, "middlewares"), value)
    reference = f"{way.namespace}-{name}@kubernetescrd"
    notes = at(dict(way.resource.body), "metadata", "annotations")
    held = mapping(notes).get(_TRAEFIK_CHAIN)
    if isinstance(notes, Unknown) or isinstance(held, Unknown | PartialText):
        return None
    chain = f"{held},{reference}" if isinstance(held, str) and held else reference
    return Put(key, ("metadata", "annotations", _TRAEFIK_CHAIN), chain)
