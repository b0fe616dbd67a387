"""Fields that do not fit, against what Kubernetes' own schemas say of the same objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoreup.facts.estate import Estate
from shoreup.facts.fields import mapping
from shoreup.facts.kubernetes_fields import Shape, released, shape_of
from shoreup.facts.misfits import Misfit, misfits
from shoreup.model.resource import Resource
from shoreup.model.value import Value

DEPLOYMENT = "apps/v1", "Deployment"


def looked_at(body: Mapping[str, Value], source: str = "manifest", parent: int = -1) -> tuple[Misfit, ...]:
    return misfits(Estate(resources=(made(body, 0, source, parent),)))


def made(body: Mapping[str, Value], key: int, source: str = "manifest", parent: int = -1) -> Resource:
    version, kind = str(body["apiVersion"]), str(body["kind"])
    return Resource(version, kind, "web", "web", body, f"{version}/{kind}/web/web", ".", source, key, parent)


def deployment(**container: Value) -> dict[str, Value]:
    spec: dict[str, Value] = {"containers": [{"name": "web", "image": "nginx", **container}]}
    version, kind = DEPLOYMENT
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "web"}, "spec": {"template": {"spec": spec}}}


def test_the_table_says_where_it_is_from() -> None:
    assert released().package.startswith("kubernetes-validate ")
    assert released().date


@pytest.mark.parametrize("release", ["1.25", "1.37"])
def test_every_field_of_a_release_is_in_the_table(release: str) -> None:
    definitions = _definitions(release)
    checked = 0
    for version, kind, name in _kinds(definitions):
        shape = shape_of(version, kind)
        if shape is not None:
            checked += 1
            _held(shape, name, definitions, set())
    assert checked > 40


def test_a_field_that_is_already_there_is_not_meant() -> None:
    (one,) = looked_at(deployment(imagee="nginx"))
    assert one.name == "imagee"
    assert one.meant == ""


def test_a_value_of_another_form_is_not_meant() -> None:
    (one,) = looked_at(deployment(resource="small"))
    assert one.meant == ""


def test_of_a_chart_names_alone_are_judged() -> None:
    """It writes its values out as text, so that ``"80"`` may come out as a number."""
    assert looked_at(deployment(ports=[{"containerPort": "80"}]), "helm", 4) == ()
    assert len(looked_at(deployment(ports=[{"containerPort": "80"}]))) == 1
    (one,) = looked_at(deployment(livenesProbe={}), "helm", 4)
    assert one.meant == "livenessProbe"
    assert looked_at(deployment(livenesProbe={}), "kustomize", 4) == ()


def test_of_a_kind_that_is_defined_twice_nothing_is_known() -> None:
    """Nor of one that keeps what it does not know, or that says nothing of its fields."""
    definition: dict[str, Value] = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "copies.example.org"},
        "spec": {
            "group": "example.org",
            "names": {"kind": "Copy"},
            "versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {}}}}}],
        },
    }
    copy = made({"apiVersion": "example.org/v1", "kind": "Copy", "metadata": {"name": "a"}, "spce": {}}, 0)
    once, again = made(definition, 1), made(definition, 2)
    kind = "CustomResourceDefinition"
    assert len(misfits(Estate(resources=(copy, once), by_kind={kind: (once,)}))) == 1
    assert misfits(Estate(resources=(copy, once, again), by_kind={kind: (once, again)})) == ()
    free = made(definition | {"spec": {**mapping(definition["spec"]), "preserveUnknownFields": True}}, 1)
    assert misfits(Estate(resources=(copy, free), by_kind={kind: (free,)})) == ()


WORDS = st.sampled_from(["spec", "template", "containers", "env", "name", "ports", "resources", "x"])
STRANGE = st.recursive(
    st.sampled_from([None, True, 3, 0.5, "", "x"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(STRANGE)
def test_no_body_is_too_strange(spec: Value) -> None:
    for one in looked_at({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": spec, "spec": spec}):
        assert one.name
        assert one.meant != one.name


def _definitions(release: str) -> Mapping[str, Mapping[str, object]]:
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{release}.0-local"
    return cast("Mapping[str, Mapping[str, object]]", json.loads((folder / "_definitions.json").read_bytes())["$defs"])


def _kinds(definitions: Mapping[str, Mapping[str, object]]) -> Iterator[tuple[str, str, str]]:
    for name, schema in definitions.items():
        for entry in cast("list[dict[str, str]]", schema.get("x-kubernetes-group-version-kind", [])):
            group, version = entry["group"], entry["version"]
            yield f"{group}/{version}" if group else version, entry["kind"], name


def _held(shape: Shape, name: str, definitions: Mapping[str, Mapping[str, object]], seen: set[str]) -> None:
    """The fields of a definition, and of those in it, are those of the shape."""
    if name in seen:
        return
    seen.add(name)
    fields = cast("dict[str, dict[str, object]]", definitions[name].get("properties", {}))
    assert set(fields) <= set(shape.fields), name
    for field, schema in fields.items():
        inner = cast("dict[str, object]", schema.get("items", schema))
        reference = str(inner.get("$ref", "")).rpartition("/")[2]
        form = shape.fields[field]
        form = form.inner if form.code == "[" and form.inner is not None else form
        if reference and form.code == "o":
            _held(form.shape, reference, definitions, seen)
