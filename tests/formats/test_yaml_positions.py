"""Every value of a document is found where it is written, and every text maps to its bytes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shoreup.formats.sourcemap import nest, text_of, whole
from shoreup.formats.yaml import Trace, load, origin_of
from shoreup.model.location import Route
from shoreup.model.value import Value

WORDS = st.text(alphabet="ab é😀:#-'\"\\\t{}[]|>&*!%@,?", max_size=12)
TEXT = st.lists(WORDS, max_size=5).map("\n".join)
VALUES = st.recursive(
    st.one_of(TEXT, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)


def places(value: Value, route: Route = ()) -> Iterator[tuple[Route, Value]]:
    yield route, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*route, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from places(item, (*route, index))


def traced(text: str, *route: str | int, document: int = 0) -> Trace:
    trace = load(text).documents[document].trace(route)
    assert trace is not None
    return trace


def written(text: str, *route: str | int) -> str:
    trace = traced(text, *route)
    return text[trace.start : trace.end]


def assert_every_text_leads_to_its_bytes(text: str) -> None:
    stream = load(text)
    assert not stream.problems
    content = text.encode()
    outer = whole("f", text)
    for document in stream.documents:
        for route, value in places(document.value):
            trace = document.trace(route)
            assert trace is not None, route
            origin = origin_of(trace, outer)
            assert origin is not None
            assert isinstance(value, str) or not origin.segments
            assert not isinstance(value, str) or origin.text == value
            for segment in origin.segments:
                assert segment.span is not None
                there = content[segment.span.start : segment.span.end].decode()
                if segment.verbatim:
                    assert there == segment.text
                else:
                    assert len(segment.text) <= 8, "only escapes and folds are not verbatim"


@given(VALUES, st.sampled_from([None, '"', "'", "|", ">"]), st.integers(10, 80), st.booleans(), st.sampled_from([2, 4]))
def test_texts_in_every_style(value: Value, style: str | None, width: int, flow: bool, indent: int) -> None:
    text = yaml.dump(
        {"a": value}, default_style=style, width=width, default_flow_style=flow, indent=indent, allow_unicode=True
    )
    if not load(text).problems:
        assert_every_text_leads_to_its_bytes(text)


LINES = st.lists(st.text(alphabet="a# :é\t", max_size=6), max_size=6)


@given(
    LINES,
    st.sampled_from("|>"),
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 3),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["a: {}", "- {}", "a:\n  b: {}", "- a: {}", "a:\n- {}", "{}"]),
    st.sampled_from(["", "tail: 1\n", "# c\n", "\n\n", "  # c\n"]),
    st.booleans(),
)
def test_block_scalars(
    lines: list[str], mark: str, chomp: str, more: int, eol: str, place: str, tail: str, stated: bool
) -> None:
    base = {"a: {}": 0, "- {}": 0, "a:\n  b: {}": 2, "- a: {}": 2, "a:\n- {}": 0, "{}": 0}[place]
    step = more + 1
    header = f"{mark}{step if stated else ''}{chomp}"
    body = "".join(f"\n{' ' * (base + step)}{line}" if line else "\n" for line in lines)
    text = (place.format(header) + body + "\n" + (tail if place.startswith("a") else "")).replace("\n", eol)
    if not load(text).problems:
        assert_every_text_leads_to_its_bytes(text)


@pytest.mark.parametrize(
    "place",
    [
        "? {}\n",
        "? k\n: {}\n",
        "? k\n: - {}\n",
        "? k\n:  a: {}\n",
        "a:\n- {}\n",
        "- - {}\n",
        "- !<tag:yaml.org,2002:str> {}\n",
        "a: &x\n    b: {}\n",
        "a: !!map # why\n    ? {}\n",
        "--- {}\n",
        "é: # c\n  - é: {}\n",
    ],
)
def test_a_stated_indentation_is_relative_to_the_collection_around(place: str) -> None:
    columns = {": -": 2, ":  a": 3, "- -": 2, "a: &x": 4, "a: !!map": 4, "é": 4}
    column = next((size for sign, size in columns.items() if sign in place), 0)
    body = "".join(f"\n{' ' * (column + 2)}{line}" for line in ("  one", "two"))
    text = place.replace("{}", "|2-" + body)
    assert r"'  one\ntwo'" in repr(load(text).documents[0].value)
    assert_every_text_leads_to_its_bytes(text)


@pytest.mark.parametrize(
    ("text", "value", "encoding"),
    [
        ("a: one two", "one two", "yaml-plain"),
        ("a: one\n  two\n\n  three\n", "one two\nthree", "yaml-plain"),
        ("a: 'it''s\n  so'", "it's so", "yaml-single"),
        ('a: "x\\n\\u00e9 \\\n  y\\x41"', "x\né yA", "yaml-double"),
        ("a: |\n  one\n   two\n\n  three\n\n", "one\n two\n\nthree\n", "yaml-literal"),
        ("a: |-\n  one\n  two\n", "one\ntwo", "yaml-literal"),
        ("a: |+\n  one\n\nb: 1\n", "one\n\n", "yaml-literal"),
        ("a: |2\n   one\n", " one\n", "yaml-literal"),
        ("a: >-\n  one\n  two\n\n  three\n    four\n", "one two\nthree\n  four", "yaml-folded"),
        ("a: &x !!str 5", "5", "yaml-plain"),
    ],
)
def test_each_style_is_named_and_decoded(text: str, value: str, encoding: str) -> None:
    trace = traced(text, "a")
    assert "".join(run.text for run in trace.runs) == value
    assert trace.encoding == encoding
    assert_every_text_leads_to_its_bytes(text)


def test_an_extent_leaves_out_blank_lines_and_comments_after_it() -> None:
    text = "a:\n  b: 1\n\n  # about c\nc:\n  - d: 1\n    e: |\n      x\n      y\n\n  - f\n# end\n"
    assert written(text, "a") == "b: 1"
    assert written(text, "c") == "- d: 1\n    e: |\n      x\n      y\n\n  - f"
    assert written(text, "c", 0) == "d: 1\n    e: |\n      x\n      y"
    assert written(text, "c", 0, "e") == "|\n      x\n      y"
    assert written(text) == text[: text.index("\n# end")]


def test_the_site_of_a_field_is_its_key_and_value() -> None:
    text = "spec:\n  image: app:1 # why\n"
    trace = traced(text, "spec", "image")
    assert text[slice(*trace.site)] == "image: app:1"
    assert trace.key is not None
    assert text[slice(*trace.key)] == "image"


def test_an_absent_value_is_an_empty_extent_after_its_key() -> None:
    trace = traced("a:\nb: 1\n", "a")
    assert trace.start == trace.end == 2
    assert trace.site == (0, 2)


def test_an_anchor_and_a_tag_are_no_part_of_the_value() -> None:
    assert written("a: &x !!map\n  b: 1\n", "a") == "b: 1"
    assert written("a: &x [1, 2]\n", "a") == "[1, 2]"
    assert written("a: !!str # why\n  foo\n", "a") == "foo"


def test_an_alias_leads_to_where_the_value_is_written() -> None:
    text = "name: &app web\nlabels:\n  app: *app\n"
    trace = traced(text, "labels", "app")
    assert text[trace.start : trace.end] == "web"
    assert text[slice(*trace.site)] == "app: *app"
    (step,) = trace.via
    assert (step.name, text[step.start : step.end]) == ("*app", "*app")


def test_a_merge_leads_to_where_the_field_is_written() -> None:
    text = "base: &base\n  cpu: 1\n  memory: 2\nuse:\n  <<: *base\n  cpu: 3\n"
    memory = traced(text, "use", "memory")
    assert text[memory.start : memory.end] == "2"
    assert text[slice(*memory.site)] == "<<: *base"
    assert [step.name for step in memory.via] == ["*base"]
    assert written(text, "use", "cpu") == "3"


def test_of_a_key_given_twice_the_last_counts() -> None:
    assert written("a: 1\na: 2\n", "a") == "2"


def test_a_route_that_leads_nowhere_has_no_trace() -> None:
    (document,) = load("a: [1]\n").documents
    for route in (("b",), ("a", 1), ("a", "x"), ("a", 0, 0), (0,)):
        assert document.trace(route) is None


def test_later_documents_count_from_the_start_of_the_text() -> None:
    text = "a: é\n---\nb: two\n"
    trace = traced(text, "b", document=1)
    assert text[trace.start : trace.end] == "two"
    origin = origin_of(trace, whole("f", text))
    assert origin is not None
    assert text.encode()[origin.span.start : origin.span.end] == b"two"


@given(st.lists(st.text(alphabet='aé$\\" ', min_size=1, max_size=8), min_size=1, max_size=4))
def test_yaml_inside_yaml_keeps_its_bytes(items: list[str]) -> None:
    inner = yaml.dump({"list": items}, allow_unicode=True, width=1000)
    text = "patch: |-\n" + "".join(f"  {line}\n" for line in inner.splitlines())
    outer_trace = traced(text, "patch")
    outer = nest(whole("f", text), outer_trace.runs, outer_trace.encoding)
    assert text_of(outer) == inner.rstrip("\n")
    (document,) = load(text_of(outer)).documents
    for index, item in enumerate(items):
        trace = document.trace(("list", index))
        assert trace is not None
        origin = origin_of(trace, outer)
        assert origin is not None
        assert origin.text == item
        for segment in origin.segments:
            assert segment.span is not None
            assert segment.encodings[0] == "yaml-literal"
            if segment.verbatim:
                assert text.encode()[segment.span.start : segment.span.end].decode() == segment.text
