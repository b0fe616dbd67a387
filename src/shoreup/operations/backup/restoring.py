"""Bringing a backup back: to a new place, or, where its owner typed its name, in the place of what is there.

Whatever the place, the data is first brought beside it and compared there with what the backup was of. Only what is
whole gets the name, by renaming, and what had the name before is kept under another: it is the way back, and its owner
removes it when nobody misses anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

import msgspec
from msgspec import Struct

from shoreup.compare.manifest import Manifest
from shoreup.compare.restored import unlike
from shoreup.model.wording import some
from shoreup.operations.backup.opening import recorded
from shoreup.operations.backup.plan import Plan, planned
from shoreup.operations.backup.records import Record
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.steps import Operation, Plain, Run, Step

WISH = "restore"
"""What a run of a restore is given beside the backup: a :class:`Wish`."""
CHOOSE, LOAD, COMPARE, PLACE = "choose", "load", "compare", "put in place"
_TOLD = 5


class Wish(Struct, frozen=True):
    """Which backup, and where to: one of ``folder``, ``database`` (a new name on the backup's own server), ``over``.

    ``id`` is empty for the newest good one.
    """

    id: str = ""
    folder: str = ""
    database: str = ""
    over: bool = False

    def plain(self) -> Plain:
        """As a run keeps it."""
        kept: Plain = msgspec.to_builtins(self)
        return kept


class Restoring(Struct, frozen=True):
    """A restore that is under way. ``mark`` is in the name of everything that the run makes; ``room`` is its own."""

    plan: Plan
    wish: Wish
    record: Record
    mark: str
    room: Path


class Destination(Protocol):
    """A place to restore to. Everything may be called again after it was killed in its middle."""

    def refuse(self) -> None:
        """See that nothing is in the way. Raises :class:`BackupTrouble`."""
        ...

    def load(self) -> None:
        """Bring the data beside the place. Raises :class:`BackupTrouble`."""
        ...

    def holds(self) -> Manifest | None:
        """What was brought, ``None`` where only its bytes can be compared."""
        ...

    def place(self) -> str:
        """Give it the name, and say where it is, and what was there before."""
        ...

    def take_away(self) -> None:
        """Give back the name to whatever had it. Asked for only where :meth:`place` was begun."""
        ...

    def remove(self) -> None:
        """Remove what was brought and has no name yet."""
        ...


def backup_restore() -> Operation:
    """The operation that restores a backup. The result of its last step says where it is."""
    return Operation(
        "backup restore",
        (
            Step(CHOOSE, _choose, "nothing was changed"),
            Step(LOAD, _load, "what was brought is removed", _remove),
            Step(COMPARE, _compare, "nothing was changed"),
            Step(PLACE, _place, "what was there before gets its name again", _take_away),
        ),
    )


def _choose(run: Run) -> Plain:
    plan, wish = planned(run), _wish(run)
    record = recorded(plan.shelf().find(wish.id))
    _destination(Restoring(plan, wish, record, _mark(run), run.folder)).refuse()
    return record.id


def _load(run: Run) -> Plain:
    _destination(_restoring(run)).load()
    return None


def _compare(run: Run) -> Plain:
    restoring = _restoring(run)
    found = _destination(restoring).holds()
    if found is None or restoring.record.manifest is None:
        return "every byte is what was written"
    wrong = unlike(restoring.record.manifest, msgspec.structs.replace(found, items=()))
    if wrong:
        told = some(wrong, _TOLD, between="; ")
        raise BackupTrouble(f"what came back is not what the backup was of: {told}")
    return f"every table holds what it held: {sum(one.rows for one in found.contents)} rows"


def _place(run: Run) -> Plain:
    return _destination(_restoring(run)).place()


def _take_away(run: Run) -> None:
    _destination(_restoring(run)).take_away()


def _remove(run: Run) -> None:
    _destination(_restoring(run)).remove()


def _restoring(run: Run) -> Restoring:
    plan = planned(run)
    # Good or not by now: a run that is undone must know what it had begun with.
    kept = plan.shelf().find(str(run.results[CHOOSE]))
    if kept.record is None:
        raise BackupTrouble(f"backup {kept.id} is {kept.state.value}: {kept.why}")
    return Restoring(plan, _wish(run), kept.record, _mark(run), run.folder)


def _destination(restoring: Restoring) -> Destination:
    product, wish = restoring.record.product, restoring.wish
    if wish.folder:
        from shoreup.operations.backup.into_folder import folder

        return folder(restoring, Path(wish.folder))
    if wish.over and product in {"files", "sqlite"}:
        from shoreup.operations.backup.into_folder import in_place

        return in_place(restoring)
    into = _SERVERS.get(product)
    if into is None:
        raise BackupTrouble(f"a backup of {product} is restored into a new folder: --to FOLDER")
    return into(restoring)


class _Into(Protocol):
    def __call__(self, restoring: Restoring) -> Destination: ...


def _postgresql(restoring: Restoring) -> Destination:
    from shoreup.operations.backup.into_postgresql import IntoPostgresql

    return IntoPostgresql(restoring)


def _mysql(restoring: Restoring) -> Destination:
    from shoreup.operations.backup.into_mysql import IntoMysql

    return IntoMysql(restoring)


_SERVERS: Mapping[str, _Into] = {"postgresql": _postgresql, "mariadb": _mysql, "mysql": _mysql}


def _wish(run: Run) -> Wish:
    return msgspec.convert(run.given[WISH], Wish)


def _mark(run: Run) -> str:
    return blake2b(run.id.encode(), digest_size=4).hexdigest()
