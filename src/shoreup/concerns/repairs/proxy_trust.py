"""The edits that make a proxy believe only whom the estate names, and what a person completes where it names nobody.

Which addresses stand before a proxy is taken from the proxy's own other settings: an entry point that already names
them, beside one that believes everybody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shoreup.facts.estate import Estate
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.ways_in.dropped_guards import Dropped
from shoreup.model.edit import Edit, Put, Remove
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at

_EVERYWHERE = ("0.0.0.0/0", "::/0")
_ARGUMENT = re.compile(
    r"(?P<entry>--entrypoints\.[\w-]+\.(?P<what>forwardedheaders|proxyprotocol))"
    r"\.(?:insecure(?:=true)?|trustedips=(?P<named>\S*))$",
    re.IGNORECASE,
)
_API = re.compile(r"--api\.insecure(?:=true)?", re.IGNORECASE)
_FIELDS = {"forwardedHeaders": "forwardedheaders", "proxyProtocol": "proxyprotocol"}
_MOST_DEEP = 14
SHOWN: Mapping[str, str] = {
    "headers": """forwardedHeaders:
  trustedIPs:
    - 192.0.2.10/32   # the tunnel, proxy or load balancer that stands before it; nothing before it: leave the list out
""",
    "backends": """apiVersion: traefik.io/v1alpha1
kind: ServersTransport
metadata:
  name: device
spec:
  serverName: device.example.org   # the name in the backend's certificate
  rootCAsSecrets:
    - device-ca   # a Secret with the authority that signed it
""",
    "api": """apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata:
  name: dashboard
spec:
  entryPoints: [websecure]
  routes:
    - match: Host(`traefik.example.org`)
      kind: Rule
      middlewares:
        - name: auth   # a log-in
      services:
        - name: api@internal
          kind: TraefikService
""",
}


def trusting_less(estate: Estate, guard: Dropped) -> tuple[Edit, ...]:
    """The edits that put a guard back; none where the estate does not say how."""
    if guard.place.chars is not None or guard.switch.title != "Traefik":
        return ()
    held = at(dict(guard.resource.body), *guard.place.route)
    if guard.switch.about == "headers":
        return _named(guard, held)
    if guard.switch.about == "api" and _has_dashboard(estate):
        return _closed(guard, held)
    return ()


def _closed(guard: Dropped, held: Value) -> tuple[Edit, ...]:
    key, route = guard.resource.key, guard.place.route
    if held is True:
        return (Put(key, route, False),)
    if isinstance(held, str) and _API.fullmatch(held):
        return (Put(key, route, "--api.insecure=false"),)
    return ()


def _named(guard: Dropped, held: Value) -> tuple[Edit, ...]:
    key, route = guard.resource.key, guard.place.route
    argument = _ARGUMENT.match(held) if isinstance(held, str) else None
    if argument is not None:
        known = _known(guard.resource, argument["what"].lower())
        return (Put(key, route, f"{argument['entry']}.trustedIPs={','.join(known)}"),) if known else ()
    if held is not True or len(route) < 2 or route[-1] != "insecure" or route[-2] not in _FIELDS:
        return ()
    known = _known(guard.resource, _FIELDS[str(route[-2])])
    trusted: list[Value] = list(known)
    return (Remove(key, route), Put(key, (*route[:-1], "trustedIPs"), trusted)) if known else ()


def _known(resource: Resource, what: str) -> tuple[str, ...]:
    """The addresses that the same proxy believes elsewhere; empty where there are none, or several lists."""
    found = {one for one in _lists(dict(resource.body), (), what) if one and not set(one) & set(_EVERYWHERE)}
    return next(iter(found)) if len(found) == 1 else ()


def _lists(value: Value, route: Route, what: str) -> Iterator[tuple[str, ...]]:
    if len(route) > _MOST_DEEP:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            listed = mapping(item).get("trustedIPs") if _FIELDS.get(name) == what else None
            if isinstance(listed, list) and all(isinstance(one, str) for one in listed):
                yield tuple(map(text, listed))
            yield from _lists(item, (*route, name), what)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _lists(item, (*route, index), what)
    elif isinstance(value, str):
        argument = _ARGUMENT.match(value)
        if argument is not None and argument["what"].lower() == what and argument["named"]:
            yield tuple(argument["named"].split(","))


def _has_dashboard(estate: Estate) -> bool:
    """Whether a route of the estate serves the dashboard already."""
    for route in estate.by_kind.get("IngressRoute", ()):
        for rule in items(mapping(route.body.get("spec")).get("routes")):
            for service in map(mapping, items(mapping(rule).get("services"))):
                if text(service.get("name")) == "api@internal":
                    return True
    return False
