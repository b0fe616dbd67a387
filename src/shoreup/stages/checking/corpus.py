"""The texts of an estate, cut and squeezed once, however many claims are held against them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property

from shoreup.formats.files import FileTree
from shoreup.model.claim import Spot
from shoreup.stages.checking.evidence import Lines, holds, squeezed

_KIND = re.compile(
    r"^(?:kind:|\s*[\"']?kind[\"']?[ \t]*=|\s*[\"']kind[\"'][ \t]*:)[ \t]*[\"']?(?P<kind>\w+)[\"']?"
    r",?[ \t]*(?:#.*)?\r?$",
    re.MULTILINE,
)
_DECLARING = (".yaml", ".yml", ".tf", ".json")
_PROGRAMS = (
    ".tofu",
    ".hcl",
    ".tfvars",
    ".tftpl",
    ".tpl",
    ".sh",
    ".json5",
    ".toml",
    ".conf",
    ".cfg",
    ".env",
    "Dockerfile",
)
_PROSE = (".md", ".txt", ".rst", ".adoc")


class Corpus:
    """Files by their paths, as :class:`FileTree` has them."""

    def __init__(self, tree: FileTree) -> None:
        self._tree = tree
        self.files = tree.files
        self._texts: dict[str, str | None] = {}
        self._lines: dict[str, Lines | None] = {}
        self._squeezed: dict[str, str] = {}
        self._kinds: dict[str, dict[str, int]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._tree

    @property
    def skipped(self) -> Mapping[str, str]:
        """Files that are no text that can be read, with the reason."""
        return self._tree.skipped

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file, at any depth."""
        found: set[str] = set()
        for path in self.files:
            folder = path.rpartition("/")[0]
            while folder and folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
        return frozenset(found)

    def text(self, path: str) -> str | None:
        """A file as text; ``None`` where it is none."""
        if path not in self._texts:
            self._texts[path] = self._tree.text(path)
        return self._texts[path]

    def cut(self, path: str) -> Sequence[str]:
        """A file's lines as they stand; none where it is no text."""
        lines = self.lines(path)
        return lines.text if lines is not None else ()

    def lines(self, path: str) -> Lines | None:
        """A file's lines; ``None`` where it is no text."""
        if path not in self._lines:
            text = self.text(path)
            self._lines[path] = None if text is None else Lines(text, path)
        return self._lines[path]

    def has(self, path: str, code: str) -> bool:
        """Whether a file has a piece of code anywhere, however it is spaced and quoted."""
        if path not in self._squeezed:
            self._squeezed[path] = squeezed(self.text(path) or "")
        return squeezed(code) in self._squeezed[path]

    def standing(self, path: str, code: str) -> Sequence[int]:
        """The lines of a file in which a piece of code stands."""
        lines = self.lines(path)
        if lines is None or not self.has(path, code):
            return ()
        return [number for number, line in enumerate(lines.text, start=1) if holds(line, code)]

    def declares(self, path: str, kinds: Collection[str]) -> int:
        """The line in which a file declares an object of one of the kinds; 0 where it declares none."""
        declared = self._declared(path)
        at = next((declared[kind] for kind in kinds if kind in declared), -1)
        return (self.text(path) or "").count("\n", 0, at) + 1 if at >= 0 else 0

    def manifest(self, path: str) -> bool:
        """Whether a file of YAML declares objects."""
        return path.endswith((".yaml", ".yml")) and bool(self._declared(path))

    def _declared(self, path: str) -> Mapping[str, int]:
        """Where a file says each kind of what it declares, by the kind; of several the last."""
        if path not in self._kinds:
            found = _KIND.finditer(self.text(path) or "") if path.endswith(_DECLARING) else ()
            self._kinds[path] = {one["kind"]: one.start("kind") for one in found}
        return self._kinds[path]

    def folder(self, written: str) -> str:
        """The folder that is meant: by its path, or by the end of it where one folder alone ends so; else empty."""
        bare = written.strip("/").removeprefix("./")
        if bare in self.folders:
            return bare
        ends = [one for one in self.folders if bare and one.endswith(f"/{bare}")]
        return ends[0] if len(ends) == 1 else ""

    def anywhere(self, pattern: re.Pattern[str], endings: tuple[str, ...] = ()) -> Spot | None:
        """The first place in code, not in prose, that fits."""
        for path in self.files:
            if path.endswith(endings or _DECLARING + _PROGRAMS) and not path.endswith(_PROSE):
                match = pattern.search(self.text(path) or "")
                if match is not None:
                    return Spot(path, (self.text(path) or "").count("\n", 0, match.start()) + 1)
        return None

    def times(self, pattern: re.Pattern[str]) -> int:
        """In how many places of code, not of prose, something stands."""
        files = (one for one in self.files if one.endswith(_DECLARING + _PROGRAMS))
        return sum(len(pattern.findall(self.text(one) or "")) for one in files)

    def longer(self, path: str, ending: str) -> Iterator[str]:
        """The files of an ending that have more lines than one."""
        mine = (self.text(path) or "").count("\n")
        return (one for one in self.files if one.endswith(ending) and (self.text(one) or "").count("\n") > mine)
