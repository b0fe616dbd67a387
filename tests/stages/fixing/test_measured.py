"""Requests and limits from a real Prometheus: the numbers in the file are the true quantiles of what was recorded."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from prometheus_here import NOW, WINDOW, Recorded, running, true_quantile
from shoreup.model.errors import UserError
from shoreup.stages.fix import FixOptions, fix, write_out

MIB = 1024 * 1024
MIDDLE = NOW - WINDOW / 2

SERIES = {
    "old": Recorded(("office", "wiki-6d5f7c9b4d-x2k4p", "wiki"), 1, last=MIDDLE),
    "new": Recorded(("office", "wiki-7f9c8b6d5c-q8zvw", "wiki"), 2, first=MIDDLE),
    "second": Recorded(("office", "wiki-7f9c8b6d5c-5xwbn", "wiki"), 3, first=MIDDLE),
    "other container": Recorded(("office", "wiki-7f9c8b6d5c-q8zvw", "proxy"), 4),
    "other workload": Recorded(("office", "wiki-redis-7f9c8b6d5c-q8zvw", "wiki"), 5),
    "other namespace": Recorded(("home", "wiki-7f9c8b6d5c-q8zvw", "wiki"), 6),
    "database": Recorded(("office", "db-0", "db"), 7),
    "young": Recorded(("office", "young-7f9c8b6d5c-q8zvw", "young"), 8, first=NOW - 3 * 3600),
}
WIKI = [SERIES[name] for name in ("old", "new", "second")]
DATABASE = [SERIES["database"]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("prometheus"), list(SERIES.values()), SERIES["database"]) as url:
        yield url


@pytest.fixture(autouse=True)
def asked_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every question is asked as of the day that the series end on."""
    monkeypatch.setattr("shoreup.stages.measuring.now", lambda: NOW)


