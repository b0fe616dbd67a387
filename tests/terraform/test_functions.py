"""Terraform's functions give what Terraform gives, and stay honest about what they cannot know."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TypeAlias

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.terraform.functions import FILE_FUNCTIONS, FunctionError, TerraformSet, call, known_functions
from shoreup.terraform.functions.filesystem import fileset
from shoreup.terraform.functions.hashes import of_content
from shoreup.terraform.functions.kinds import Refused, equal, make_set
from shoreup.terraform.functions.patterns import compiled

Row: TypeAlias = dict[str, Value]

LATER = Unknown("decided by an apply")
WITHOUT_ROWS = {"base64gzip", "issensitive"}
"""Functions that never give a known value."""


class _Loader(yaml.SafeLoader):
    """YAML with ``!set``."""


def _set(loader: _Loader, node: yaml.SequenceNode) -> TerraformSet:
    return make_set(loader.construct_sequence(node))


_Loader.add_constructor("!set", _set)

TABLE: dict[str, list[Row]] = yaml.load(
    Path(__file__).with_name("functions.yaml").read_text(encoding="utf-8"), Loader=_Loader
)


def _rows() -> list[tuple[str, Row]]:
    return [(name, row) for name, rows in TABLE.items() for row in rows]


def _same(mine: Value, theirs: Value) -> bool:
    if isinstance(mine, float) or isinstance(theirs, float):
        return isinstance(mine, (int, float)) and isinstance(theirs, (int, float)) and math.isclose(mine, theirs)
    if isinstance(mine, list) and isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(_same, mine, theirs))
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(_same(mine[key], theirs[key]) for key in mine)
    return type(mine) in (type(theirs), TerraformSet) and mine == theirs


@pytest.mark.parametrize(
    ("name", "row"), _rows(), ids=[f"{name}-{index}" for name, rows in TABLE.items() for index in range(len(rows))]
)
def test_it_answers_as_terraform_does(name: str, row: Row) -> None:
    arguments = row["args"]
    assert isinstance(arguments, list)
    if row.get("refused"):
        with pytest.raises(FunctionError) as refusal:
            call(name, arguments)
        assert "\n" not in str(refusal.value)
    else:
        result = call(name, arguments)
        assert _same(result, row["gives"]), result


def test_every_function_stands_in_the_table() -> None:
    assert set(known_functions()) == set(TABLE) | WITHOUT_ROWS


class TestRefusals:
    """What a wrong call is told: one line in Terraform's words, without the value of a string."""

    @pytest.mark.parametrize(
        ("name", "arguments", "message"),
        [
            ("upper", [], 'Function "upper" expects 1 argument(s). Missing value for "str".'),
            ("upper", ["a", "b"], 'Function "upper" expects only 1 argument(s).'),
            ("upper", [None], 'Invalid value for "str" parameter: argument must not be null.'),
            ("upper", [["a"]], 'Invalid value for "str" parameter: string required.'),
            ("join", [",", [[]]], 'Invalid value for "lists" parameter: element 0: string required.'),
            ("element", [[], 0], 'Call to function "element" failed: cannot use element function with an empty list.'),
            ("keys", [["a"]], 'Invalid value for "inputMap" parameter: must have map or object type.'),
            ("list", ["a"], 'The "list" function is no longer available; use tolist([ ... ]).'),
        ],
    )
    def test_it_says_why(self, name: str, arguments: list[Value], message: str) -> None:
        with pytest.raises(FunctionError) as refusal:
            call(name, arguments)
        assert str(refusal.value) == message

    @pytest.mark.parametrize("name", ["tonumber", "tobool", "base64decode", "jsondecode", "cidrhost", "uuidv5"])
    def test_it_keeps_a_secret(self, name: str) -> None:
        arguments: dict[str, list[Value]] = {"cidrhost": ["hunter2", 1], "uuidv5": ["hunter2", "x"]}
        with pytest.raises(FunctionError) as refusal:
            call(name, arguments.get(name, ["hunter2 {"]))
        assert "hunter2" not in str(refusal.value)


