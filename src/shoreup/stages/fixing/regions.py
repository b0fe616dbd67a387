"""Which bytes of the edited files came from whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from shoreup.formats.edits import Replacement, replaced
from shoreup.formats.files import FileTree
from shoreup.model.location import Span
from shoreup.stages.fixing.attempt import Attempt


class _Region(Struct, frozen=True):
    start: int
    end: int
    attempts: tuple[Attempt, ...]


class Regions:
    """The attempts' bytes where they stand in the new contents."""

    def __init__(self, attempts: Sequence[Attempt]) -> None:
        self._by_file: dict[str, list[_Region]] = {}
        for file, ones in by_file(attempts).items():
            shift = 0
            regions: list[_Region] = []
            for one in sorted(ones, key=lambda one: (one.start, one.end)):
                start = one.start + shift
                regions.append(_Region(start, start + len(one.text), tuple(ones[one])))
                shift += len(one.text) - (one.end - one.start)
            self._by_file[file] = regions

    def attempts(self, spans: Iterable[Span]) -> list[Attempt]:
        """Whose bytes the spans touch: those that lie inside of a span or around it."""
        found: dict[Attempt, None] = {}
        for span in spans:
            for region in self._by_file.get(span.file, ()):
                if region.start < span.end and span.start < max(region.end, region.start + 1):
                    found.update(dict.fromkeys(region.attempts))
        return list(found)


def by_file(attempts: Sequence[Attempt]) -> dict[str, dict[Replacement, list[Attempt]]]:
    """Each file's replacements, equal ones once, with the attempts that want them, in the order of the file.

    Of lines that several put in at one place the deepest come first: they belong to what stands above them.
    """
    files: dict[str, dict[Replacement, list[Attempt]]] = defaultdict(dict)
    for attempt in attempts:
        for one in attempt.replacements:
            files[one.file].setdefault(one, []).append(attempt)
    return {file: dict(sorted(ones.items(), key=lambda pair: _place(pair[0]))) for file, ones in files.items()}


def _place(one: Replacement) -> tuple[int, int, int]:
    if one.start < one.end or not one.file.endswith((".yaml", ".yml")):
        return one.start, one.end, 0
    line = one.text.lstrip(b"\r\n").split(b"\n", 1)[0]
    return one.start, one.end, len(line.lstrip(b" ")) - len(line)


def contents(tree: FileTree, attempts: Sequence[Attempt]) -> Mapping[str, bytes]:
    """The whole new content of every file that the attempts change."""
    return {file: replaced(tree.read(file) or b"", ones) for file, ones in by_file(attempts).items()}