def deployment(name: str, resources: str = "") -> str:
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: office}}
spec:
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: {name}
          image: ghcr.io/example/{name}:1.0.0
{resources}"""


TERRAFORM = """\
resource "kubernetes_stateful_set_v1" "db" {
  metadata {
    name      = "db"
    namespace = "office"
  }
  spec {
    service_name = "db"
    selector {
      match_labels = { app = "db" }
    }
    template {
      metadata {
        labels = { app = "db" }
      }
      spec {
        container {
          name  = "db"
          image = "ghcr.io/example/db:1.0.0"
        }
      }
    }
  }
}
"""


def fixed(folder: Path, text: str, *select: str, name: str = "estate.yaml", url: str = "") -> tuple[str, list[str]]:
    """What the file becomes, and the reasons for what is left alone."""
    (folder / name).write_text(text, encoding="utf-8")
    options = FixOptions(
        select=select,
        unsafe=True,
        today=date(2026, 11, 23),
        prometheus=url,
        window=timedelta(seconds=WINDOW),
    )
    amendment = write_out(fix([folder], options, lambda *_: None))
    assert not amendment.dropped
    return (folder / name).read_text(encoding="utf-8"), [one.reason for one in amendment.not_fixed]


def cpu(series: list[Recorded]) -> str:
    return f"{math.ceil(true_quantile([one.cores for one in series], 0.5) * 1000 - 1e-4)}m"


def memory(series: list[Recorded], quantile: float, times: float = 1) -> int:
    return math.ceil(true_quantile([one.bytes for one in series], quantile) * times / MIB)


def test_requests_are_the_medians_of_the_busiest_pod(tmp_path: Path, server: str) -> None:
    text, _ = fixed(tmp_path, deployment("wiki"), "resources-requests-missing", url=server)
    assert re.findall(r"(cpu|memory): (\S+)", text) == [("cpu", cpu(WIKI)), ("memory", f"{memory(WIKI, 0.5)}Mi")]


def test_the_limit_is_the_99th_percentile_with_room_and_never_under_the_most(tmp_path: Path, server: str) -> None:
    text, _ = fixed(tmp_path, deployment("wiki"), "memory-limit-missing", url=server)
    most = math.ceil(true_quantile([one.bytes for one in WIKI], 1) / MIB)
    limit = max(memory(WIKI, 0.99, 1.25), most)
    assert re.findall(r"limits:\s+memory: (\S+)", text) == [f"{limit}Mi"]
    assert "cpu" not in text.partition("limits:")[2], "a limit on the processor is never written"
    assert f"memory: {memory(WIKI, 0.5)}Mi" in text, "Kubernetes would take the limit for the request"


def test_both_at_once_in_terraform(tmp_path: Path, server: str) -> None:
    text, _ = fixed(
        tmp_path, TERRAFORM, "memory-limit-missing", "resources-requests-missing", name="main.tf", url=server
    )
    assert re.findall(r"(cpu|memory)\s+= \"(\S+)\"", text)[:2] == [
        ("cpu", cpu(DATABASE)),
        ("memory", f"{memory(DATABASE, 0.5)}Mi"),
    ]
    assert text.count("resources {") == 1
    again, left = fixed(
        tmp_path, text, "memory-limit-missing", "resources-requests-missing", name="main.tf", url=server
    )
    assert (again, left) == (text, [])


def test_a_request_that_is_there_stays_and_is_not_over_the_limit(tmp_path: Path, server: str) -> None:
    resources = "          resources: {requests: {cpu: 10m, memory: 64Gi}}\n"
    text, _ = fixed(tmp_path, deployment("wiki", resources), "memory-limit-missing", url=server)
    assert "requests: {cpu: 10m, memory: 64Gi}" in text
    assert re.findall(r"limits: {memory: (\w+)}", text) == [f"{64 * 1024}Mi"]


def test_a_limit_on_the_processor_goes_and_the_median_is_requested(tmp_path: Path, server: str) -> None:
    serving = TERRAFORM.replace(
        'image = "ghcr.io/example/db:1.0.0"',
        'image = "postgres:17.2"\n          port { container_port = 5432 }\n'
        '          resources { limits = { cpu = "100m", memory = "1Gi" } }',
    )
    (tmp_path / "main.tf").write_text(serving, encoding="utf-8")
    options = FixOptions(
        select=("cpu-limit-throttling",), unsafe=True, prometheus=server, window=timedelta(seconds=WINDOW)
    )
    amendment = write_out(fix([tmp_path], options, lambda *_: None))
    after = (tmp_path / "main.tf").read_text(encoding="utf-8")
    assert (cpu(DATABASE) in after, "100m" in after, '"1Gi"' in after) == (True, False, True), after
    assert "stopped it in 25% of its periods" in amendment.applied[0].reason


@pytest.mark.parametrize(
    ("name", "why"),
    [("young", "only 3 hours of this container"), ("absent", "has recorded nothing of this container in 2 days")],
)
def test_what_was_not_seen_long_enough_gets_no_number(tmp_path: Path, server: str, name: str, why: str) -> None:
    text, left = fixed(tmp_path, deployment(name), "resources-requests-missing", url=server)
    assert text == deployment(name)
    assert [why in reason for reason in left] == [True]


def test_without_a_prometheus_the_questions_are_shown(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(deployment("wiki"), encoding="utf-8")
    amendment = fix([tmp_path], FixOptions(unsafe=True), lambda *_: None).amendment
    left = {one.finding.concern: one for one in amendment.not_fixed}
    assert "--prometheus" in left["resources-requests-missing"].reason
    assert "quantile_over_time(0.5, max by (container) (rate(" in left["resources-requests-missing"].text
    assert "quantile_over_time(0.99, " in left["memory-limit-missing"].text


def test_the_shown_questions_are_ones_that_prometheus_answers(tmp_path: Path, server: str) -> None:
    from shoreup.live.prometheus import Prometheus

    (tmp_path / "estate.yaml").write_text(deployment("wiki"), encoding="utf-8")
    amendment = fix([tmp_path], FixOptions(select=("memory-limit-missing",)), lambda *_: None).amendment
    asked = [line.partition("# ")[2] for line in amendment.not_fixed[0].text.splitlines() if "# " in line]
    with Prometheus(server) as prometheus:
        assert [set(prometheus.by_container(one, NOW)) for one in asked] == [{"wiki"}] * 3


def test_a_tree_cannot_make_us_call_a_server(tmp_path: Path) -> None:
    (tmp_path / "shoreup.toml").write_text('[prometheus]\nurl = "http://192.0.2.1:9"\n', encoding="utf-8")
    _, left = fixed(tmp_path, deployment("wiki"), "memory-limit-missing")
    assert "--prometheus" in left[0]


def test_settings_that_are_named_are_believed(tmp_path: Path, server: str) -> None:
    (tmp_path / "estate.yaml").write_text(deployment("wiki"), encoding="utf-8")
    settings = tmp_path / "own.toml"
    settings.write_text(f'[prometheus]\nurl = "{server}"\nwindow = "2d"\n', encoding="utf-8")
    options = FixOptions(select=("memory-limit-missing",), unsafe=True, config=settings)
    assert len(fix([tmp_path], options, lambda *_: None).amendment.applied) == 1


def test_a_server_that_is_not_there_costs_the_numbers_and_nothing_else(tmp_path: Path) -> None:
    text, left = fixed(tmp_path, deployment("wiki"), "memory-limit-missing", url="http://127.0.0.1:9")
    assert text == deployment("wiki")
    assert "127.0.0.1:9 does not answer" in left[0]


def test_a_window_of_a_year_is_refused(tmp_path: Path) -> None:
    (tmp_path / "estate.yaml").write_text(deployment("wiki"), encoding="utf-8")
    options = FixOptions(prometheus="http://127.0.0.1:9", window=timedelta(days=365))
    with pytest.raises(UserError, match="365 days"):
        fix([tmp_path], options, lambda *_: None)
