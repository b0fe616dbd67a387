"""Repositories in a sandbox: what the tools that keep snapshots have in common when they run on a scratch one."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from shutil import which

from msgspec import Struct

from shoreup.drills.rotating.grandfathers import Counting
from shoreup.engines.sandbox_ground import PATH, STATE, VOLUMES

VOLUME = "repository"
"""The volume of a sandbox that a repository lies on."""
AT = f"{VOLUMES}/{VOLUME}"
"""Where the sandbox sees it."""
ASKED = "asked"
"""The file with the snapshot that the step :data:`LOOK` reads."""
FORGOT = "forgot"
"""The file to which each removal adds a line: the number of the run and the words of the command."""
NAMELESS = "nameless"
"""A file that is there once a snapshot was made without a word about its host."""
READ = "read-words"
"""The file to which each snapshot adds a line: the number of the run and the words of the command."""
LOOK = "look"
"""The step that says all that one snapshot holds."""
LIST = "list"
"""The step that says which snapshots there are, one a line."""
CHECK = "check"
"""The step that clears away what no snapshot needs, and reads the whole repository."""
DAY = f"read -r number mode now date clock pod <{STATE}/day"
"""Reads what the day is like into a shell's variables."""

NAMED = f"read -r _ _ _ _ _ HOSTNAME <{STATE}/day; export HOSTNAME"
"""Puts the pod's name of the day where programs look for it."""
HOSTNAME = f'{DAY}\necho "$pod"'
"""What stands in for the command that tells it."""


class RepositoryTool(Struct, frozen=True):
    """A tool that is run itself.

    ``standin`` is what the job calls; it is told whether a day of trouble is one for what the tool reads. The rest are
    texts for a shell of the sandbox: ``made`` makes an empty repository, ``newest`` removes the newest snapshot, and
    ``look``, ``check`` and ``listing`` are the steps of those names.

    ``snapshots`` is a folder in which each snapshot is a file; without one they are asked for. ``seeds`` are files that
    the sandbox begins with. ``driver`` is a program for this machine's Python that runs the steps, instead of a shell.
    """

    name: str
    standin: Callable[[bool], str]
    made: str
    newest: str
    look: Callable[[], str]
    check: Callable[[], str]
    counting: Counting
    listing: str = ""
    snapshots: str = ""
    seeds: Callable[[], Mapping[str, str]] = dict
    driver: Callable[[], str] = str
    shortened: str = ""
    """What a proof does not show because of how the tool is run."""

    def version(self) -> str:
        """This machine's own; empty where it does not say."""
        found = which(self.name, path=PATH)
        if found is None:
            return ""
        for word in ("--version", "version"):
            try:
                done = subprocess.run(  # noqa: S603 (a fixed command)
                    [found, word], capture_output=True, check=False, timeout=20, env={"PATH": PATH}
                )
            except (OSError, subprocess.TimeoutExpired):
                return ""
            if not done.returncode:
                break
        return next(iter(re.findall(rb"\d+(?:\.\d+)+", done.stdout)), b"").decode()

    def limits(self) -> list[str]:
        """What a proof by this machine's tool does not show."""
        other = f"the store that the job names, and another version of {self.name} than {self.version()}"
        return [other, self.shortened]
