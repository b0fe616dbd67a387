"""What the estate's alert rules look at: every expression of a rule, wherever rules are kept.

Rules stand in objects of their own (PrometheusRule, VMRule, Grafana's groups), in files inside ConfigMaps, and in the
values of charts. Some charts bring rules that no one sees in the repository; what those cover is known for the ones
that most estates use.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from shoreup.facts.alerting.programs import alerting_programs, chart_of, installed
from shoreup.facts.estate import Estate, Release
from shoreup.facts.fields import items, mapping, text, truth
from shoreup.facts.knowledge import table
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
_LARGEST = 1_000_000
"""Characters of a ConfigMap's entry beyond which it holds no rules but data."""
_SIGNS = ("alert", "expr", "for: ", "conditions:")
"""One of these stands in each text that has the sign, and is found far faster."""
_ASKS = frozenset({"expr", "query", "targets", "target", "url"})
"""Keys of a rule, or of a probe, under which it says what it looks at."""
_LOOKS = re.compile(r"prometheus|blackbox|victoria|grafana|gatus|uptime|telegraf|alloy|exporter|zabbix|netdata")
"""Charts of programs that look at other machines."""
_DEEPEST = 14
"""How far below a chart's values or an object's body texts are looked for; nobody writes a rule deeper."""


class AlertSubject(Struct, frozen=True, forbid_unknown_fields=True):
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
    return {entry.id: entry for entry in table("alert_subjects", tuple[AlertSubject, ...])}


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
    expressions = [*_of_objects(estate), *_of_config(estate)]
    mentions: list[str] = []
    for release in estate.releases:
        told = tuple(_texts(dict(release.values), 0))
        expressions.extend(written for key, written in told if key in _ASKS or _rules(written))
        if _LOOKS.search(chart_of(release)):
            mentions.extend(written for _, written in told)
    for release, program in installed(estate):
        expressions.extend(looked for group, looked in program.brings.items() if _brings(release, group))
    keepers = [release for release, program in installed(estate) if program.keeps_rules]
    return Alerting(
        place=_rules_of_its_own(estate) or next((one.place for one in keepers), None) or _keeper(estate),
        expressions=tuple(expressions),
        mentions=tuple(mentions),
        open=next((release.open for release in keepers if release.open), ""),
    )


def _of_objects(estate: Estate) -> Iterator[str]:
    for kind in _RULE_KINDS:
        for resource in estate.by_kind.get(kind, ()):
            yield from (written for _, written in _texts(dict(resource.body), 0))


def _of_config(estate: Estate) -> Iterator[str]:
    for entry in estate.config:
        written = "" if entry.binary else text(entry.value)
        if entry.kind == "ConfigMap" and len(written) < _LARGEST and _rules(written):
            yield written


def _rules_of_its_own(estate: Estate) -> Place | None:
    """An object of rules that the estate has: others would stand beside it."""
    found = (resource for kind in ("PrometheusRule", "VMRule") for resource in estate.by_kind.get(kind, ()))
    return next((Place(resource.key) for resource in found), None)


def _keeper(estate: Estate) -> Place | None:
    """An object or a workload that runs what keeps rules; in compose there is nowhere to put one."""
    keepers = [one for one in alerting_programs() if one.keeps_rules]
    for kind in (kind for one in keepers for kind in one.kinds):
        for resource in estate.by_kind.get(kind, ()):
            return Place(resource.key)
    products = {product for one in keepers for product in one.products}
    for workload in estate.workloads:
        if workload.resource.api_version != "compose" and any(
            container.image.product in products for container in workload.containers
        ):
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
