"""Alert rules for an estate, in the dialect that it uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from shoreup.facts.alerting.proposed_rules import AlertRule, Unwritten, alert_rules, written
from shoreup.facts.estate import Estate, Release
from shoreup.facts.fields import mapping, text, truth
from shoreup.formats.yaml.writing import new_document
from shoreup.model.value import Value
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import opened

Progress = Callable[[str, int, int], None]
NAME = "shoreup"
_STACK = "kube-prometheus-stack"


class Dialect(StrEnum):
    """What holds rules."""

    PROMETHEUS_RULE = "prometheusrule"
    VM_RULE = "vmrule"
    HELM_VALUES = "helm-values"
    RULE_FILE = "rule-file"


class Alerts(Struct, frozen=True):
    """The rules as text, in which dialect, and what is not among them with why."""

    text: str
    dialect: Dialect
    rules: tuple[AlertRule, ...]
    unwritten: tuple[Unwritten, ...]


def alerts(paths: Sequence[Path], dialect: Dialect | None, config: Path | None, say: Progress) -> Alerts:
    """Rules for what the estate at ``paths`` runs and no rule of its own looks at yet.

    Raises what an audit raises.
    """
    found = opened(paths, config=config)
    asked = Asked((), datetime.now(UTC).date(), given=found.given, whole=found.whole)
    estate = understood(read(found.tree, None, say), asked)
    told = list(alert_rules(estate))
    rules = tuple(one for one in told if isinstance(one, AlertRule))
    chosen = dialect or _dialect(estate)
    body = _body(estate, chosen, rules)
    return Alerts(
        new_document(body) if rules else "",
        chosen,
        rules,
        tuple(one for one in told if isinstance(one, Unwritten)),
    )


def _dialect(estate: Estate) -> Dialect:
    """How the estate writes its rules, or would."""
    kinds = estate.by_kind
    charts = {release.chart.rpartition("/")[2] for release in estate.releases}
    if kinds.get("VMRule") or (not kinds.get("PrometheusRule") and "victoria-metrics-k8s-stack" in charts):
        return Dialect.VM_RULE
    if kinds.get("PrometheusRule") or kinds.get("Prometheus") or _STACK in charts:
        return Dialect.PROMETHEUS_RULE
    return Dialect.RULE_FILE


def _body(estate: Estate, dialect: Dialect, rules: Sequence[AlertRule]) -> Value:
    groups: Value = [{"name": NAME, "rules": [_plain(one) for one in written(rules)]}]
    if dialect is Dialect.RULE_FILE:
        return {"groups": groups}
    if dialect is Dialect.HELM_VALUES:
        return {"additionalPrometheusRulesMap": {NAME: {"groups": groups}}}
    victoria = dialect is Dialect.VM_RULE
    metadata: dict[str, Value] = {"name": NAME, "namespace": _namespace(estate)}
    labels = _labels(estate)
    if labels and not victoria:
        metadata["labels"] = labels
    return {
        "apiVersion": "operator.victoriametrics.com/v1beta1" if victoria else "monitoring.coreos.com/v1",
        "kind": "VMRule" if victoria else "PrometheusRule",
        "metadata": metadata,
        "spec": {"groups": groups},
    }


def _plain(rule: dict[str, str | dict[str, str]]) -> Value:
    return {key: dict(held) if isinstance(held, dict) else held for key, held in rule.items()}


def _namespace(estate: Estate) -> str:
    """Where rules lie already, or where what reads them runs."""
    for kind in ("PrometheusRule", "VMRule", "Prometheus"):
        for resource in estate.by_kind.get(kind, ()):
            if resource.namespace:
                return resource.namespace
    stack = _stack(estate)
    return (stack.namespace if stack is not None else "") or "monitoring"


def _labels(estate: Estate) -> dict[str, Value]:
    """The labels by which Prometheus finds rules: those that the estate's own rules share, or the chart's."""
    own = [
        {(key, text(held)) for key, held in mapping(mapping(one.body.get("metadata")).get("labels")).items()}
        for one in estate.by_kind.get("PrometheusRule", ())
    ]
    if own:
        shared = set.intersection(*own)
        return dict(sorted(one for one in shared if not one[0].startswith("app.kubernetes.io/")))
    stack = _stack(estate)
    if stack is None:
        return {}
    spec = mapping(mapping(stack.values.get("prometheus")).get("prometheusSpec"))
    # The chart's default: rules without its label are not read.
    if truth(spec.get("ruleSelectorNilUsesHelmValues")) is False or "ruleSelector" in spec:
        return {}
    return {"release": stack.name}


def _stack(estate: Estate) -> Release | None:
    return next((one for one in estate.releases if one.chart.rpartition("/")[2] == _STACK), None)