class TestUnknowns:
    """An unknown spreads as little as it must."""

    @pytest.mark.parametrize("name", ["timestamp", "plantimestamp", "uuid"])
    def test_what_only_an_apply_knows_is_unknown(self, name: str) -> None:
        assert call(name, []) == Unknown(f"the result of {name}() is known only at apply")

    @pytest.mark.parametrize("name", sorted(FILE_FUNCTIONS))
    def test_files_are_the_evaluators(self, name: str) -> None:
        assert call(name, ["x"]) == Unknown(f"{name}() needs the module's files")

    def test_a_providers_function_is_unknown(self) -> None:
        assert isinstance(call("provider::terraform::encode_expr", [1]), Unknown)

    def test_the_core_namespace_is_the_same_function(self) -> None:
        assert call("core::upper", ["a"]) == "A"

    def test_an_unknown_argument_gives_its_own_reason(self) -> None:
        assert call("sha256", [LATER]) == LATER
        assert call("sha256", [PartialText(("a", LATER))]) == LATER

    @pytest.mark.parametrize(
        ("name", "arguments", "result"),
        [
            ("format", ["%s-x", LATER], PartialText((LATER, "-x"))),
            ("format", ["%s-%d", "a", LATER], PartialText(("a-", LATER))),
            ("formatlist", ["%s!", ["a", LATER]], ["a!", PartialText((LATER, "!"))]),
            ("join", [",", ["a", LATER, "b"]], PartialText(("a,", LATER, ",b"))),
            ("jsonencode", [{"a": LATER, "b": 1}], PartialText(('{"a":', LATER, ',"b":1}'))),
            ("yamlencode", [{"a": LATER, "b": 1}], PartialText(('"a": ', LATER, '\n"b": 1\n'))),
            ("upper", [PartialText(("a", LATER))], PartialText(("A", LATER))),
            ("trimprefix", [PartialText(("https://", LATER)), "https://"], PartialText((LATER,))),
            ("trimspace", [PartialText((LATER, "x \n"))], PartialText((LATER, "x"))),
            ("trimspace", [PartialText(("a", LATER, " \n"))], PartialText(("a", LATER))),
            ("startswith", [PartialText(("https://", LATER)), "http"], True),
            ("startswith", [PartialText(("https://", LATER)), "ftp"], False),
            ("startswith", [PartialText(("http", LATER)), "https"], LATER),
            ("replace", [PartialText(("a.b", LATER)), ".", "-"], PartialText(("a-b", LATER))),
            ("replace", [PartialText(("a.b", LATER)), "a.", "-"], LATER),
            ("length", [["a", LATER]], 2),
            ("length", [TerraformSet(["a", LATER])], LATER),
            ("keys", [{"b": LATER, "a": 1}], ["a", "b"]),
            ("values", [{"b": LATER, "a": 1}], [1, LATER]),
            ("lookup", [{"a": 1}, "a", LATER], 1),
            ("lookup", [{"a": LATER}, "a"], LATER),
            ("merge", [{"a": LATER}, {"b": 1}], {"a": LATER, "b": 1}),
            ("concat", [["a"], [LATER]], ["a", LATER]),
            ("coalesce", ["a", LATER], "a"),
            ("coalesce", [LATER, "a"], LATER),
            ("coalesce", [PartialText(("x", LATER)), "a"], PartialText(("x", LATER))),
            ("contains", [["a", LATER], "a"], True),
            ("contains", [["a", LATER], "b"], LATER),
            ("contains", [[PartialText(("x", LATER))], "b"], False),
            ("alltrue", [[LATER, False]], False),
            ("anytrue", [[LATER, True]], True),
            ("flatten", [[["a"], [{"k": LATER}]]], ["a", {"k": LATER}]),
            ("tolist", [TerraformSet(["a", LATER])], ["a", LATER]),
            ("tostring", [PartialText(("a", LATER))], PartialText(("a", LATER))),
            ("zipmap", [["a"], [LATER]], {"a": LATER}),
            ("element", [["a", LATER], 0], "a"),
            ("yamldecode", [PartialText(("a: ", LATER, '\nb: "x-', LATER, '"\n'))],
             {"a": LATER, "b": PartialText(("x-", LATER))}),
            ("jsondecode", [PartialText(('{"a": ', LATER, ', "b": "x-', LATER, '"}'))],
             {"a": LATER, "b": PartialText(("x-", LATER))}),
        ],
    )  # fmt: skip
    def test_what_is_known_stays_known(self, name: str, arguments: list[Value], result: Value) -> None:
        assert call(name, arguments) == result

    @given(
        name=st.sampled_from(
            ["upper", "lower", "trimspace", "chomp", "length", "tostring", "jsonencode", "urlencode", "base64encode"]
        ),
        before=st.text(" \nab<é", max_size=4),
        hidden=st.text(" \nab<é", max_size=4),
        after=st.text(" \nab<é", max_size=4),
    )
    def test_no_later_value_contradicts_the_answer(self, name: str, before: str, hidden: str, after: str) -> None:
        answer = call(name, [join_text([before, LATER, after])])
        assert equal(answer, call(name, [before + hidden + after])) is not False

    @given(
        name=st.sampled_from(["startswith", "endswith", "strcontains", "trim", "trimprefix", "trimsuffix"]),
        before=st.text("ab", max_size=4),
        hidden=st.text("ab", max_size=4),
        after=st.text("ab", max_size=4),
        other=st.text("ab", max_size=3),
    )
    def test_nor_with_a_second_text(self, name: str, before: str, hidden: str, after: str, other: str) -> None:
        answer = call(name, [join_text([before, LATER, after]), other])
        assert equal(answer, call(name, [before + hidden + after, other])) is not False


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.text(max_size=8).filter(lambda text: text.isascii()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc:# \n", max_size=3), inner, max_size=3),
    max_leaves=8,
)
ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-100, 100)
    | st.floats(-1e6, 1e6)
    | st.text(max_size=5)
    | st.sampled_from(["%s", "(a", "a*", "10.0.0.0/8", "2020-01-01T00:00:00Z", "1h", "a,b\n1,2", "{", "&a [*a]"])
    | st.just(LATER)
    | st.just(PartialText(("a", LATER))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=5,
)


