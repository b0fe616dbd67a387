"""Edits that cannot be made where they belong, as text: a person makes them elsewhere, or gives a module a variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml

from shoreup.model.amendment import Change
from shoreup.model.edit import Append, Edit, Put, Remove
from shoreup.model.value import Value, unknowns
from shoreup.stages.fixing.eyes import for_eyes


def worded(edits: Sequence[Edit]) -> str:
    """What the object should say, in Kubernetes' names; empty where an edit is no change of fields.

    What could be a secret is hidden.
    """
    pieces: list[str] = []
    for edit in edits:
        if not isinstance(edit, Put | Append | Remove) or not edit.route:
            return ""
        path = ".".join(map(str, edit.route))
        if isinstance(edit, Remove):
            pieces.append(f"# without {path}")
            continue
        if next(unknowns(edit.value), None) is not None:
            return ""
        said: Value = [edit.value] if isinstance(edit, Append) else edit.value
        pieces.append(f"# {path}\n{_block(edit.route[-1], said)}")
    text = "\n".join(pieces)
    return for_eyes(Change("fields.yaml", None, text.encode())).after.decode()


def _block(key: str | int, value: Value) -> str:
    held: Mapping[str, Value] | list[Value] = {key: value} if isinstance(key, str) else [value]
    return yaml.safe_dump(held, sort_keys=False, allow_unicode=True, width=100).rstrip("\n")
