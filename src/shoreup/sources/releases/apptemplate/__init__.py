"""The app-template chart by bjw-s: values in, Kubernetes objects out.

Thousands of home platforms run everything through this one chart, so its values are their manifests. What the
chart does with them is known and simple enough to be said again here, with every field knowing its value.
"""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.sources.releases.apptemplate.chart import Chart
from shoreup.sources.releases.apptemplate.network import Made, ingresses, policies, routes, services
from shoreup.sources.releases.apptemplate.objects import (
    config_maps,
    monitors,
    raw_resources,
    rights,
    service_accounts,
    volume_claims,
)
from shoreup.sources.releases.apptemplate.pods import controllers

_PARTS = (
    controllers,
    services,
    ingresses,
    routes,
    policies,
    volume_claims,
    config_maps,
    service_accounts,
    rights,
    monitors,
    raw_resources,
)


def objects(chart: Chart) -> Iterator[Made]:
    """Everything that the chart makes for one release."""
    for part in _PARTS:
        yield from part(chart)
