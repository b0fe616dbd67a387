"""The first settings: written from what is seen, never over what is there, and right as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shoreup.cli.main import run
from shoreup.model.settings import Settings
from shoreup.stages.settings import FILE, parse_settings, read_settings

EXAMPLE = Path(__file__).parents[2] / "examples" / "homelab"
ODD = """apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: a, namespace: web}
spec:
  rules:
    - host: "a\\"]\\nevil = 1 #\\u0007.example.org"
"""


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    """The example's Kubernetes part, where nothing has settings yet."""
    root = tmp_path / "estate"
    for path in EXAMPLE.rglob("*"):
        if path.is_file() and path.suffix in {".yaml", ".yml", ".tf", ".tftpl", ".tfvars", ".sh"}:
            target = root / path.relative_to(EXAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    return root


def agreed(text: str) -> str:
    """The text with every proposal taken."""
    proposal = re.compile(r"""^# (?=\[|\]|[a-z-]+ = |"| +"| +#)""", re.MULTILINE)
    return proposal.sub("", text)


def test_it_is_right_as_it_stands_and_changes_nothing(estate: Path) -> None:
    assert run(["init", str(estate)]) == 0
    assert read_settings(estate).settings == Settings()


def test_whoever_agrees_with_everything_has_settings_with_the_estate_s_names(estate: Path) -> None:
    run(["init", str(estate)])
    settings = parse_settings(agreed((estate / FILE).read_text()).encode()).settings
    assert "databases/postgres-paperless" in settings.tiers["critical"].services
    assert "192.168.20.5:/volume1/backups" in settings.storage
    assert any(host.endswith(".example.org") for host in settings.exposure.internet.hosts)
    assert settings.owner.images == ("registry.example.org/*",)
    assert settings.protection
    assert settings.suppress
    assert settings.objectives.keys() == {"critical", "default"}


def test_settings_that_are_there_stay(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (estate / FILE).write_text("# mine\n")
    assert run(["init", str(estate)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (estate / FILE).read_text() == "# mine\n"


def test_printed_they_are_not_written(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(estate), "--print"]) == 0
    printed = capsys.readouterr().out
    assert not (estate / FILE).exists()
    assert run(["init", str(estate)]) == 0
    assert (estate / FILE).read_text() == printed
    assert run(["init", str(estate), "--print"]) == 0
    assert capsys.readouterr().out.endswith(printed)


def test_a_link_to_nowhere_is_not_written_through(estate: Path, tmp_path: Path) -> None:
    (estate / FILE).symlink_to(tmp_path / "elsewhere.toml")
    assert run(["init", str(estate)]) == 2
    assert not (tmp_path / "elsewhere.toml").exists()


def test_a_folder_without_anything_to_audit_gets_none(tmp_path: Path) -> None:
    assert run(["init", str(tmp_path)]) == 3
    assert list(tmp_path.iterdir()) == []


def test_names_of_the_estate_start_no_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ODD)
    assert run(["init", str(tmp_path)]) == 0
    text = (tmp_path / FILE).read_text()
    assert parse_settings(text.encode()).settings == Settings()
    assert parse_settings(agreed(text).encode()).settings.exposure.internet.hosts == (
        'a"]\nevil = 1 #\x07.example.org',
    )
