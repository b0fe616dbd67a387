"""Every string of a random estate knows the bytes that give it: they read back as it, and changing them changes it.

This is what fixes stand on. A segment may say that a function made it; it may not point at the wrong bytes.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import TypeAlias

from hypothesis import example, given, settings
from hypothesis import strategies as st

from origins import check_origin, cuts, values, with_the_change, written
from shoreup.formats.files import FileTree
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin
from shoreup.model.value import Value, unknowns
from shoreup.sources.terraform import read_terraform
from terraform_estates import FILES, Estate

EXAMPLE = Path(__file__).parents[2] / "examples" / "homelab"
GIVEN_BY_THE_PROVIDER = {("apiVersion",), ("kind",), ("metadata", "namespace")}
WORD = re.compile(r"w\d{3}")

Values: TypeAlias = dict[tuple[str, Route], tuple[Value, Origin | None]]


def read(files: FILES) -> tuple[FileTree, Values]:
    """Every value of an estate, by address and route, with its origin."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text.encode())
        tree = FileTree(Path(folder))
        return tree, read_tree(tree)


def read_tree(tree: FileTree) -> Values:
    found: Values = {}
    for one in read_terraform(tree).found:
        for route, value in values(dict(one.resource.body)):
            found[(one.resource.address, route)] = (value, one.tracer.trace(route))
    for path in tree.files:
        tree.read(path)
    return found


@given(seed=st.integers(0, 2**32))
@example(seed=738)  # a line break written as an escape is trimmed
@settings(max_examples=40)
def test_segments_spell_the_value_and_read_back_from_the_bytes(seed: int) -> None:
    tree, found = read(Estate(Random(seed)).build())
    assert not tree.errors
    assert found
    for (_, route), (value, origin) in found.items():
        assert not list(unknowns(value))
        if origin is None:
            assert route in GIVEN_BY_THE_PROVIDER or not isinstance(value, str), route
        else:
            check_origin(tree, value, origin)


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25)
def test_another_word_in_its_place_changes_that_value_and_those_that_share_it(seed: int) -> None:
    random = Random(seed)
    files = Estate(random).build()
    _, before = read(files)
    words = sorted(
        {
            (segment.span.file, segment.span.start + len(segment.text[: match.start()].encode()), match[0])
            for _, origin in before.values()
            for segment in (origin.segments if origin else ())
            if segment.verbatim and not segment.derived and segment.span is not None
            for match in WORD.finditer(segment.text)
        }
    )
    file, start, word = random.choice(words)
    changed = f"{word}q"
    content = files[file].encode()
    place = Span(file, start, start + len(word))
    assert content[place.start : place.end].decode() == word
    _, after = read({**files, file: (content[: place.start] + changed.encode() + content[place.end :]).decode()})
    renamed = {(address.replace(word, changed), route): pair for (address, route), pair in before.items()}
    assert renamed.keys() == after.keys()
    touched = 0
    for key, (value, origin) in renamed.items():
        now = after[key][0]
        expected = with_the_change(origin, place, changed)
        if expected is not None:
            assert now == expected
            touched += now != value
        elif origin is not None and not any(segment.derived for segment in origin.segments) and not cuts(origin, place):
            assert now == value
    assert touched or _only_in_parts(before, place)


def _only_in_parts(found: Mapping[tuple[str, Route], tuple[Value, Origin | None]], place: Span) -> bool:
    """Whether no value is made of the whole word and of nothing that a function made."""
    return all(with_the_change(origin, place, "") is None for _, origin in found.values())


def test_the_example_platform_reads_back_too() -> None:
    tree = FileTree(EXAMPLE)
    found = read_tree(tree)
    made = 0
    for value, origin in found.values():
        if origin is not None:
            check_origin(tree, value, origin)
            made += any(segment.derived for segment in origin.segments)
    strings = sum(isinstance(value, str) for value, _ in found.values())
    assert strings > 1000
    assert made < strings // 20, "most strings can be followed to what is written"


def test_a_word_is_found_where_it_stands() -> None:
    files = {
        "main.tf": 'locals { image = "nginx:1.0" }\n'
        'resource "kubernetes_config_map" "x" {\n  metadata { name = "x" }\n'
        '  data = { a = "é ${local.image}\\n", b = <<-EOT\n    one\n      ${upper(local.image)}\n    EOT\n  }\n}\n'
    }
    tree, found = read(files)
    _, origin = found[("kubernetes_config_map.x", ("data", "a"))]
    assert origin is not None
    spelled = [(segment.text, written(tree, segment), segment.verbatim) for segment in origin.segments]
    assert spelled == [("é ", "é ", True), ("nginx:1.0", "nginx:1.0", True), ("\n", "\\n", False)]
    _, origin = found[("kubernetes_config_map.x", ("data", "b"))]
    assert origin is not None
    assert [segment.derived for segment in origin.segments] == ["", "", "upper()", ""]
