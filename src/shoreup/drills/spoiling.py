"""Copies that are broken on purpose, for controls: a drill that takes one of these for whole proves nothing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from shoreup.engines.postgresql.barman import INFO, TAR_FILE, WALS

_MOST = 32 << 20
"""Bytes of a control. What is cut off early is refused early, and half of a large copy would cost half a restore."""
_PIECE = 1 << 20


def without_its_end(copy: Path, target: Path, telling: tuple[str, ...] = ()) -> str:
    """Write what is left of a copy whose writer was stopped to ``target``, which must not be there.

    Of a folder it is the largest file that lost its end, or of the ``telling`` ones. Says in words what was done.
    """
    if copy.is_dir():
        shutil.copytree(copy, target, symlinks=True, ignore_dangling_symlinks=True)
        files = [target / one for one in telling] or [
            one for one in target.rglob("*") if one.is_file() and not one.is_symlink()
        ]
        largest = max(files, key=lambda one: one.stat().st_size, default=None)
        if largest is None:
            return "the same copy, which is an empty folder"
        os.truncate(largest, largest.stat().st_size // 2)
        which = largest.relative_to(target) if telling else "whose largest file"
        return f"the same copy, of {which} the second half was cut off"
    size = copy.stat().st_size
    left = min(size // 2, _MOST)
    with copy.open("rb") as source, target.open("xb") as file:
        while left:
            piece = source.read(min(_PIECE, left))
            if not piece:
                break
            file.write(piece)
            left -= len(piece)
    kept = file_share(min(size // 2, _MOST), size)
    return f"the same copy, of which everything after the first {kept} was cut off"


def archive_without_its_end(base: Path, target: Path) -> str:
    """The same for an archive of barman-cloud: of the base backup in the folder ``base`` the last tar is cut.

    The WAL is all there, so that nothing else is wrong with it.
    """
    base = base.absolute()
    folder = target / base.parent.name / base.name
    folder.mkdir(parents=True)
    (target / WALS).symlink_to(base.parent.parent / WALS)
    tars = sorted(one for one in base.iterdir() if TAR_FILE.fullmatch(one.name))
    cut = max((one for one in tars if one.name.startswith("data")), default=None, key=lambda one: one.name)
    for one in (base / INFO, *tars):
        if one != cut:
            (folder / one.name).symlink_to(one)
    if cut is None:
        return "the same copy, which has no data.tar"
    said = without_its_end(cut, folder / cut.name)
    return said.replace("the same copy, of which", f"the same copy, of {cut.name} of which", 1)


def file_share(part: int, whole: int) -> str:
    """A part of a whole for people."""
    return f"{part / whole:.0%}" if whole else "byte"
