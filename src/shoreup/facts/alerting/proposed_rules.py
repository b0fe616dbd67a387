"""Alert rules for what an estate runs, with thresholds that follow from it, where something exports the numbers.

A rule over a metric that nothing exports never goes off, and looks like one that has nothing to say. So each rule names
who exports what it asks, and is left out, with that, where the estate does not run it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct

from shoreup.facts.alerting.present_rules import alerting
from shoreup.facts.alerting.programs import exporters
from shoreup.facts.alerting.quiet_troubles import QuietTrouble, quiet_troubles
from shoreup.facts.backups.recurring import running
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.programs.schedules import longest_gap, spoken
from shoreup.facts.storage.servers import read_storage_servers
from shoreup.model.value import pattern

_GRACE = timedelta(hours=2)
"""How late a backup may be at least: it takes its time, and clocks and queues take theirs."""
_DAYS_LEFT = 14
"""cert-manager renews at two thirds of a certificate's life (https://cert-manager.io/docs/usage/certificate/), of 90
days that is with 30 left: with 14 left its attempts have failed for two weeks."""
_FULL = 0.15
"""The share of a volume that is left when it is time to act; Kubernetes' own mixin warns at 15 % too."""


class AlertRule(Struct, frozen=True):
    """One rule. ``subject`` is an id of :func:`~shoreup.facts.alerting.present_rules.alert_subjects`.

    ``lasts`` is what Prometheus calls ``for``.
    """

    subject: str
    name: str
    expr: str
    lasts: str
    severity: str
    summary: str
    description: str


class Unwritten(Struct, frozen=True):
    """A rule that would never go off, or whose numbers the source leaves open, and why."""

    subject: str
    why: str


def alert_rules(estate: Estate) -> Iterator[AlertRule | Unwritten]:
    """A rule for each thing that fails quietly and that no rule of the estate looks at yet."""
    seen = alerting(estate)
    known = exporters()
    subjects = {trouble.subject: trouble for trouble in quiet_troubles(estate)}
    for subject, make in _MAKERS.items():
        trouble = subjects.get(subject)
        if (trouble is None and subject != "storage-filling") or seen.looks_at(subject):
            continue
        exporter = known[subject]
        if not exporter.runs(estate):
            yield Unwritten(subject, f"nothing in the estate exports {exporter.metric}: {exporter.advice}")
            continue
        yield from make(estate, trouble)


def _late(estate: Estate, trouble: QuietTrouble | None) -> Iterator[AlertRule | Unwritten]:
    jobs: dict[int, Backup] = {one.resource.key: one for one in running(estate) if one.workload is not None}
    wanted = {place.resource for place, _ in (trouble.places if trouble is not None else ())}
    for key, backup in jobs.items():
        if key not in wanted or backup.resource.kind != "CronJob":
            continue
        where = f"{backup.namespace}/{backup.name}"
        schedule = pattern(backup.schedule) if not isinstance(backup.schedule, (dict, list)) else ""
        gap = longest_gap(schedule) if schedule else None
        if gap is None or "*" in where:
            yield Unwritten("backup-late", f"how often {where} runs is not known")
            continue
        allowed = int((gap + max(_GRACE, gap / 4)).total_seconds())
        labels = f'{{namespace="{backup.namespace}", cronjob="{backup.name}"}}'
        yield AlertRule(
            subject="backup-late",
            name="BackupLate",
            # A job that never succeeded has no last success; it counts from when it was made.
            expr=f"time() - kube_cronjob_status_last_successful_time{labels} > {allowed} or "
            f"(time() - kube_cronjob_created{labels} > {allowed} "
            f"unless kube_cronjob_status_last_successful_time{labels})",
            lasts="5m",
            severity="critical",
            summary=f"The backup {where} is late",
            description=f"It runs every {spoken(gap)}; its last good run is longer ago than "
            f"{spoken(timedelta(seconds=allowed))}.",
        )


def _certificates(_: Estate, __: QuietTrouble | None) -> Iterator[AlertRule]:
    yield AlertRule(
        subject="certificate-ending",
        name="CertificateEnding",
        expr=f"certmanager_certificate_expiration_timestamp_seconds - time() < {_DAYS_LEFT} * 86400",
        lasts="1h",
        severity="warning",
        summary="The certificate {{ $labels.namespace }}/{{ $labels.name }} ends soon",
        description=f"It has less than {_DAYS_LEFT} days left, so its renewal has been failing.",
    )


