"""Programs that keep alert rules or export what a rule asks for, by the charts, images and objects that bring them.

They are data (``data/alerting_programs.json``, ``data/exporters.json``), each with its source and date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct, field

from shoreup.facts.estate import Estate, Release
from shoreup.facts.knowledge import table


class AlertingProgram(Struct, frozen=True, forbid_unknown_fields=True):
    """A program that has to do with alerts.

    ``charts`` are charts that install it, ``kinds`` objects of which an operator makes it, ``products`` ids of images.
    ``keeps_rules`` says that rules stand with it; ``heeds_jobs`` that it comes with rules over failed jobs, or is the
    agent of a service that has them. ``brings`` maps each group of rules that the values may switch off to the metrics
    that those look at, separated by spaces.
    """

    name: str
    source: str
    checked: str
    charts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    keeps_rules: bool = False
    heeds_jobs: bool = False
    brings: Mapping[str, str] = field(default_factory=dict)


class Exporter(Struct, frozen=True, forbid_unknown_fields=True):
    """What exports the metric that rules on ``subjects`` ask for.

    A subject is the id of an :class:`~shoreup.facts.alerting.present_rules.AlertSubject`. ``advice`` completes "nothing
    exports it: ...". ``products`` are ids of images, or parts of the names of images that no id is known of.
    """

    subjects: tuple[str, ...]
    metric: str
    advice: str
    charts: tuple[str, ...]
    source: str
    checked: str
    products: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()

    def runs(self, estate: Estate) -> bool:
        """Whether the estate runs something that exports it."""
        if any(chart_of(release) in self.charts for release in estate.releases):
            return True
        if any(estate.by_kind.get(kind) for kind in self.kinds):
            return True
        images = (one.image for workload in estate.workloads if workload.enabled for one in workload.containers)
        return any(
            image.product in self.products or any(name in image.repository for name in self.products)
            for image in images
        )


@cache
def alerting_programs() -> tuple[AlertingProgram, ...]:
    """Every known one."""
    return table("alerting_programs", tuple[AlertingProgram, ...])


@cache
def exporters() -> Mapping[str, Exporter]:
    """Every known exporter, by the subject of a rule."""
    return {subject: one for one in table("exporters", tuple[Exporter, ...]) for subject in one.subjects}


def chart_of(release: Release) -> str:
    """The chart's own name, without the repository that it is taken from."""
    return release.chart.rpartition("/")[2]


def installed(estate: Estate) -> Iterator[tuple[Release, AlertingProgram]]:
    """Every release whose chart is one of these, with the program."""
    for release in estate.releases:
        program = _by_chart().get(chart_of(release))
        if program is not None:
            yield release, program


@cache
def _by_chart() -> Mapping[str, AlertingProgram]:
    return {chart: one for one in alerting_programs() for chart in one.charts}
