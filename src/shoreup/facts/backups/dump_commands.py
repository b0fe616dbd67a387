"""How the products that keep data are copied by their own tools (``data/dump_commands.json``), dated and with a source.

``{host}`` stands for the name of the database's Service; what the owner has to say is in angle brackets. The command
writes the file ``$copy``.
"""

from __future__ import annotations

from functools import cache

from msgspec import Struct

from shoreup.facts.knowledge import table


class DumpCommand(Struct, frozen=True, forbid_unknown_fields=True):
    """One way. ``password`` is the variable that the tool reads it from, empty where it needs none."""

    products: tuple[str, ...]
    command: str
    ending: str
    environment: dict[str, str]
    password: str
    restore: str
    move: tuple[str, ...]
    """The commands that carry all of a server into another one of the version ``{new}``."""
    source: str
    checked: str


def dump_command(product: str) -> DumpCommand | None:
    """How a product is dumped; ``None`` where its own tool is not known."""
    return next((one for one in _bundled() if product in one.products), None)


@cache
def _bundled() -> tuple[DumpCommand, ...]:
    return table("dump_commands", tuple[DumpCommand, ...])
