"""``shoreup audit`` as a person and a pipeline meet it: formats, choices, files, exit codes."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest

from accounts import accepted, account, finding, homelab
from shoreup.cli.audit import FORMATS, prefix
from shoreup.cli.main import run
from shoreup.model.account import Account
from shoreup.model.errors import NothingToAudit, UserError
from shoreup.model.finding import ReadError, Severity
from shoreup.stages.audit import AuditOptions


class Auditor:
    """Stands where the audit stands, gives a hand-made account, and remembers what it was asked."""

    def __init__(self) -> None:
        self.account = homelab()
        self.fails: Exception | None = None
        self.paths: tuple[Path, ...] = ()
        self.options = AuditOptions()

    def __call__(
        self, paths: Sequence[Path], options: AuditOptions, progress: Callable[[str, int, int], None] | None
    ) -> Account:
        self.paths = tuple(paths)
        self.options = options
        if self.fails:
            raise self.fails
        return self.account


@pytest.fixture
def auditor(monkeypatch: pytest.MonkeyPatch) -> Auditor:
    """The audit that the command line calls."""
    auditor = Auditor()
    monkeypatch.setattr("shoreup.stages.audit.audit", auditor)
    monkeypatch.setattr("shoreup.cli.catalogue.known_ids", lambda *_: ("backup-missing", "backup-stale", "pdb-missing"))
    return auditor


@pytest.mark.parametrize(("named", "audited"), [([], (Path(),)), (["a", "b"], (Path("a"), Path("b")))])
def test_the_current_folder_is_audited_where_none_is_named(
    auditor: Auditor, named: list[str], audited: tuple[Path, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in named:
        (tmp_path / name).mkdir()
    run(["audit", *named])
    assert auditor.paths == audited


def test_options_reach_the_audit(auditor: Auditor) -> None:
    run(["audit", "--no-cache", "--plan", "plan.json", "--today", "2026-11-23", "--ignore", "pdb-missing"])
    assert auditor.options == AuditOptions(
        ignore=("pdb-missing",), cache=False, plan=Path("plan.json"), today=date(2026, 11, 23)
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--select", "backup-missing,backup-stale"],
        ["--select", "backup-missing", "--select", "backup-stale"],
        ["--select", "backup-*"],
    ],
)
def test_concerns_are_chosen_by_ids_commas_and_patterns(auditor: Auditor, words: list[str]) -> None:
    run(["audit", *words])
    assert auditor.options.select == ("backup-missing", "backup-stale")


def test_an_unknown_concern_names_the_nearest(auditor: Auditor, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--select", "backup-mising"]) == 2
    assert capsys.readouterr().err == "shoreup: There is no concern 'backup-mising'. The nearest is backup-missing.\n"


@pytest.mark.parametrize(
    ("severity", "fail_on", "code"),
    [
        (Severity.HIGH, [], 1),
        (Severity.CRITICAL, [], 1),
        (Severity.MEDIUM, [], 0),
        (Severity.MEDIUM, ["--fail-on", "medium"], 1),
        (Severity.LOW, ["--fail-on", "low"], 1),
        (Severity.HIGH, ["--fail-on", "critical"], 0),
        (Severity.CRITICAL, ["--fail-on", "never"], 0),
    ],
)
def test_the_exit_code_follows_the_worst_finding(
    auditor: Auditor, severity: Severity, fail_on: list[str], code: int
) -> None:
    auditor.account = account(finding(severity=severity))
    assert run(["audit", *fail_on]) == code


def test_what_is_not_proven_or_accepted_does_not_fail(auditor: Auditor) -> None:
    auditor.account = account(unproven=(finding(),), suppressed=(accepted(finding()),), known=(finding(),))
    assert run(["audit", "--fail-on", "low"]) == 0


def test_what_is_not_proven_fails_where_a_ledger_is_configured(auditor: Auditor) -> None:
    auditor.account = account(unproven=(finding(severity=Severity.HIGH),), ledger=True)
    assert run(["audit"]) == 1
    assert run(["audit", "--fail-on", "critical"]) == 0


def test_what_was_not_read_fails_only_on_request(auditor: Auditor, capsys: pytest.CaptureFixture[str]) -> None:
    auditor.account = account(errors=(ReadError("a.tf", 1, "broken", "the file"),))
    assert run(["audit"]) == 0
    assert run(["audit", "--fail-on-errors"]) == 2
    assert "1 problem" in capsys.readouterr().err


def test_less_severe_findings_are_left_out_everywhere(auditor: Auditor, capsys: pytest.CaptureFixture[str]) -> None:
    auditor.account = account(finding(1), finding(2, severity=Severity.MEDIUM), finding(3, severity=Severity.LOW))
    code = run(["audit", "--format", "json", "--min-severity", "medium", "--fail-on", "low"])
    assert [one["rank"] for one in json.loads(capsys.readouterr().out)["findings"]] == [1, 2]
    assert code == 1
    auditor.account = account(finding(severity=Severity.LOW))
    assert run(["audit", "--min-severity", "medium", "--fail-on", "low"]) == 0


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (UserError("The plan is no JSON. Make it with 'terraform show -json'."), 2),
        (NothingToAudit("There is no Terraform and no YAML in x."), 3),
    ],
)
def test_what_the_user_can_mend_is_one_line(
    auditor: Auditor, capsys: pytest.CaptureFixture[str], failure: UserError, code: int
) -> None:
    auditor.fails = failure
    assert run(["audit"]) == code
    said = capsys.readouterr()
    assert said.err == f"shoreup: {failure.message}\n"
    assert said.out == ""


def test_our_own_fault_is_one_line_and_says_how_to_report_it(
    auditor: Auditor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor.fails = KeyError("oops")
    assert run(["audit"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "KeyError" in said
    assert "SHOREUP_TRACEBACK=1" in said
    monkeypatch.setenv("SHOREUP_TRACEBACK", "1")
    with pytest.raises(KeyError):
        run(["audit"])


def test_interrupted_is_not_an_error_of_ours(auditor: Auditor, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> Account:
        raise KeyboardInterrupt

    monkeypatch.setattr("shoreup.stages.audit.audit", interrupted)
    assert run(["audit"]) == 130


# The page says when it was made, so no two are the same; it has tests of its own.
@pytest.mark.parametrize("form", [form for form in FORMATS if form != "html"])
def test_a_report_goes_to_a_file_whole_and_nothing_to_the_terminal(
    auditor: Auditor, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    assert run(["audit", "--format", form]) == 1
    printed = capsys.readouterr().out
    assert run(["audit", "--format", form, "--output", str(tmp_path / "report")]) == 1
    assert capsys.readouterr().out == ""
    assert (tmp_path / "report").read_text(encoding="utf-8") == printed
    assert [one.name for one in tmp_path.iterdir()] == ["report"]


def test_several_formats_make_several_reports(
    auditor: Auditor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.xml"
    assert run(["audit", "--format", "junit", "--output", str(target), "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"]
    assert target.read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "json", "--format", "sarif"], "Only one report can go to the terminal"),
        (["--output", "a", "--output", "b"], "There are 2 --output for 1 --format"),
        (["--format", "json", "--output", "a", "--format", "sarif", "--output", "a"], "cannot go to one file"),
    ],
)
def test_reports_that_would_mix_are_refused(
    auditor: Auditor, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert run(["audit", *words]) == 2
    assert said in capsys.readouterr().err
    assert auditor.paths == (), "nothing is audited in vain"


SETTINGS = """
[selection]
min-severity = "medium"
fail-on = "critical"
persona = "incident"
"""


def test_settings_decide_what_is_shown_and_what_fails_and_options_outrank_them(
    auditor: Auditor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shoreup.toml").write_text(SETTINGS)
    auditor.account = account(finding(1), finding(2, severity=Severity.LOW))
    assert run(["audit", str(tmp_path), "--format", "json"]) == 0
    assert [one["rank"] for one in json.loads(capsys.readouterr().out)["findings"]] == [1]
    assert run(["audit", str(tmp_path), "--format", "json", "--min-severity", "low", "--fail-on", "low"]) == 1
    assert [one["rank"] for one in json.loads(capsys.readouterr().out)["findings"]] == [1, 2]


def test_another_settings_file_can_be_named(auditor: Auditor, tmp_path: Path) -> None:
    (tmp_path / "shoreup.toml").write_text("broken = ")
    (tmp_path / "other.toml").write_text(SETTINGS)
    auditor.account = account(finding())
    assert run(["audit", str(tmp_path), "--config", str(tmp_path / "other.toml")]) == 0
    assert auditor.options.config == tmp_path / "other.toml"
    assert run(["audit", str(tmp_path)]) == 2


def test_a_baseline_is_written_with_everything_also_what_is_not_shown(
    auditor: Auditor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    auditor.account = account(finding(1), finding(2, severity=Severity.LOW), known=(finding(3),))
    target = tmp_path / "baseline.json"
    run(["audit", "--min-severity", "high", "--write-baseline", str(target)])
    assert len(json.loads(target.read_text())["findings"]) == 3


def test_a_file_that_is_there_keeps_its_permissions(auditor: Auditor, tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    target.write_text("old")
    target.chmod(0o640)
    run(["audit", "--output", str(target)])
    assert target.stat().st_mode & 0o777 == 0o640


def test_a_report_is_never_coloured_in_a_file(
    auditor: Auditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    run(["audit", "--output", str(tmp_path / "report")])
    assert "\x1b" not in (tmp_path / "report").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("variables", "options", "coloured"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"FORCE_COLOR": "1"}, ["--no-color"], False),
    ],
)
def test_colour_is_for_those_who_want_it(
    auditor: Auditor,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    options: list[str],
    coloured: bool,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    run(["audit", *options])
    assert ("\x1b[" in capsys.readouterr().out) is coloured


@pytest.mark.parametrize("target", ["no/such/folder/report", "."])
def test_a_place_that_cannot_be_written_is_one_clean_error(
    auditor: Auditor, tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    assert run(["audit", "--output", str(tmp_path / target)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("shoreup: Cannot write the report to ")
    assert said.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_device_is_one_clean_error(auditor: Auditor, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "--output", "/dev/full"]) == 2
    assert "No space left on device. Free some space" in capsys.readouterr().err


def test_a_disk_that_fills_up_leaves_the_old_report_and_no_part_of_the_new(
    auditor: Auditor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.json"
    target.write_text("the old report")
    auditor.account = account(*(finding(rank) for rank in range(1, 50)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        code = run(["audit", "--format", "json", "--output", str(target)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == 2
    assert "Cannot write the report" in capsys.readouterr().err
    assert target.read_text() == "the old report"
    assert [one.name for one in tmp_path.iterdir()] == ["report.json"]


PRINTER = """
import sys
from accounts import accepted, account, finding
from shoreup.cli import main
import shoreup.stages.audit
shoreup.stages.audit.audit = lambda *_: account(*(finding(rank, f"concern-{rank}") for rank in range(1, 3000)))
main.main()
"""


def printing(redirection: str) -> subprocess.CompletedProcess[str]:
    """``shoreup audit`` in a process of its own, with a long report going where the shell sends it."""
    return subprocess.run(
        ["/bin/sh", "-c", f'"$0" -c "$1" audit {redirection}', sys.executable, PRINTER],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"},
        timeout=60,
        check=False,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_standard_output_that_is_full_is_one_clean_error() -> None:
    done = printing("> /dev/full")
    assert done.returncode == 2
    assert done.stderr.startswith("shoreup: Cannot write the report to standard output: No space left on device.")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", [">&-", "<&- >&-"])
def test_a_closed_standard_output_is_one_clean_error(closed: str) -> None:
    done = printing(closed)
    assert done.returncode == 2
    assert done.stderr.startswith("shoreup: Cannot write the report to standard output:")
    assert done.stderr.count("\n") == 1


def test_a_report_goes_to_its_file_also_where_every_stream_is_closed(tmp_path: Path) -> None:
    done = printing(f"--output {tmp_path / 'report'} <&- >&- 2>&-")
    assert done.returncode == 1
    assert (tmp_path / "report").read_text().startswith("Shoreup 0.1.0")


def test_a_reader_who_leaves_early_is_no_error() -> None:
    done = printing("| head -n 1")
    assert done.stdout.startswith("Shoreup 0.1.0")
    assert done.stderr == ""


def test_paths_in_sarif_start_at_the_top_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "live" / "infra").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "live")
    assert prefix((tmp_path / "live" / "infra",)) == "live/infra/"
    assert prefix((Path("infra"),)) == "live/infra/"
    assert prefix(()) == "live/"
    assert prefix((tmp_path,)) == ""
    (tmp_path / "live" / "apps").mkdir()
    assert prefix((Path("infra"), Path("apps"))) == "live/"
