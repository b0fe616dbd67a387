"""The guides are followed: what is marked ``<!-- run -->`` is typed as it is written, and says what is written.

A line ``...`` stands for any number of lines, and ``...`` at the end of a line for the rest of it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from case_files import cases_of
from shoreup.cli.main import run

TOP = Path(__file__).parents[2]
GUIDES = TOP / "docs" / "guides"
RUN = re.compile(r"^<!-- run -->\n```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(guide: Path) -> Iterator[tuple[str, list[str]]]:
    """Each command of a guide that is run, with the lines that it is said to print."""
    for block in RUN.findall(guide.read_text(encoding="utf-8")):
        for one in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = one.rstrip("\n").split("\n")
            yield command, lines


FOLLOWED = sorted(guide.name for guide in GUIDES.glob("*.md") if any(commands(guide)))


def test_the_concern_that_a_guide_adds_holds_its_cases(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (GUIDES / "adding-a-concern.md").read_text(encoding="utf-8")
    (program,), (cases,) = (
        re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for language in ("python", "yaml")
    )
    own = tmp_path / "host_port_used.py"
    own.write_text(program, encoding="utf-8")
    written = tmp_path / "host-port-used.yaml"
    written.write_text(cases, encoding="utf-8")
    tried = list(cases_of(written))
    assert len(tried) == 5
    for number, case in enumerate(tried):
        estate = tmp_path / str(number)
        estate.mkdir()
        for name, content in case.files.items():
            (estate / name).write_text(content, encoding="utf-8")
        run(["audit", str(estate), "--concerns", str(own), "--select", case.concern, "--format", "json", "--no-cache"])
        seen = json.loads(capsys.readouterr().out)
        assert [one["line"] for one in seen["findings"]] == [one.line for one in case.findings], case.name
        assert [one["line"] for one in seen["undecided"]] == [one.line for one in case.undecided], case.name


@pytest.mark.timeout(300)  # a guide is a dozen commands
@pytest.mark.parametrize("name", FOLLOWED)
def test_what_a_guide_shows_is_what_one_sees(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for variable, value in {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "COLUMNS": "100",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": "me@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }.items():
        monkeypatch.setenv(variable, value)
    for variable in ("FORCE_COLOR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(TOP)
    code = 0
    for command, lines in commands(GUIDES / name):
        words = shlex.split(command) if command.startswith(("cd ", "shoreup ")) else []
        if words[:1] == ["cd"]:
            monkeypatch.chdir(Path(words[1]).expanduser())
            printed = ""
        elif words:
            code = run(words[1:])
            printed = "".join(capsys.readouterr())
        elif command == "echo $?":
            printed = f"{code}\n"
        else:
            done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}: {done.stderr}"
            printed = done.stdout
        assert says(printed, lines), f"$ {command}\n{printed}"


def says(printed: str, lines: Sequence[str]) -> bool:
    """Whether what was printed is what the guide shows, with what it leaves out."""
    shown = "".join(r"(?:.*\n)*?" if line == "..." else f"{re.escape(line)}\n" for line in lines)
    written = f"{printed.rstrip()}\n" if printed.strip() else ""
    return re.fullmatch(shown.replace(re.escape(" ...") + "\n", " .*\n"), written) is not None


@pytest.mark.parametrize(
    ("printed", "lines", "same"),
    [
        ("a\nb\nc\n", ["a", "...", "c"], True),
        ("a\nb\nc\n", ["a", "..."], True),
        ("a\nb\nc\n", ["a", "c"], False),
        ("a 17 s\n", ["a ..."], True),
        ("", [], True),
        ("a\n", [], False),
    ],
)
def test_what_is_left_out_is_marked(printed: str, lines: list[str], same: bool) -> None:
    assert says(printed, lines) is same
