"""What the sandbox of a job holds: its programs with the stand-ins in front, its volumes, its made-up files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from shlex import quote

from msgspec.structs import replace

from shoreup.drills.rotating.specs import RetentionSpec
from shoreup.drills.sandboxed_jobs.repositories import ASKED, AT, CHECK, FORGOT, LIST, LOOK, NAMED, NAMELESS, VOLUME
from shoreup.drills.sandboxed_jobs.standins import DATES, Standins
from shoreup.engines.sandbox import Layout, Step
from shoreup.engines.sandbox_ground import PYTHON, STATE, VOLUMES, Ground
from shoreup.engines.userlands import Userland
from shoreup.facts.programs.job_runs import MADE_UP, Start

HAND = "hand"
"""The step that takes the newest copy away."""
_SHELLS = ("/bin/sh", "/bin/bash")
_OPTIONS = re.compile(r"-([eux]*)c")
_TELLS = re.compile(
    r"\$\{?(?:[$0*@#_-]|[1-9])|BASH|FUNCNAME|LINENO|PPID|SECONDS|SHLVL|/proc/"
    r"|\b(?:alias|builtin|caller|enable|exec|kill|posix|return|shopt|source|trap)\b"
    r"|(?:^|[\n;&|({]|\b(?:do|then|else))[ \t]*\.[ \t]"
)
"""What a program says that asks for its own shell, its arguments or its process."""
_RESERVED = 8 << 30
"""Bytes of addresses that a program in Go sets aside; what it fills is limited for all together."""


def job_layout(spec: RetentionSpec, commands: Userland, helpers: Standins) -> Layout:
    """A sandbox in which the job runs as ``start0``, ``start1`` ..., with the steps ``furnish`` and :data:`HAND`."""
    files: dict[str, str] = {**dict.fromkeys(spec.made_up, MADE_UP), f"{STATE}/day": "", f"{STATE}/{DATES}": ""}
    # What the pod is called is another word on each day, and may become a snapshot's.
    functions = f"{NAMED}\n{helpers.functions}" if spec.repository is not None else helpers.functions
    files |= {path: _with_functions(text, functions) for path, text in spec.run.files.items()}
    shell = next((start.words[0] for start in spec.run.starts if start.words[0] in _SHELLS), "/bin/sh")
    steps: dict[str, Step] = {
        f"start{number}": _forked(started(start, functions), start, shell)
        for number, start in enumerate(spec.run.starts)
    }
    steps[HAND] = _ours(_taking_newest(spec))
    steps["furnish"] = _ours(furnishing(spec))
    ground = Ground(spec.mounts)
    tool = spec.repository
    if tool is not None:
        files |= {**tool.seeds(), f"{STATE}/{ASKED}": ""}
        steps |= {LOOK: _ours(tool.look()), CHECK: _ours(tool.check()), LIST: _ours(tool.listing)}
        ground = replace(ground, ceilings=replace(ground.ceilings, memory=_RESERVED))
    layout = Layout(
        commands,
        steps,
        programs=helpers.programs,
        files=files,
        folders=(
            STATE,
            f"{VOLUMES}/{VOLUME}",
            *(f"{VOLUMES}/{one.volume}/{one.part}".rstrip("/") for one in spec.mounts),
        ),
        ground=ground,
        shell=shell,
    )
    if tool is not None and (driver := tool.driver()):
        return replace(layout, shell=PYTHON, driver=driver)
    return layout


def _ours(text: str) -> Step:
    return Step(("/bin/sh", "-c", text), {"PATH": "/bin"})


def _forked(step: Step, start: Start, shell: str) -> Step:
    """The same as a fork of the sandbox's shell where a program cannot tell: it asks nothing of the shell it is in."""
    plain = len(step.words) == 3 and start.program_at == 2 and step.words[0] == shell
    options = _OPTIONS.fullmatch(step.words[1]) if plain else None
    if options is None or _TELLS.search(start.words[2]):
        return step
    said = f"set -{options[1]}\n" if options[1] else ""
    return replace(step, program=f"{said}{step.words[2]}")


def started(start: Start, functions: str) -> Step:
    """A container's start, with functions that its shell's program begins with."""
    words = list(start.words)
    if start.program_at is not None:
        words[start.program_at] = f"{functions}\n{words[start.program_at]}"
    return Step(
        tuple(words), {"PATH": "/bin", "HOME": "/root", "HOSTNAME": "job", **_usable(start.environment)}, start.folder
    )


def mounted_below(spec: RetentionSpec, folder: str) -> frozenset[str]:
    """The folders below one of the pod's own with volumes on them, and with what else the pod begins with."""
    paths = [*(one.path for one in spec.mounts), *spec.made_up, *(path.rpartition("/")[0] for path in spec.run.files)]
    inner = [path.strip("/")[len(folder) + 1 :] for path in paths if path.startswith(f"/{folder}/")]
    return frozenset(path.partition("/")[0] for path in inner)


def _usable(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Without what would lead past the stand-ins."""
    return {name: value for name, value in environment.items() if name not in ("PATH", "ENV", "BASH_ENV", "TZDIR")}


def _with_functions(text: str, functions: str) -> str:
    """A script with the stand-ins defined at its beginning, behind the line that names its shell."""
    first, _, rest = text.partition("\n")
    if first.startswith("#!"):
        shell = any(word.rsplit("/", 1)[-1] in ("sh", "bash", "ash", "dash") for word in first[2:].split())
        return f"{first}\n{functions}\n{rest}" if shell else text
    return text


def _taking_newest(spec: RetentionSpec) -> str:
    """The hand of the control: removes the newest file of each shelf, whoever wrote it."""
    lines = ["PATH=/bin"]
    if spec.repository is not None:
        return spec.repository.newest
    sources = " ".join(f"! -path {quote(f'{VOLUMES}/{one.volume}/{one.path}')}" for one in spec.sources)
    for name in spec.shelves:
        lines.append(
            f'find {VOLUMES}/{name} -type f {sources} -mmin -5 | while IFS= read -r one; do rm -f -- "$one"; done'
        )
    return "\n".join(lines)


def furnishing(spec: RetentionSpec) -> str:
    """The commands that lay out the made-up files, before a first run."""
    lines = [f"mkdir -p {quote(folder)}" for folder in spec.folders]
    lines += [f"mkdir -p {quote(f'{VOLUMES}/{one.volume}/{one.part}')}" for one in spec.mounts]
    for one in spec.sources:
        path = f"{VOLUMES}/{one.volume}/{one.path}"
        lines.append(f"mkdir -p {quote(path.rpartition('/')[0])} && : >{quote(path)}")
    if spec.repository is not None:
        made = spec.repository.made
        lines.append(f'if [ -z "$(ls -A {AT})" ]; then\nrm -f {STATE}/{FORGOT} {STATE}/{NAMELESS}\n{made}\nfi')
    return "\n".join(["set -e", *lines])
