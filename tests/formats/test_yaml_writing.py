"""Writing into YAML: what was asked for changes, nothing else does, and it looks as if the owner had written it."""

from __future__ import annotations

import io
import json

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from shoreup.formats.edits import CannotWrite
from shoreup.formats.yaml import load
from shoreup.formats.yaml.changes import changed
from shoreup.formats.yaml.wanted import placed, removed
from shoreup.formats.yaml.writing import Page, appended_document, new_document
from shoreup.model.location import Route
from shoreup.model.value import Value, at


def put(text: str, route: Route, value: Value, *, is_json: bool = False, index: int = 0, alone: bool = False) -> str:
    return changed(text, Page(text, index, is_json=is_json).put(route, value, alone=alone))


def append(text: str, route: Route, value: Value) -> str:
    return changed(text, Page(text).append(route, value))


def remove(text: str, route: Route) -> str:
    return changed(text, Page(text).remove(route))


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # the shop
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
        # The web server.
        - name: web
          image: "nginx:1.0"
          args: [a, "b"]

          ports:
            - containerPort: 80
              # name: http
        - name: side
          image: 'side:2'
          env: []
          resources: {}
      # volumes: none
"""
PROBE: Value = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 10}


@pytest.mark.parametrize(
    ("route", "value", "old", "new"),
    [
        (("metadata", "name"), "shop", "name: web # the shop", "name: shop # the shop"),
        (("metadata", "name"), "8080", "name: web # the shop", 'name: "8080" # the shop'),
        (("metadata", "namespace"), "shops", "web # the shop\n", "web # the shop\n  namespace: shops\n"),
        (("spec", "replicas"), 2, "spec:\n  selector", "spec:\n  replicas: 2\n  selector"),
        (
            ("spec", "template", "spec", "containers", 0, "image"),
            "nginx:1.1",
            '"nginx:1.0"',
            '"nginx:1.1"',
        ),
        (("spec", "template", "spec", "containers", 1, "image"), "x", "'side:2'", "'x'"),
        (
            ("spec", "template", "spec", "containers", 0, "readinessProbe"),
            PROBE,
            "              # name: http\n",
            (
                "              # name: http\n          readinessProbe:\n            httpGet:\n              path: /\n"
                "              port: 80\n            periodSeconds: 10\n"
            ),
        ),
        (
            ("spec", "template", "spec", "containers", 1, "resources", "limits", "memory"),
            "64Mi",
            "resources: {}\n",
            "resources:\n            limits:\n              memory: 64Mi\n",
        ),
        (
            ("spec", "template", "spec", "containers", 1, "env", 0),
            {"name": "A", "value": "yes"},
            "env: []\n",
            'env:\n            - name: A\n              value: "yes"\n',
        ),
        (
            ("spec", "selector", "matchLabels", "tier"),
            "web",
            "{matchLabels: {app: web}}",
            "{matchLabels: {app: web, tier: web}}",
        ),
        (("spec", "template", "spec", "containers", 0, "args", 2), "c: d", '[a, "b"]', '[a, "b", "c: d"]'),
        (
            ("spec", "template", "spec", "tolerations"),
            [{"operator": "Exists"}],
            "      # volumes: none",
            "      tolerations:\n        - operator: Exists\n      # volumes: none",
        ),
        (
            ("spec", "template", "spec", "containers", 1, "command"),
            ["sh", "-c", "set -e\necho 1\n"],
            "          resources: {}\n",
            (
                "          resources: {}\n          command:\n            - sh\n            - -c\n            - |\n"
                "              set -e\n              echo 1\n"
            ),
        ),
    ],
)
def test_a_value_is_put_as_its_owner_would_have(route: Route, value: Value, old: str, new: str) -> None:
    after = put(DEPLOYMENT, route, value)
    assert after == DEPLOYMENT.replace(old, new, 1)
    assert put(after, route, value) == after


def test_lists_that_are_not_indented_stay_so() -> None:
    text = "a:\n- x\n- y\nb:\n    c: 1\n"
    assert append(text, ("a",), {"k": 1, "l": [2]}) == "a:\n- x\n- y\n- k: 1\n  l:\n  - 2\nb:\n    c: 1\n"
    assert put(text, ("b", "d", "e"), ["z"]) == "a:\n- x\n- y\nb:\n    c: 1\n    d:\n        e:\n        - z\n"


@pytest.mark.parametrize(
    ("before", "route", "after"),
    [
        ("a: 1\n# about b\nb: 2\nc: 3\n", ("b",), "a: 1\nc: 3\n"),
        ("# about all\na: 1\nb: 2\n", ("a",), "# about all\nb: 2\n"),
        ("# about a\na: 1\n\nb: 2\n", ("a",), "b: 2\n"),
        ("a: 1\nb:\n  c: |\n    x\n\n  d: 1\n", ("b", "c"), "a: 1\nb:\n  d: 1\n"),
        ("a:\n  - x: 1\n    y: 2\n  - z\n", ("a", 0, "x"), "a:\n  - y: 2\n  - z\n"),
        ("a:\n  - x: 1\n    y: 2\n  - z\n", ("a", 0), "a:\n  - z\n"),
        ("a:\n  - x\n", ("a", 0), "a: []\n"),
        ("a:\n  b: 1\nc: 2\n", ("a", "b"), "a: {}\nc: 2\n"),
        ("a: {b: 1, c: 2}\n", ("a", "b"), "a: {c: 2}\n"),
        ("a: {b: 1, c: 2}\n", ("a", "c"), "a: {b: 1}\n"),
        ("a: [1, 2, 3]", ("a", 1), "a: [1, 3]"),
        ("a: 1\nb: 2", ("b",), "a: 1"),
        ("a: 1\r\nb: 2\r\nc: 3\r\n", ("b",), "a: 1\r\nc: 3\r\n"),
        ("a:\nb: 2\n", ("a",), "b: 2\n"),
    ],
)
def test_a_value_goes_with_what_is_its_own(before: str, route: Route, after: str) -> None:
    assert remove(before, route) == after


@pytest.mark.parametrize(
    ("before", "route", "value", "after"),
    [
        ("a:\nb: 1\n", ("a",), 1, "a: 1\nb: 1\n"),
        ("a:\nb: 1\n", ("a", "c"), 1, "a:\n  c: 1\nb: 1\n"),
        ("a: # later\nb: 1\n", ("a",), "x", "a: x # later\nb: 1\n"),
        ("a: ~\n", ("a", "b"), 1, "a:\n  b: 1\n"),
        ("a: |\n  one\n  two\n", ("a",), "three\nfour\n", "a: |\n  three\n  four\n"),
        ("a: word # c\n", ("a",), "two\nlines", 'a: "two\\nlines" # c\n'),
        ("a: 1\r\n", ("b", "c"), True, "a: 1\r\nb:\r\n  c: true\r\n"),
        ("a: 1", ("b",), 2, "a: 1\nb: 2"),
        ("a: 1\nb: 2\nd: 4\ne: 5\n", ("c",), 3, "a: 1\nb: 2\nc: 3\nd: 4\ne: 5\n"),
        ("a: 'x'\nb: 'y'\nc: 'z'\n", ("d",), "text", "a: 'x'\nb: 'y'\nc: 'z'\nd: 'text'\n"),
        ("a:\n  b: |+\n    x\n\n  c: 1\n", ("a", "d"), 2, "a:\n  b: |+\n    x\n\n  c: 1\n  d: 2\n"),
        ("a: &x {b: 1}\nc: *x\n", ("c",), 2, "a: &x {b: 1}\nc: 2\n"),
        ("d: &d\n  b: 1\na:\n  <<: *d\n", ("a", "b"), 2, "d: &d\n  b: 1\na:\n  <<: *d\n  b: 2\n"),
        ("x-d: &d\n  b: 1\na: *d\n", ("a", "c"), 2, "x-d: &d\n  b: 1\n  c: 2\na: *d\n"),
        ("a: {\n  b: 1,\n  c: 2\n}\n", ("a", "d"), 3, "a: {\n  b: 1,\n  c: 2,\n  d: 3\n}\n"),
        ("- a: 1\n- b\n", (0, "c"), [], "- a: 1\n  c: []\n- b\n"),
    ],
)
def test_a_value_goes_where_there_is_nothing_or_another_kind_of_value(
    before: str, route: Route, value: Value, after: str
) -> None:
    assert put(before, route, value) == after
    assert put(after, route, value) == after


def test_a_text_without_a_document_is_not_written_into() -> None:
    with pytest.raises(CannotWrite):
        put("", ("a",), 1)


def test_only_what_differs_is_written_where_a_mapping_is_put_over_another() -> None:
    text = "a:\n  # why\n  b: 1 # one\n  c: 2\n  d: [1]\ne: 1\n"
    assert (
        put(text, ("a",), {"b": 1, "d": [1, 2], "f": "x"}) == "a:\n  # why\n  b: 1 # one\n  d: [1, 2]\n  f: x\ne: 1\n"
    )


@pytest.mark.parametrize(
    ("text", "route", "reason"),
    [
        ("a: &x\n  b: 1\nc: *x\n", ("c", "b"), "behind the anchor &x in line 1"),
        ("a: &x\n  m: {b: 1}\nc:\n  <<: *x\n", ("c", "m", "b"), "by <<"),
        ("a: text\n", ("a", "b"), "no place"),
        ("a: [1]\n", ("a", 3), "no place"),
        ("sops: {mac: x}\na: ENC[x]\n", ("a",), "sops"),
        ("a: !secret x\n", ("a",), "has a tag"),
    ],
)
def test_what_cannot_be_written_is_refused_with_the_reason(text: str, route: Route, reason: str) -> None:
    with pytest.raises(CannotWrite, match=reason):
        put(text, route, 2)


def test_a_shared_value_is_refused_where_only_one_shall_change() -> None:
    text = "a: &x 1\nb: *x\n"
    with pytest.raises(CannotWrite, match="for others too"):
        put(text, ("a",), 2, alone=True)
    assert put(text, ("b",), 2, alone=True) == "a: &x 1\nb: 2\n"


JSON = '{\n    "a": 1,\n    "b": {\n        "c": []\n    }\n}\n'


@pytest.mark.parametrize(
    ("before", "route", "value", "after"),
    [
        (JSON, ("a",), "x", JSON.replace("1", '"x"')),
        (JSON, ("d",), {"e": True}, JSON.replace("    }\n}", '    },\n    "d": {\n        "e": true\n    }\n}')),
        (JSON, ("b", "c", 0), "x", JSON.replace("[]", '[\n            "x"\n        ]')),
        ('{"a": 1}', ("b", "c"), ["x"], '{"a": 1, "b": {"c": ["x"]}}'),
    ],
)
def test_json_stays_json(before: str, route: Route, value: Value, after: str) -> None:
    made = put(before, route, value, is_json=True)
    assert made == after
    assert json.loads(made) == placed(json.loads(before), route, value)


def test_documents_are_edited_apart_and_a_new_one_comes_behind() -> None:
    text = "a: 1\n---\n# two\na: 2\n"
    assert put(text, ("a",), 3, index=1) == "a: 1\n---\n# two\na: 3\n"
    after = changed(text, [appended_document(text, {"b": ["x"]})])
    assert after == "a: 1\n---\n# two\na: 2\n---\nb:\n  - x\n"
    assert changed("a: 1", [appended_document("a: 1", {"b": 1})]) == "a: 1\n---\nb: 1"
    assert new_document({"a": {"b": "on"}}, marked=True) == '---\na:\n  b: "on"\n'


WORD = st.text(alphabet="ab1 é:#-'\"\\{}[],&*!|>%@`?~=.\n", max_size=8)
KEY = st.sampled_from(["a", "b", "name", "x y", "1", "on", "k: v"])
VALUES = st.recursive(
    st.one_of(
        WORD, st.integers(-5, 5), st.booleans(), st.none(), st.floats(-9, 9).map(lambda number: round(number, 1))
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEY, inner, max_size=3)),
    max_leaves=8,
)
MAPPINGS = st.dictionaries(KEY, VALUES, min_size=1, max_size=4)


def routes(value: Value, route: Route = ()) -> list[Route]:
    found: list[Route] = [route] if route else []
    if isinstance(value, dict):
        for key, item in value.items():
            found += routes(item, (*route, key))
        found.append((*route, "new"))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            found += routes(item, (*route, number))
        found.append((*route, len(value)))
    return found


def written(value: Value, data: st.DataObject) -> str:
    """The value as somebody wrote it, in one manner or another."""
    if data.draw(st.booleans(), label="ruamel"):
        writer = YAML()
        offset = data.draw(st.sampled_from([0, 2]))
        writer.indent(mapping=data.draw(st.sampled_from([2, 4])), sequence=offset + 2, offset=offset)
        out = io.StringIO()
        writer.dump(value, out)
        text = out.getvalue()
    else:
        flow = data.draw(st.sampled_from([False, None, True]))
        style = data.draw(st.sampled_from([None, '"', "'", "|"]))
        text = yaml.dump(value, default_flow_style=flow, default_style=style, allow_unicode=True, sort_keys=False)
    if data.draw(st.booleans(), label="comments"):
        lines = text.split("\n")
        text = "# top\n" + "\n".join(lines)
    if data.draw(st.booleans(), label="crlf"):
        text = text.replace("\n", "\r\n")
    return text[:-1] if data.draw(st.integers(0, 5)) == 0 and text.endswith("\n") else text


def check_others_agree(text: str, expected: Value) -> None:
    if "\\u" in text or "\r" in text:
        return
    assert yaml.safe_load(text) == expected
    assert YAML(typ="safe").load(text) == expected


@given(MAPPINGS, VALUES, st.data())
@settings(max_examples=80, deadline=None)
def test_only_the_route_changes_and_other_readers_agree(
    value: dict[str, Value], new: Value, data: st.DataObject
) -> None:
    text = written(value, data)
    assume(load(text).documents and load(text).documents[0].value == value and not load(text).problems)
    route = data.draw(st.sampled_from(routes(value)))
    after = put(text, route, new)
    expected = placed(value, route, new)
    assert load(after).documents[0].value == expected
    check_others_agree(after, expected)
    assert put(after, route, new) == after
    kept = [line for line in text.splitlines() if line.startswith("#")]
    assert [line for line in after.splitlines() if line.startswith("# top")] == kept


@given(MAPPINGS, st.data())
@settings(max_examples=60, deadline=None)
def test_only_what_is_removed_goes(value: dict[str, Value], data: st.DataObject) -> None:
    text = written(value, data)
    assume(load(text).documents and load(text).documents[0].value == value and not load(text).problems)
    route = data.draw(st.sampled_from([one for one in routes(value) if at(value, *one[:-1]) is not None]))
    try:
        expected = removed(value, route)
    except CannotWrite:
        return
    try:
        after = remove(text, route)
    except CannotWrite:
        assert not text.endswith("\n"), "the end of a text without a last line break may be the end of a block of text"
        return
    assert load(after).documents[0].value == expected
    check_others_agree(after, expected)
