"""``shoreup concerns`` and ``shoreup explain``: the catalogue at the terminal."""

from __future__ import annotations

import pytest

from shoreup.cli.main import run
from shoreup.concerns.registry import all_concerns


def test_every_concern_is_listed_with_its_severity_class_and_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["concerns"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(all_concerns()) > 0
    for line, concern in zip(lines, all_concerns(), strict=True):
        assert line.split()[:3] == [concern.id, concern.severity.value, concern.consequence_class.value]
        assert line.endswith(concern.title)


@pytest.mark.parametrize("concern", all_concerns(), ids=lambda concern: concern.id)
def test_every_concern_is_explained(concern: type, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", concern.id]) == 0  # type: ignore[attr-defined]  # every concern has an id
    page = capsys.readouterr().out
    assert concern.id in page  # type: ignore[attr-defined]  # every concern has an id
    assert "\x1b" not in page


def test_an_unknown_concern_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "image_tag_latst"]) == 2
    said = capsys.readouterr().err
    assert said == "shoreup: There is no concern 'image_tag_latst'. The nearest is image-tag-latest.\n"
