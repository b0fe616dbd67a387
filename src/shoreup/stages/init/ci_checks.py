"""A check of changes for the pipelines that an estate uses: the audit of what is new, and the gate of what keeps data.

The audit reads the repository as it was and as it would be, so it needs the whole history, and no secret at all. Where
Shoreup is installed from is for the user to say: nothing here knows where it will be published.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from textwrap import indent

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.pipelines.checks import scanners
from shoreup.facts.pipelines.steps import pipeline_jobs
from shoreup.model.errors import UserError
from shoreup.sources.git import origin_url
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import Opened, opened

Progress = Callable[[str, int, int], None]


class Forge(StrEnum):
    """What runs the check."""

    GITHUB = "github"
    GITLAB = "gitlab"
    WOODPECKER = "woodpecker"
    PRE_COMMIT = "pre-commit"


_FILES = {
    Forge.GITHUB: ("github.yaml", ".github/workflows/shoreup.yaml"),
    Forge.GITLAB: ("gitlab.yml", ".gitlab/shoreup.yml"),
    Forge.WOODPECKER: ("woodpecker.yaml", ".woodpecker/shoreup.yaml"),
    Forge.PRE_COMMIT: ("pre-commit.yaml", ".pre-commit-config.yaml"),
}
"""By forge: the template, and where it looks for such a file."""
_CHECKOUT = "actions/checkout@v4"


class Drawn(Struct, frozen=True):
    """A check. ``target`` is where it belongs, ``there`` says that something is there already.

    ``replaces`` are scanners that the estate runs now, each with its file.
    """

    forge: Forge
    target: Path
    text: str
    there: bool
    replaces: tuple[str, ...]


def draw_check(path: Path, forge: Forge | None, source: str, say: Progress) -> Drawn:
    """The check for the estate at ``path``; ``source`` is what pip installs.

    Raises :class:`UserError` where nothing tells which forge it is for.
    """
    if not source or any(sign in source for sign in "'\"\n\\"):
        raise UserError(
            "Say what pip is to install: --from 'shoreup==1.0', an address of its repository or of a wheel."
        )
    found = opened((path,))
    asked = Asked((), datetime.now(UTC).date(), given=found.given, whole=found.whole)
    estate = understood(read(found.tree, None, say), asked)
    top = _top(found.root)
    chosen = forge or _forge(found, top)
    template, place = _FILES[chosen]
    content = _with_comment(_held(template))
    inside = found.root.relative_to(top).as_posix()
    audit = f'shoreup audit {shlex.quote(inside)} --since "$BASE"'
    parts = {
        "SOURCE": source,
        "PATH": shlex.quote(inside),
        "CHECKOUT": _checkout(estate),
        "AUDIT": f"{audit} --fail-on high --fail-on-errors",
        "LATEST": f"{audit} --select image-tag-latest --min-severity low --fail-on low",
        "GATE": f'shoreup upgrade gate {shlex.quote(inside)} --since "$BASE"',
    }
    text = re.sub(r"@([A-Z]+)@", lambda one: parts.get(one[1], one[0]), content)
    target = top / place
    return Drawn(chosen, target, text, target.exists(), tuple(f"{name} in {path}" for name, path in scanners(estate)))


def _held(name: str) -> str:
    return resources.files("shoreup.stages").joinpath("data", "ci", name).read_text(encoding="utf-8")


def _with_comment(template: str) -> str:
    """The template with the part that writes the comment on a request, which is the same for every forge."""
    program = _held("comment.py.in")
    return re.sub(r"^( *)@COMMENT@\n", lambda one: indent(program, one[1]), template, flags=re.MULTILINE)


def _top(root: Path) -> Path:
    """The top of the git repository that the estate lies in, else the estate itself."""
    full = root.resolve()
    return next((one for one in (full, *full.parents) if (one / ".git").exists()), full)


def _forge(found: Opened, top: Path) -> Forge:
    """What the repository has files for already, else where it was cloned from."""
    for forge, sign in (
        (Forge.GITHUB, ".github/workflows"),
        (Forge.GITLAB, ".gitlab-ci.yml"),
        (Forge.WOODPECKER, ".woodpecker"),
        (Forge.WOODPECKER, ".woodpecker.yaml"),
        (Forge.WOODPECKER, ".woodpecker.yml"),
    ):
        if (top / sign).exists():
            return forge
    origin = origin_url(found.root) or ""
    for forge in (Forge.GITHUB, Forge.GITLAB):
        if forge.value in origin:
            return forge
    raise UserError(
        "Nothing tells which pipelines this repository uses. Say --for github, gitlab, woodpecker or pre-commit."
    )


def _checkout(estate: Estate) -> str:
    """The action as the estate's own pipelines pin it; the pin that they trust already is the one to use."""
    used = [
        step.uses for job in pipeline_jobs(estate) for step in job.steps if step.uses.startswith("actions/checkout@")
    ]
    pinned = [one for one in used if re.search(r"@[0-9a-f]{40}$", one)]
    return next(iter([*pinned, *used]), _CHECKOUT)
