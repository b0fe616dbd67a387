"""Troubles that announce themselves, and nobody listens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.accelerators import gpu_claim
from shoreup.facts.alerting import alert_subjects, alerting, drawn_up
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.naming import named
from shoreup.facts.outside_calls import outside_calls
from shoreup.facts.scripts import place_in, program
from shoreup.facts.staying import stays
from shoreup.facts.storage_servers import read_storage_servers
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.settings import Cover

_HEARTBEATS = (
    "hc-ping.com",
    "healthchecks",
    "/ping/",
    "heartbeat",
    "cronitor",
    "uptime-kuma",
    "/api/push/",
    "pushgateway",
)
_OF_THE_CLUSTER = frozenset({"kubectl", "helm", "oc"})
"""Commands that ask the cluster's API."""
_METERED = frozenset({"nvidia", "amd"})
"""Makers of cards with an exporter for Prometheus."""


class _Exported(Struct, frozen=True, eq=False):
    """Something that the estate runs and a rule should look at."""

    subject: str
    what: str
    consequence: str
    places: tuple[tuple[Place, str], ...]
    severity: Severity = Severity.MEDIUM


class AlertMissing(Concern):
    """The estate has alerting, and no rule looks at something that it runs and that fails quietly.

    **What**

    Backup jobs without a rule on their last good run (or a heartbeat of their own), certificates without one on their
    end, graphics cards and connection pools without one on their use, a storage server that workloads hang on without
    one on whether it answers. One finding for each, and only where the estate has alerting of its own: rules, or a
    monitoring chart. The room on volumes is `storage-unwatched`.

    Low: scheduled scripts that wait for other machines without a rule on failed jobs, for no exporter sees a time-out
    inside a script, only the job that ended with it; of scripts in programs that run on, nothing can be asked. And
    scripts that talk to the cluster with `kubectl` or `helm` without a rule on requests for deprecated APIs, for no
    exporter sees the command itself. A chart's own rules count where its values leave them on.

    **Why**

    Each of these gives notice: a backup that is a day late, a certificate with a week left, a pool at 80 %. Without a
    rule the notice is the outage, or the day on which the backup is needed.

    **Example**

    CronJobs that run `pg_dump`, a Prometheus beside them, and no rule that mentions
    `kube_cronjob_status_last_successful_time`: found.

    **Fix safety**

    Shown: the rule is named, its threshold and its receiver are the owner's.
    """

    id = "alert-missing"
    title = "No alert on something that fails quietly"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.MISSING_FEATURES
    slow_facts = True

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Hold what the estate runs against its rules."""
        rules = alerting(estate)
        if rules.place is None:
            return
        for exported in (
            *_backups(estate),
            *_certificates(estate),
            *_cards(estate),
            *_pools(estate),
            *_servers(estate),
            *_scripts(estate),
            *_requests(estate),
        ):
            if rules.looks_at(exported.subject):
                continue
            if rules.open:
                yield self.undecided(rules.place, unknown=f"alert rules ({exported.subject})", reason=rules.open)
                continue
            rule = alert_subjects()[exported.subject].rule
            yield self.found(
                rules.place,
                field=exported.subject,
                subject="the alert rules",
                message=f"No alert rule of the estate looks at {exported.what}.",
                consequence=exported.consequence,
                severity=exported.severity,
                confidence=Confidence.LIKELY,
                related=exported.places[:3],
                fixes=(Fix(f"Add a rule on {rule}", Safety.SHOWN, "threshold and receiver are the owner's"),),
                dependants=len(exported.places),
                whole_estate=True,
            )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A rule is drawn up; threshold and receiver are left to say."""
        return self.unrepaired(draft, text=drawn_up(draft.field))


def _unheard(estate: Estate) -> Mapping[int, Workload]:
    """The scheduled jobs, by resource, that tell nobody of themselves and of which the owner has no alert elsewhere."""
    programs: dict[int, list[str]] = defaultdict(list)
    for script in estate.scripts:
        if script.workload is not None:
            programs[script.workload.resource.key].append(script.text)
    return {
        workload.resource.key: workload
        for workload in estate.workloads
        if workload.kind == "CronJob"
        and workload.enabled
        and not any(sign in said for sign in _HEARTBEATS for said in programs[workload.resource.key])
        and not estate.settings.protected(f"{workload.namespace}/{workload.name}", Cover.ALERT, estate.today)
    }


