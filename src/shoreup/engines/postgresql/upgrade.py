"""A cluster of PostgreSQL carried over to another major version by pg_upgrade.

pg_upgrade moves the files of tables as they are and makes the catalogue anew, so the new cluster has to be made like
the old one first: same encoding, same locale from the same provider, page checksums on or off as they were (version 18
turns them on where nobody says otherwise), same size of a WAL file, and the same first role. ``--check`` looks whether
all of it fits before anything stops.

In link mode both clusters share their files. Until the new server has been started, the old one comes back by its
control file, which pg_upgrade renamed; from then on it never does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from shoreup.engines.base import EngineTrouble
from shoreup.engines.jail import Finished
from shoreup.engines.postgresql.inventory import Shape

SECONDS = 6 * 3600.0
CONTROL = Path("global", "pg_control")
HIDDEN_CONTROL = Path("global", "pg_control.old")
"""What pg_upgrade calls the old cluster's control file once links are being made."""
_REPORTS = "pg_upgrade_output.d"
_TOLD = 20
"""Lines of one report that are kept: it may list every column of a large schema."""


class Runs(Protocol):
    """What runs PostgreSQL's programs: a jail around an experiment, or the owner of a data directory."""

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        seconds: float,
        environment: Mapping[str, str] | None = None,
        with_shell: bool = False,
    ) -> Finished:
        """Run a program to its end, at most ``seconds``."""
        ...


class Mode(StrEnum):
    """How the files of tables come into the new cluster."""

    COPY = "copy"
    """Twice the room, and the old cluster stays as it was."""
    LINK = "link"
    """No room and next to no time; the old cluster is gone once the new one has started."""


class Side(Struct, frozen=True):
    """One of the two clusters: the folder of its programs, its data directory, its server's own options."""

    programs: Path
    data: Path
    options: str = ""


class Refused(Exception):
    """pg_upgrade will not carry this cluster over. ``reasons`` say why, without a row of the data."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


def make_alike(shape: Shape, side: Side, major: int, runs: Runs, *, lasting: bool = True) -> None:
    """Make an empty cluster of version ``major`` that another one can be carried over to.

    One that is not ``lasting`` is for a scratch folder: whether it would be there after a power cut is all the same.
    Raises :class:`EngineTrouble`, such as where this machine lacks the locale.
    """
    command: list[str | Path] = [side.programs / "initdb", "-D", side.data, "-U", shape.superuser, "-A", "peer"]
    command += [f"--encoding={shape.encoding}", f"--lc-collate={shape.collate}", f"--lc-ctype={shape.ctype}"]
    command += ["--no-instructions", f"--wal-segsize={shape.segment >> 20}"]
    if not lasting:
        command.append("--no-sync")
    if major >= 15:
        command.append(f"--locale-provider={shape.provider}")
    if shape.provider == "icu" and shape.locale:
        command.append(f"--icu-locale={shape.locale}")
    if shape.provider == "builtin":
        command.append(f"--builtin-locale={shape.locale}")
    if shape.checksums:
        command.append("--data-checksums")
    elif major >= 18:
        command.append("--no-data-checksums")
    finished = runs.run(command, seconds=300, with_shell=True)
    if not finished.well:
        raise EngineTrouble(f"initdb of the new cluster ended with {finished.code}: {_last(finished.said)}")


def check(old: Side, new: Side, user: str, sockets: Path, runs: Runs) -> None:
    """Ask pg_upgrade whether it would carry the cluster over; nothing changes. The old server may run.

    Raises :class:`Refused`.
    """
    _pg_upgrade(old, new, user, sockets, runs, ["--check"])


def carry_over(old: Side, new: Side, user: str, sockets: Path, runs: Runs, mode: Mode, jobs: int = 1) -> Finished:
    """Carry a stopped cluster over into one that :func:`make_alike` made and nobody has used.

    Raises :class:`Refused`.
    """
    words = [f"--jobs={jobs}", *(["--link"] if mode is Mode.LINK else [])]
    return _pg_upgrade(old, new, user, sockets, runs, words)


def take_back_link(old: Path) -> bool:
    """Make a cluster that was linked to another one startable again; whether there was anything to do.

    Only as long as the new server was never started: afterwards the files are no longer the old one's.
    """
    hidden, shown = old / HIDDEN_CONTROL, old / CONTROL
    if not hidden.exists() or shown.exists():
        return False
    hidden.rename(shown)
    return True


def _pg_upgrade(old: Side, new: Side, user: str, sockets: Path, runs: Runs, words: Sequence[str]) -> Finished:
    command: list[str | Path] = [new.programs / "pg_upgrade", f"--username={user}", f"--socketdir={sockets}"]
    command += [f"--old-bindir={old.programs}", f"--new-bindir={new.programs}"]
    command += [f"--old-datadir={old.data}", f"--new-datadir={new.data}", *words]
    command += [f"--old-options={old.options}"] if old.options else []
    command += [f"--new-options={new.options}"] if new.options else []
    # It starts servers and dumps through a shell, with words of ours.
    finished = runs.run(command, seconds=SECONDS, with_shell=True)
    if finished.late:
        raise EngineTrouble("pg_upgrade took too long and was ended")
    if not finished.well:
        raise Refused(_reasons(finished, new.data))
    return finished


def _reasons(finished: Finished, new: Path) -> tuple[str, ...]:
    """Why it refused: the paragraph behind each "fatal", and what its reports list."""
    said = finished.output.decode("utf-8", "replace")
    found: list[str] = []
    for part in re.split(r"\bfatal\b", said)[1:]:
        words = " ".join(line.strip() for line in part.strip().splitlines() if line.strip())
        # Where a report lies says nothing: the folder is gone when somebody reads this.
        found.append(re.sub(r"\s*A list of .*?:(?=\s|$).*", "", words)[:600].strip())
    newest = max((new / _REPORTS).glob("*"), default=new / _REPORTS)
    for report in sorted(newest.glob("*.txt")):
        lines = [line.strip() for line in report.read_text(encoding="utf-8", errors="replace").splitlines()]
        listed = [line for line in lines if line][:_TOLD]
        if listed:
            found.append(f"{report.stem.replace('_', ' ')}: {', '.join(listed)}")
    return tuple(one for one in found if one) or (_last(finished.said or said),)


def _last(said: str) -> str:
    lines = [line.strip() for line in said.strip().splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
    return (telling or lines or ["no word"])[-1][:500]
