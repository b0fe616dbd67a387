"""Estates that are read, changed through their resources' editors, and read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from shoreup.formats.edits import Replacement, replaced
from shoreup.formats.files import FileTree
from shoreup.model.value import Value, at
from shoreup.sources.editing import Editor
from shoreup.sources.reading import Found
from shoreup.stages.auditing.reading import Reading, read
from yaml_estates import write


def reading_of(tree: FileTree) -> Reading:
    return read(tree, None, lambda *_: None, alone=True)


class Estate:
    """Files that are read, changed and read again."""

    def __init__(self, root: Path, files: Mapping[str, str]) -> None:
        self.root = root
        self.tree = write(root, files)
        self.reading = reading_of(self.tree)
        assert not self.tree.errors

    def editor(self, kind: str, name: str, root: str | None = None) -> tuple[Found, Editor]:
        found = next(
            one
            for one in self.reading.found
            if one.resource.kind == kind and one.resource.name == name and root in (None, one.resource.root)
        )
        assert isinstance(found.tracer, Editor)
        return found, found.tracer

    def change(self, make: Callable[[FileTree], Sequence[Replacement]]) -> list[str]:
        """Make a change; gives the files that it touched."""
        files: dict[str, list[Replacement]] = {}
        for one in make(self.tree):
            files.setdefault(one.file, []).append(one)
        for path, ones in files.items():
            target = self.root / path
            target.write_bytes(replaced(target.read_bytes() if target.exists() else b"", ones))
        self.tree = FileTree(self.root)
        self.reading = reading_of(self.tree)
        assert not self.tree.errors
        return sorted(files)

    def text(self, path: str) -> str:
        return (self.root / path).read_text()

    def value(self, kind: str, name: str, *route: str | int, root: str | None = None) -> Value:
        return at(dict(self.editor(kind, name, root)[0].resource.body), *route)
