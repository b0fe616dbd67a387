"""The commands themselves: how they are found, what they load, how they fail."""

from __future__ import annotations

import subprocess
import sys

import pytest

from shoreup import __version__
from shoreup.cli.main import COMMANDS, run

HEAVY = ("rich", "yaml", "tree_sitter", "msgspec", "asyncio", "shoreup.facts", "shoreup.concerns", "shoreup.stages")


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command line loads, in a process of its own."""
    program = (
        "import sys; from shoreup.cli.main import run\n"
        f"try: run({list(arguments)!r})\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["audit", "--help"]])
def test_asking_for_help_loads_nothing_heavy(arguments: list[str]) -> None:
    loaded = loaded_by(*arguments)
    assert "shoreup.cli.main" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in COMMANDS)


def test_no_command_is_a_question_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert capsys.readouterr().out.startswith("Usage: shoreup")


@pytest.mark.parametrize("words", [["backup"], ["upgrade", "postgres"], ["rbac"]])
def test_a_command_that_holds_others_shows_them_whole(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"Usage: shoreup {' '.join(words)}")
    assert "\nCommands:\n" in shown
    assert "..." not in shown.split("Commands:")[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: shoreup {name}")


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"shoreup {__version__}\n"


def test_it_runs_as_a_module_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shoreup", "--version"], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == f"shoreup {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["adit"], "shoreup: No command 'adit'; did you mean 'audit'?\n"),
        (["audit", "--format", "xml"], "shoreup: Invalid value for '--format': 'xml' is not one of"),
        (["audit", "--frmat", "json"], "shoreup: No such option"),
        (["explain"], "shoreup: Missing argument 'ID|FINGERPRINT'."),
    ],
)
def test_a_slip_of_the_hand_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count("\n") == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_a_shell(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert "_SHOREUP_COMPLETE" in capsys.readouterr().out


def test_the_shell_completes_concerns() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shoreup"],
        env={"_SHOREUP_COMPLETE": "bash_complete", "COMP_WORDS": "shoreup audit --select image-", "COMP_CWORD": "3",
             "PYTHONPATH": ":".join(sys.path)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "plain,image-tag-latest" in done.stdout.split()
