"""However formats are nested, a value's segments spell it and lead to the bytes that it was read from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shoreup.formats.sourcemap import Run, cover, cut, join, nest, text_of, whole
from shoreup.model.location import Span
from shoreup.model.origin import Reference, Segment

TEXT = st.text(alphabet="aé€😀\\n\"' ", max_size=30)


def quoted(value: str) -> tuple[str, tuple[Run, ...]]:
    """A toy format: ``"`` and ``\\`` are escaped by a backslash, all of it stands in quotes."""
    written, runs = ['"'], []
    position = 1
    for character in value:
        form = "\\" + character if character in '\\"' else character
        runs.append(Run(position, position + len(form), character, verbatim=form == character))
        written.append(form)
        position += len(form)
    return "".join(written) + '"', tuple(runs)


def decode(text: str, depth: int) -> str:
    for _ in range(depth):
        out, escaped = [], False
        for character in text:
            if character == "\\" and not escaped:
                escaped = True
                continue
            out.append(character)
            escaped = False
        text = "".join(out)
    return text


@given(TEXT, TEXT, st.integers(0, 4))
def test_every_segment_re_reads_from_the_file_at_any_depth(value: str, before: str, depth: int) -> None:
    levels: list[tuple[Run, ...]] = []
    written = value
    for _ in range(depth):
        written, runs = quoted(written)
        levels.insert(0, runs)
    text = before + written
    segments = cut(whole("f", text), len(before), len(text))
    for runs in levels:
        segments = nest(segments, runs, "toy")
    content = text.encode()
    assert text_of(segments) == value
    for segment in segments:
        assert segment.span is not None
        there = content[segment.span.start : segment.span.end].decode()
        assert segment.encodings == (("toy",) * depth or ("raw",))
        assert there == segment.text if segment.verbatim else decode(there, depth) == segment.text


@given(st.lists(TEXT, max_size=6), st.data())
def test_cuts_of_adjacent_ranges_are_the_value(texts: list[str], data: st.DataObject) -> None:
    segments = tuple(
        Segment(text, Span("f", 100 * n, 100 * n + len(text.encode())), unknown="" if text else "apply")
        for n, text in enumerate(texts)
    )
    value = text_of(segments)
    at = data.draw(st.integers(0, len(value)))
    left, right = cut(segments, 0, at), cut(segments, at, len(value))
    assert text_of(left) == value[:at]
    assert text_of(right) == value[at:]
    if 0 < at < len(value):
        assert join(left + right) == join(segments)
    assert cut(segments, 0, len(value)) == segments


def test_joining_keeps_apart_what_has_another_origin() -> None:
    a, b = Segment("a", Span("f", 0, 1)), Segment("b", Span("f", 1, 2))
    assert join((a, b)) == (Segment("ab", Span("f", 0, 2)),)
    via = (Reference("var.b", Span("f", 9, 14)),)
    for other in (
        Segment("b", Span("g", 1, 2)),
        Segment("b", Span("f", 2, 3)),
        Segment("b", Span("f", 1, 2), via=via),
        Segment("b", Span("f", 1, 2), encodings=("json",)),
        Segment("B", Span("f", 1, 2), derived="upper"),
        Segment("b", None),
    ):
        assert join((a, other)) == (a, other)


def test_an_unknown_part_at_the_edge_of_a_run_is_kept_once() -> None:
    unknown = Segment("", Span("f", 5, 9), unknown="known after apply")
    outer = (Segment("tag: ", Span("f", 0, 5)), unknown, Segment("\nnext: v", Span("f", 9, 17)))
    runs = (Run(5, 5, ""), Run(5, 6, "\n"))
    segments = nest(outer, runs, "yaml-plain")
    assert [segment.unknown for segment in segments] == ["known after apply", ""]
    assert text_of(segments) == "\n"


def test_an_escape_over_several_origins_cannot_be_edited() -> None:
    outer = (Segment("\\", Span("f", 0, 1)), Segment("n", Span("g", 0, 1)))
    (segment,) = nest(outer, (Run(0, 2, "\n", verbatim=False),), "yaml-double")
    assert segment.span is None
    assert segment.derived == "yaml-double"


def test_a_cut_through_an_escape_cannot_be_edited() -> None:
    escape = Segment("${", Span("f", 0, 3), verbatim=False, encodings=("hcl-quoted",))
    (part,) = cut((escape,), 0, 1)
    assert (part.text, part.span, part.derived) == ("$", Span("f", 0, 3), "substr")


def test_what_a_function_made_stays_derived_inside_another_format() -> None:
    outer = (Segment("name: WEB", Span("f", 3, 8), derived="upper"),)
    (segment,) = nest(outer, (Run(6, 9, "WEB"),), "yaml-plain")
    assert (segment.text, segment.derived, segment.encodings) == ("WEB", "upper", ("yaml-plain",))


def test_the_cover_of_segments_in_two_files_is_nothing() -> None:
    a, b = Segment("a", Span("f", 0, 1)), Segment("b", Span("f", 7, 8))
    assert cover((a, b)) == Span("f", 0, 8)
    assert cover((a, Segment("b", Span("g", 7, 8)))) is None
    assert cover((Segment("a", None),)) is None