def _cards(_: Estate, __: QuietTrouble | None) -> Iterator[AlertRule]:
    yield AlertRule(
        subject="gpu-saturated",
        name="CardSaturated",
        expr="avg_over_time(DCGM_FI_DEV_GPU_UTIL[30m]) > 95",
        lasts="15m",
        severity="warning",
        summary="The graphics card {{ $labels.gpu }} of {{ $labels.Hostname }} has no rest",
        description="It was in use for more than 95 % of the last half hour: what works on it waits.",
    )
    yield AlertRule(
        subject="gpu-saturated",
        name="CardMemoryFull",
        expr="DCGM_FI_DEV_FB_USED / (DCGM_FI_DEV_FB_USED + DCGM_FI_DEV_FB_FREE) > 0.95",
        lasts="15m",
        severity="warning",
        summary="The memory of graphics card {{ $labels.gpu }} of {{ $labels.Hostname }} is full",
        description="The next model that is loaded fails.",
    )


def _pools(_: Estate, __: QuietTrouble | None) -> Iterator[AlertRule]:
    yield AlertRule(
        subject="pool-full",
        name="PoolFilling",
        expr="pgbouncer_databases_current_connections / (pgbouncer_databases_pool_size > 0) > 0.8",
        lasts="10m",
        severity="warning",
        summary="The connection pool of {{ $labels.database }} is over 80 % in use",
        description="Soon clients wait for a connection.",
    )
    yield AlertRule(
        subject="pool-full",
        name="PoolFull",
        expr="pgbouncer_pools_client_waiting_connections > 0",
        lasts="2m",
        severity="critical",
        summary="Clients wait for a connection to {{ $labels.database }}",
        description="The pool has been full for minutes.",
    )


def _unreachable(estate: Estate, _: QuietTrouble | None) -> Iterator[AlertRule]:
    for server in read_storage_servers(estate).servers:
        if not server.host or "*" in server.host:
            continue
        device = f"{re.escape(server.host)}:.*".replace("\\", "\\\\")
        yield AlertRule(
            subject="storage-unreachable",
            name="StorageUnreachable",
            expr=f'max by (device) (node_filesystem_device_error{{fstype=~"nfs.*", device=~"{device}"}}) == 1',
            lasts="2m",
            severity="critical",
            summary=f"The storage server {server.host} does not answer",
            description="Programs hang with it instead of failing; what keeps data there is down or will be.",
        )


def _filling(_: Estate, __: QuietTrouble | None) -> Iterator[AlertRule]:
    yield AlertRule(
        subject="storage-filling",
        name="StorageFilling",
        expr=f"kubelet_volume_stats_available_bytes / kubelet_volume_stats_capacity_bytes < {_FULL}",
        lasts="30m",
        severity="warning",
        summary="The volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} fills up",
        description=f"Less than {_FULL:.0%} of it is left.",
    )


def _jobs(_: Estate, __: QuietTrouble | None) -> Iterator[AlertRule]:
    yield AlertRule(
        subject="job-failed",
        name="JobFailed",
        expr="kube_job_failed > 0",
        lasts="15m",
        severity="warning",
        summary="The job {{ $labels.namespace }}/{{ $labels.job_name }} failed",
        description="Its pods tell why, as long as they are kept.",
    )


def _apis(_: Estate, __: QuietTrouble | None) -> Iterator[AlertRule]:
    yield AlertRule(
        subject="api-deprecated",
        name="ApiDeprecated",
        expr="sum by (group, version, resource, removed_release) (apiserver_requested_deprecated_apis) > 0",
        lasts="1h",
        severity="warning",
        summary="{{ $labels.resource }} is asked for as {{ $labels.group }}/{{ $labels.version }}, which goes away",
        description="Kubernetes {{ $labels.removed_release }} does not have it any more.",
    )


_Maker = Callable[[Estate, QuietTrouble | None], Iterator[AlertRule | Unwritten]]
_MAKERS: Mapping[str, _Maker] = {
    "backup-late": _late,
    "storage-unreachable": _unreachable,
    "storage-filling": _filling,
    "certificate-ending": _certificates,
    "pool-full": _pools,
    "gpu-saturated": _cards,
    "job-failed": _jobs,
    "api-deprecated": _apis,
}


def written(found: Sequence[AlertRule]) -> list[dict[str, str | dict[str, str]]]:
    """Rules as Prometheus writes them, whatever holds them."""
    return [
        {
            "alert": one.name,
            "expr": one.expr,
            "for": one.lasts,
            "labels": {"severity": one.severity},
            "annotations": {"summary": one.summary, "description": one.description},
        }
        for one in found
    ]
