"""Who may do what: every subject of every role binding, with the role's rules where the estate has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shoreup.facts.estate import Grant
from shoreup.facts.fields import NOTHING, filled, items, mapping, text, why_open
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.model.value import Value

_GROUP = "rbac.authorization.k8s.io/"


def read_grants(by_kind: Mapping[str, Sequence[Resource]]) -> tuple[Grant, ...]:
    """Every grant of the estate. A subject or role that is not decided shows ``*``."""
    roles: dict[tuple[str, str, str], tuple[Mapping[str, Value], ...]] = {}
    for kind in ("ClusterRole", "Role"):
        for resource in by_kind.get(kind, ()):
            if resource.api_version.startswith(_GROUP):
                namespace = (resource.namespace or "default") if kind == "Role" else ""
                rules = tuple(mapping(rule) for rule in items(resource.body.get("rules")))
                roles[(kind, namespace, resource.name)] = rules
    found: list[Grant] = []
    for kind in ("ClusterRoleBinding", "RoleBinding"):
        for resource in by_kind.get(kind, ()):
            if resource.api_version.startswith(_GROUP):
                found.extend(_grants(resource, kind == "ClusterRoleBinding", roles))
    return tuple(found)


def _grants(
    resource: Resource, cluster_wide: bool, roles: Mapping[tuple[str, str, str], tuple[Mapping[str, Value], ...]]
) -> list[Grant]:
    reference = resource.body.get("roleRef")
    whole = mapping(reference)
    role_kind = "*" if why_open(reference) else text(whole.get("kind"))
    role = "*" if why_open(reference) else filled(whole.get("name"))
    namespace = "" if cluster_wide else (resource.namespace or "default")
    rules = roles.get((role_kind, namespace if role_kind == "Role" else "", role), ())
    subjects = resource.body.get("subjects")
    place = Place(resource.key, ("roleRef", "name"))
    entries: list[tuple[Mapping[str, Value], Place]] = [
        (mapping(subject), Place(resource.key, ("subjects", index))) for index, subject in enumerate(items(subjects))
    ]
    if why_open(subjects):
        entries = [(NOTHING, Place(resource.key, ("subjects",)))]
    return [
        Grant(
            resource=resource,
            subject_kind=text(subject.get("kind")) if subject else "*",
            subject=filled(subject.get("name")) if subject else "*",
            subject_namespace=text(subject.get("namespace")) or namespace,
            role_kind=role_kind,
            role=role,
            rules=rules,
            cluster_wide=cluster_wide,
            place=place,
            subject_place=subject_place,
        )
        for subject, subject_place in entries
    ]
