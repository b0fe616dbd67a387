"""The page on the architecture names every folder of the program, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import shoreup

TOP = Path(__file__).parents[2]
PACKAGE = Path(shoreup.__path__[0])
PAGE = (TOP / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([a-z_]+(?:/[a-z_]+)*/|(?:[a-z_]+/)*[a-z_]+\.py)`")


def test_every_layer_is_in_the_picture() -> None:
    picture = PAGE.partition("```text")[2].partition("```")[0]
    layers = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert {layer for layer in layers if f"{layer}/" not in picture} == set()


def test_every_folder_of_facts_is_in_the_table_of_places() -> None:
    folders = {f"facts/{path.parent.name}/" for path in (PACKAGE / "facts").glob("*/__init__.py")}
    assert folders - set(NAMED.findall(PAGE)) == set()


def test_every_place_that_the_page_names_is_there() -> None:
    named = NAMED.findall(PAGE)
    assert len(named) > 40
    lost = [name for name in named if not any((top / name).exists() for top in (PACKAGE, TOP))]
    assert lost == []
