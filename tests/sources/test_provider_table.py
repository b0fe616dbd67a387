"""Every field of the provider's table, against Kubernetes' own schemas and there and back again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shoreup.model.location import Route
from shoreup.model.value import Value, at
from shoreup.sources.provider import Field, KindTable, Shape, kubernetes_route, table, terraform_route, to_kubernetes

KUBERNETES = "1.37.0"

SUCCESSORS = {
    "autoscaling/v2beta2": "autoscaling/v2",
    "batch/v1beta1": "batch/v1",
    "certificates.k8s.io/v1beta1": "certificates.k8s.io/v1",
    "policy/v1beta1": "policy/v1",
    "storage.k8s.io/v1beta1": "storage.k8s.io/v1",
}
"""Versions that Kubernetes has removed; of the provider's fields the next version has all."""

REMOVED = {"kubernetes_ingress"}
"""Made for extensions/v1beta1, whose backend no schema of today has."""

SEVERAL_FOR_ONE = {("kubernetes_secret", "data_wo"), ("kubernetes_secret", "binary_data_wo")}
"""Write-only twins: the way back leads to the usual field."""

KINDS = sorted(table().kinds)

PLAUSIBLE: dict[str, list[Value]] = {
    "string": ["text", 5, True],
    "quantity": ["1Gi", 2, 0.5],
    "integer": ["7", 7, 7.0],
    "number": ["7", 7],
    "boolean": ["true", True],
    "intOrString": ["80", 80, "25%"],
    "octal": ["0644", "420"],
}
"""What an author may write for each type, in the types that Terraform accepts for it."""


@cache
def definitions() -> dict[str, dict[str, Value]]:
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{KUBERNETES}-local-strict"
    defined: dict[str, dict[str, Value]] = json.loads((folder / "_definitions.json").read_text())["$defs"]
    return defined


def complaints(body: dict[str, Value]) -> list[str]:
    """What Kubernetes' strict schema says against an object."""
    group, _, version = str(body["apiVersion"]).rpartition("/")
    wanted = {"group": group, "kind": body["kind"], "version": version}
    name = next(n for n, each in definitions().items() if each.get("x-kubernetes-group-version-kind") == [wanted])
    schema = {"$ref": f"#/$defs/{name}", "$defs": definitions()}
    return [f"{list(error.path)}: {error.message[:200]}" for error in Draft202012Validator(schema).iter_errors(body)]


def plausible(found: Field, turn: int) -> Value:
    values = PLAUSIBLE[found.type]
    value = values[turn % len(values)]
    wrapped: dict[str, Value] = {"list": [value], "map": {"key": value}}
    return wrapped.get(found.form, value)


def everything(shape: Shape, turn: int) -> dict[str, Value]:
    """Attributes that use every field of a shape, two of every block that may be repeated."""
    made: dict[str, Value] = {}
    for name, found in shape.fields.items():
        if found.block is None:
            made[name] = plausible(found, turn)
        else:
            made[name] = [everything(found.block, turn + each) for each in range(1 + (found.form == "blocks"))]
    return made


def paths(shape: Shape) -> Iterator[tuple[Route, Field]]:
    """Every attribute of a shape, by its route in Terraform; repeated blocks by their second."""
    for name, found in shape.fields.items():
        if found.block is None:
            yield (name,), found
        else:
            index = int(found.form == "blocks")
            yield from (((name, index, *rest), leaf) for rest, leaf in paths(found.block))


def kind(resource_type: str) -> KindTable:
    found = table().kind(resource_type)
    assert found is not None
    return found


def test_the_schemas_refuse_what_kubernetes_would() -> None:
    service: dict[str, Value] = {"apiVersion": "v1", "kind": "Service"}
    assert complaints({**service, "spec": {"type": "ClusterIP"}}) == []
    assert complaints({**service, "spec": {"cluster_ip": "None"}})
    assert complaints({**service, "spec": {"ports": [{"port": "80"}]}})


def test_the_table_says_where_it_comes_from() -> None:
    assert table().source["provider"] == "hashicorp/terraform-provider-kubernetes"
    assert len(table().source["commit"]) == 40
    assert table().source["date"] >= "2026-08-21"


@pytest.mark.parametrize("resource_type", [name for name in KINDS if name not in REMOVED])
@pytest.mark.parametrize("turn", [0, 1, 2])
def test_an_object_with_every_field_is_valid_in_kubernetes(resource_type: str, turn: int) -> None:
    body = to_kubernetes(resource_type, everything(kind(resource_type).shape, turn))
    assert body is not None
    if resource_type == "kubernetes_horizontal_pod_autoscaler":
        # Metrics make it v2, which has no CPU target of its own; the provider leaves that out then.
        assert at(body, "spec", "targetCPUUtilizationPercentage") is None
    version = str(body["apiVersion"])
    assert complaints({**body, "apiVersion": SUCCESSORS.get(version, version)}) == []


@pytest.mark.parametrize("resource_type", KINDS)
def test_every_field_arrives_where_the_route_says(resource_type: str) -> None:
    shape = kind(resource_type).shape
    attributes = everything(shape, 0)
    body = to_kubernetes(resource_type, attributes)
    arrived = 0
    for route, _ in paths(shape):
        place = kubernetes_route(resource_type, route, attributes)
        assert place is not None, route
        arrived += at(body, *place) is not None
    missing = 1 if resource_type == "kubernetes_horizontal_pod_autoscaler" else 0
    assert arrived == sum(1 for _ in paths(shape)) - missing


@st.composite
def table_routes(draw: st.DrawFn) -> tuple[str, Route]:
    """A resource type and the route to one of its attributes, to an item of it, or to a block."""
    resource_type = draw(st.sampled_from(KINDS))
    shape = kind(resource_type).shape
    route: Route = ()
    while True:
        name = draw(st.sampled_from(sorted(shape.fields)))
        found = shape.fields[name]
        if found.block is None:
            item: dict[str, Route] = {"list": (draw(st.integers(0, 9)),), "map": (draw(st.text()),)}
            return resource_type, (*route, name, *(item.get(found.form, ()) if draw(st.booleans()) else ()))
        index = draw(st.integers(0, 9)) if found.form in ("blocks", "spread") else 0
        shape, route = found.block, (*route, name, index)
        if found.form != "inline" and draw(st.integers(0, 9)) == 0:
            return resource_type, route


@given(table_routes())
def test_a_route_leads_there_and_back(place: tuple[str, Route]) -> None:
    resource_type, route = place
    there = kubernetes_route(resource_type, route)
    assert there is not None
    if (resource_type.removesuffix("_v1"), route[0]) not in SEVERAL_FOR_ONE:
        assert terraform_route(resource_type, there) == route


@given(table_routes(), st.text(max_size=5) | st.integers(-3, 20))
def test_a_step_that_no_field_has_leads_nowhere(place: tuple[str, Route], step: str | int) -> None:
    resource_type, route = place
    there = kubernetes_route(resource_type, route)
    assert there is not None
    back = terraform_route(resource_type, (*there, step))
    assert back is None or kubernetes_route(resource_type, back) in ((*there, step), there)
