"""What was proven and which backups there are, as Prometheus reads it: for a file, and for whoever serves it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shoreup.report.exposition import Kept
    from shoreup.stages.backups import Shown
    from shoreup.stages.recall import Recalled


def metrics(root: Path, config: Path | None = None, ledger: str = "") -> str:
    """The whole text for the estate at ``root``; its kind is ``report.exposition.CONTENT_TYPE``.

    It reads the repository, the ledger and the stores of backups: ask it every few minutes, not every few seconds.
    Raises :class:`UserError`.
    """
    from shoreup.stages.recall import recall

    return exposed(recall((root,), lambda *_: None, config=config, ledger=ledger), config)


def exposed(found: Recalled, config: Path | None) -> str:
    """The text for what is remembered, with the backups that the estate's settings name."""
    from shoreup.report import exposition
    from shoreup.stages.backups import Where, list_backups

    where = Where(found.root, config)
    shown = list_backups(where) if where.settings().settings.backup else ()
    kept = [_kept(one) for one in shown]
    return exposition.render(found.root.name, found.claims, len(found.errors), datetime.now(UTC), kept)


def _kept(shown: Shown) -> Kept:
    from shoreup.operations.backup.shelf import State
    from shoreup.report.exposition import Kept

    good = [one.record for one in shown.kept if one.good and one.record is not None]
    newest = max(good, key=lambda one: one.moment, default=None)
    counted = Counter(one.state.value for one in shown.kept)
    return Kept(
        shown.name,
        newest.moment if newest is not None else None,
        newest.size if newest is not None else 0,
        {state.value: counted[state.value] for state in State} if not shown.trouble else {},
        not shown.trouble,
    )
