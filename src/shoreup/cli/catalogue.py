"""Concern ids as people type them: several in one word, by pattern, sometimes misspelt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from shoreup.model.errors import UserError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from shoreup.concerns.base import Concern
    from shoreup.stages.own_concerns import OwnCode


def every(own: OwnCode | None = None) -> tuple[type[Concern], ...]:
    """Every concern: Shoreup's, then the user's own. Imports the catalogue, and runs the user's own code."""
    from shoreup.concerns.registry import all_concerns

    return (*all_concerns(), *(own.load() if own else ()))


def known_ids(own: OwnCode | None = None) -> tuple[str, ...]:
    """Every concern's id."""
    return tuple(concern.id for concern in every(own))


def expand(words: Iterable[str], own: OwnCode | None = None) -> tuple[str, ...]:
    """Ids from what follows ``--select`` or ``--ignore``: commas separate, ``*`` stands for anything.

    Raises :class:`UserError` that names the nearest id.
    """
    from shoreup.stages.selection import expanded

    wanted = tuple(words)
    return expanded(wanted, known_ids(own)) if any(word.strip(" ,") for word in wanted) else ()


def unknown(word: str, ids: Iterable[str]) -> UserError:
    """The error for an id that does not exist."""
    from shoreup.stages import selection

    return UserError(selection.unknown(word, ids))


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids for the shell, with what came before the last comma kept."""
    from click.shell_completion import CompletionItem

    kept, comma, start = incomplete.rpartition(",")
    return [CompletionItem(f"{kept}{comma}{one}") for one in known_ids() if one.startswith(start)]
