"""What an edit should make of a plain object, and which differences count."""

from __future__ import annotations

import pytest

from shoreup.model.edit import Append, Become, Edit, Put, Remove, Rename, Substitute
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.stages.fixing.expectation import Unexpectable, differences, expected, holds, same

BODY: dict[str, Value] = {"spec": {"replicas": 2, "list": [{"name": "a"}, {"name": "b"}], "text": "one two"}}


@pytest.mark.parametrize(
    ("edit", "wanted"),
    [
        (Put(0, ("spec", "replicas"), 3), {**BODY["spec"], "replicas": 3}),  # type: ignore[dict-item]
        (Put(0, ("spec", "new", "deep"), True), {**BODY["spec"], "new": {"deep": True}}),  # type: ignore[dict-item]
        (Append(0, ("spec", "list"), {"name": "c"}), {**BODY["spec"], "list": [{"name": n} for n in "abc"]}),  # type: ignore[dict-item]
        (Append(0, ("spec", "more"), 1), {**BODY["spec"], "more": [1]}),  # type: ignore[dict-item]
        (Remove(0, ("spec", "list", 0)), {**BODY["spec"], "list": [{"name": "b"}]}),  # type: ignore[dict-item]
        (Substitute(0, ("spec", "text"), 4, 7, "three"), {**BODY["spec"], "text": "one three"}),  # type: ignore[dict-item]
    ],
)
def test_an_edit_on_a_plain_object(edit: Edit, wanted: Value) -> None:
    assert expected(BODY, [edit]) == {"spec": wanted}
    assert BODY["spec"] == {"replicas": 2, "list": [{"name": "a"}, {"name": "b"}], "text": "one two"}


def test_several_removals_from_one_list_name_the_items_as_they_were() -> None:
    made = expected(BODY, [Remove(0, ("spec", "list", 0)), Remove(0, ("spec", "list", 1))])
    assert same(made, {"spec": {"replicas": 2, "list": [], "text": "one two"}})


def test_text_between_unknown_parts() -> None:
    body: dict[str, Value] = {"t": PartialText(("ab", Unknown("a"), "cd"))}
    assert expected(body, [Substitute(0, ("t",), 3, 4, "X")])["t"] == PartialText(("ab", Unknown("a"), "cX"))
    with pytest.raises(Unexpectable):
        expected(body, [Substitute(0, ("t",), 1, 3, "X")])


def test_only_what_differs_is_named() -> None:
    assert list(differences({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 3]})) == [("b", 1)]
    assert list(differences({"b": [1, 2, 3]}, {"b": [1, 9, 2, 3]})) == [("b", 1)]
    assert list(differences({"a": 1}, {"a": True})) == [("a",)]
    assert list(differences({"a": 1}, {})) == [("a",)]


def test_nothing_is_nothing_however_it_is_said() -> None:
    assert same({"a": {}, "b": None}, {"c": []})
    assert same({"a": Unknown("one")}, {"a": Unknown("other")})
    assert not same({"a": Unknown("one")}, {"a": "one"})
    assert not same({"a": 0}, {})


def test_a_new_object_may_hold_defaults_beside() -> None:
    assert holds({"a": 1, "b": 2}, {"a": 1})
    assert not holds({"a": [1, 2]}, {"a": [1]})


def test_a_key_is_called_otherwise_with_all_that_it_holds() -> None:
    body: dict[str, Value] = {"volumes": [{"name": "a", "configMap": {"name": "shop", "optional": True}}]}
    edit = Rename(0, ("volumes", 0, "configMap"), "secret", (("name", "secretName"),))
    assert expected(body, [edit]) == {
        "volumes": [{"name": "a", "secret": {"secretName": "shop", "optional": True}}],
    }
    with pytest.raises(Unexpectable):
        expected(body, [Rename(0, ("volumes", 0, "configMap"), "name")])


def test_an_object_of_another_kind_holds_what_it_held() -> None:
    body: dict[str, Value] = {"kind": "ConfigMap", "data": {"a": "b"}, "binaryData": {"c": "ZA=="}}
    edit = Become(0, "Secret", (("data", "stringData"), ("binaryData", "data")))
    assert expected(body, [edit]) == {"kind": "Secret", "stringData": {"a": "b"}, "data": {"c": "ZA=="}}
