"""What the estate's alert rules look at: every expression of a rule, wherever rules are kept.

Rules stand in objects of their own (PrometheusRule, VMRule, Grafana's groups), in files inside ConfigMaps, and in the
values of charts. Some charts bring rules that no one sees in the repository; what those cover is known for the ones
that most estates use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from shoreup.facts.estate import Estate, Release
from shoreup.facts.fields import items, mapping, text, truth
from shoreup.model.finding import Place
from shoreup.model.value import Value

_RULE_KINDS = (
    "PrometheusRule",
    "VMRule",
    "GrafanaAlertRuleGroup",
    "AlertingRule",
    "Probe",
    "ScrapeConfig",
    "grafana_rule_group",
)
_SIGN = re.compile(r"\balert:|\bexpr:|\balertname\b|\"alert\"|\"expr\"|\bfor: \d|conditions:")
_SIGNS = ("alert", "expr", "for: ", "conditions:")
"""One of these stands in each text that has the sign, and is found far faster."""
_ASKS = frozenset({"expr", "query", "targets", "target", "url"})
"""Keys of a rule, or of a probe, under which it says what it looks at."""
_STACKS = frozenset({"kube-prometheus-stack", "victoria-metrics-k8s-stack"})
"""Charts with Prometheus' usual rules for Kubernetes among them, unless their values switch these off."""
_WATCHERS = frozenset(
    {"kube-prometheus-stack", "victoria-metrics-k8s-stack", "prometheus", "grafana", "grafana-operator"}
)
_LOOKS = re.compile(r"prometheus|blackbox|victoria|grafana|gatus|uptime|telegraf|alloy|exporter|zabbix|netdata")
"""Charts of programs that look at other machines."""
_BROUGHT: Mapping[str, str] = {
    "kubernetesStorage": "kubelet_volume_stats_available_bytes node_filesystem_avail_bytes",
    "kubernetesApps": "kube_job_failed",
}
"""What the usual rules look at, by the group that the charts' values may switch off."""
_DEEPEST = 14


class AlertSubject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that an alert may look at: the metrics that tell of it, and what a rule would ask."""

    id: str
    alert: str
    """A name for such a rule."""
    expr: str
    """Such a rule; what the owner has to say is in angle brackets."""
    metrics: str
    rule: str
    source: str
    checked: str


@cache
def alert_subjects() -> Mapping[str, AlertSubject]:
    """Every known subject by its id."""
    content = files("shoreup.facts").joinpath("data", "alert_subjects.json").read_bytes()
    return {entry.id: entry for entry in msgspec.json.decode(content, type=list[AlertSubject])}


def drawn_up(subject: str) -> str:
    """A rule on a subject, for a file of rules or the ``spec`` of a PrometheusRule."""
    known = alert_subjects()[subject]
    return _RULE.format(name=subject, alert=known.alert, expr=known.expr)


_RULE = """groups:
  - name: {name}
    rules:
      - alert: {alert}
        expr: {expr}
        for: <time>
        labels: {{severity: <what your receivers go by>}}"""


class Alerting(Struct, frozen=True, eq=False):
    """The estate's alerting. ``place`` is where rules stand or would; ``None`` where the estate has no alerting at all.

    ``open`` says why some rules may be elsewhere; empty where all are here.
    """

    place: Place | None
    expressions: tuple[str, ...]
    mentions: tuple[str, ...]
    """What the values of charts say beside rules, such as the targets of a scrape."""
    open: str

    def looks_at(self, subject: str) -> bool:
        """Whether a rule looks at it."""
        pattern = re.compile(alert_subjects()[subject].metrics)
        return any(pattern.search(expression) for expression in self.expressions)

    def names(self, host: str) -> bool:
        """Whether a rule or a target names a host."""
        return bool(host) and any(host in written for written in (*self.expressions, *self.mentions))


def alerting(estate: Estate) -> Alerting:
    """The estate's alerting; worked out once."""
    return estate.once(_read)


def _read(estate: Estate) -> Alerting:
    expressions: list[str] = []
    mentions: list[str] = []
    place: Place | None = None
    opened = ""
    for kind in _RULE_KINDS:
        for resource in estate.by_kind.get(kind, ()):
            expressions.extend(written for _, written in _texts(dict(resource.body), 0))
            if kind in {"PrometheusRule", "VMRule"}:
                place = place or Place(resource.key)
    for entry in estate.config:
        written = "" if entry.binary else text(entry.value)
        if entry.kind == "ConfigMap" and len(written) < 1_000_000 and _rules(written):
            expressions.append(written)
    watching = _watching(estate)
    for release in estate.releases:
        name = release.chart.rpartition("/")[2]
        told = tuple(_texts(dict(release.values), 0))
        expressions.extend(written for key, written in told if key in _ASKS or _rules(written))
        if _LOOKS.search(name):
            mentions.extend(written for _, written in told)
        if name in _WATCHERS:
            place = place or release.place
            opened = opened or release.open
        if name in _STACKS:
            expressions.extend(looked for group, looked in _BROUGHT.items() if _brings(release, group))
    return Alerting(place or watching, tuple(expressions), tuple(mentions), opened)


def _watching(estate: Estate) -> Place | None:
    """A workload or object that runs Prometheus or its like."""
    for kind in ("Prometheus", "VMAlert", "VMSingle"):
        for resource in estate.by_kind.get(kind, ()):
            return Place(resource.key)
    for workload in estate.workloads:
        for container in workload.containers:
            if container.image.product in {"prometheus", "alertmanager"} and workload.resource.api_version != "compose":
                return Place(workload.resource.key)
    return None


def _rules(written: str) -> bool:
    return any(sign in written for sign in _SIGNS) and _SIGN.search(written) is not None


def _brings(release: Release, group: str) -> bool:
    """Whether a group of the chart's own rules is left on."""
    rules = mapping(release.values.get("defaultRules"))
    wanted = mapping(rules.get("rules")).get(group, mapping(rules.get("groups")).get(group))
    if isinstance(wanted, dict):
        wanted = wanted.get("create")
    return truth(rules.get("create")) is not False and truth(wanted) is not False


def _texts(value: Value, depth: int, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside a value, with the key that it stands under."""
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(item, depth + 1, name)
    elif isinstance(value, list):
        for item in items(value):
            yield from _texts(item, depth + 1, key)
    elif value is not None and text(value):
        yield key, text(value)
