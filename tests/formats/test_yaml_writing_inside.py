"""A document in a text of another file is changed in that file, written as the text is written there."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shoreup.formats.edits import CannotWrite, replaced
from shoreup.formats.sourcemap import whole
from shoreup.formats.yaml import load, load_json, origin_of
from shoreup.formats.yaml.changes import Change, changed
from shoreup.formats.yaml.inside import marked, written_inside
from shoreup.formats.yaml.wanted import placed
from shoreup.formats.yaml.writing import Page
from shoreup.model.location import Span
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import PartialText, Unknown, Value, at
from terraform_reading import terraform

WORD = st.text(alphabet="ab1 é:#-'\"\\{}[],$%.", max_size=8)
VALUES = st.recursive(
    st.one_of(WORD, st.integers(-5, 5), st.booleans(), st.none(), st.just("set -e\necho 1\n")),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b", "c d"]), inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
MAPPINGS = st.dictionaries(st.sampled_from(["a", "b", "name"]), VALUES, min_size=1, max_size=3)
KEYS = st.sampled_from(["a", "b", "new"])


def inner_text(value: Value) -> str:
    return yaml.dump(value, sort_keys=False, allow_unicode=True, width=200)


@given(MAPPINGS, KEYS, VALUES, st.sampled_from(["|", '"', "'", "json"]))
@settings(max_examples=80, deadline=None)
def test_in_a_string_of_yaml_or_json(inner: dict[str, Value], key: str, value: Value, style: str) -> None:
    text = inner_text(inner)
    if style == "json":
        outer = json.dumps({"data": {"values": text}, "z": 1}, indent=2)
        trace = load_json(outer).documents[0].trace(("data", "values"))
    else:
        outer = yaml.dump({"data": {"values": text}, "z": 1}, default_style=style, allow_unicode=True)
        trace = load(outer).documents[0].trace(("data", "values"))
    assert trace is not None
    origin = origin_of(trace, whole("f", outer), encoding="json" if style == "json" else "")
    assert origin is not None
    assume(origin.text == text and load(text).documents[0].value == inner)
    changes = Page(text).put((key,), value)
    try:
        made = written_inside(changes, origin, text, lambda _: outer.encode())
    except CannotWrite:
        assert style in ("|", "'"), "double quotes say everything"
        return
    after = replaced(outer.encode(), made).decode()
    document = (load_json if style == "json" else load)(after).documents[0]
    written = at(document.value, "data", "values")
    assert written == changed(text, changes)
    assert load(str(written)).documents[0].value == placed(inner, (key,), value)
    assert at(document.value, "z") == load(outer).documents[0].value["z"]  # type: ignore[index,call-overload] # a map


@given(MAPPINGS, KEYS, VALUES, st.sampled_from(["flush", "plain", "quoted"]))
@settings(max_examples=40, deadline=None)
def test_in_a_string_of_terraform(inner: dict[str, Value], key: str, value: Value, style: str) -> None:
    text = inner_text(inner)
    assume(load(text).documents[0].value == inner)
    spoken = text.replace("${", "$${").replace("%{", "%%{")
    if style == "quoted":
        held = json.dumps(spoken, ensure_ascii=False)
    elif style == "flush":
        held = "<<-EOT\n" + "".join(f"    {line}\n" if line else "\n" for line in spoken.split("\n")[:-1]) + "  EOT"
    else:
        held = f"<<EOT\n{spoken}EOT"
    content = (
        f'resource "kubernetes_config_map" "a" {{\n  metadata {{ name = "a" }}\n  data = {{\n    v = {held}\n  }}\n}}\n'
    )
    address = "kubernetes_config_map.a"
    with terraform({"main.tf": content}) as read:
        assume(read.value(address, "data", "v") == text)
        found = next(found for found in read.reading.found if found.resource.address == address)
        origin = found.tracer.trace(("data", "v"))
        assert origin is not None
        changes = Page(text).put((key,), value)
        after = replaced(content.encode(), written_inside(changes, origin, text, read.tree.read))
    with terraform({"main.tf": after}) as read:
        assert not read.problems
        assert read.value(address, "data", "v") == changed(text, changes)


def test_neighbours_that_go_together_take_their_lines_once() -> None:
    outer = "v: |\n  a:\n    b: 1\n    c: 2\n    d: 3\n"
    trace = load(outer).documents[0].trace(("v",))
    assert trace is not None
    origin = origin_of(trace, whole("f", outer))
    assert origin is not None
    page = Page(origin.text)
    changes = [*page.remove(("a", "c")), *page.remove(("a", "d"))]
    made = written_inside(changes, origin, page.text, lambda _: outer.encode())
    assert replaced(outer.encode(), made) == b"v: |\n  a:\n    b: 1\n"


def test_a_string_that_is_written_anew_is_written_once() -> None:
    outer = 'v: "a: 1\\nb: 2\\n\\\n  c: 3\\n"\n'
    trace = load(outer).documents[0].trace(("v",))
    assert trace is not None
    origin = origin_of(trace, whole("f", outer))
    assert origin is not None
    page = Page(origin.text)
    assert page.text == "a: 1\nb: 2\nc: 3\n"
    changes = [Change(10, 10, "# x\n"), Change(15, 15, " # y")]
    made = written_inside(changes, origin, page.text, lambda _: outer.encode())
    assert load(replaced(outer.encode(), made).decode()).documents[0].value == {"v": changed(page.text, changes)}


def test_places_beside_what_is_not_known_are_left_alone() -> None:
    known = "a: 1\nb: "
    partial = PartialText((known, Unknown("set outside"), "\nc: 2\n"))
    text, _ = marked(partial)
    content = b"a: 1\nb: ${x}\nc: 2\n"
    segments = (
        Segment(known, Span("f", 0, 8), encodings=("hcl-heredoc",)),
        Segment("", Span("f", 8, 12), unknown="set outside"),
        Segment("\nc: 2\n", Span("f", 12, 18), encodings=("hcl-heredoc",)),
    )
    origin = Origin(Span("f", 0, 18), Span("f", 0, 18), (), segments)
    made = written_inside(Page(text).put(("b2",), "x"), origin, text, lambda _: content)
    assert replaced(content, made) == b"a: 1\nb: ${x}\nc: 2\nb2: x\n"
    made = written_inside(Page(text).put(("c",), 3), origin, text, lambda _: content)
    assert replaced(content, made) == b"a: 1\nb: ${x}\nc: 3\n"
    with pytest.raises(CannotWrite, match="not known"):
        written_inside(Page(text).put(("b",), 3), origin, text, lambda _: content)
    with pytest.raises(CannotWrite, match="not known"):
        written_inside([Change(8, 8, "x")], origin, text, lambda _: content)
