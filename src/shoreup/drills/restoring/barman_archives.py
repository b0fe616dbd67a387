"""Bringing what barman-cloud keeps of a server: its newest finished base backup, and the WAL since.

An archive grows while it is read, and pieces of WAL may arrive out of order. So a piece that was missing is looked for
once more when all others are here, before anybody is told that it is gone. What was brought lies as it lay in the
store, and is judged there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct

from shoreup.drills.restoring.sources import Brought
from shoreup.engines.base import EngineTrouble
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.postgresql.barman import (
    BASE_ID,
    BASES,
    INFO,
    SMALL,
    TAR_FILE,
    WAL_FILE,
    WALS,
    Base,
    Chain,
    chain_of,
    history_in,
    read_info,
)
from shoreup.engines.scratch import Scratch
from shoreup.facts.programs.schedules import spoken
from shoreup.stores.base import Entry, StoreTrouble, Tree, whole

_LATE = 2
"""So many times the time between two base backups the newest may be old; it then takes long to replay what follows."""

_ON_ITS_WAY = timedelta(minutes=15)
"""So long the WAL of a base backup may take into the archive; before, whoever loses the server takes the base before.
CloudNativePG has a piece archived every five minutes (``archive_timeout``).
"""


class BarmanSource(Struct, frozen=True):
    """An archive of barman-cloud. ``server`` is the server's folder in the store that ``open`` gives.

    ``until`` is the moment to come back to, where it is not the newest. ``limits`` are what reading it there does not
    show. ``every`` is the time between two base backups, where it is known.
    """

    open: Callable[[], Tree]
    server: str
    until: datetime | None = None
    limits: tuple[str, ...] = ()
    every: timedelta | None = None

    def bring(self, scratch: Scratch) -> Brought:
        """Bring the base backup and its WAL into the scratch folder, laid out as in the store."""
        try:
            return self._bring(self.open(), scratch)
        except StoreTrouble as trouble:
            raise EngineTrouble(f"the store does not give it: {trouble}") from None

    def _bring(self, store: Tree, scratch: Scratch) -> Brought:
        top, lying = self._lying(store)
        base, remarks = self._base(store, top, lying)
        target = scratch.make("archive")
        folder = scratch.make(f"archive/{BASES}/{base.id}")
        for entry in lying[base.id]:
            name = entry.name.rpartition("/")[2]
            if name == INFO or TAR_FILE.fullmatch(name):
                _keep(store, entry, folder / name, scratch)
        wals = scratch.make(f"archive/{WALS}")
        pieces, chain = self._wal(store, f"{top}{WALS}", base, wals, scratch)
        said = f"base backup {base.id} and {pieces} pieces of WAL"
        if chain.gap:
            said += f" up to {chain.gap}, which is missing"
        assert base.ended is not None
        old = datetime.now(UTC) - base.ended
        if self.until is None and self.every is not None and old > _LATE * self.every:
            age = timedelta(days=old.days) if old.days > 1 else timedelta(hours=old // timedelta(hours=1))
            remarks.append(f"that base backup is {spoken(age)} old, and one was to be made every {spoken(self.every)}")
        return Brought(target, base.ended, self.limits, (said, *remarks))

    def _lying(self, store: Tree) -> tuple[str, Mapping[str, list[Entry]]]:
        """Where in the store the server's folder is, and what lies in each of its base backups."""
        for top in dict.fromkeys((f"{self.server}/" if self.server else "", "")):
            found: dict[str, list[Entry]] = {}
            for entry in store.tree(f"{top}{BASES}"):
                name = entry.name.removeprefix(f"{top}{BASES}/").partition("/")[0]
                if BASE_ID.fullmatch(name):
                    found.setdefault(name, []).append(entry)
            if found:
                return top, found
        where = f"{self.server}/{BASES}" if self.server else BASES
        raise BrokenCopy(f"no base backup lies in {store.shown} below {where}")

    def _base(self, store: Tree, top: str, lying: Mapping[str, list[Entry]]) -> tuple[Base, list[str]]:
        """The newest base backup that was finished, in time for the moment; and what is wrong with newer ones."""
        remarks: list[str] = []
        early: Base | None = None
        archived = max((name[8:] for name, _ in _pieces(store.tree(f"{top}{WALS}"))), default="")
        for name in sorted(lying, reverse=True):
            path = f"{top}{BASES}/{name}/{INFO}"
            if path not in {one.name for one in lying[name]}:
                remarks.append(f"base backup {name} is newer and has no {INFO}: it was never finished, or is just made")
                continue
            base = read_info(name, whole(store, path, SMALL))
            if not base.done or base.ended is None:
                why = f" ({base.error})" if base.error else ""
                remarks.append(f"base backup {name} is newer, and it is {base.status}{why}, so it was passed over")
            elif self.until is not None and base.ended > self.until:
                continue
            elif archived < base.last[8:] and datetime.now(UTC) - base.ended < _ON_ITS_WAY:
                early = early or base
                remarks.append(f"base backup {name} is newer, and its last WAL {base.last} is not archived yet")
            else:
                return base, remarks
        if early is not None:
            return early, []
        if self.until is not None and len(remarks) < len(lying):
            raise BrokenCopy(f"no base backup in {store.shown} was finished before {self.until:%Y-%m-%d %H:%M:%S %Z}")
        raise BrokenCopy(f"no base backup in {store.shown} was finished: {'; '.join(remarks)}")

    def _wal(self, store: Tree, folder: str, base: Base, target: Path, scratch: Scratch) -> tuple[int, Chain]:
        """Bring every piece that follows the base, and the files on timelines; how many pieces, and their chain."""
        here: dict[str, Path] = {}
        histories: dict[int, str] = {}
        chain = Chain(())
        for _ in range(2):
            lying = dict(_pieces(store.tree(folder)))
            for name, entry in lying.items():
                if name.endswith(".history") and name not in here:
                    here[name] = _keep(store, entry, target / entry.name.rpartition("/")[2], scratch)
                    histories[int(name[:8], 16)] = history_in(here[name])
            names = {one for one in lying if not one.endswith(".history")}
            chain = chain_of(base, names, histories)
            # What lies behind a gap is brought too: whether it is one shows once all is here.
            for name in sorted(one for one in names if one[8:] >= base.first[8:]):
                if name not in here:
                    entry = lying[name]
                    here[name] = _keep(store, entry, target / entry.name.rpartition("/")[2], scratch)
            if not chain.gap:
                break
        return len(chain.names), chain


def _pieces(entries: Iterable[Entry]) -> Iterable[tuple[str, Entry]]:
    for entry in entries:
        found = WAL_FILE.fullmatch(entry.name.rpartition("/")[2])
        if found is not None:
            yield found["name"], entry


def _keep(store: Tree, entry: Entry, place: Path, scratch: Scratch) -> Path:
    """Bring a file. Raises :class:`EngineTrouble` where less comes than was said to lie there."""
    scratch.keep(place, store.get(entry.name))
    if entry.size is not None and place.stat().st_size != entry.size:
        raise EngineTrouble(f"{store.shown} gave {place.stat().st_size:,} of the {entry.size:,} bytes of {entry.name}")
    return place
