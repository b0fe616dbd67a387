"""Volumes that fill up unseen."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.alerting.present_rules import alert_subjects, alerting, drawn_up
from shoreup.facts.estate import Estate, Volume, Workload
from shoreup.facts.scheduling.staying import stays
from shoreup.facts.storage.state import lasting
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.settings import Cover

_SUBJECT = "storage-filling"


class StorageUnwatched(Concern):
    """The estate has alerting, and none of its rules looks at the room that volumes have left.

    **What**

    Workloads keep data on volumes, rules or a monitoring chart are in the estate, and no rule mentions a metric of
    volumes or file systems. The rules that the usual charts bring count, unless the values switch them off. An
    estate without any alerting of its own is left alone: it may be watched from elsewhere, which the settings can say
    (`[[protection]]` with `covers = ["alert"]`).

    **Why**

    A database whose volume is full stops, and some do not start again before there is room. It is known days ahead, to
    whoever looks.

    **Example**

    A Prometheus with rules for nodes and certificates, beside databases on claims, is found; a rule on
    `kubelet_volume_stats_available_bytes` cures it.

    **Fix safety**

    Shown: the threshold depends on how fast the volume fills.
    """

    id = "storage-unwatched"
    title = "No alert on the room that volumes have left"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.AVAILABILITY
    section = Section.MISSING_FEATURES
    sources = (
        Source(
            "Site Reliability Engineering: monitoring", "https://sre.google/sre-book/monitoring-distributed-systems/"
        ),
        Source("Kubernetes: kinds of volumes", "https://kubernetes.io/docs/concepts/storage/volumes/"),
    )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A rule is drawn up; its threshold is left to say."""
        return self.unrepaired(draft, text=drawn_up(draft.field))

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at what is kept, and at the rules."""
        rules = alerting(estate)
        if rules.place is None:
            return
        kept = [*_kept(estate)]
        if not kept or rules.looks_at(_SUBJECT):
            return
        if rules.open:
            yield self.undecided(rules.place, unknown="alert rules", reason=rules.open)
            return
        count = len({(workload.namespace, volume.claim or volume.name, volume.server) for workload, volume in kept})
        workloads = len({id(workload) for workload, _ in kept})
        plural = "volumes" if count > 1 else "volume"
        yield self.found(
            rules.place,
            field=_SUBJECT,
            subject="the alert rules",
            message=(
                f"No alert rule of the estate looks at the room left on the {count} {plural} of {workloads} "
                f"{'workloads' if workloads > 1 else 'workload'}."
            ),
            consequence="The first sign of a full volume is a service that has stopped writing.",
            confidence=Confidence.LIKELY,
            related=tuple(
                (Place(workload.resource.key, volume.route), f"{workload.name} keeps data here")
                for workload, volume in kept[:3]
            ),
            fixes=(
                Fix(f"Add a rule on {alert_subjects()[_SUBJECT].rule}", Safety.SHOWN, "the threshold is the owner's"),
            ),
            dependants=workloads,
            whole_estate=True,
        )


def _kept(estate: Estate) -> Iterator[tuple[Workload, Volume]]:
    """The volumes on which data is kept, but for those of which the settings say that something else looks at them."""
    for workload in estate.workloads:
        for volume in workload.volumes if stays(workload) else ():
            if not lasting(volume) or volume.kind == "host-path" or volume.read_only:
                continue
            names = (f"{workload.namespace}/{workload.name}", volume.claim, volume.server)
            if not any(estate.settings.protected(name, Cover.ALERT, estate.today) for name in names if name):
                yield workload, volume
