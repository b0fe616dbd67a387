"""Concerns that the user wrote: found where the user put them, and never taken out of what is audited."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from shoreup.cli.main import run

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: motd, namespace: home}
data: {text: "hello"}
"""
CONCERN = '''\
"""Greetings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.model.finding import Category, Consequence, Place, Section, Severity


@dataclass(frozen=True)
class Greeting:
    """A data class, which needs its module to be known."""

    text: str


class GreetingPlain(Concern):
    """A greeting that says nothing."""

    id = "greeting-plain"
    title = "A greeting says nothing"
    severity = Severity.HIGH
    consequence_class = Consequence.HYGIENE
    category = Category.PRACTICE
    section = Section.FRAGILE_AREAS

    def check(self, estate: Estate) -> Iterator[Outcome]:
        for entry in estate.config:
            if entry.value == "hello":
                yield self.found(
                    Place(entry.resource.key, entry.route), field="text", subject=entry.name,
                    message=Greeting("It says hello.").text, consequence="Nobody is greeted.",
                )
'''


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An estate, a user with a configuration of their own, and Python started somewhere else."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "config" / "shoreup").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    root = tmp_path / "estate"
    root.mkdir()
    (root / "motd.yaml").write_text(MANIFEST)
    return root


def configure(estate: Path, *files: str) -> None:
    """The user's own configuration, naming these files."""
    (estate.parent / "config" / "shoreup" / "config.toml").write_text(f"concerns = {json.dumps(files)}\n")


def package(folder: Path, module: str = "greetings", value: str = "greetings", text: str = CONCERN) -> None:
    """A package with an entry point, as an installer leaves it in ``folder``."""
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(text)
    record = folder / f"{module}-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (record / "entry_points.txt").write_text(f"[shoreup.concerns]\nmine = {value}\n")
    importlib.invalidate_caches()


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test imports is gone after it."""
    monkeypatch.delitem(sys.modules, "greetings", raising=False)


def found(estate: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[list[str], list[str]]:
    """The own concern's findings as ``file:line``, and the notices of the account."""
    assert run(["audit", str(estate), "--format", "json", "--fail-on", "never", *options]) == 0, capsys.readouterr().err
    account = json.loads(capsys.readouterr().out)
    places = [f"{one['file']}:{one['line']}" for one in account["findings"] if one["concern"] == "greeting-plain"]
    return places, [one["message"] for one in account["notices"]]


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command says when it ends with an error."""
    assert run([*arguments]) == 2
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_a_file_that_the_users_configuration_names(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert found(estate, capsys) == ([], [])
    (estate.parent / "config" / "shoreup" / "mine.py").write_text(CONCERN)
    configure(estate, "mine.py")
    assert found(estate, capsys) == (["motd.yaml:4"], [])
    assert found(estate, capsys, "--select", "greeting-plain") == (["motd.yaml:4"], [])
    assert found(estate, capsys, "--ignore", "greeting-*") == ([], [])


def test_a_changed_file_is_asked_anew(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = estate.parent / "config" / "shoreup" / "mine.py"
    mine.write_text(CONCERN)
    configure(estate, "mine.py")
    assert found(estate, capsys)[0]
    mine.write_text(CONCERN.replace('== "hello"', '== "goodbye"'))
    assert found(estate, capsys)[0] == []


def test_an_ignore_may_name_it(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (estate.parent / "mine.py").write_text(CONCERN)
    text = MANIFEST.replace("\ndata:", "\n# shoreup: ignore[greeting-plain] we are plain people\ndata:")
    (estate / "motd.yaml").write_text(text)
    assert found(estate, capsys, "--concerns", str(estate.parent / "mine.py")) == ([], [])


def test_code_in_the_estate_is_left_alone_wherever_it_is_named(
    estate: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loud = "raise SystemExit('this code was run')\n"
    (estate / "theirs.py").write_text(loud)
    (estate / "shoreup_concerns.py").write_text(loud)
    (estate.parent / "link.py").symlink_to(estate / "theirs.py")
    for name in (estate / "theirs.py", estate.parent / "link.py", estate.parent / "elsewhere/../estate/theirs.py"):
        configure(estate, str(name))
        places, (notice,) = found(estate, capsys)
        assert not places
        assert "theirs.py were not loaded" in notice or "link.py were not loaded" in notice
        assert "--concerns FILE" in notice


def test_the_estates_settings_name_no_code(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (estate / "theirs.py").write_text(CONCERN)
    (estate / "shoreup.toml").write_text('concerns = ["theirs.py"]\n')
    assert "unknown key 'concerns'" in refused(capsys, "audit", str(estate))


def test_on_the_command_line_the_user_may_name_it(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (estate / "theirs.py").write_text(CONCERN)
    configure(estate, str(estate / "theirs.py"))
    assert found(estate, capsys, "--concerns", str(estate / "theirs.py")) == (["motd.yaml:4"], [])
    assert not (estate / "__pycache__").exists()


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize("value", ["greetings", "greetings:GreetingPlain"])
def test_an_installed_packages_entry_point(
    estate: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    package(estate.parent / "site", value=value)
    monkeypatch.syspath_prepend(str(estate.parent / "site"))
    assert found(estate, capsys) == (["motd.yaml:4"], [])


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("gone", "cannot be loaded: ModuleNotFoundError"),
        ("greetings:Greeting", "greetings:Greeting is no concern"),
        ("greetings:Gone", "cannot be loaded: AttributeError"),
        ("", "The entry points of the package greetings 1.0 cannot be read"),
    ],
)
def test_a_package_that_is_broken_is_named(
    estate: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, value: str, said: str
) -> None:
    package(estate.parent / "site", value=value)
    if not value:
        record = estate.parent / "site" / "greetings-1.0.dist-info" / "entry_points.txt"
        record.write_text("[shoreup.concerns]\nno equals sign\n")
    monkeypatch.syspath_prepend(str(estate.parent / "site"))
    assert said in refused(capsys, "audit", str(estate))


@pytest.mark.usefixtures("forget")
def test_a_package_in_the_estate_is_left_alone(
    estate: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on Python's search where somebody starts it in the estate with ``-m``."""
    package(estate, text="raise SystemExit('this code was run')\n")
    monkeypatch.syspath_prepend(str(estate))
    places, (notice,) = found(estate, capsys)
    assert not places
    assert "The concerns of the package greetings 1.0 were not loaded" in notice


