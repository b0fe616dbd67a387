"""What every drill is: a name, the concerns that its proofs answer, and the trials that it makes of an estate.

A drill is one file in this folder that defines an :class:`Experiment`; it is found by import, and nobody keeps a list.
Its trials are derived from facts, never typed in by hand: which copy, in which version, by which command, against which
objective is in the estate already.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import ClassVar, TypeAlias

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.proofs import NO_INPUTS, Drill, Inputs
from shoreup.model.proof import Proof, ProofSubject

Go: TypeAlias = Callable[[str, datetime], Proof]
"""Runs one experiment: given the run's name in the ledger and the moment (with a zone), it gives the proof.

What breaks on the way ends as a proof that could not verify; nothing of it is raised.
"""


class Wishes(Struct, frozen=True):
    """What a person may say beside which drill of what.

    ``copy`` is a copy to try instead of the newest where the estate puts them, and ``until`` the moment to come back
    to, with a zone. ``against`` names the other side of a comparison. ``to`` is the version that an upgrade goes to,
    ``programs`` the folder of its programs, and ``product`` says that only databases of this one are meant.
    ``home`` is the folder that names of files in the settings start from.
    """

    copy: Path | None = None
    against: str = ""
    to: str = ""
    programs: Path | None = None
    product: str = ""
    until: datetime | None = None
    home: Path = Path()


NO_WISHES = Wishes()


class Trial(Struct, frozen=True):
    """One experiment that the estate calls for.

    ``name`` is what a person calls its subject (``namespace/name``). ``inputs`` is what its proof will be about.
    ``prepare`` looks for what is needed (a copy, an engine's version): it gives the experiment, or in one sentence why
    there is none and what to do about it.
    """

    subject: ProofSubject
    name: str
    prepare: Callable[[], Go | str]
    inputs: Inputs = NO_INPUTS

    def meant(self, pattern: str) -> bool:
        """Whether a person means it: by its whole name or the end of it, with ``*`` for anything; empty means all."""
        return not pattern or fnmatchcase(self.name, pattern) or fnmatchcase(self.name.rpartition("/")[2], pattern)


class Experiment(ABC):
    """One kind of drill."""

    drill: ClassVar[Drill]
    title: ClassVar[str]
    """One line of what it does."""
    proves: ClassVar[frozenset[str]] = frozenset()
    """The concerns that its proofs answer."""
    asked_only: ClassVar[bool] = False
    """True where it runs only when it is named."""
    nothing: ClassVar[str]
    """What to say where the estate calls for no trial of it."""

    @abstractmethod
    def trials(self, estate: Estate, wishes: Wishes) -> Iterator[Trial]:
        """Every trial that the estate calls for, in a stable order. Cheap: what takes time is for ``prepare``."""
