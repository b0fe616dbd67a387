"""Changes as people see them: what could be a secret is hidden in the lines that a diff shows."""

from __future__ import annotations

from difflib import SequenceMatcher

from shoreup.model.amendment import Change
from shoreup.stages.auditing.masking import masked

AROUND = 3
"""Lines around a change that a diff shows."""


def for_eyes(change: Change) -> Change:
    """The change with what could be a secret hidden, in the lines that a diff shows."""
    before, after = _text(change.before or b""), _text(change.after)
    lines, new_lines = before.split("\n"), after.split("\n")
    groups = SequenceMatcher(None, lines, new_lines, autojunk=False).get_grouped_opcodes(AROUND)
    windows = [(group[0][1], group[-1][2], group[0][3], group[-1][4]) for group in groups]
    old = _hidden(before, lines, [range(start + 1, end + 1) for start, end, _, _ in windows])
    new = _hidden(after, new_lines, [range(start + 1, end + 1) for _, _, start, end in windows])
    return Change(change.path, None if change.before is None else old, new)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _hidden(text: str, lines: list[str], windows: list[range]) -> bytes:
    said = masked(text, windows, secret=False)
    return "\n".join(said.get(number, line) for number, line in enumerate(lines, 1)).encode("utf-8", "surrogateescape")
