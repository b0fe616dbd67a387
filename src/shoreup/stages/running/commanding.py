"""Commands that run without a person: from the words of a command line to an operation and what it is given."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from shoreup.model.errors import UserError
from shoreup.operations.steps import Plain
from shoreup.stages.settings import GivenSettings


class Commanded(Struct, frozen=True):
    """An operation, what it is about, and what is given to it. ``words`` is the command line, without 'shoreup'."""

    words: tuple[str, ...]
    operation: str
    subject: str
    given: Mapping[str, Plain]


def commanded(given: GivenSettings, root: Path, line: str) -> Commanded:
    """What a command line means in the estate at ``root``. Raises :class:`UserError` for what cannot be scheduled."""
    try:
        words = tuple(shlex.split(line))
    except ValueError as problem:
        raise UserError(f"{line!r} is no command line: {problem}.") from None
    for beginning, meaning in _MEANINGS.items():
        if words[: len(beginning)] == beginning:
            return meaning(given, root, words)
    known = ", ".join(f"'{' '.join(one)} ...'" for one in _MEANINGS)
    raise UserError(f"{line!r} cannot be scheduled. These can: {known}.")


def _backup(given: GivenSettings, root: Path, words: Sequence[str]) -> Commanded:
    from shoreup.operations.backup.plan import GIVEN
    from shoreup.stages.backups import plan_of

    if len(words) != 3:
        raise UserError(f"'{' '.join(words)}' must be '{' '.join(words[:2])} NAME', and nothing more.")
    name = words[2]
    plan = plan_of(given, name, root)
    return Commanded(tuple(words), " ".join(words[:2]), f"backup {name}", {GIVEN: plan.spec.plain()})


def _drill(given: GivenSettings, _: Path, words: Sequence[str]) -> Commanded:
    from shoreup.stages.drill import names

    rest = list(words[1:])
    name = rest.pop(0) if rest and rest[0] in names() else ""
    due = "--due" in rest
    rest = [word for word in rest if word != "--due"]
    subject = ""
    if rest[:1] == ["--subject"] and len(rest) > 1:
        subject, rest = rest[1], rest[2:]
    if rest:
        raise UserError(f"'{' '.join(words)}' must be 'drill [NAME] [--due] [--subject NAMESPACE/NAME]'.")
    about = " ".join(filter(None, ("drill", name, subject)))
    # Settings that are not the estate's own are found again where they lie.
    config = str((given.folder / given.name).resolve()) if Path(given.name).is_absolute() else ""
    return Commanded(tuple(words), "drill", about, {"name": name, "subject": subject, "due": due, "config": config})


_MEANINGS: Mapping[tuple[str, ...], Callable[[GivenSettings, Path, Sequence[str]], Commanded]] = {
    ("backup", "run"): _backup,
    ("backup", "prune"): _backup,
    ("drill",): _drill,
}
