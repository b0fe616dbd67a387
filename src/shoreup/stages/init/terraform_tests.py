"""Assertions of a Terraform root that follow from its wiring, as a test file that Terraform runs itself.

Each says what holds now and would break something if it did not: a Service selects these pods, a claim keeps its
class, a route leads to a Service that is made. They compare one block with another wherever both are the root's own,
so that a rename on both sides passes and one on a single side does not. Nothing is asserted about what is known only
after an apply, and Terraform's tests reach a root's own resources: modules have runs of their own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.facts.estate import Container, Estate, Service, Workload
from shoreup.facts.fields import filled, items, mapping, number, text
from shoreup.facts.network.called_services import called_services
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, at
from shoreup.sources.provider import table, terraform_route
from shoreup.stages.auditing.places import Places
from shoreup.stages.init.smoke_tests import written_at

_PODS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
_NAME: Route = ("metadata", "name")
_NAMESPACE: Route = ("metadata", "namespace")


class Assertion(Struct, frozen=True):
    """A condition, what it means when it does not hold, and the places that it follows from."""

    condition: str
    message: str
    places: tuple[Place, ...]


def assertions(estate: Estate) -> Iterator[Assertion]:
    """What is certain of a root, each once."""
    seen: set[str] = set()
    for make in (_selections, _ports, _routes, _references, _hosts, _images, _claims, _retained, _namespaces):
        for one in make(estate):
            if one.condition not in seen:
                seen.add(one.condition)
                yield one


class Run(Struct, frozen=True):
    """One plan and what is certain of it. ``module`` is the folder that is planned in place of the root, with the
    lines of its ``variables``; ``about`` says which call that is.
    """

    name: str
    assertions: tuple[Assertion, ...]
    places: Places
    module: str = ""
    variables: tuple[str, ...] = ()
    about: str = ""


def test_file(runs: Sequence[Run], mocks: Sequence[str], given: Sequence[str]) -> str:
    """The text of a ``.tftest.hcl``. ``mocks`` are its ``mock_provider`` blocks, ``given`` lines of ``variables``."""
    lines = [
        "# What of this root is certain from its own wiring. Run: terraform init -backend=false && terraform test",
        "# Nothing is created and nothing is asked: the providers are stood in for (Terraform 1.7, OpenTofu 1.8).",
        "",
        *mocks,
    ]
    if given:
        lines += ["", "# Values that the repository does not hold; no assertion looks at them.", "variables {"]
        lines += [*(f"  {line}" for line in given), "}"]
    for run in runs:
        lines += ["", *_run(run)]
    return "\n".join([*lines, ""])


def _run(run: Run) -> Iterator[str]:
    if run.about:
        yield f"# {run.about}"
    yield f'run "{run.name}" {{'
    yield "  command = plan"
    if run.module:
        yield from ("", "  module {", f"    source = {_quoted(run.module)}", "  }")
    if run.variables:
        yield from ("", "  variables {", *(f"    {line}" for line in run.variables), "  }")
    for one in run.assertions:
        yield ""
        yield f"  # {written_at(run.places, one.places)}"
        yield "  assert {"
        yield f"    condition     = {one.condition}"
        yield f"    error_message = {_quoted(one.message)}"
        yield "  }"
    yield "}"


# ------------------------------------------------------------------------------------------ addresses


def _own(resource: Resource) -> bool:
    """Whether a test of the root can name it: it is the root's own, and a type whose blocks are known."""
    return not resource.address.startswith("module.") and table().kind(_type(resource)) is not None


def _type(resource: Resource) -> str:
    return resource.address.partition(".")[0]


def _at(resource: Resource, *route: str | int) -> str:
    """A field as Terraform calls it."""
    found = terraform_route(_type(resource), route)
    assert found is not None, route
    return resource.address + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in found)