def _backups(estate: Estate) -> Iterator[_Exported]:
    places: dict[int, tuple[Place, str]] = {}
    unheard = estate.once(_unheard)
    for backup in estate.backups:
        workload = unheard.get(backup.resource.key) if backup.workload is not None else None
        if workload is None:
            continue
        places[workload.resource.key] = (Place(workload.resource.key), f"{named(workload.resource)} may fail unseen")
    if places:
        jobs = f"{len(places)} backup jobs" if len(places) > 1 else "the backup job"
        yield _Exported(
            "backup-late",
            f"when {jobs} last succeeded",
            "A backup that has stopped working is noticed on the day it is needed.",
            tuple(places.values()),
        )


def _certificates(estate: Estate) -> Iterator[_Exported]:
    issuers = [*estate.by_kind.get("ClusterIssuer", ()), *estate.by_kind.get("Issuer", ())]
    issuers = [one for one in issuers if one.api_version.startswith("cert-manager.io/")]
    if issuers:
        yield _Exported(
            "certificate-ending",
            f"when the certificates of {named(issuers[0])} end",
            "A renewal that has stopped working is noticed when browsers refuse the certificate.",
            ((Place(issuers[0].key), "it issues certificates that end"),),
        )


def _cards(estate: Estate) -> Iterator[_Exported]:
    places: list[tuple[Place, str]] = []
    for workload in estate.workloads:
        claim = gpu_claim(estate, workload) if stays(workload) else None
        if claim is not None and claim.vendor in _METERED:
            places.append((claim.place, f"{named(workload.resource)} works on a card"))
    if places:
        many = f"{len(places)} workloads" if len(places) > 1 else "a workload"
        yield _Exported(
            "gpu-saturated",
            f"the graphics cards that {many} work on" if len(places) > 1 else f"the graphics card that {many} works on",
            "A card that is full or hangs shows as slow answers, with no sign of where from.",
            tuple(places),
        )


def _pools(estate: Estate) -> Iterator[_Exported]:
    for workload in estate.workloads:
        if not stays(workload):
            continue
        for container in workload.containers:
            if estate.products.kind(container.image.product) == "pooler":
                yield _Exported(
                    "pool-full",
                    f"how full the connection pool {named(workload.resource)} is",
                    "Clients wait for a connection and then fail, while the database itself looks idle.",
                    ((Place(workload.resource.key, container.route, container=container.name), "the pool"),),
                )
                return


def _servers(estate: Estate) -> Iterator[_Exported]:
    rules = alerting(estate)
    for server in read_storage_servers(estate).servers:
        many = len(server.dependants)
        if not server.host or many < 3 or rules.names(server.host):
            continue
        if estate.settings.protected(server.host, Cover.ALERT, estate.today):
            continue
        yield _Exported(
            "storage-unreachable",
            f"whether the storage server {server.host} answers, on which {many} workloads keep data",
            "When it hangs, programs hang with it instead of failing, and no probe says why.",
            ((server.place, f"{many} workloads keep data on it"),),
        )
        return


def _scripts(estate: Estate) -> Iterator[_Exported]:
    unheard = estate.once(_unheard)
    copying = {backup.resource.key for backup in estate.backups}
    places: dict[int, tuple[Place, str]] = {}
    for calls in outside_calls(estate):
        workload = calls[0].script.workload
        if workload is not None and workload.resource.key in unheard and workload.resource.key not in copying:
            note = f"{named(workload.resource)} waits for {calls[0].name}"
            places.setdefault(workload.resource.key, (calls[0].place, note))
    if places:
        yield _Exported(
            "job-failed",
            f"jobs that fail, and {len(places)} of its jobs wait for other machines"
            if len(places) > 1
            else f"jobs that fail, and {places[min(places)][1]}",
            "A script that runs into its time-out each time looks like one that has nothing to say.",
            tuple(places.values()),
            Severity.LOW,
        )


def _requests(estate: Estate) -> Iterator[_Exported]:
    places: dict[int, tuple[Place, str]] = {}
    for script in estate.scripts:
        if script.workload is None or not script.workload.enabled or script.language != "shell":
            continue
        for command in program(script).commands:
            if command.name in _OF_THE_CLUSTER:
                place = place_in(script, command.start, command.end)
                note = f"{named(script.workload.resource)} runs {command.name}"
                places.setdefault(script.workload.resource.key, (place, note))
    if places:
        yield _Exported(
            "api-deprecated",
            f"requests for deprecated APIs, and {len(places)} of its programs talk to the cluster"
            if len(places) > 1
            else f"requests for deprecated APIs, and {places[min(places)][1]}",
            "The upgrade of Kubernetes that takes an API away stops the scripts that ask for it.",
            tuple(places.values()),
            Severity.LOW,
        )
