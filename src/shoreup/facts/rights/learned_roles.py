"""Roles and bindings that give a ServiceAccount what it has used, as Kubernetes' objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shoreup.facts.rights.authorizer import written
from shoreup.facts.rights.least_rights import NOTHING_MORE
from shoreup.model.access import LearnedRights, Rule
from shoreup.model.value import Value

_GROUP = "rbac.authorization.k8s.io"


def roles(rights: LearnedRights, *, bound: bool = True) -> Iterator[dict[str, Value]]:
    """Every role with its binding; with ``bound`` false the ClusterRole comes without one, for it has another."""
    if rights.cluster or not bound:
        yield cluster_role(rights)
        if bound:
            yield _binding("ClusterRoleBinding", "ClusterRole", cluster_name(rights), "", rights)
    for one in rights.namespaces:
        yield _role("Role", rights.name, one.namespace, one.rules)
        yield _binding("RoleBinding", "Role", rights.name, one.namespace, rights)


def cluster_name(rights: LearnedRights) -> str:
    """How the ClusterRole is called: accounts of one name in two namespaces need one each."""
    return f"{rights.namespace}-{rights.name}"


def cluster_role(rights: LearnedRights) -> dict[str, Value]:
    """The ClusterRole. One that needs nothing holds what everybody may do, for a role has to hold something."""
    return _role("ClusterRole", cluster_name(rights), "", rights.cluster or (NOTHING_MORE,))


def _role(kind: str, name: str, namespace: str, rules: Sequence[Rule]) -> dict[str, Value]:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": kind,
        "metadata": _metadata(name, namespace),
        "rules": [written(rule) for rule in rules],
    }


def _binding(kind: str, role_kind: str, name: str, namespace: str, rights: LearnedRights) -> dict[str, Value]:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": kind,
        "metadata": _metadata(name, namespace),
        "roleRef": {"apiGroup": _GROUP, "kind": role_kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": rights.name, "namespace": rights.namespace}],
    }


def _metadata(name: str, namespace: str) -> dict[str, Value]:
    return {"name": name, "namespace": namespace} if namespace else {"name": name}
