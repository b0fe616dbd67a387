"""Charts whose version is the version of the product that they install.

Most charts count for themselves. The few that are released together with their product, under the same number, are
data (``data/charts.json``), each by where it comes from: a copy in another registry may be another chart.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from shoreup.facts.estate import Release
from shoreup.facts.fields import mapping
from shoreup.facts.knowledge import table
from shoreup.model.value import Value

_OTHER_VERSION = frozenset({"tag", "digest", "override"})
"""Keys of an ``image`` block by which the values put another version in the chart's place."""


class _Chart(Struct, frozen=True, forbid_unknown_fields=True):
    chart: str
    """The repository without its scheme, and the chart."""
    product: str
    source: str
    checked: str


@cache
def _bundled() -> Mapping[str, str]:
    return {one.chart: one.product for one in table("charts", tuple[_Chart, ...])}


def product_by_chart(release: Release) -> str:
    """The id of the product whose version the chart's version is; empty for every other chart."""
    product = _bundled().get(_origin(release), "")
    return "" if product and _names_image(dict(release.values)) else product


def _origin(release: Release) -> str:
    """Where the chart comes from, without a scheme: a repository and a chart, or an artefact in a registry."""
    chart, repository = release.chart.rstrip("/"), release.repository.rstrip("/")
    if "://" in chart:
        whole = chart
    elif repository.rpartition("/")[2] == chart and "://" in repository:
        whole = repository
    else:
        whole = f"{repository}/{chart}"
    return whole.partition("://")[2] or whole


def _names_image(values: Mapping[str, Value]) -> bool:
    """Whether the values name an image's version themselves."""
    waiting: list[Value] = [values.get("image")]
    while waiting:
        for key, value in mapping(waiting.pop()).items():
            if key in _OTHER_VERSION and value not in (None, ""):
                return True
            waiting.append(value)
    return False