@pytest.mark.usefixtures("forget")
def test_a_module_of_the_estate_does_not_stand_in_for_an_installed_one(
    estate: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    package(estate.parent / "site")
    monkeypatch.syspath_prepend(str(estate.parent / "site"))
    (estate / "greetings.py").write_text("raise SystemExit('this code was run')\n")
    monkeypatch.syspath_prepend(str(estate))
    assert found(estate, capsys)[0] == []


def test_started_in_the_estate_python_runs_none_of_its_modules(estate: Path) -> None:
    """``python -m`` looks into the current folder first."""
    for name in ("click", "yaml", "msgspec", "greetings"):
        (estate / f"{name}.py").write_text("raise SystemExit('this code was run')\n")
    done = subprocess.run(
        [sys.executable, "-m", "shoreup", "audit", "--format", "json", "--fail-on", "never", "--no-cache"],
        cwd=estate, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["coverage"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1\n", "defines no concern"),
        ("import\n", "cannot be loaded: SyntaxError"),
        ("raise ValueError('no')\n", "cannot be loaded: ValueError: no"),
        ("raise SystemExit(0)\n", "cannot be loaded: SystemExit: 0"),
        (CONCERN.replace('    title = "A greeting says nothing"\n', ""), "GreetingPlain lacks title"),
        (CONCERN.replace("greeting-plain", "backup-missing"), "'backup-missing' is taken by Shoreup"),
    ],
)
def test_what_is_no_concern_is_said_in_one_sentence(
    estate: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (estate.parent / "mine.py").write_text(text)
    assert said in refused(capsys, "audit", str(estate), "--concerns", str(estate.parent / "mine.py"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("concern = []\n", "unknown key 'concern'"),
        ("concerns = 'mine.py'\n", "must be a list of Python files"),
        ("concerns = [\n", "config.toml"),
        ("concerns = ['gone.py']\n", "gone.py cannot be read: No such file"),
    ],
)
def test_a_wrong_configuration_is_said_in_one_sentence(
    estate: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (estate.parent / "config" / "shoreup" / "config.toml").write_text(text)
    assert said in refused(capsys, "audit", str(estate))


def test_it_has_a_page_and_stands_in_the_list(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (estate.parent / "mine.py").write_text(CONCERN)
    mine = ["--concerns", str(estate.parent / "mine.py")]
    assert run(["explain", "greeting-plain", *mine]) == 0
    assert "A greeting that says nothing." in capsys.readouterr().out
    assert run(["concerns", *mine]) == 0
    assert "greeting-plain" in capsys.readouterr().out


def test_its_finding_is_explained(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (estate.parent / "mine.py").write_text(CONCERN)
    mine = ["--concerns", str(estate.parent / "mine.py")]
    assert run(["audit", str(estate), "--format", "json", "--fail-on", "never", *mine]) == 0
    (mark,) = (
        one["fingerprint"]
        for one in json.loads(capsys.readouterr().out)["findings"]
        if one["concern"] == "greeting-plain"
    )
    assert run(["explain", mark, str(estate), *mine]) == 0
    assert "It says hello." in capsys.readouterr().out


REPAIRED = """
    def repair(self, estate, draft):
        from shoreup.model.edit import Put, Repair
        from shoreup.model.finding import Fix, Safety

        if BROKEN:
            raise LookupError
        fix = Fix("Greet", Safety.SAFE, "it is said to nobody yet")
        return Repair(fix, (Put(draft.at.resource, draft.at.route, "good day"),))
"""


def test_what_it_finds_is_fixed_as_it_says(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = estate.parent / "mine.py"
    mine.write_text(CONCERN + REPAIRED.replace("BROKEN", "False"))
    asked = ["fix", str(estate), "--concerns", str(mine), "--select", "greeting-plain", "--format", "json"]
    assert run([*asked, "--write"]) == 0
    (applied,) = json.loads(capsys.readouterr().out)["applied"]
    assert (applied["concern"], applied["title"]) == ("greeting-plain", "Greet")
    assert 'data: {text: "good day"}' in (estate / "motd.yaml").read_text()


def test_its_mistake_costs_its_own_fix(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = estate.parent / "mine.py"
    mine.write_text(CONCERN + REPAIRED.replace("BROKEN", "True"))
    asked = ["fix", str(estate), "--concerns", str(mine), "--select", "greeting-plain", "--format", "json"]
    assert run(asked) == 6
    (dropped,) = json.loads(capsys.readouterr().out)["dropped"]
    assert (dropped["check"], dropped["cause"]) == ("repair", "Shoreup failed to work it out: LookupError")
