"""How old the lines are that some findings stand on, asked of git for those findings alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from shoreup.model.finding import Draft
from shoreup.sources.git import line_ages
from shoreup.stages.auditing.places import Places

MOST_FILES = 50
"""Files that git is asked about; each takes it a moment."""


def with_ages(drafts: Sequence[Draft], places: Places, root: Path) -> Iterator[Draft]:
    """The same drafts; those that ask for it say since when their line stands as it does, where git knows."""
    where: dict[int, tuple[str, int]] = {}
    for index, draft in enumerate(drafts):
        location = places.location(draft.at) if draft.aged else None
        if location is not None:
            where[index] = (location.file, location.line)
    lines: dict[str, list[int]] = defaultdict(list)
    for file, line in where.values():
        lines[file].append(line)
    ages = {file: line_ages(root, file, lines[file]) for file in list(lines)[:MOST_FILES]}
    for index, draft in enumerate(drafts):
        file, line = where.get(index, ("", 0))
        written: date | None = ages.get(file, {}).get(line)
        if written is None:
            yield draft
        else:
            yield replace(draft, related=(*draft.related, (draft.at, f"the line is from {written.isoformat()}")))
