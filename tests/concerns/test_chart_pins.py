"""A chart that has no version gets the recorded one, where its release would say it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shoreup.stages.fix import FixOptions, fix

LOCK = """\
[[chart]]
namespace = "apps"
release = "podinfo"
version = "6.1.0"
source = "helm list"
taken = 2026-11-23
"""
TERRAFORM = """\
resource "helm_release" "podinfo" {
  name       = "podinfo"
  namespace  = "apps"
  repository = "https://stefanprodan.github.io/podinfo"
  chart      = "podinfo"
}
"""
FLUX = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: podinfo
  namespace: apps
spec:
  chart:
    spec:
      chart: podinfo
      sourceRef:
        kind: HelmRepository
        name: podinfo
"""
K3S = """\
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata:
  name: podinfo
  namespace: apps
spec:
  repo: https://stefanprodan.github.io/podinfo
  chart: podinfo
  targetNamespace: apps
"""


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("main.tf", TERRAFORM, '  version    = "6.1.0"\n'),
        ("release.yaml", FLUX, '      version: "6.1.0"\n'),
        ("chart.yaml", K3S, '  version: "6.1.0"\n'),
    ],
)
def test_a_missing_version_is_written_and_nothing_else(name: str, text: str, line: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "shoreup.lock").write_text(LOCK)
    options = FixOptions(select=("chart-unpinned",), unsafe=True, today=date(2026, 11, 23))
    (change,) = fix([tmp_path], options, lambda *_: None).amendment.changes
    after = change.after.decode()
    assert after.count(line) == 1
    assert after.replace(line, "") == text
