"""Settings by which products drop a guard: authentication switched off, headers believed from anyone.

Products say it in the environment, in arguments, in a chart's values, in an operator's object or in a file of
configuration; where each says it is data (``data/switches.json``), dated and with a source. A setting counts where
the estate writes it, never because it is absent.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.estate import ConfigEntry, Container, Estate, Workload
from shoreup.facts.fields import document, items, known_text, mapping, text, why_open
from shoreup.facts.knowledge import table
from shoreup.facts.patterns import fits
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value

_VALUES: Mapping[str, re.Pattern[str]] = {
    "true": re.compile(r"^(?:true|1|yes|on|enabled)$", re.IGNORECASE),
    "false": re.compile(r"^(?:false|0|no|off|disabled)$", re.IGNORECASE),
    "none": re.compile(r"^(?:none|disabled?|off)$", re.IGNORECASE),
    "external": re.compile(r"^external$", re.IGNORECASE),
    "anonymous": re.compile(r"^anonymous$"),
    "empty": re.compile(r"^$"),
    "rest": re.compile(r"^(?:1|true|.*--no-auth\b.*)$", re.IGNORECASE),
    "everywhere": re.compile(r"^(?:0\.0\.0\.0/0|::/0)$"),
    "any": re.compile(r"^.+$"),
}
_RUNNING = LONG_RUNNING | {"ComposeService"}


class Switch(Struct, frozen=True, forbid_unknown_fields=True):
    """One way in which a product drops a guard.

    ``concern`` is the question that it answers. ``says`` completes "the product ...". ``env``, ``argument``, ``path``
    (of a chart's values), ``object_path`` (of an object of the ``kind``), ``key`` (of a ConfigMap) and ``file`` are
    patterns; a group in ``file`` is the place. ``value`` names the values that drop the guard. ``images`` and
    ``charts`` limit it to a product. With ``unless`` (in the same file) or ``unless_path`` it does not count, or is
    left open. ``gated`` says that the setting is meant for a product behind a proxy that asks who comes. ``admin``
    marks a page of administration.
    """

    id: str
    concern: str
    says: str
    source: str
    checked: str
    title: str = ""
    env: str = ""
    argument: str = ""
    value: str = "true"
    key: str = ""
    charts: tuple[str, ...] = ()
    path: str = ""
    unless_path: str = ""
    kind: str = ""
    object_path: str = ""
    file: str = ""
    unless: str = ""
    images: tuple[str, ...] = ()
    gated: bool = False
    admin: bool = False
    about: str = ""
    role_env: str = ""


class Dropped(Struct, frozen=True, eq=False):
    """A guard that is dropped. ``setting`` is how the estate writes it (no secret can stand there).

    ``workload`` and ``container`` are what reads the setting, where that is known. ``undecided`` says why it may not
    be dropped after all.
    """

    switch: Switch
    place: Place
    resource: Resource
    setting: str
    workload: Workload | None = None
    container: Container | None = None
    undecided: str = ""


@cache
def _bundled() -> tuple[Switch, ...]:
    return table("switches", tuple[Switch, ...])


@lru_cache(maxsize=4096)
def _of_key(key: str) -> tuple[Switch, ...]:
    """The switches that a key of a ConfigMap or Secret may set; most keys set none."""
    return tuple(
        switch
        for switch in _bundled()
        if (switch.key and re.match(switch.key, key)) or (switch.env and re.match(switch.env, key))
    )


@lru_cache(maxsize=4096)
def _of_variable(name: str) -> tuple[Switch, ...]:
    """The switches that a variable of this name sets."""
    return tuple(switch for switch in _bundled() if switch.env and re.match(switch.env, name))


def dropped(estate: Estate, concern: str) -> Iterator[Dropped]:
    """Every guard of a kind that the estate drops, each place once."""
    seen: set[tuple[int, Route, tuple[int, int] | None]] = set()
    for found in estate.once(_all_dropped):
        key = (found.place.resource, found.place.route, found.place.chars)
        if found.switch.concern == concern and key not in seen:
            seen.add(key)
            yield found


def _all_dropped(estate: Estate) -> tuple[Dropped, ...]:
    readers = _readers(estate)
    found: list[Dropped] = []
    for workload in estate.workloads:
        if workload.enabled and workload.kind in _RUNNING:
            for container in workload.containers:
                if not container.init or container.sidecar:
                    found.extend(_in_container(workload, container))
    for entry in estate.config:
        found.extend(_in_entry(entry, readers.get((entry.kind, entry.namespace, entry.name), ())))
    for resource in estate.by_kind.get("ReleaseValues", ()):
        chart, values = text(resource.body.get("chart")), mapping(resource.body.get("values"))
        found.extend(_in_values(resource, chart, values))
    for switch in _bundled():
        for resource in estate.by_kind.get(switch.kind, ()) if switch.kind else ():
            found.extend(_in_object(switch, resource))
    for resource in estate.by_kind.get("HelmChartConfig", ()):
        spec = mapping(resource.body.get("spec"))
        place: Route = ("spec", "valuesContent")
        content = document(spec.get("valuesContent"))
        for switch in _bundled():
            if switch.path and resource.name in switch.charts:
                found.extend(_at_paths(switch, switch.path, resource, dict(content), (), place))
        found.extend(_in_arguments_of(resource, content, place))
    return tuple(found)


# ----------------------------------------------------------------------------------------------- containers


def _of_image(switch: Switch, container: Container) -> bool:
    repository = container.image.repository
    return not switch.images or any(fits(repository, glob) for glob in switch.images)


def _in_container(workload: Workload, container: Container) -> Iterator[Dropped]:
    environment, arguments = [*_environment(container)], [*_arguments(container)]
    for switch in _bundled():
        if not _of_image(switch, container):
            continue
        set_so = [*_by_variable(switch, environment)] if switch.env else []
        if switch.argument:
            set_so += [(word, route, "") for word, route in arguments if re.match(switch.argument, word)]
        for setting, route, undecided in set_so:
            yield Dropped(
                switch=switch,
                place=Place(workload.resource.key, (*container.route, *route), container=container.name),
                resource=workload.resource,
                setting=setting,
                workload=workload,
                container=container,
                undecided=undecided,
            )


def _by_variable(switch: Switch, environment: Sequence[tuple[str, Value, Route]]) -> Iterator[tuple[str, Route, str]]:
    """The variables that throw a switch, or may: the setting, its route, and why it is not decided."""
    for name, value, route in environment:
        if switch not in _of_variable(name):
            continue
        reason = why_open(value)
        if reason:
            yield name, route, reason
        elif _VALUES[switch.value].match(known_text(value).strip()):
            yield f"{name}={known_text(value)}" if switch.value != "any" else name, route, ""


def _environment(container: Container) -> Iterator[tuple[str, Value, Route]]:
    for index, item in enumerate(map(mapping, items(container.body.get("env")))):
        if "valueFrom" in item:
            yield text(item.get("name")), Unknown("the value comes from elsewhere"), ("env", index)
        else:
            yield text(item.get("name")), item.get("value", ""), ("env", index, "value")
    environment = container.body.get("environment")
    for name, value in mapping(environment).items():
        yield name, value, ("environment", name)
    for index, line in enumerate(items(environment)):
        name, equals, written = known_text(line).partition("=")
        if equals:
            yield name, written, ("environment", index)


def _arguments(container: Container) -> Iterator[tuple[str, Route]]:
    """Every argument, and every two that follow each other as one, since an option's value may stand after it."""
    for field in ("command", "args"):
        words = [known_text(word) for word in items(container.body.get(field))]
        for index, word in enumerate(words):
            yield word, (field, index)
            if word.startswith("-") and "=" not in word and index + 1 < len(words):
                yield f"{word} {words[index + 1]}", (field, index)


# -------------------------------------------------------------------------------------------- configuration


def _readers(estate: Estate) -> Mapping[tuple[str, str, str], Sequence[tuple[Workload, Container, bool]]]:
    """Who reads a ConfigMap or Secret: as a file (false) or as environment (true)."""
    found: dict[tuple[str, str, str], list[tuple[Workload, Container, bool]]] = defaultdict(list)
    for workload in estate.workloads:
        kinds = {"config-map": "ConfigMap", "secret": "Secret"}
        sources = {
            volume.name: (kinds[volume.kind], volume.source) for volume in workload.volumes if volume.kind in kinds
        }
        for container in workload.containers:
            if container.init and not container.sidecar:
                continue
            for mount in container.mounts:
                if mount.volume in sources:
                    kind, name = sources[mount.volume]
                    found[(kind, workload.namespace, name)].append((workload, container, False))
            for item in map(mapping, items(container.body.get("envFrom"))):
                name = text(mapping(item.get("configMapRef")).get("name"))
                if name:
                    found[("ConfigMap", workload.namespace, name)].append((workload, container, True))
    return found


def _in_entry(entry: ConfigEntry, readers: Sequence[tuple[Workload, Container, bool]]) -> Iterator[Dropped]:
    if entry.binary or (entry.kind == "Secret" and not isinstance(entry.value, (str, PartialText))):
        return
    content = _known(entry.value)
    workload, container, _ = readers[0] if readers else (None, None, False)
    of_key = _of_key(entry.key)
    for switch in _bundled() if "\n" in content else of_key:
        if switch.file and "\n" in content:
            yield from _in_file(switch, entry, content, workload, container)
        if switch not in of_key:
            continue
        if switch.key and re.match(switch.key, entry.key) and _VALUES[switch.value].match(content.strip()):
            place = Place(entry.resource.key, entry.route)
            yield Dropped(
                switch=switch,
                place=place,
                resource=entry.resource,
                setting=f"{entry.key}: {content.strip()}",
                workload=workload,
                container=container,
            )
        if switch.env and re.match(switch.env, entry.key) and _VALUES[switch.value].match(content.strip()):
            for reader, inside, as_environment in readers:
                if as_environment and _of_image(switch, inside) and reader.enabled:
                    place = Place(entry.resource.key, entry.route)
                    yield Dropped(
                        switch=switch,
                        place=place,
                        resource=entry.resource,
                        setting=f"{entry.key}={content.strip()}",
                        workload=reader,
                        container=inside,
                    )


def _in_file(
    switch: Switch, entry: ConfigEntry, content: str, workload: Workload | None, container: Container | None
) -> Iterator[Dropped]:
    for found in re.finditer(switch.file, content):
        group = 1 if found.re.groups else 0
        start, end = found.span(group)
        line = content[content.rfind("\n", 0, start) + 1 : end].strip()
        if line.startswith(("#", ";", "//")):
            continue
        reason = ""
        if switch.unless and re.search(switch.unless, content):
            reason = "another line of the same file may limit it"
        place = Place(entry.resource.key, entry.route, (start, end) if isinstance(entry.value, str) else None)
        yield Dropped(
            switch=switch,
            place=place,
            resource=entry.resource,
            setting=line,
            workload=workload,
            container=container,
            undecided=reason,
        )


def _known(value: Value) -> str:
    if isinstance(value, PartialText):
        return "".join(part for part in value.parts if isinstance(part, str))
    return known_text(value)


# ------------------------------------------------------------------------------------------- charts, objects


def _in_values(resource: Resource, chart: str, values: Mapping[str, Value]) -> Iterator[Dropped]:
    for switch in _bundled():
        if not switch.path or chart.rpartition("/")[2] not in switch.charts:
            continue
        if switch.unless_path and any(
            re.match(switch.unless_path, ".".join(map(str, r))) for r, _ in _leaves(dict(values), ())
        ):
            continue
        yield from _at_paths(switch, switch.path, resource, dict(values), ("values",), None)
    if any(chart.rpartition("/")[2] in switch.charts for switch in _bundled()):
        yield from _in_arguments_of(resource, values, None, chart)


def _in_arguments_of(
    resource: Resource, values: Mapping[str, Value], place: Route | None, chart: str = ""
) -> Iterator[Dropped]:
    name = chart.rpartition("/")[2] or resource.name
    for field in ("additionalArguments", "globalArguments", "extraArgs"):
        for index, value in enumerate(items(values.get(field))):
            for switch in _bundled():
                if switch.argument and name in switch.charts and re.match(switch.argument, known_text(value)):
                    route: Route = place if place is not None else ("values", field, index)
                    yield Dropped(switch, Place(resource.key, route), resource, known_text(value))


def _in_object(switch: Switch, resource: Resource) -> Iterator[Dropped]:
    limit = re.compile(switch.unless_path) if switch.unless_path else None
    limited = limit is not None and any(
        limit.match(".".join(map(str, route))) for route, _ in _leaves(dict(resource.body), ())
    )
    for guard in _at_paths(switch, switch.object_path, resource, dict(resource.body), (), None):
        yield replace(guard, undecided="another field of the same object may limit it") if limited else guard


def _at_paths(
    switch: Switch, pattern: str, resource: Resource, value: Value, prefix: Route, place: Route | None
) -> Iterator[Dropped]:
    for route, leaf in _leaves(value, ()):
        path = ".".join(map(str, route))
        if re.search(pattern, path):
            at = Place(resource.key, place if place is not None else (*prefix, *route))
            reason = why_open(leaf)
            if reason:
                yield Dropped(switch, at, resource, path, undecided=reason)
            elif _VALUES[switch.value].match(known_text(leaf).strip()):
                yield Dropped(switch, at, resource, f"{path}: {known_text(leaf)}")


def _leaves(value: Value, route: Route) -> Iterator[tuple[Route, Value]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*route, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*route, index))
    else:
        yield route, value
