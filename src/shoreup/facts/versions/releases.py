"""Helm releases, whoever installs them, as concerns see them.

They are read once, among the sources, where their values are merged. Here stays only what it means for a version to be
absent: ``version`` is ``None`` where nothing holds the chart's version, and an ``Unknown`` where something outside the
chart reference does (a git revision, a file of the repository).
"""

from __future__ import annotations

from collections.abc import Sequence

from shoreup.facts.estate import Release
from shoreup.facts.fields import text
from shoreup.model.finding import Place
from shoreup.model.value import Unknown
from shoreup.sources.releases.reading import ReleaseReading

_ELSEWHERE = {
    "git": Unknown("the chart lies in a git repository, whose revision decides"),
    "path": Unknown("the chart lies in this repository"),
}
PINNED_ELSEWHERE = frozenset(_ELSEWHERE.values())
"""Versions that are not known here and yet are held, by something other than a version."""
_NOWHERE = Unknown("where the chart comes from is not known")


def read_releases(readings: Sequence[ReleaseReading]) -> tuple[Release, ...]:
    """Every release of the estate, in the order of the readings."""
    return tuple(_read(reading) for reading in readings)


def _read(reading: ReleaseReading) -> Release:
    version = _ELSEWHERE.get(reading.source, reading.version)
    if reading.source == "unknown" and not isinstance(version, Unknown):
        version = _NOWHERE
    return Release(
        resource=reading.resource,
        namespace=text(reading.namespace) or "default",
        name=reading.name,
        chart=reading.chart,
        repository=reading.repository,
        version=version,
        values=reading.values,
        values_route=reading.values_route,
        place=Place(reading.place.key, reading.place.route),
        version_place=Place(reading.version_place.key, reading.version_place.route),
        open=reading.stack.open_reason,
        unversioned=reading.unversioned,
    )
