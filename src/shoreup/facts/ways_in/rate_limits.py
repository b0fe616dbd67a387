"""Rate limits that stand somewhere else than in the chain of the way in that they hold for.

A proxy may be told to limit everything it serves: in its own configuration, by a policy that selects gateways by
label, by a patch. Where such a thing is, no way in through that proxy may be said to have no limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.naming import named
from shoreup.model.value import Value

LIMIT = "rateLimit"
"""The kind of a middleware that limits the rate of requests."""
READ_CONTROLLERS = frozenset({"traefik", "nginx", "haproxy", "gateway", "cloudflared"})
"""Controllers whose limits are read from annotations, middlewares and policies."""

_WORDS: Mapping[str, tuple[str, ...]] = {
    # controller: what its configuration calls a limit
    "nginx": ("limit_req", "limit-req", "global-rate-limit", "limit-rps"),
    "traefik": ("ratelimit",),
    "haproxy": ("rate-limit", "http_req_rate", "sc_http_req_rate"),
    "gateway": ("envoy.filters.http.local_ratelimit", "envoy.filters.http.ratelimit"),
}
_POLICIES = ("BackendTrafficPolicy", "RateLimitPolicy", "EnvoyPatchPolicy", "EnvoyExtensionPolicy", "EnvoyFilter")
_DEPTH = 12


def elsewhere(estate: Estate) -> Mapping[str, str]:
    """Controllers that may be limited as a whole, each with what says so, as words for people."""
    found: dict[str, str] = {}
    for controller, where in _all(estate):
        found.setdefault(controller, f"{where} may limit the rate of everything behind the proxy")
    return found


def _all(estate: Estate) -> Iterator[tuple[str, str]]:
    for entry in estate.config:
        for controller in _said(entry.value, f"{entry.namespace}/{entry.name}"):
            yield controller, f"{entry.kind} {entry.namespace}/{entry.name}"
    for release in estate.releases:
        for controller in _said(dict(release.values), f"{release.chart} {release.name}"):
            yield controller, f"the release {release.name}"
    for workload in estate.workloads:
        for controller in _said_by(workload):
            yield controller, named(workload.resource)
    for kind in _POLICIES:
        for resource in estate.by_kind.get(kind, ()):
            spec = mapping(resource.body.get("spec"))
            limits = kind == "RateLimitPolicy" or spec.get(LIMIT) is not None
            if (limits and items(spec.get("targetSelectors"))) or _holds(dict(spec), _WORDS["gateway"], 0):
                yield "gateway", named(resource)


def _said(value: Value, owner: str) -> Iterator[str]:
    for controller, words in _WORDS.items():
        if controller in owner.lower() and _holds(value, words, 0):
            yield controller


def _said_by(workload: Workload) -> Iterator[str]:
    for container in workload.containers:
        for controller, words in _WORDS.items():
            if controller in container.image.repository and _holds(list(container.command), words, 0):
                yield controller


def _holds(value: Value, words: tuple[str, ...], depth: int) -> bool:
    """Whether one of the words stands anywhere in a value, as a key or as a part of a text."""
    if isinstance(value, dict) and depth < _DEPTH:
        return any(_holds(key, words, depth) or _holds(item, words, depth + 1) for key, item in value.items())
    if isinstance(value, list) and depth < _DEPTH:
        return any(_holds(item, words, depth + 1) for item in value)
    said = text(value).lower()
    return any(word in said for word in words)
