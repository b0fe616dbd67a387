"""What readers know beside resources, as facts.

Terraform is read first, so that the index of a resource in its reading is the resource's key.
"""

from __future__ import annotations

from dataclasses import replace

from shoreup.facts.build import Extras
from shoreup.facts.estate import CodeFile, Comment, IgnoredChange
from shoreup.model.finding import Place
from shoreup.stages.reading import Reading


def extras(reading: Reading, given: Extras) -> Extras:
    """Add the releases' merged values, and the code files, comments and ignored changes of the estate's Terraform."""
    terraform = reading.terraform
    return replace(
        given,
        releases=tuple(reading.releases),
        code_files=tuple(CodeFile(shape.path, shape.lines, shape.subjects) for shape in terraform.shapes),
        comments=tuple(Comment(comment.span, comment.text, key) for key, comment in terraform.comments),
        ignored_changes=tuple(
            IgnoredChange(
                reading.found[key].resource,
                entry.route,
                Place(resource=key, route=entry.route, span=entry.span),
                entry.everything,
            )
            for key, entry in terraform.ignored
        ),
    )
