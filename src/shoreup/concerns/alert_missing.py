"""Troubles that announce themselves, and nobody listens."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.alerting.present_rules import alert_subjects, alerting, drawn_up
from shoreup.facts.alerting.quiet_troubles import quiet_troubles
from shoreup.facts.estate import Estate
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source


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
    sources = (
        Source(
            "Site Reliability Engineering: monitoring", "https://sre.google/sre-book/monitoring-distributed-systems/"
        ),
        Source("Prometheus: practices for alerting", "https://prometheus.io/docs/practices/alerting/"),
        Source("What fails quietly, and the metric that tells", "facts/data/alert_subjects.json"),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Hold what the estate runs against its rules."""
        rules = alerting(estate)
        if rules.place is None:
            return
        for exported in quiet_troubles(estate):
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
