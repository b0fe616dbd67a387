"""From a trace in a text to an origin in bytes of a file, through whatever the text itself is nested in."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from shoreup.formats.sourcemap import join, nest, place
from shoreup.formats.yaml.positions import Trace
from shoreup.model.origin import Origin, Reference, Segment


def origin_of(trace: Trace, outer: Sequence[Segment], *, encoding: str = "") -> Origin | None:
    """The origin of a traced value in the text that ``outer`` spells.

    ``encoding`` names how text is written when it is not one of YAML's styles (``json``). ``None`` where no
    file holds the text.
    """
    span = place(outer, trace.start, trace.end)
    site = place(outer, *trace.site)
    if span is None or site is None:
        return None
    steps = ((step.name, place(outer, step.start, step.end)) for step in trace.via)
    via = tuple(Reference(name, where) for name, where in steps if where is not None)
    segments = join(nest(outer, trace.runs, encoding or trace.encoding))
    if via:
        segments = tuple(replace(segment, via=segment.via + via) for segment in segments)
    return Origin(site, span, via, segments)
