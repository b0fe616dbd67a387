"""Characters of a string lead back to the bytes that hold them."""

from __future__ import annotations

from shoreup.model.location import Span
from shoreup.model.origin import Origin, Reference, Segment

HOST = (Reference("var.host", Span("main.tf", 80, 90)),)
ORIGIN = Origin(
    Span("main.tf", 50, 120),
    Span("main.tf", 50, 120),
    (),
    (
        Segment("dump -h ", Span("main.tf", 60, 68)),
        Segment("db", Span("main.tf", 5, 7), via=HOST),
        Segment(" app", Span("main.tf", 90, 94)),
        Segment("x", Span("other.tf", 3, 4), via=HOST),
        Segment("y", None),
    ),
)


def test_text_that_stands_there_is_found_to_the_byte() -> None:
    assert ORIGIN.narrow(0, 4) == Span("main.tf", 60, 64)
    assert ORIGIN.narrow(11, 14) == Span("main.tf", 91, 94)


def test_what_a_reference_puts_in_does_not_move_the_place() -> None:
    assert ORIGIN.narrow(0, 14) == Span("main.tf", 60, 94)
    assert ORIGIN.narrow(0, 15) == Span("main.tf", 60, 94)


def test_a_reference_alone_leads_to_where_it_is_written() -> None:
    assert ORIGIN.narrow(8, 10) == Span("main.tf", 5, 7)
    assert ORIGIN.narrow(14, 15) == Span("other.tf", 3, 4)


def test_what_no_file_holds_is_the_whole_value() -> None:
    assert ORIGIN.narrow(15, 16) == ORIGIN.span
