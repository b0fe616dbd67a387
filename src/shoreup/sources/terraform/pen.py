"""The files that one edit writes into, each read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import Reader
from shoreup.formats.hcl import Source
from shoreup.formats.hcl.alignment import Change
from shoreup.formats.hcl.rendering import NewAttribute, NewItem
from shoreup.formats.hcl.syntax import Body, Expression
from shoreup.formats.hcl.writing import Writer
from shoreup.sources.provider.writing import LATE_ARGUMENTS
from shoreup.terraform.configuration import Configurations

Behind = Callable[[str], Sequence[Sequence[str]]]


class Pen:
    """Collects the changes of one edit, file by file."""

    def __init__(self, configurations: Configurations, read: Reader) -> None:
        self._configurations = configurations
        self.read = read
        self._writers: dict[str, Writer] = {}
        self._changes: dict[str, list[Change]] = {}
        self._whole: list[Replacement] = []

    def on(self, node: Body | Expression) -> Writer:
        """The writer of the file that a node stands in. Raises :class:`CannotWrite` where that cannot be written."""
        path = node.source.path
        if path not in self._writers:
            content = self.read(path)
            file = self._configurations.file(path) if not path.endswith(".json") else None
            if path.endswith(".json"):
                raise CannotWrite(f"{path} is written in JSON, which is not edited yet")
            if content is None or file is None:
                raise CannotWrite(f"{path} cannot be read")
            if Source(path, content).text != file.source.text:
                raise CannotWrite(f"{path} has changed since it was read")
            writers = self._configurations.writers
            if path not in writers or writers[path].source is not file.source:
                writers[path] = Writer(file)
            self._writers[path] = writers[path]
            self._changes[path] = []
        written = self._writers[path].source
        if node.source is not written and node.source.text != written.text:
            raise CannotWrite(f"the code is a text in {path} that becomes a file of its own, which is not edited yet")
        return self._writers[path]

    def write(self, node: Body | Expression, changes: Iterable[Change]) -> None:
        """Note changes of the file that a node stands in."""
        self.on(node)
        self._changes[node.source.path].extend(changes)

    def insert(self, body: Body, items: Iterable[NewItem], behind: Behind = lambda kind: ()) -> None:
        """Note new arguments and blocks of a body. ``behind`` gives the kinds of blocks that a new one follows."""
        writer, new = self.on(body), list(items)
        if writer.on_one_line(body):
            self.write(body, writer.opened(body, new))
            return
        for item in new:
            if isinstance(item, NewAttribute):
                self.write(body, writer.insert_attribute(body, item.name, item.value, last=LATE_ARGUMENTS))
            else:
                self.write(body, writer.insert_block(body, item, behind=behind(item.kind)))

    def write_bytes(self, replacements: Iterable[Replacement]) -> None:
        """Note changes that are bytes already."""
        self._whole.extend(replacements)

    def noted(self) -> dict[str, int]:
        """How much was noted so far, for :meth:`back_to`."""
        return {path: len(changes) for path, changes in self._changes.items()} | {"": len(self._whole)}

    def back_to(self, noted: dict[str, int]) -> None:
        """Forget what was noted since."""
        for path, changes in self._changes.items():
            del changes[noted.get(path, 0) :]
        del self._whole[noted[""] :]

    def replacements(self) -> tuple[Replacement, ...]:
        """Everything that was noted."""
        made = list(self._whole)
        for path, writer in self._writers.items():
            made.extend(writer.replacements(self._changes[path]))
        return tuple(made)
