"""What keeps the catalogue whole without a list: id, module, class, page and cases say the same."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import shoreup.concerns
from shoreup.concerns.base import Concern
from shoreup.concerns.registry import NOT_CONCERNS, all_concerns, page

CASES = Path(__file__).parents[1] / "concerns"
PACKAGE = Path(shoreup.concerns.__path__[0]).parent
MODULES = sorted(
    module.name
    for module in pkgutil.iter_modules(shoreup.concerns.__path__)
    if module.name not in NOT_CONCERNS and not module.ispkg
)


def by_id(concerns: Iterable[type[Concern]]) -> list[object]:
    """Parameters with readable names."""
    return [pytest.param(concern, id=concern.id) for concern in concerns]


each_concern = pytest.mark.parametrize("concern", by_id(all_concerns()))


def test_every_module_is_one_concern_named_like_it() -> None:
    assert MODULES, "the catalogue is empty"
    assert [concern.id.replace("-", "_") for concern in all_concerns()] == MODULES
    assert [concern.__module__.rsplit(".", 1)[1] for concern in all_concerns()] == MODULES


def test_every_concern_has_cases_and_every_case_file_a_concern() -> None:
    assert sorted(path.stem for path in CASES.glob("*.yaml")) == sorted(concern.id for concern in all_concerns())


@each_concern
def test_an_id_is_words_in_kebab_case(concern: type[Concern]) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", concern.id)


@each_concern
def test_the_class_is_named_like_the_id(concern: type[Concern]) -> None:
    assert concern.__name__.lower() == concern.id.replace("-", "")


@each_concern
def test_the_title_is_one_line_without_a_full_stop(concern: type[Concern]) -> None:
    assert concern.title
    assert "\n" not in concern.title
    assert not concern.title.endswith(".")
    assert len(concern.title) <= 100


@each_concern
def test_the_page_says_what_why_how_and_how_safely(concern: type[Concern]) -> None:
    text = page(concern).text
    for heading in ("What", "Why", "Example", "Fix safety"):
        assert re.search(rf"^(#+ |\*\*)?{heading}\b", text, re.MULTILINE), f"{concern.id} has no part {heading!r}"


@each_concern
def test_what_it_takes_for_true_has_a_source(concern: type[Concern]) -> None:
    assert concern.sources, f"{concern.id} says nowhere where that can be read"
    for source in concern.sources:
        assert source.at.startswith("https://") or PACKAGE.joinpath(source.at).is_file(), source
