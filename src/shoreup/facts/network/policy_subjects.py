"""Which pods a network policy is about: Kubernetes' selectors, Cilium's with sources before keys, Calico's expressions.

The answer is yes, no, or not decided; what is not understood is never taken for a no.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import items, known_text, mapping, text
from shoreup.facts.selection import same_namespace, selects
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value, is_known

NAMESPACED = ("NetworkPolicy", "CiliumNetworkPolicy")
CLUSTER_WIDE = (
    "CiliumClusterwideNetworkPolicy",
    "GlobalNetworkPolicy",
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "ClusterNetworkPolicy",
)
_OWN_NAME = "kubernetes.io/metadata.name"
"""The label that every namespace has; its value is the name."""
_POD_NAMESPACE = "io.kubernetes.pod.namespace"
_NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
_CALICO = "projectcalico.org/"
"""Labels that Calico adds itself."""
_SOURCES = ("k8s:", "any:", "k8s.", "any.")
_TERM = re.compile(
    r"\s*(?:(?P<all>all\(\))|has\((?P<has>[\w./-]+)\)|(?P<key>[\w./-]+)\s*(?P<sign>==|!=)\s*(?P<quote>['\"])(?P<value>[^'\"]*)"
    r"(?P=quote))\s*"
)


class PolicySubject(Struct, frozen=True, eq=False):
    """One policy of the estate and what it selects by. ``namespace`` is empty for one of the whole cluster."""

    resource: Resource
    namespace: str
    specs: tuple[Mapping[str, Value], ...]


def policy_subjects(estate: Estate) -> Iterator[PolicySubject]:
    """Every policy of the estate that may select pods."""
    for kind in (*NAMESPACED, *CLUSTER_WIDE):
        for resource in estate.by_kind.get(kind, ()):
            body = resource.body
            written = [mapping(item) for item in (body.get("spec"), *items(body.get("specs")))]
            specs = tuple(spec for spec in written if spec)
            namespace = "" if kind in CLUSTER_WIDE else resource.namespace or "default"
            if specs or not is_known(body.get("spec")):
                yield PolicySubject(resource, namespace, specs)


def covers(policy: PolicySubject, workload: Workload, namespaces: Mapping[str, Resource]) -> bool | None:
    """Whether a policy selects the workload's pods; ``namespaces`` are the estate's Namespace objects by name."""
    within = same_namespace(policy.namespace, workload.namespace) if policy.namespace else True
    if within is False:
        return False
    if not policy.specs:
        return None
    answers = [_selected(policy.resource, spec, workload, namespaces) for spec in policy.specs]
    found = True if True in answers else None if None in answers else False
    return found if within or found is False else None


def _selected(
    resource: Resource, spec: Mapping[str, Value], workload: Workload, namespaces: Mapping[str, Resource]
) -> bool | None:
    if resource.kind.startswith("Cilium"):
        return _by_cilium(spec, workload, namespaces)
    if resource.kind == "GlobalNetworkPolicy" or "calico.org" in known_text(resource.body.get("apiVersion")):
        found = _expression(spec.get("selector"), workload.labels)
        within = spec.get("namespaceSelector")
        if found is not False and within is not None:
            held = _expression(within, _labels_of_namespace(workload, namespaces))
            # Labels that nobody wrote here may have been put on the namespace by others.
            held = None if held is False and not _decided_by_name(within) else held
            found = False if held is False else None if held is None else found
        return None if found and spec.get("serviceAccountSelector") is not None else found
    if resource.kind in NAMESPACED:
        return _pods(spec.get("podSelector"), workload)
    subject = mapping(spec.get("subject"))
    if subject.get("namespaces") is not None:
        return _namespace(subject.get("namespaces"), workload, namespaces)
    pods = mapping(subject.get("pods"))
    if not pods:
        return None
    answers = (
        _namespace(pods.get("namespaceSelector"), workload, namespaces),
        _pods(pods.get("podSelector"), workload),
    )
    return False if False in answers else None if None in answers else True


def _pods(selector: Value, workload: Workload) -> bool | None:
    found = selects(selector, workload.labels)
    # A pod of which only a part is known may have more labels than those that are.
    return None if found is False and workload.partial else found


def _namespace(selector: Value, workload: Workload, namespaces: Mapping[str, Resource]) -> bool | None:
    known = namespaces.get(workload.namespace)
    found = selects(selector, _labels_of_namespace(workload, namespaces))
    asked = set(mapping(mapping(selector).get("matchLabels"))) | {
        known_text(mapping(item).get("key")) for item in items(mapping(selector).get("matchExpressions"))
    }
    return None if known is None and asked - {_OWN_NAME} else found


def _labels_of_namespace(workload: Workload, namespaces: Mapping[str, Resource]) -> Mapping[str, Value]:
    known = namespaces.get(workload.namespace)
    written = mapping(mapping(known.body.get("metadata")).get("labels")) if known is not None else {}
    return {**written, _OWN_NAME: workload.namespace, _CALICO + "name": workload.namespace}


def _decided_by_name(expression: Value) -> bool:
    """Whether an expression asks for names of namespaces alone, which are all known."""
    keys = {
        term["has"] or term["key"] for part in text(expression).split("&&") for term in [_TERM.fullmatch(part)] if term
    }
    return bool(keys) and keys <= {_OWN_NAME, _CALICO + "name"}


def _by_cilium(spec: Mapping[str, Value], workload: Workload, namespaces: Mapping[str, Resource]) -> bool | None:
    selector = spec.get("endpointSelector")
    if selector is None:
        return False if spec.get("nodeSelector") is not None else None
    if isinstance(selector, Unknown):
        return None
    labels: dict[str, Value] = {**workload.labels, _POD_NAMESPACE: workload.namespace}
    namespace = namespaces.get(workload.namespace)
    for key, value in mapping(mapping(namespace.body.get("metadata")).get("labels") if namespace else None).items():
        labels[_NAMESPACE_LABELS + key] = value
    labels[_NAMESPACE_LABELS + _OWN_NAME] = workload.namespace
    wanted = {_bare(key): value for key, value in mapping(mapping(selector).get("matchLabels")).items()}
    expressions: list[Value] = [
        {**mapping(item), "key": _bare(known_text(mapping(item).get("key")))}
        for item in items(mapping(selector).get("matchExpressions"))
    ]
    asked = {*wanted, *(known_text(mapping(item).get("key")) for item in expressions)}
    if any(":" in key or (key.startswith("io.cilium") and key not in labels) for key in asked):
        return None
    found = selects({"matchLabels": wanted, "matchExpressions": expressions}, labels)
    return None if found is False and workload.partial else found


def _bare(key: str) -> str:
    """A key without Cilium's source of the label before it."""
    return next((key[len(source) :] for source in _SOURCES if key.startswith(source)), key)


def _expression(written: Value, labels: Mapping[str, Value]) -> bool | None:
    """Whether Calico's expression selects the labels; ``None`` where it says more than terms joined by ``&&``."""
    if not is_known(written):
        return None
    answer: bool | None = True
    for part in text(written).split("&&") if text(written).strip() else ():
        term = _TERM.fullmatch(part)
        if term is None:
            return None
        if term["all"]:
            continue
        key = term["has"] or term["key"]
        held = labels.get(key)
        if (key.startswith(_CALICO) and key not in labels) or (held is not None and not is_known(held)):
            answer = None
        elif (held is None) if term["has"] else (known_text(held) == term["value"]) != (term["sign"] == "=="):
            return False
    return answer
