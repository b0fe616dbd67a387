"""Comments of YAML: what stands after a ``#`` that is no text."""

from __future__ import annotations

import pytest

from shoreup.formats.yaml.comments import comments


def found(text: str) -> list[str]:
    """The comments as they are written."""
    return [text[start:end] for start, end in comments(text)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("# first\na: 1 # second\n", ["# first", "# second"]),
        ("a: |\n  # text\n  b\n# comment\nc: 1\n", ["# comment"]),
        ("a: | # after the header\n  # text\n", ["# after the header"]),
        ("a: 'b # text'\nc: \"d # text\"\n", []),
        ("a: b#text\n", []),
        ("a: b\n  # between\n  # two\nc: d\n", ["# between", "# two"]),
        ("ä: ö # ü\n", ["# ü"]),
        ("[", []),
    ],
)
def test_only_what_yaml_takes_for_a_comment(text: str, wanted: list[str]) -> None:
    assert found(text) == wanted
