"""Whether rules allow a request, as Kubernetes' own authorizer decides it.

A rule allows a request whose verb, group, resource and name it all covers; nothing ever denies. ``*`` covers
everything, subresources too; ``pods`` does not cover ``pods/log``, and ``*/scale`` covers that subresource of all. URLs
match whole or by a trailing ``*``. Source: Kubernetes' documentation of RBAC, and its rule helpers
(``pkg/apis/rbac/v1/evaluation_helpers.go``), 2026-11-23. Roles that are put together from others are not looked into.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shoreup.facts.fields import items, mapping
from shoreup.model.access import Request, Rule
from shoreup.model.value import Value

ALL = "*"


def allows(rule: Rule, request: Request) -> bool:
    """Whether one rule allows a request, in the place where its role is bound."""
    if request.verb not in rule.verbs and ALL not in rule.verbs:
        return False
    if request.path:
        return any(_url(pattern, request.path) for pattern in rule.urls)
    if request.group not in rule.groups and ALL not in rule.groups:
        return False
    if not any(_resource(pattern, request.resource) for pattern in rule.resources):
        return False
    return not rule.names or (request.name != "" and request.name in rule.names)


def allowed(rules: Iterable[Rule], request: Request) -> bool:
    """Whether any of the rules allows a request."""
    return any(allows(rule, request) for rule in rules)


def _resource(pattern: str, resource: str) -> bool:
    if pattern in (ALL, resource):
        return True
    _, slash, inner = resource.partition("/")
    return bool(slash) and pattern == f"*/{inner}"


def _url(pattern: str, path: str) -> bool:
    return pattern in (ALL, path) or (pattern.endswith(ALL) and path.startswith(pattern.rstrip(ALL)))


def rule_of(value: Value) -> Rule | None:
    """A rule as it stands in a role; ``None`` where a part of it is not decided."""
    held = mapping(value)
    lists: dict[str, tuple[str, ...]] = {}
    for field in ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"):
        words = held.get(field)
        if words is not None and not isinstance(words, list):
            return None
        if not all(isinstance(word, str) for word in items(words)):
            return None
        lists[field] = tuple(str(word) for word in items(words))
    return Rule(
        lists["verbs"], lists["apiGroups"], lists["resources"], lists["resourceNames"], lists["nonResourceURLs"]
    )


def written(rule: Rule) -> dict[str, Value]:
    """A rule as it stands in a role."""
    body: Mapping[str, tuple[str, ...]] = {
        "apiGroups": rule.groups,
        "resources": rule.resources,
        "resourceNames": rule.names,
        "nonResourceURLs": rule.urls,
        "verbs": rule.verbs,
    }
    return {field: list(words) for field, words in body.items() if words}
