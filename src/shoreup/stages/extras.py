"""What readers know beside resources, as facts.

Terraform is read first, so that the index of a resource in its reading is the resource's key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from shoreup.facts.build import Extras
from shoreup.facts.estate import CodeFile, Comment, IgnoredChange, StateBackend
from shoreup.model.finding import Place
from shoreup.sources.git import last_change, origin_url, owner_of
from shoreup.sources.repository import Role, part_of_more
from shoreup.stages.reading import Reading

MOST_DATED = 8
"""Documents about recovery whose age is asked for; git takes a while for each."""


def extras(reading: Reading, given: Extras) -> Extras:
    """Add the releases' merged values, and the code files, comments and ignored changes of the estate's Terraform."""
    terraform = reading.terraform
    return replace(
        given,
        releases=tuple(reading.releases),
        repository=reading.repository,
        part_of_more=part_of_more(reading.tree),
        origin=owner_of(origin_url(reading.tree.root) or ""),
        last_changes=_last_changes(reading),
        code_files=tuple(CodeFile(shape.path, shape.lines, shape.subjects) for shape in terraform.shapes),
        comments=tuple(Comment(comment.span, comment.text, key) for key, comment in terraform.comments),
        backends=tuple(
            StateBackend(one.root, one.kind, Place(span=one.span), one.encrypted) for one in terraform.backends
        ),
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


def _last_changes(reading: Reading) -> Mapping[str, date]:
    plans = [file.path for file in reading.repository if file.role is Role.RECOVERY_PLAN][:MOST_DATED]
    days = {path: last_change(reading.tree.root, path) for path in (*plans, ".")} if plans else {}
    return {path: day for path, day in days.items() if day is not None}
