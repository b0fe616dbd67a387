"""Every key of a TOML text is found on its line, whatever stands before it."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoreup.formats.toml_positions import key_lines
from shoreup.model.location import Route

TEXT = '''# a comment with = and [brackets]
a = 1
b.c = """three
lines = 2
"""
[table] # [not.this]
"quoted.key" = [
  1, # one
  { s = 'x#y' },
]
[[list]]
what = "]"
[[list]]
what = '"'
[list.sub]
day = 2024-01-01 12:00:00
inline = { a = 1, "b c" = [1, 2] }
[deep."with.dots".x]
y = \'\'\'
'\'\'\'
z = "\\""
'''


def test_keys_tables_lists_and_inline_tables() -> None:
    lines = key_lines(TEXT)
    expected: dict[Route, int] = {
        ("a",): 2,
        ("b", "c"): 3,
        ("table",): 6,
        ("table", "quoted.key"): 7,
        ("table", "quoted.key", 0): 8,
        ("table", "quoted.key", 1, "s"): 9,
        ("list", 0): 11,
        ("list", 0, "what"): 12,
        ("list", 1): 13,
        ("list", 1, "what"): 14,
        ("list", 1, "sub", "day"): 16,
        ("list", 1, "sub", "inline", "b c", 1): 17,
        ("deep", "with.dots", "x", "y"): 19,
        ("deep", "with.dots", "x", "z"): 21,
    }
    assert {route: lines.get(route) for route in expected} == expected


def test_what_is_no_toml_is_an_error() -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        key_lines("a = ")


def routes(value: object, way: Route = ()) -> set[Route]:
    """Every route of a document."""
    found = {way} if way else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= routes(inner, (*way, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found |= routes(inner, (*way, index))
    return found


KEYS = st.sampled_from(["a", "b-c", '"d.e"', "'f g'", "h . i"])
SCALARS = st.sampled_from(["1", '"x"', "'#'", '"""\n"\n"""', "true", "2024-01-01", '"\\\\"', "'''a\n'b'''", "-1.5e3"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3).map(lambda items: "[\n" + ", # c ]\n".join(items) + "\n]"),
    max_leaves=6,
)


@given(st.lists(st.tuples(KEYS, VALUES), max_size=5), st.sampled_from(["", "[t]\n", "[[t]]\n", "[x.y]\n"]))
def test_every_key_of_every_document_has_a_line_in_order(pairs: list[tuple[str, str]], head: str) -> None:
    text = head + "".join(f"{key} = {value}\n" for key, value in dict(pairs).items())
    document = tomllib.loads(text)
    lines = key_lines(text)
    assert set(lines) == routes(document)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())
