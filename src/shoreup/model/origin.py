"""Where a value comes from, exactly enough to replace it.

A string is a sequence of segments. A segment is text that stands in a file, or text that a function made
of something that stands in a file. Escapes, removed heredoc indentation and folded lines are segments of
their own, so that every character of the value maps to bytes and back, through modules, locals,
variables, functions and templates, and through one format nested in another.
"""

from __future__ import annotations

from msgspec import Struct

from shoreup.model.location import Span


class Reference(Struct, frozen=True):
    """One step from where a value is used to where it is written, such as ``var.image``."""

    name: str
    span: Span


class Segment(Struct, frozen=True):
    """A run of a string's characters.

    ``span`` holds the bytes that give ``text``, or ``None`` when no file does. ``verbatim`` says that these bytes,
    decoded as UTF-8, are the text; otherwise they are an escape or a fold in the innermost of ``encodings``.
    ``encodings`` names how text is written there, outermost first, for whoever wants to write other text in its place:
    ``hcl-quoted``, ``hcl-heredoc``, ``hcl-template`` (a template file), ``yaml-plain``, ``yaml-single``,
    ``yaml-double``, ``yaml-literal``, ``yaml-folded``, ``json``, ``raw``, ``hcl-literal`` (a number or word of HCL);
    ``encoded`` after others says that a function such as ``jsonencode`` encodes the text on its way, so that text
    written there needs no escapes of that. ``derived`` names the function whose result this is when the bytes are only
    its arguments; such a segment cannot be edited. ``unknown`` says why the text is not known; the text is then empty.
    ``via`` lists the references followed from the field to the bytes.
    """

    text: str
    span: Span | None
    verbatim: bool = True
    encodings: tuple[str, ...] = ("raw",)
    derived: str = ""
    unknown: str = ""
    via: tuple[Reference, ...] = ()


class Origin(Struct, frozen=True):
    """The origin of one field.

    ``site`` is the field or block in the resource itself; ``span`` is the expression, literal or block
    that gives the value, after following references (``via``). ``segments`` is given for strings, and for numbers and
    booleans that are written as they print.
    """

    site: Span
    span: Span
    via: tuple[Reference, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def text(self) -> str:
        """The string as its segments spell it; unknown parts are empty."""
        return "".join(segment.text for segment in self.segments)

    def narrow(self, start: int, end: int) -> Span:
        """The span that covers the characters ``start`` to ``end`` (exclusive) of the string where it is written.

        Characters that a reference puts in stand elsewhere; they count only where there are no others. Falls
        back to the whole value where the characters come from no file.
        """
        position = 0
        covered: list[tuple[int, Span]] = []
        for segment in self.segments:
            stop = position + len(segment.text)
            if stop > start and position < max(end, start + 1) and segment.span is not None:
                covered.append((len(segment.via), _part(segment, start - position, end - position)))
            position = stop
        if not covered:
            return self.span
        nearest = min(steps for steps, _ in covered)
        spans = [span for steps, span in covered if steps == nearest]
        here = [span for span in spans if span.file == spans[0].file]
        return Span(here[0].file, min(s.start for s in here), max(s.end for s in here))


def _part(segment: Segment, start: int, end: int) -> Span:
    span = segment.span
    assert span is not None
    if not segment.verbatim or segment.derived:
        return span
    first = len(segment.text[: max(start, 0)].encode())
    last = len(segment.text[: max(end, 0)].encode())
    return Span(span.file, span.start + first, min(span.start + last, span.end))
