"""What readers know beside resources, as facts."""

from __future__ import annotations

from dataclasses import replace

from shoreup.facts.build import Extras
from shoreup.facts.estate import CodeFile, Comment, IgnoredChange
from shoreup.model.finding import Place
from shoreup.model.location import Span
from shoreup.sources.terraform.code import comments, shapes
from shoreup.stages.reading import Reading


def extras(reading: Reading, given: Extras) -> Extras:
    """Add the code files, comments and ignored changes of the estate's Terraform."""
    configurations = reading.terraform.configurations
    if configurations is None:
        return given
    keys = {id(found.tracer): found.resource.key for found in reading.found}
    by_tracer = {id(found.tracer): found.resource for found in reading.found}
    blocks = _blocks(reading)
    return replace(
        given,
        code_files=tuple(CodeFile(shape.path, shape.lines, shape.subjects) for shape in shapes(configurations)),
        comments=tuple(
            Comment(comment.span, comment.text, _resource(comment.block, blocks)) for comment in comments(configurations)
        ),
        ignored_changes=tuple(
            IgnoredChange(
                by_tracer[id(found.tracer)],
                entry.route,
                Place(resource=keys[id(found.tracer)], route=entry.route, span=entry.span),
                entry.everything,
            )
            for found, entry in reading.terraform.ignored
        ),
    )


def _blocks(reading: Reading) -> dict[tuple[str, int], tuple[int, int]]:
    """The resource blocks of the estate: (file, start) to (end, key)."""
    result: dict[tuple[str, int], tuple[int, int]] = {}
    for found in reading.found:
        if found.resource.source == "terraform":
            origin = found.tracer.trace(())
            if origin is not None:
                result.setdefault((origin.span.file, origin.span.start), (origin.span.end, found.resource.key))
    return result


def _resource(block: Span | None, blocks: dict[tuple[str, int], tuple[int, int]]) -> int:
    if block is None:
        return -1
    exact = blocks.get((block.file, block.start))
    if exact is not None:
        return exact[1]
    for (file, start), (end, key) in blocks.items():
        if file == block.file and start <= block.start and block.end <= end:
            return key
    return -1
