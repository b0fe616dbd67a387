"""The pages of the documentation: what is made is what the program says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """``tools/pages.py``, as a module."""
    spec = importlib.util.spec_from_file_location("pages", TOP / "tools" / "pages.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_committed_pages_are_what_concerns_cases_and_commands_say(tool: ModuleType) -> None:
    made: dict[Path, str] = tool.pages()
    other = [file.name for file, text in made.items() if not file.is_file() or file.read_text(encoding="utf-8") != text]
    assert other == [], "run make docs"
    assert tool.stale(made) == [], "run make docs"
