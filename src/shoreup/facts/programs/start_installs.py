"""What programs fetch when they start because a setting tells them to: plugins, mods, models.

Which setting is a list of such things, and how an entry of it is pinned, is data (``data/start_installs.json``), dated
and with a source. A model is told by where it comes from: a branch of a hub moves, a commit of it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import filled, items, known_text, mapping, text
from shoreup.facts.knowledge import table
from shoreup.facts.naming import named
from shoreup.facts.programs.remote_code import FetchedCode, spoken
from shoreup.facts.scheduling.staying import staying
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at

_BRANCH = re.compile(
    r"https://huggingface\.co/(?P<model>[\w.-]+/[\w.-]+)/(?:resolve|raw)/(?P<branch>main|master)/(?P<file>[^\s?#'\"]+)"
)
_MODEL_OBJECTS: Mapping[str, tuple[str, Route, Route]] = {
    # kind: its group, where it names its source, a checksum beside it; the operator's API reference, 2026-11-23
    "Model": ("inference.llmkube.dev", ("spec", "source"), ("spec", "sha256")),
}
_PODS_OF: Mapping[str, tuple[str, Route]] = {
    # kind: its group, the pod's spec that its operator puts over its own; the operator's API reference, 2026-11-23
    "Grafana": ("grafana.integreatly.org", ("spec", "deployment", "spec", "template", "spec")),
}


class _Setting(Struct, frozen=True, forbid_unknown_fields=True):
    """A setting that lists what is fetched. ``charts`` are the charts with a list of the same in their values."""

    id: str
    env: str
    charts: Mapping[str, str]
    separator: str
    pinned: str
    name: str
    what: str
    source: str
    checked: str

    def loose(self, entries: list[str]) -> list[str]:
        """The names of the entries without a version."""
        found: list[str] = []
        for entry in entries:
            written = entry.strip()
            name = re.match(self.name, written)
            if name and "*" not in written and not re.search(self.pinned, written):
                found.append(name[1])
        return found


@cache
def _bundled() -> tuple[_Setting, ...]:
    return table("start_installs", tuple[_Setting, ...])


def installed_at_start(estate: Estate) -> Iterator[FetchedCode]:
    """Every setting of the estate by which something is fetched in no fixed version."""
    for workload, container in staying(estate):
        env = [known_text(mapping(item).get("name")) for item in items(container.body.get("env"))]
        indexes = {name: index for index, name in reversed([*enumerate(env)])}
        for name, value in container.env.items():
            index = indexes.get(name)
            route: Route = (*container.route, "env") if index is None else (*container.route, "env", index, "value")
            place = Place(workload.resource.key, route, container=container.name)
            yield from _set(named(workload.resource, container.name), name, value, place)
            yield from _model(named(workload.resource, container.name), name, value, place)
        for field in ("command", "args"):
            for number, word in enumerate(items(container.body.get(field))):
                place = Place(workload.resource.key, (*container.route, field, number), container=container.name)
                yield from _model(named(workload.resource, container.name), field, word, place)
    for kind, (group, base) in _PODS_OF.items():
        for resource in _of(estate, kind, group):
            pod = mapping(at(dict(resource.body), *base))
            for number, container_body in enumerate(map(mapping, items(pod.get("containers")))):
                for index, item in enumerate(map(mapping, items(container_body.get("env")))):
                    place = Place(resource.key, (*base, "containers", number, "env", index, "value"))
                    yield from _set(named(resource), text(item.get("name")), item.get("value"), place)
    yield from _in_charts(estate)
    for kind, (group, source, checksum) in _MODEL_OBJECTS.items():
        for resource in _of(estate, kind, group):
            body: Value = dict(resource.body)
            if at(body, *checksum) is None:
                yield from _model(named(resource), "source", at(body, *source), Place(resource.key, source))


def _of(estate: Estate, kind: str, group: str) -> Iterator[Resource]:
    for resource in estate.by_kind.get(kind, ()):
        if resource.api_version.partition("/")[0] == group:
            yield resource


def _set(who: str, name: str, value: Value, place: Place) -> Iterator[FetchedCode]:
    for setting in _bundled():
        if re.match(setting.env, name):
            loose = setting.loose(filled(value).split(setting.separator))
            if loose:
                what = f"installs {spoken(loose)} at every start in no fixed version ({setting.what}, {name})"
                yield FetchedCode(place, who, what, setting.id)


def _in_charts(estate: Estate) -> Iterator[FetchedCode]:
    for release in estate.releases:
        chart = release.chart.rpartition("/")[2]
        for setting in _bundled():
            path = setting.charts.get(chart)
            if path is None:
                continue
            route = path.split(".")
            loose = setting.loose([filled(entry) for entry in items(at(dict(release.values), *route))])
            if loose:
                what = f"installs {spoken(loose)} at every start in no fixed version ({setting.what}, {path})"
                place = Place(release.resource.key, (*release.values_route, *route))
                yield FetchedCode(place, named(release.resource), what, setting.id)


def _model(who: str, name: str, value: Value, place: Place) -> Iterator[FetchedCode]:
    found = _BRANCH.search(filled(value)) if isinstance(value, str) else None
    if found:
        what = f"fetches {found['file'].rpartition('/')[2]} from the branch {found['branch']} of {found['model']}"
        yield FetchedCode(place, who, what, f"model {name}")
