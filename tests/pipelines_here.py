"""Runs a generated pipeline as its system would: clones the request, gives each step its shell, its variables, and no
more. What would need a network is stood in for: installing does nothing, ``shoreup`` is this one.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from select import select
from typing import Any

import yaml

from shoreup.cli.main import run
from shoreup.stages.init.ci_checks import Drawn, Forge

_NOTHING = "#!/bin/sh\n"
_PYTHON = """#!/bin/sh
[ "$1 $2" = "-m venv" ] || exec {python} "$@"
mkdir -p "$3/bin" && cp "{folder}/pip" "{folder}/shoreup" "$3/bin/"
"""
_SHOREUP = """#!{python} -SE
import json, os, socket, sys
with socket.create_connection(("127.0.0.1", {port})) as asked:
    asked.sendall(json.dumps([os.getcwd(), sys.argv[1:]]).encode() + b"\\n")
    sys.exit(int(asked.recv(16)))
"""


def git(root: Path, *arguments: str) -> str:
    """What git prints."""
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _filled(pattern: str, env: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """Variables as a system gives them to a step."""
    return {name: re.sub(pattern, lambda one: variables[one[1]], text) for name, text in env.items()}


class Runner:
    """One machine of a system; ``enter`` changes this process's folder."""

    def __init__(self, folder: Path, enter: Callable[[Path], None]) -> None:
        self._enter = enter
        self._tools = folder / "tools"
        self._tools.mkdir()
        self._listener = socket.create_server(("127.0.0.1", 0))
        known = {"python": sys.executable, "folder": str(self._tools), "port": self._listener.getsockname()[1]}
        for name, text in (
            ("pip", _NOTHING),
            ("apt-get", _NOTHING),
            ("python3", _PYTHON.format(**known)),
            ("shoreup", _SHOREUP.format(**known)),
        ):
            (self._tools / name).write_text(text, encoding="utf-8")
            (self._tools / name).chmod(0o755)

    def close(self) -> None:
        """Nothing is asked any more."""
        self._listener.close()

    def passes(self, drawn: Drawn, checkout: Path, variables: Mapping[str, str]) -> bool:
        """Whether the system would let the request in."""
        held = yaml.safe_load(drawn.text)
        return {Forge.GITHUB: self._github, Forge.GITLAB: self._gitlab, Forge.WOODPECKER: self._woodpecker}[
            drawn.forge
        ](held, checkout, variables)

    def _github(self, held: Any, checkout: Path, variables: Mapping[str, str]) -> bool:
        def filled(env: Mapping[str, str]) -> dict[str, str]:
            return {
                name: re.sub(r"\$\{\{ (.+?) \}\}", lambda one: variables[one[1]], text) for name, text in env.items()
            }

        job, paths, fine = held["jobs"]["shoreup"], checkout.parent / "paths", True
        paths.touch()
        for step in job["steps"]:
            if "run" in step and (fine or step.get("if") == "always()"):
                added = ":".join([*reversed(paths.read_text(encoding="utf-8").split()), ""])
                env = _filled(r"\$\{\{ (.+?) \}\}", {**job["env"], **step.get("env", {})}, variables)
                env |= {name: text for name, text in variables.items() if name.startswith("GITHUB_")}
                env["GITHUB_PATH"] = str(paths)
                code = self.carry_out(["bash", "-e", "-c", step["run"]], checkout, env, added)
                fine = (code == 0 or bool(step.get("continue-on-error"))) and fine
        return fine

    def _gitlab(self, held: Any, checkout: Path, variables: Mapping[str, str]) -> bool:
        job = held["shoreup"]
        env = dict(variables)
        env |= {
            name: re.sub(r"\$(\w+)", lambda one: variables[one[1]], text) for name, text in job["variables"].items()
        }
        code = self.carry_out(["sh", "-e", "-c", "\n".join([*job["before_script"], *job["script"]])], checkout, env)
        self.carry_out(["sh", "-e", "-c", "\n".join(job["after_script"])], checkout, env)
        return code == 0

    def _woodpecker(self, held: Any, checkout: Path, variables: Mapping[str, str]) -> bool:
        fine = True
        for step in held["steps"].values():
            always = [{"status": ["success", "failure"]}]
            if fine or step.get("when") == always:
                code = self.carry_out(["sh", "-e", "-c", "\n".join(step["commands"])], checkout, variables)
                fine = code == 0 and fine
        return fine

    def carry_out(self, command: list[str], folder: Path, env: Mapping[str, str], first: str = "") -> int:
        """Its exit code. ``shoreup`` is answered by this process, which has it loaded."""
        env = {"HOME": str(folder.parent), **env}
        env["PATH"] = f"{first}{self._tools}:{os.environ['PATH']}"
        with subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL) as process:
            while process.poll() is None:
                if select([self._listener], [], [], 0.02)[0]:
                    self._answer()
        return process.returncode

    def _answer(self) -> None:
        asking, _ = self._listener.accept()
        with asking, asking.makefile("rb") as said:
            folder, arguments = json.loads(said.readline())
            self._enter(Path(folder))
            asking.sendall(b"%d" % run(arguments))


def requested(origin: Path, folder: Path) -> Path:
    """The branch ``request`` of ``origin`` as systems check it out: its commit, and what it is meant for."""
    folder.mkdir()
    git(folder, "init", "-q")
    git(folder, "remote", "add", "origin", str(origin))
    git(folder, "fetch", "-q", "--no-tags", "origin", "+request:")
    git(folder, "checkout", "-qf", "FETCH_HEAD")
    git(folder, "fetch", "-q", "origin", "main")
    return folder


def shoreup_lines(drawn: Drawn) -> Iterator[str]:
    """What a check runs of Shoreup, in order."""
    for line in drawn.text.splitlines():
        found = re.match(r"\s*(?:- |run: |entry: )(shoreup .*)", line)
        if found:
            yield found[1]
