"""Who would notice that a job has failed: rules over jobs, in the estate's own files or in a chart that brings them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.facts.alerting.programs import installed
from shoreup.facts.estate import Estate
from shoreup.facts.fields import every_text, mapping, truth
from shoreup.model.resource import Resource

_ABOUT_JOBS = re.compile(
    r"kube_job_failed|kube_job_status_failed|kube_job_complete|kube_job_status_succeeded|"
    r"kube_cronjob_status_last_successful_time|kube_cronjob_next_schedule_time|kube_cronjob_status_last_schedule_time|"
    r"KubeJobFailed|KubeJobNotCompleted|job_failed"
)
_LAST_SUCCESS = re.compile(r"kube_cronjob_status_last_successful_time\s*(?:\{(?P<asked>[^}]*)\})?")
_MATCHER = re.compile(r"""(?P<label>\w+)\s*(?P<how>=~|!~|!=|=)\s*\\?["'](?P<value>[^"'\\]*)""")
_READ_BY_AN_OPERATOR = ("ServiceMonitor", "PodMonitor", "VMServiceScrape", "VMPodScrape")
_READERS = ("Prometheus", "PrometheusAgent", "VMAgent", "VMSingle", "VMAlert")
"""Objects that say who reads those, whatever brought its operator."""
_RULES = ("PrometheusRule", "VMRule", "GrafanaAlertRuleGroup", "VMAlertmanagerConfig", "AlertingRule")


def jobs_watched(estate: Estate) -> bool:
    """Whether anything in the estate looks at failed jobs."""
    return estate.once(_watched)


def read_elsewhere(estate: Estate) -> Resource | None:
    """What is here for an operator to read that is not; its rules, and those over failed jobs, are not here either."""
    if any(True for _ in installed(estate)) or any(estate.by_kind.get(kind) for kind in _READERS):
        return None
    return next((one for kind in _READ_BY_AN_OPERATOR for one in estate.by_kind.get(kind, ())), None)


def success_watched(estate: Estate, namespace: str, name: str) -> bool:
    """Whether a rule looks at when a CronJob last ended well; that time stays, also when its jobs are removed."""
    return any(_asks_about(asked, namespace, name) for asked in estate.once(_asked))


def _asked(estate: Estate) -> tuple[str, ...]:
    return tuple(found["asked"] or "" for text in _ruling(estate) for found in _LAST_SUCCESS.finditer(text))


def _asks_about(asked: str, namespace: str, name: str) -> bool:
    """Whether the choice of series may include the CronJob's."""
    for found in _MATCHER.finditer(asked):
        own = {"cronjob": name, "namespace": namespace}.get(found["label"])
        if own is None or "*" in own:
            continue
        try:
            fits = bool(re.fullmatch(found["value"], own)) if "~" in found["how"] else found["value"] == own
        except re.error:
            continue
        if fits is found["how"].startswith("!"):
            return False
    return True


def _watched(estate: Estate) -> bool:
    for release, program in installed(estate):
        rules = mapping(release.values.get("defaultRules"))
        if program.heeds_jobs and truth(rules.get("create")) is not False:
            return True
    return any(_ABOUT_JOBS.search(text) for text in _ruling(estate) if "job" in text or "Job" in text)


def _ruling(estate: Estate) -> Iterator[str]:
    """Every text that may hold rules."""
    for release in estate.releases:
        yield from every_text(dict(release.values))
    for kind in _RULES:
        for resource in estate.by_kind.get(kind, ()):
            yield from every_text(dict(resource.body))
    for entry in estate.config:
        if entry.kind == "ConfigMap":
            yield from every_text(entry.value)
