"""What is taken away leaves no empty line, no lone comma and no trailing spaces behind."""

from __future__ import annotations

import pytest

from shoreup.formats.edits import Replacement, replaced
from shoreup.formats.erasing import erased
from shoreup.model.location import Span


def without(text: str, part: str) -> str:
    content = text.encode()
    start = content.index(part.encode())
    return replaced(content, [erased(Span("f", start, start + len(part.encode())), content)]).decode()


@pytest.mark.parametrize(
    ("text", "part", "left"),
    [
        ("a = 1\n  # old words\nb = 2\n", "# old words", "a = 1\nb = 2\n"),
        ("a = 1 # old words\nb = 2\n", "# old words", "a = 1\nb = 2\n"),
        ("a = 1\r\n  # old words\r\nb = 2\r\n", "# old words", "a = 1\r\nb = 2\r\n"),
        ("# old words", "# old words", ""),
        ("x = [a, b, c]\n", "b", "x = [a, c]\n"),
        ("x = [a, b, c]\n", "a", "x = [b, c]\n"),
        ("x = [a, b, c]\n", "c", "x = [a, b]\n"),
        ("x = [\n  a,\n  b,\n]\n", "b", "x = [\n  a,\n]\n"),
        ("x = [\n  a,\n  b\n]\n", "a", "x = [\n  b\n]\n"),
    ],
)
def test_what_goes_with_it(text: str, part: str, left: str) -> None:
    assert without(text, part) == left


def test_the_last_entry_on_a_line_of_its_own_takes_the_comma_before_it() -> None:
    assert without("x = [\n  a,\n  bb\n]\n", "bb") == "x = [\n  a,\n]\n"


def test_two_at_one_place_keep_their_order_and_equal_ones_count_once() -> None:
    one, two = Replacement("f", 1, 1, b"x"), Replacement("f", 1, 1, b"y")
    assert replaced(b"ab", [two, one, two]) == b"ayxb"
    assert not one.collides(two)


def test_what_overlaps_collides() -> None:
    one = Replacement("f", 1, 4, b"x")
    assert one.collides(Replacement("f", 3, 5, b""))
    assert one.collides(Replacement("f", 2, 2, b"in"))
    assert not one.collides(Replacement("f", 4, 5, b""))
    assert not one.collides(Replacement("g", 3, 5, b""))
    with pytest.raises(ValueError, match="collide"):
        replaced(b"abcdef", [one, Replacement("f", 3, 5, b"")])
