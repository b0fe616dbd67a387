"""What readers know beside resources, as facts. Terraform is read first, so its resources keep their numbers as keys."""

from __future__ import annotations

from dataclasses import replace

from shoreup.facts.build import Extras
from shoreup.facts.estate import CodeFile, Comment, IgnoredChange
from shoreup.model.finding import Place
from shoreup.sources.terraform.code import comments, shapes
from shoreup.stages.reading import Reading


def extras(reading: Reading, given: Extras) -> Extras:
    """Add the code files, comments and ignored changes of the estate's Terraform."""
    configurations = reading.terraform.configurations
    if configurations is None:
        return given
    tops = _top_blocks(reading)
    return replace(
        given,
        code_files=tuple(CodeFile(shape.path, shape.lines, shape.subjects) for shape in shapes(configurations)),
        comments=tuple(
            Comment(comment.span, comment.text, tops.get((comment.span.file, comment.top), -1))
            for comment in comments(configurations)
        ),
        ignored_changes=tuple(
            IgnoredChange(
                reading.found[index].resource,
                entry.route,
                Place(resource=index, route=entry.route, span=entry.span),
                entry.everything,
            )
            for index, entry in reading.terraform.ignored
        ),
    )


def _top_blocks(reading: Reading) -> dict[tuple[str, int], int]:
    """The key of the first resource that each top-level block makes, by file and first byte."""
    result: dict[tuple[str, int], int] = {}
    for key, found in enumerate(reading.terraform.found):
        origin = found.tracer.trace(())
        if origin is not None:
            result.setdefault((origin.span.file, origin.span.start), key)
    return result