class TestTexts:
    @given(JSON)
    def test_json_is_read_back(self, value: Value) -> None:
        text = call("jsonencode", [value])
        assert isinstance(text, str)
        assert call("jsondecode", [text]) == value == json.loads(text)

    @given(JSON)
    @example({"a": "  lead\n"})
    @example(["word " * 40])
    @example({"x" * 200: {"y\nz": []}})
    def test_yaml_is_read_back(self, value: Value) -> None:
        text = call("yamlencode", [value])
        assert isinstance(text, str)
        assert call("yamldecode", [text]) == value

    def test_a_bomb_of_aliases_is_refused(self) -> None:
        lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]" for n in range(1, 30)]
        with pytest.raises(FunctionError):
            call("yamldecode", ["\n".join(lines)])

    def test_a_value_inside_itself_is_refused(self) -> None:
        with pytest.raises(FunctionError):
            call("yamldecode", ["a: &x [*x]"])


class TestNothingElseHappens:
    @given(name=st.sampled_from(sorted(known_functions())), arguments=st.lists(ANY, max_size=4))
    def test_any_call_has_a_result_or_a_refusal(self, name: str, arguments: list[Value]) -> None:
        try:
            call(name, arguments)
        except FunctionError as refusal:
            assert "\n" not in str(refusal)

    def test_a_cruel_pattern_ends(self) -> None:
        assert call("regexall", ["^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 400]) == []
        assert call("regexall", ["(x+x+)+y", "x" * 400]) == []
        assert call("regexall", [r"\s*(.*?)\s*=\s*(.*?)\s*;", "a " * 2000]) == []


class TestPatterns:
    @given(pattern=st.text("ab.*+?(|)[^]\\d{1,}$", max_size=10), text=st.text("ab1 \n", max_size=8))
    def test_any_pattern_gives_a_result_or_is_refused(self, pattern: str, text: str) -> None:
        try:
            compiled(pattern)
        except Refused as problem:
            assert str(problem).startswith("invalid regexp pattern")
            return
        found = call("regexall", [pattern, text])
        assert isinstance(found, list)

    def test_a_pattern_made_to_hang_does_not(self) -> None:
        assert call("regexall", ["(a+)+$", "a" * 50_000 + "b"]) == []


class TestFiles:
    @pytest.mark.parametrize(
        ("folder", "pattern", "found"),
        [
            ("apps", "*.yaml", ["a.yaml"]),
            ("apps", "**/*.yaml", ["a.yaml", "db/b.yaml", "db/x/c.yaml"]),
            ("apps", "**", ["a.yaml", "db/b.yaml", "db/d.json", "db/x/c.yaml"]),
            ("apps", "{db,other}/*.{yaml,json}", ["db/b.yaml", "db/d.json"]),
            ("apps/db", "../*.yaml", ["../a.yaml"]),
            ("./apps", "?.yaml", ["a.yaml"]),
            ("apps", "[a-c].yaml", ["a.yaml"]),
            ("nowhere", "*", []),
        ],
    )
    def test_a_pattern_finds_files_below_a_folder(self, folder: str, pattern: str, found: list[str]) -> None:
        files = ["apps/a.yaml", "apps/db/b.yaml", "apps/db/d.json", "apps/db/x/c.yaml", "main.tf"]
        assert fileset(folder, pattern, files) == found

    @pytest.mark.parametrize("name", ["md5", "sha1", "sha256", "sha512", "base64sha256", "base64sha512"])
    def test_a_files_digest_is_its_texts(self, name: str) -> None:
        assert of_content(f"file{name}", b"hello world") == call(name, ["hello world"])

    def test_a_file_as_base64(self) -> None:
        assert of_content("filebase64", b"hello world") == call("base64encode", ["hello world"])
