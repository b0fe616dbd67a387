"""What a person is given to complete: there is something for every concern, and it becomes what it says it is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from case_files import TODAY, Case, by_name, cases
from shoreup.concerns.base import Concern
from shoreup.concerns.registry import all_concerns
from shoreup.facts.alerting.present_rules import alert_subjects, drawn_up
from shoreup.facts.backups.dump_commands import dump_command
from shoreup.formats.shell import parse
from shoreup.stages.fix import FixOptions, fix

PLACEHOLDER = re.compile(r"<[^<>\n]+>")
DRAWN_UP = [case for case in cases() if case.concern in ("backup-missing", "backup-manual") and case.findings]
ELSEWHERE = {"module-oversized", "comment-contradicted"}
"""Cured by edits alone, whatever they find."""


def repairs(kind: type[Concern]) -> bool:
    return kind.repair is not Concern.repair


@pytest.mark.parametrize("kind", [one for one in all_concerns() if not one.estate_level], ids=lambda one: one.id)
def test_every_concern_repairs_or_proposes(kind: type[Concern]) -> None:
    assert repairs(kind) or kind.proposal or kind.id in ELSEWHERE


@pytest.mark.parametrize("kind", [one for one in all_concerns() if one.proposal], ids=lambda one: one.id)
def test_what_is_the_owners_to_say_is_marked(kind: type[Concern]) -> None:
    texts = [kind.proposal] if isinstance(kind.proposal, str) else list(kind.proposal.values())
    for text in texts:
        assert PLACEHOLDER.search(text) or text.startswith("#"), text
        assert max(map(len, text.splitlines())) < 120


@pytest.mark.parametrize("subject", sorted(alert_subjects()))
def test_a_rule_that_was_completed_is_one_that_prometheus_takes(subject: str, tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("not run: promtool is not on this machine (Debian: apt install prometheus)")
    completed = drawn_up(subject).replace("<time>", "10m").replace("<what your receivers go by>", "page")
    completed = re.sub(r'"([^"<>]*)<[^<>]+>([^"<>]*)"', r'"\1x\2"', completed)
    (tmp_path / "rules.yaml").write_text(PLACEHOLDER.sub("7", completed), encoding="utf-8")
    done = subprocess.run(["promtool", "check", "rules", str(tmp_path / "rules.yaml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("product", ["postgresql", "mysql", "mariadb", "percona-server", "mongodb", "etcd"])
def test_a_dump_writes_the_copy_and_names_no_password(product: str) -> None:
    known = dump_command(product)
    assert known is not None
    program = parse(known.command)
    assert not program.broken
    assert '"$copy"' in known.command
    assert not known.password or known.password not in known.command


@pytest.mark.parametrize("case", DRAWN_UP, ids=by_name)
def test_the_job_is_in_the_dialect_of_the_file(case: Case, tmp_path: Path) -> None:
    for name, content in case.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    left = fix([tmp_path], FixOptions(select=(case.concern,), unsafe=True, today=TODAY), lambda *_: None).amendment
    assert left.not_fixed
    assert left.changes == (), "it is shown, and never made"
    for one in left.not_fixed:
        if one.finding.file.endswith(".tf"):
            assert 'resource "kubernetes_cron_job' in one.text
            continue
        if one.finding.file == "compose.yaml":
            assert "CronJob" not in one.text, "a host of containers has none"
            continue
        jobs = [held for held in yaml.safe_load_all(one.text) if isinstance(held, dict)]
        assert [job["kind"] for job in jobs] == ["CronJob"]
        pod = jobs[0]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        program = pod["containers"][0].get("args", ["true"])[0]
        assert not parse(program).broken
        assert "<" in jobs[0]["spec"]["schedule"], "when it runs is the owner's to say"
