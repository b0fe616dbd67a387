"""Helm's own rules of merging and setting values."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import Unknown, Value, at
from shoreup.sources.releases.assignments import assign, assignments, key_route
from shoreup.sources.releases.layers import Layer, Node, TraceValue, nowhere, stack


def written(name: str) -> TraceValue:
    """A tracer that names its file."""
    return lambda route: Origin(Span(name, len(route), len(route) + 1), Span(name, len(route), len(route) + 1))


def owner(origin: Origin | None) -> str:
    return "" if origin is None else origin.span.file


def test_maps_merge_and_lists_replace() -> None:
    merged = stack(
        [
            Layer({"a": {"x": 1, "y": [1, 2]}, "b": 1}, written("low")),
            Layer({"a": {"y": [3], "z": 0}, "c": None}, written("high")),
        ]
    )
    assert merged.values == {"a": {"x": 1, "y": [3], "z": 0}, "b": 1, "c": None}
    assert owner(merged.trace(("a", "x"))) == "low"
    assert owner(merged.trace(("a", "y", 0))) == "high"
    assert merged.trace(("a", "y", 1)) is None, "the list below is gone, and so are its items"


def test_an_unreadable_layer_hides_those_below_and_not_those_above() -> None:
    merged = stack(
        [
            Layer({"a": 1, "b": {"c": 2}}, nowhere),
            Layer(Unknown("a Secret"), nowhere),
            Layer({"a": 3}, nowhere),
        ]
    )
    assert merged.values == {"a": 3, "b": {"c": Unknown("a Secret")}}
    assert merged.open_reason == "a Secret"


def test_with_open_values_an_absent_key_is_unknown_and_a_null_is_not() -> None:
    node = Node({"null": None}, (), "a Secret")
    assert node.said("absent").value == Unknown("a Secret")
    assert node.said("null").value is None
    assert node["absent"].value is None


@pytest.mark.parametrize(
    ("name", "value", "kind", "expected"),
    [
        ("a.b", "1", "", {"a": {"b": 1}}),
        ("a.b", "1", "string", {"a": {"b": "1"}}),
        ("a", "01", "", {"a": "01"}),
        ("a", "1.5", "", {"a": "1.5"}),
        ("a", "true", "", {"a": True}),
        ("a", "null", "", {"a": None}),
        ("a", "", "", {"a": ""}),
        ("a\\.b/c", "x", "", {"a.b/c": "x"}),
        ("a[1]", "x", "", {"a": [None, "x"]}),
        ("a[0].b", "x", "", {"a": [{"b": "x"}]}),
        ("a", "{x,1,true}", "", {"a": ["x", 1, True]}),
        ("a", "{}", "", {"a": []}),
        ("a", "x\\,y", "", {"a": "x,y"}),
        ("a", "x,b=y", "", {"a": "x", "b": "y"}),
        ("a", "x,y={1}", "literal", {"a": "x,y={1}"}),
        ("", "x", "", {}),
        ("a[x]", "x", "", {}),
        ("a[99999999]", "x", "", {}),
    ],
)
def test_the_set_language(name: str, value: str, kind: str, expected: Mapping[str, Value]) -> None:
    made = assign(stack([]), assignments(name, value, kind, nowhere))
    assert made.values == expected


def test_setting_one_item_of_a_list_keeps_the_others_and_their_origin() -> None:
    below = stack([Layer({"a": [{"b": 1, "c": 2}, {"b": 3}]}, written("values"))])
    made = assign(below, assignments("a[0].b", "9", "", written("set")))
    assert made.values == {"a": [{"b": 9, "c": 2}, {"b": 3}]}
    assert owner(made.trace(("a", 0, "b"))) == "set"
    assert owner(made.trace(("a", 0, "c"))) == "values"
    assert owner(made.trace(("a", 1, "b"))) == "values"


def test_a_part_of_a_set_string_knows_its_own_bytes() -> None:
    origin = Origin(Span("f", 10, 19), Span("f", 10, 19), (), (Segment("x,b=three", Span("f", 10, 19)),))
    made = assign(stack([]), assignments("a", "x,b=three", "", lambda _: origin))
    found = made.trace(("b",))
    assert found is not None
    assert (found.text, found.span) == ("three", Span("f", 14, 19))


keys = st.text(st.characters(codec="utf-8", exclude_characters="[]=\\,.{}"), min_size=1, max_size=5)
trees = st.recursive(
    st.one_of(st.integers(0, 9), st.booleans(), st.text(max_size=3)),
    lambda inner: st.one_of(st.dictionaries(keys, inner, max_size=3), st.lists(inner, max_size=3)),
    max_leaves=8,
)
maps = st.dictionaries(keys, trees, max_size=3)


@given(st.lists(maps, max_size=4))
def test_what_is_merged_is_traced_to_the_layer_that_says_it(layers: list[dict[str, Value]]) -> None:
    merged = stack([Layer(values, written(str(index))) for index, values in enumerate(layers)])
    for route, value in (leaf for leaf in _leaves(merged.values) if leaf[0]):
        origin = merged.trace(route)
        assert origin is not None
        assert at(dict(layers[int(owner(origin))]), *route) == value


@given(st.lists(keys, min_size=1, max_size=4), st.text(max_size=5))
def test_an_escaped_key_means_itself(path: list[str], extra: str) -> None:
    steps = [step + "." for step in path]
    assert key_route(".".join(step.replace(".", "\\.") for step in steps)) == tuple(steps)
    key_route(extra)


def _leaves(value: Value, route: Route = ()) -> list[tuple[Route, Value]]:
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*route, key))]
    if isinstance(value, list) and value:
        return [leaf for index, item in enumerate(value) for leaf in _leaves(item, (*route, index))]
    return [(route, value)]
