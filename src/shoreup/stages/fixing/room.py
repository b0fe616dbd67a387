"""Room in files: a fix must not make a file so long that its length is a finding of its own."""

from __future__ import annotations

from shoreup.facts.estate import Estate
from shoreup.formats.edits import Replacement
from shoreup.formats.files import FileTree
from shoreup.stages.fixing.attempt import Attempt


class Room:
    """Lines that files of Terraform may still get, by the threshold; files that are too long already may grow."""

    def __init__(self, estate: Estate, tree: FileTree) -> None:
        self._most = estate.settings.thresholds.module_lines
        self._left = {one.path: self._most - one.lines for one in estate.code_files if one.lines <= self._most}
        self._read = tree.read
        self._counted: set[Replacement] = set()

    def refusal(self, attempt: Attempt) -> str:
        """Why an attempt does not fit, empty where it does; it has its lines then."""
        wanted: dict[str, int] = {}
        for one in attempt.replacements:
            if one.file in self._left and one not in self._counted:
                gone = (self._read(one.file) or b"").count(b"\n", one.start, one.end)
                wanted[one.file] = wanted.get(one.file, 0) + one.text.count(b"\n") - gone
        for file, lines in wanted.items():
            if lines > 0 and lines > self._left[file]:
                return (
                    f"{file} would grow over {self._most} lines, which is a finding of its own; split it first, "
                    "or raise thresholds.module-lines"
                )
        for file, lines in wanted.items():
            self._left[file] -= lines
        self._counted.update(attempt.replacements)
        return ""