def _quoted(written: str) -> str:
    return json.dumps(written, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def _known(resource: Resource, *route: str | int) -> str:
    """The text of a field that a plan knows, else an empty one."""
    held = at(dict(resource.body), *route)
    return held if isinstance(held, str) else ""


def _called(resource: Resource) -> str:
    return f"{resource.kind} {resource.name}"


def _runs(workload: Workload) -> bool:
    return _own(workload.resource) and workload.kind in _PODS and not workload.partial and not workload.open


def _labels(workload: Workload) -> Route:
    return (*workload.pod_route[:-1], "metadata", "labels")


# ----------------------------------------------------------------------------------------- assertions


def _selected(estate: Estate) -> Iterator[tuple[Service, Workload]]:
    for service in estate.services:
        if _own(service.resource) and _name_known(service.resource):
            for workload in service.workloads:
                if _runs(workload):
                    yield service, workload


def _name_known(resource: Resource) -> bool:
    return bool(_known(resource, *_NAME))


def _selections(estate: Estate) -> Iterator[Assertion]:
    for service, workload in _selected(estate):
        asks, has = service.resource, workload.resource
        selector, labels = _at(asks, "spec", "selector"), _at(has, *_labels(workload))
        if any(isinstance(held, Unknown) for held in workload.labels.values()):
            continue
        places = (Place(asks.key, ("spec", "selector")), Place(has.key, _labels(workload)))
        yield Assertion(
            f"alltrue([for key, value in {selector} : try({labels}[key] == value, false)]) && length({selector}) > 0",
            f"{_called(asks)} no longer selects the pods of {_called(has)}: nobody answers its connections.",
            places,
        )
        if _known(asks, *_NAMESPACE) and _known(asks, *_NAMESPACE) == _known(has, *_NAMESPACE):
            yield Assertion(
                f"{_at(asks, *_NAMESPACE)} == {_at(has, *_NAMESPACE)}",
                f"{_called(asks)} and {_called(has)} are in different namespaces: a Service finds only its own.",
                (Place(asks.key, _NAMESPACE), Place(has.key, _NAMESPACE)),
            )


def _ports(estate: Estate) -> Iterator[Assertion]:
    for service, workload in _selected(estate):
        containers = [one for one in workload.containers if not one.init]
        declared = {word for one in containers for port in one.ports for word in (port.name, str(port.number)) if word}
        asked = [
            mapping(one).get("targetPort") for one in items(mapping(service.resource.body.get("spec")).get("ports"))
        ]
        words = [str(held) if number(held) is not None else text(held) for held in asked]
        if not words or not all(word and word in declared for word in words) or any(one.open for one in containers):
            continue
        ports, held_by = (
            _at(service.resource, "spec", "ports"),
            _at(workload.resource, *workload.pod_route, "containers"),
        )
        there = f"flatten([for c in {held_by} : [for p in c.port : [p.name, tostring(p.container_port)]]])"
        yield Assertion(
            f"alltrue([for port in {ports} : contains({there}, tostring(port.target_port))])",
            f"{_called(service.resource)} leads to a port that {_called(workload.resource)} does not have.",
            (
                Place(service.resource.key, ("spec", "ports", 0, "targetPort")),
                Place(workload.resource.key, (*containers[0].route, "ports")),
            ),
        )


def _routes(estate: Estate) -> Iterator[Assertion]:
    for way in estate.ways_in:
        if (
            way.resource.kind != "Ingress"
            or way.resource.api_version != "networking.k8s.io/v1"
            or not _own(way.resource)
        ):
            continue
        rules = _at(way.resource, "spec", "rules")
        backends = (
            f"[for r in {rules} : [for h in r.http : [for p in h.path : [for b in p.backend : b.service[*].name]]]]"
        )
        named = {name for name in way.service_names if "*" not in name}
        written = {
            text(at(mapping(path).get("backend"), "service", "name"))
            for rule in items(mapping(way.resource.body.get("spec")).get("rules"))
            for path in items(mapping(mapping(rule).get("http")).get("paths"))
        }
        for service in way.services:
            if service.name in named & written and _own(service.resource) and _name_known(service.resource):
                yield Assertion(
                    f"contains(flatten({backends}), {_at(service.resource, *_NAME)})",
                    f"{_called(way.resource)} no longer leads to {_called(service.resource)}.",
                    (way.place, Place(service.resource.key, _NAME)),
                )


def _references(estate: Estate) -> Iterator[Assertion]:
    """What pods mount, and what their variables are read from."""
    objects = {
        (one.kind, one.namespace or "default", _known(one, *_NAME)): one
        for kind in ("PersistentVolumeClaim", "ConfigMap", "Secret")
        for one in estate.by_kind.get(kind, ())
        if _own(one) and _name_known(one)
    }
    for workload in estate.workloads:
        if not _runs(workload):
            continue
        volumes = _at(workload.resource, *workload.pod_route, "volumes")
        for volume in workload.volumes:
            kind, path, named = _HELD.get(volume.kind, ("", "", ""))
            wanted = volume.claim if volume.kind == "claim" else volume.source
            target = objects.get((kind, workload.namespace, wanted))
            if target is not None and _literal(workload.resource, (*volume.route, *_FIELD[kind])):
                yield Assertion(
                    f"contains([for v in {volumes} : try(v.{path}[0].{named}, null)], {_at(target, *_NAME)})",
                    f"{_called(workload.resource)} no longer mounts {_called(target)}.",
                    (Place(workload.resource.key, volume.route), Place(target.key, _NAME)),
                )
        for container in workload.containers:
            yield from _variables(workload, container, objects)


_HELD = {
    "claim": ("PersistentVolumeClaim", "persistent_volume_claim", "claim_name"),
    "config-map": ("ConfigMap", "config_map", "name"),
    "secret": ("Secret", "secret", "secret_name"),
}
_FIELD: dict[str, Route] = {
    "PersistentVolumeClaim": ("persistentVolumeClaim", "claimName"),
    "ConfigMap": ("configMap", "name"),
    "Secret": ("secret", "secretName"),
}


def _literal(resource: Resource, route: Route) -> bool:
    return bool(_known(resource, *route))


def _variables(
    workload: Workload, container: Container, objects: dict[tuple[str, str, str], Resource]
) -> Iterator[Assertion]:
    for index, item in enumerate(items(container.body.get("env"))):
        source = mapping(mapping(item).get("valueFrom"))
        for ref, kind, block in (
            ("secretKeyRef", "Secret", "secret_key_ref"),
            ("configMapKeyRef", "ConfigMap", "config_map_key_ref"),
        ):
            wanted = mapping(source.get(ref))
            name, key, variable = text(wanted.get("name")), text(wanted.get("key")), text(mapping(item).get("name"))
            target = objects.get((kind, workload.namespace, name))
            held = mapping(target.body.get("stringData" if kind == "Secret" else "data")) if target else {}
            if target is None or key not in held or not variable:
                continue
            env = f"{_at(workload.resource, *container.route)}.env"
            reads = f"[for e in {env} : e.value_from[0].{block}[0] if e.name == {_quoted(variable)}]"
            has = f"nonsensitive(keys({target.address}.data))"
            yield Assertion(
                f"alltrue([for r in {reads} : r.name == {_at(target, *_NAME)} && contains({has}, r.key)])",
                f"{variable} of {_called(workload.resource)} is read from a key that {_called(target)} does not have.",
                (Place(workload.resource.key, (*container.route, "env", index)), Place(target.key)),
            )


def _hosts(estate: Estate) -> Iterator[Assertion]:
    for workload, service, place in called_services(estate):
        route = place.route
        if not _runs(workload):
            continue
        if not _own(service.resource) or len(route) < 3 or route[-3] != "env" or route[-1] != "value":
            continue
        written, name = at(dict(workload.resource.body), *route), _known(service.resource, *_NAME)
        variable = filled(at(dict(workload.resource.body), *route[:-1], "name"))
        if not isinstance(written, str) or not name or name not in written or "*" in variable:
            continue
        values = f"[for e in {_at(workload.resource, *route[:-2])} : e.value if e.name == {_quoted(variable)}]"
        yield Assertion(
            f"alltrue([for value in {values} : strcontains(value, {_at(service.resource, *_NAME)})])",
            f"{variable} of {_called(workload.resource)} no longer names {_called(service.resource)}.",
            (place, Place(service.resource.key, _NAME)),
        )


def _images(estate: Estate) -> Iterator[Assertion]:
    for workload in estate.workloads:
        if not _own(workload.resource) or workload.kind not in _PODS:
            continue
        for field in ("containers", "initContainers"):
            pinned = [
                one
                for one in workload.containers
                if one.init == (field == "initContainers")
                and one.name
                and _known(workload.resource, *one.image.place.route)
                and (
                    isinstance(one.image.digest, str) or (isinstance(one.image.tag, str) and one.image.tag != "latest")
                )
            ]
            if not pinned:
                continue
            names = ", ".join(_quoted(one.name) for one in pinned)
            at_ = _at(workload.resource, *workload.pod_route, field)
            images = f"[for c in {at_} : c.image if contains([{names}], c.name)]"
            yield Assertion(
                f'alltrue([for i in {images} : can(regex("[:@][^/]+$", i)) && !endswith(i, ":latest")])',
                f"{_called(workload.resource)} takes whatever is the latest image when a pod starts.",
                tuple(one.image.place for one in pinned),
            )


def _claims(estate: Estate) -> Iterator[Assertion]:
    classes = {_known(one, *_NAME): one for one in estate.by_kind.get("StorageClass", ()) if _own(one)}
    for claim in estate.by_kind.get("PersistentVolumeClaim", ()):
        name = _known(claim, "spec", "storageClassName")
        if not name or not _own(claim):
            continue
        made = classes.get(name)
        yield Assertion(
            f"{_at(claim, 'spec', 'storageClassName')} == {_at(made, *_NAME) if made is not None else _quoted(name)}",
            f"{_called(claim)} has another storage class: Terraform would replace it by an empty volume.",
            (Place(claim.key, ("spec", "storageClassName")),),
        )


def _retained(estate: Estate) -> Iterator[Assertion]:
    for kind, route in (
        ("StorageClass", ("reclaimPolicy",)),
        ("PersistentVolume", ("spec", "persistentVolumeReclaimPolicy")),
    ):
        for one in estate.by_kind.get(kind, ()):
            if _own(one) and _known(one, *route) == "Retain":
                yield Assertion(
                    f'{_at(one, *route)} == "Retain"',
                    f"{_called(one)} no longer keeps the data of a claim that is deleted.",
                    (Place(one.key, route),),
                )


def _namespaces(estate: Estate) -> Iterator[Assertion]:
    for made in estate.by_kind.get("Namespace", ()):
        name = _known(made, *_NAME)
        within = [
            one
            for one in estate.resources
            if _own(one) and name and _known(one, *_NAMESPACE) == name and re.match(r"kubernetes_", one.address)
        ]
        if within and _own(made):
            listed = ", ".join(_at(one, *_NAMESPACE) for one in within)
            yield Assertion(
                f"alltrue([for n in [{listed}] : n == {_at(made, *_NAME)}])",
                f"Something that belongs into Namespace {name} would be made in one that is not there.",
                (Place(made.key, _NAME), *(Place(one.key, _NAMESPACE) for one in within[:3])),
            )
