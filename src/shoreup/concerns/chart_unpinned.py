"""Helm releases whose chart has no version, or a range instead of one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, Release
from shoreup.facts.naming import named
from shoreup.facts.versions.pins import LOCK_FIRST
from shoreup.facts.versions.releases import PINNED_ELSEWHERE
from shoreup.model.edit import NoRepair, Put, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.value import Unknown

_PIN = Fix(
    "Pin the chart to the version that is installed",
    Safety.UNSAFE,
    "writing the installed version changes nothing that runs, but which one that is stands in the cluster, not here; "
    "any other version upgrades the release",
)
_FULL = re.compile(r"=?\s*v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?")
_WILD = re.compile(r"(?:^|[.\s])[xX*](?:[.\s]|$)")
_PARTIAL = re.compile(r"v?\d+(?:\.\d+)?")


class ChartUnpinned(Concern):
    """A Helm release takes its chart without a version, or by a range of versions.

    **What**

    No version means the newest one in the repository at the moment of each install or upgrade. A range such as `>=1`,
    `*`, `1.x` or `^2.0.0` means the newest that fits.

    **Why**

    A chart brings the versions of everything it runs, their settings and their data formats. An apply that was
    about something else then upgrades a database or an ingress controller, and the repository does not say what
    ran before, so that neither a rollback nor a rebuild of the platform gives the same thing.

    **Example**

    `chart = "traefik"` with no `version` is found, and `version: ">=1"` too; `version: 31.1.1` is not. A chart
    that lies in a git repository or in this one is held by that repository, and an OCI artefact by its tag or
    digest.

    **Fix safety**

    Unsafe: a version other than the installed one upgrades or downgrades the release.
    """

    id = "chart-unpinned"
    title = "Helm release without a fixed chart version"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.PRACTICE
    section = Section.DEPENDENCIES_AT_RISK
    sources = (
        Source("Helm: what is installed without a version", "https://helm.sh/docs/helm/helm_install/"),
        Source("Charts", "facts/data/charts.json"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every release."""
        for release in estate.releases:
            if isinstance(release.version, Unknown):
                if release.version not in PINNED_ELSEWHERE:
                    yield self.undecided(release.version_place, unknown="chart version", reason=release.version.reason)
            elif release.version is None:
                yield self._open(release, "with no version", "the newest version in its repository")
            elif floats(release.version, tag=release.repository.startswith("oci://")):
                yield self._open(release, f"by the range {release.version}", "the newest version in that range")

    def _open(self, release: Release, how: str, meaning: str) -> Outcome:
        subject = named(release.resource)
        chart = release.chart or "its chart"
        return self.found(
            release.version_place,
            field="version",
            subject=subject,
            message=f"{subject} installs {chart} {how}, which means {meaning} at each upgrade.",
            consequence=(
                "An apply about something else can upgrade everything that the chart runs, and a rebuild does not give "
                "what ran before."
            ),
            fixes=(_PIN,),
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The chart's version that the lock file records."""
        release = next((one for one in estate.releases if one.version_place == draft.at), None)
        pin = estate.chart_pins.get((release.namespace, release.name)) if release is not None else None
        if release is None or pin is None:
            return self.unrepaired(draft, LOCK_FIRST)
        title = f"Pin the chart to {pin.version} (from {pin.source}, {pin.taken.isoformat()})"
        fix = Fix(title, Safety.UNSAFE, "the installed version is written down; nothing that runs changes")
        place = release.version_place
        route = release.unversioned if release.version is None else place.route
        return Repair(fix, (Put(place.resource, route, pin.version),))


def floats(version: str, *, tag: bool) -> bool:
    """Whether a version may stand for another one tomorrow.

    ``tag`` says that it names an artefact in a registry, where only a constraint or ``latest`` floats.
    """
    if version.startswith("sha256:") or _FULL.fullmatch(version):
        return False
    if re.search(r"[<>~^|,]|\s-\s", version) or _WILD.search(version):
        return True
    if tag:
        return version == "latest"
    return _PARTIAL.fullmatch(version) is not None
