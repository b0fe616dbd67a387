"""The least roles that allow what was used, without what leads to more rights.

Rules name their objects only where such names are configuration (a ConfigMap, a Secret, a lease): a pod's name is
another one tomorrow. What everybody who is logged in may do is in nobody's role.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from shoreup.facts.rights.authorizer import allowed
from shoreup.model.access import LearnedRights, NamespaceRules, Request, Rule

NAMED = frozenset({("", "configmaps"), ("", "secrets"), ("", "serviceaccounts"), ("coordination.k8s.io", "leases")})
"""Resources whose objects are meant by name. Source: Kubernetes' documentation, 2026-11-23."""
_NAMEABLE = frozenset({"get", "update", "patch", "delete"})
"""Verbs that a rule can limit to names; ``create`` has none yet and ``list`` asks for all."""
_MOST_NAMES = 20
_EVERYBODY = (
    Rule(
        ("create",),
        ("authorization.k8s.io",),
        ("selfsubjectaccessreviews", "selfsubjectrulesreviews"),
    ),
    Rule(("create",), ("authentication.k8s.io",), ("selfsubjectreviews",)),
    Rule(
        ("get",),
        urls=tuple("/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/".split()),
    ),
)
"""What ``system:discovery``, ``system:basic-user`` and ``system:public-info-viewer`` give whoever is logged in."""
NOTHING_MORE = _EVERYBODY[0]
"""A rule that gives nothing which its holder does not have anyway."""
_READ = frozenset({"get", "list", "watch"})
_RBAC_VERBS = frozenset({"escalate", "bind", "impersonate"})
_REACHING = frozenset({"pods/exec", "pods/attach", "pods/portforward", "nodes/proxy", "serviceaccounts/token"})


def escalation(request: Request) -> str:
    """``verb/resource`` of a request that leads to more rights than it is about; empty for the others."""
    said = f"{request.verb}/{request.resource or request.path}"
    if request.path:
        return said if "*" in (request.verb, request.path) else ""
    if "*" in (request.verb, request.group, request.resource) or request.verb in _RBAC_VERBS:
        return said
    if request.group == "" and request.resource in _REACHING:
        return said
    if (request.group, request.resource) == ("", "secrets") and request.verb in _READ:
        everywhere = not request.namespace
        return said if everywhere else ""
    changes = request.verb not in _READ
    if request.group == "rbac.authorization.k8s.io" and changes:
        return said
    return said if request.group == "certificates.k8s.io" and request.resource.endswith("/approval") else ""


def rights(namespace: str, name: str, used: Collection[Request], allow: Collection[str] = ()) -> LearnedRights:
    """The least roles for one ServiceAccount. ``allow`` are escalations (``verb/resource``) to be learned too."""
    refused: set[str] = set()
    let_pass: set[str] = set()
    wanted: list[Request] = []
    for request in sorted(used):
        if allowed(_EVERYBODY, request):
            continue
        said = escalation(request)
        if said and said not in allow:
            refused.add(said)
            continue
        if said:
            let_pass.add(said)
        wanted.append(request)
    cluster = _rules([one for one in wanted if not one.namespace])
    spaces: dict[str, list[Request]] = defaultdict(list)
    for one in wanted:
        if one.namespace and not allowed(cluster, one):
            spaces[one.namespace].append(one)
    roles = tuple(NamespaceRules(space, _rules(ones)) for space, ones in sorted(spaces.items()))
    return LearnedRights(
        namespace=namespace,
        name=name,
        cluster=cluster,
        namespaces=roles,
        refused=tuple(sorted(refused)),
        allowed=tuple(sorted(let_pass)),
        requests=len(wanted),
    )


def _rules(requests: Sequence[Request]) -> tuple[Rule, ...]:
    """Rules that allow these requests: as few as can be written without allowing anything else."""
    names: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    paths: dict[str, set[str]] = defaultdict(set)
    for one in requests:
        if one.path:
            paths[one.path].add(one.verb)
        else:
            names[(one.group, one.resource, one.verb)].add(one.name)
    verbs: dict[tuple[str, str, tuple[str, ...]], set[str]] = defaultdict(set)
    for (group, resource, verb), held in names.items():
        verbs[(group, resource, _limited(group, resource, verb, held))].add(verb)
    resources: dict[tuple[str, tuple[str, ...], tuple[str, ...]], set[str]] = defaultdict(set)
    for (group, resource, kept), held in verbs.items():
        resources[(group, kept, tuple(sorted(held)))].add(resource)
    made = [Rule(held, (group,), tuple(sorted(ones)), kept) for (group, kept, held), ones in resources.items()]
    return (*sorted(made, key=lambda rule: (rule.groups, rule.resources, rule.names, rule.verbs)), *_urls(paths))


def _limited(group: str, resource: str, verb: str, names: Collection[str]) -> tuple[str, ...]:
    if (group, resource) not in NAMED or verb not in _NAMEABLE or "" in names or len(names) > _MOST_NAMES:
        return ()
    return tuple(sorted(names))


def _urls(paths: Mapping[str, Iterable[str]]) -> list[Rule]:
    together: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path, verbs in paths.items():
        together[tuple(sorted(verbs))].append(path)
    return [Rule(verbs, urls=tuple(sorted(found))) for verbs, found in sorted(together.items())]
