"""Comments of a key that moves to another object: they go with it, above it or behind it as they stood."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from shoreup.formats.edits import Replacement
from shoreup.formats.files import Reader
from shoreup.model.edit import Edit, Remove
from shoreup.stages.fixing.remarks import remarks_of

Made = tuple[Edit, tuple[Replacement, ...]]


class _Said(Struct, frozen=True):
    """A comment, with its sign; ``behind`` is what stands between the value and it, empty for one above."""

    text: str
    behind: str = ""


def carried(made: Sequence[Made], read: Reader) -> list[Replacement]:
    """The bytes of a fix's edits; comments of what is taken away stand beside what is written anew under its name."""
    texts = [one for _, ones in made for one in ones]
    for edit, ones in made:
        if not isinstance(edit, Remove) or not edit.route or not isinstance(edit.route[-1], str):
            continue
        said = [each for one in ones if not one.text for each in _said(one, read)]
        for index, one in enumerate(texts) if said else ():
            if one in ones or one.start != one.end:
                continue
            written = _beside(one.text.decode(), edit.route[-1], said)
            if written is not None:
                texts[index] = Replacement(one.file, one.start, one.end, written.encode())
                break
    return texts


def _said(gone: Replacement, read: Reader) -> list[_Said]:
    content = read(gone.file) or b""
    if not re.search(rb"#|//|/\*", content[gone.start : gone.end]):
        return []
    found: list[_Said] = []
    for start, end in remarks_of(gone.file, content):
        if gone.start <= start and end <= gone.end:
            line = content[content.rfind(b"\n", 0, start) + 1 : start].decode()
            gap = line[len(line.rstrip()) :] if line.strip() else ""
            found.append(_Said(content[start:end].decode(), gap))
    return found


def _beside(text: str, key: str, said: Sequence[_Said]) -> str | None:
    """The text with the comments at the line that gives the key; ``None`` where no line does."""
    word = re.escape(key)
    found = re.search(rf"^(?P<indent>[ \t]*)(?:\"{word}\"|'{word}'|{word})[ \t]*[:=][^\r\n]*", text, re.MULTILINE)
    if found is None:
        return None
    newline = "\r\n" if "\r\n" in text else "\n"
    indent, line = found["indent"], found[0]
    whole = not re.search(r"[|>][-+0-9]*$|<<-?\w+$|[{\[(]$", line.rstrip())
    behind = [one for one in said if one.behind and whole][:1]
    above = [one for one in said if one not in behind]
    lines = [*(f"{indent}{one.text}" for one in above), line + "".join(one.behind + one.text for one in behind)]
    return text[: found.start()] + newline.join(lines) + text[found.end() :]
