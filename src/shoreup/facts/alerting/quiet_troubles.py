"""What announces itself before it fails, where somebody listens: late backups, pools that fill, and the like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.alerting.present_rules import alerting
from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import known_text
from shoreup.facts.naming import named
from shoreup.facts.programs.outside_calls import outside_calls
from shoreup.facts.programs.scripts import place_in, program
from shoreup.facts.scheduling.accelerators import gpu_claim
from shoreup.facts.scheduling.staying import stays
from shoreup.facts.storage.servers import read_storage_servers
from shoreup.model.finding import Place, Severity
from shoreup.model.resource import Resource
from shoreup.model.settings import Cover
from shoreup.model.value import at

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


class QuietTrouble(Struct, frozen=True, eq=False):
    """Something that the estate runs and a rule should look at.

    ``subject`` is an id of :func:`~shoreup.facts.alerting.present_rules.alert_subjects`; ``what`` ends "no rule looks
    at".
    """

    subject: str
    what: str
    consequence: str
    places: tuple[tuple[Place, str], ...]
    severity: Severity = Severity.MEDIUM


def quiet_troubles(estate: Estate) -> Iterator[QuietTrouble]:
    """Everything of the estate that a rule should look at, each kind once."""
    yield from _backups(estate)
    yield from _certificates(estate)
    yield from _cards(estate)
    yield from _pools(estate)
    yield from _servers(estate)
    yield from _scripts(estate)
    yield from _requests(estate)


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


def _backups(estate: Estate) -> Iterator[QuietTrouble]:
    places: dict[int, tuple[Place, str]] = {}
    unheard = estate.once(_unheard)
    for backup in estate.backups:
        workload = unheard.get(backup.resource.key) if backup.workload is not None else None
        if workload is None:
            continue
        places[workload.resource.key] = (Place(workload.resource.key), f"{named(workload.resource)} may fail unseen")
    if places:
        jobs = f"{len(places)} backup jobs" if len(places) > 1 else "the backup job"
        yield QuietTrouble(
            "backup-late",
            f"when {jobs} last succeeded",
            "A backup that has stopped working is noticed on the day it is needed.",
            tuple(places.values()),
        )


def _certificates(estate: Estate) -> Iterator[QuietTrouble]:
    issuers = [*estate.by_kind.get("ClusterIssuer", ()), *estate.by_kind.get("Issuer", ())]
    issuers = [one for one in issuers if one.api_version.startswith("cert-manager.io/") and not _of_a_trial(one)]
    if issuers:
        yield QuietTrouble(
            "certificate-ending",
            f"when the certificates of {named(issuers[0])} end",
            "A renewal that has stopped working is noticed when browsers refuse the certificate.",
            ((Place(issuers[0].key), "it issues certificates that end"),),
        )


def _of_a_trial(issuer: Resource) -> bool:
    """Whether it issues certificates for trials, which no browser takes."""
    return "staging" in known_text(at(dict(issuer.body), "spec", "acme", "server"))


def _cards(estate: Estate) -> Iterator[QuietTrouble]:
    places: list[tuple[Place, str]] = []
    for workload in estate.workloads:
        claim = gpu_claim(estate, workload) if stays(workload) else None
        if claim is not None and claim.vendor in _METERED:
            places.append((claim.place, f"{named(workload.resource)} works on a card"))
    if places:
        many = f"{len(places)} workloads" if len(places) > 1 else "a workload"
        yield QuietTrouble(
            "gpu-saturated",
            f"the graphics cards that {many} work on" if len(places) > 1 else f"the graphics card that {many} works on",
            "A card that is full or hangs shows as slow answers, with no sign of where from.",
            tuple(places),
        )


def _pools(estate: Estate) -> Iterator[QuietTrouble]:
    for workload in estate.workloads:
        if not stays(workload):
            continue
        for container in workload.containers:
            if estate.products.kind(container.image.product) == "pooler":
                yield QuietTrouble(
                    "pool-full",
                    f"how full the connection pool {named(workload.resource)} is",
                    "Clients wait for a connection and then fail, while the database itself looks idle.",
                    ((Place(workload.resource.key, container.route, container=container.name), "the pool"),),
                )
                return


def _servers(estate: Estate) -> Iterator[QuietTrouble]:
    rules = alerting(estate)
    for server in read_storage_servers(estate).servers:
        many = len(server.dependants)
        if not server.host or many < 3 or rules.names(server.host):
            continue
        if estate.settings.protected(server.host, Cover.ALERT, estate.today):
            continue
        yield QuietTrouble(
            "storage-unreachable",
            f"whether the storage server {server.host} answers, on which {many} workloads keep data",
            "When it hangs, programs hang with it instead of failing, and no probe says why.",
            ((server.place, f"{many} workloads keep data on it"),),
        )
        return


def _scripts(estate: Estate) -> Iterator[QuietTrouble]:
    unheard = estate.once(_unheard)
    copying = {backup.resource.key for backup in estate.backups}
    places: dict[int, tuple[Place, str]] = {}
    for calls in outside_calls(estate):
        workload = calls[0].script.workload
        if workload is not None and workload.resource.key in unheard and workload.resource.key not in copying:
            note = f"{named(workload.resource)} waits for {calls[0].name}"
            places.setdefault(workload.resource.key, (calls[0].place, note))
    if places:
        yield QuietTrouble(
            "job-failed",
            f"jobs that fail, and {len(places)} of its jobs wait for other machines"
            if len(places) > 1
            else f"jobs that fail, and {places[min(places)][1]}",
            "A script that runs into its time-out each time looks like one that has nothing to say.",
            tuple(places.values()),
            Severity.LOW,
        )


def _requests(estate: Estate) -> Iterator[QuietTrouble]:
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
        yield QuietTrouble(
            "api-deprecated",
            f"requests for deprecated APIs, and {len(places)} of its programs talk to the cluster"
            if len(places) > 1
            else f"requests for deprecated APIs, and {places[min(places)][1]}",
            "The upgrade of Kubernetes that takes an API away stops the scripts that ask for it.",
            tuple(places.values()),
            Severity.LOW,
        )
