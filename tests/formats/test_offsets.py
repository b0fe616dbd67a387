"""Places in texts are the same numbers for every text."""

from __future__ import annotations

import pytest

from shoreup.formats.hcl import Source, parse_file
from shoreup.formats.offsets import offsets


@pytest.mark.parametrize("length", [0, 1, 1000, 65_535, 65_536, 200_000])
def test_every_place_of_a_text_is_itself(length: int) -> None:
    places = offsets(length)
    assert [places[0], places[length // 2], places[length]] == [0, length // 2, length]


def test_two_texts_share_their_numbers() -> None:
    assert offsets(2000)[1234] is offsets(3000)[1234]


def test_a_file_longer_than_the_shared_numbers_is_read_like_any_other() -> None:
    text = "#" * 70_000 + '\na = "b"\n'
    attribute = parse_file(Source("long.tf", text.encode())).body.attributes["a"]
    assert text[attribute.start : attribute.end] == 'a = "b"'
