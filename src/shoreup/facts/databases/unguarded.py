"""Databases and caches that ask nobody for a password, and who reaches them.

What guards each product, and whether it is open without a word, is data (``data/unguarded.json``). A setting that
comes from elsewhere (``envFrom``, a file that the estate does not have, a chart's defaults) leaves the question
open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from msgspec import Struct

from shoreup.facts.databases.servers import runs_server
from shoreup.facts.estate import ConfigEntry, Container, Estate, Service, Workload
from shoreup.facts.fields import items, mapping, text, why_open
from shoreup.facts.knowledge import table
from shoreup.facts.network.let_in import Admission, admission
from shoreup.facts.network.services import targets
from shoreup.facts.patterns import fits
from shoreup.facts.programs.scripts import by_map, mounted_files
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Value, at


class _Guards(Struct, frozen=True, forbid_unknown_fields=True):
    """``by_default``: open where nothing guards it. ``light``: it holds nothing that lasts."""

    products: tuple[str, ...]
    by_default: bool
    source: str
    checked: str
    images: tuple[str, ...] = ()
    not_images: tuple[str, ...] = ()
    guard_args: tuple[str, ...] = ()
    guard_env: tuple[str, ...] = ()
    open_env: dict[str, str] = {}
    open_args: tuple[str, ...] = ()
    file: str = ""
    guard_file: str = ""
    object: str = ""
    light: bool = False


@cache
def _bundled() -> tuple[_Guards, ...]:
    return table("unguarded", tuple[_Guards, ...])


class Unguarded(Struct, frozen=True, eq=False):
    """A database without a password. ``setting`` is what opens it, empty where it is open without a word.

    ``undecided`` says why it may be guarded, or closed to others, after all.
    """

    product: str
    resource: Resource
    container: str
    place: Place
    setting: str
    services: tuple[Service, ...]
    admission: Admission | None
    light: bool = False
    undecided: str = ""


def unguarded(estate: Estate) -> Iterator[Unguarded]:
    """Every database of the estate that a Service leads to and that nothing visible guards."""
    maps = by_map(estate.config)
    leading: dict[int, list[Service]] = {}
    for service in estate.services:
        for workload in service.workloads:
            leading.setdefault(id(workload), []).append(service)
    for workload in estate.workloads:
        if workload.kind not in LONG_RUNNING or not workload.enabled or workload.partial:
            continue
        for container in workload.containers:
            product = estate.products.get(container.image.product)
            if product is None or not runs_server(container, product):
                continue
            services = [service for service in leading.get(id(workload), ()) if container in targets(service, workload)]
            if not services:
                continue
            for guards in _of(product.id, container.image.repository):
                opened = _opened(guards, workload, container, _files(workload, container, maps))
                if opened is not None:
                    route, setting, reason = opened
                    place = Place(workload.resource.key, route, container=container.name)
                    let_in = admission(estate, workload, product.ports)
                    reason = reason or let_in.undecided
                    if let_in.everyone or let_in.namespaces or reason:
                        yield Unguarded(
                            product=product.title,
                            resource=workload.resource,
                            container=container.name,
                            place=place,
                            setting=setting,
                            services=tuple(services),
                            admission=let_in,
                            light=guards.light,
                            undecided=reason,
                        )
    yield from _operated(estate)


def _of(product: str, repository: str) -> Iterator[_Guards]:
    for guards in _bundled():
        if product not in guards.products:
            continue
        named = any(fits(repository, glob) for glob in guards.images)
        barred = any(fits(repository, glob) for glob in guards.not_images)
        if (named or not guards.images) and not barred:
            yield guards


def _opened(
    guards: _Guards, workload: Workload, container: Container, mounted: Mapping[str, ConfigEntry]
) -> tuple[Route, str, str] | None:
    """Where and by what the container is open, and why that may not be so; ``None`` when it is guarded."""
    words = [text(word) for word in container.command]
    line = " ".join(words)
    names = {text(mapping(item).get("name")) for item in items(container.body.get("env"))}
    if any(_said(guard, words, line) for guard in guards.guard_args) or names & set(guards.guard_env):
        return None
    for index, item in enumerate(map(mapping, items(container.body.get("env")))):
        wanted = guards.open_env.get(text(item.get("name")))
        if wanted is not None and isinstance(item.get("value"), str) and re.match(wanted, text(item.get("value"))):
            return (*container.route, "env", index), f"{text(item.get('name'))}={text(item.get('value'))}", ""
    for guard in guards.open_args:
        if guard in words:
            return container.route, guard, ""
    if not guards.by_default:
        return None
    if items(container.body.get("envFrom")) or container.open:
        return (*container.route, "image"), "", "its environment comes from elsewhere"
    if any(why_open(word) for word in container.command):
        return (*container.route, "image"), "", "its arguments are not decided"
    return _by_file(guards, container, words, mounted)


def _said(guard: str, words: Sequence[str], line: str) -> bool:
    if " " in guard or guard.endswith("."):
        return guard in line
    return any(word == guard or word.startswith(f"{guard}=") or (" " in word and guard in word) for word in words)


def _by_file(
    guards: _Guards, container: Container, words: Sequence[str], mounted: Mapping[str, ConfigEntry]
) -> tuple[Route, str, str] | None:
    route: Route = (*container.route, "image")
    paths = [word for word in words if guards.file and re.search(guards.file, word)]
    if not paths:
        return route, "", ""
    for path in paths:
        entry = mounted.get(path)
        content = _known(entry.value) if entry is not None else ""
        if re.search(guards.guard_file, content):
            return None
        if entry is None or not isinstance(entry.value, str):
            return route, "", f"what {path} holds is not known"
    return route, "", ""


def _files(
    workload: Workload, container: Container, maps: Mapping[tuple[str, str, str], Sequence[ConfigEntry]]
) -> Mapping[str, ConfigEntry]:
    """The files that the container sees of ConfigMaps and Secrets, by path."""
    found = dict(mounted_files(workload, container, maps))
    secrets = {volume.name: volume.source for volume in workload.volumes if volume.kind == "secret"}
    for mount in container.mounts:
        for entry in maps.get(("Secret", workload.namespace, secrets.get(mount.volume, "")), ()):
            if not mount.sub_path:
                found[f"{mount.path.rstrip('/')}/{entry.key}"] = entry
            elif mount.sub_path == entry.key:
                found[mount.path] = entry
    return found


def _known(value: Value) -> str:
    """What is known of a text."""
    if isinstance(value, PartialText):
        return "".join(part for part in value.parts if isinstance(part, str))
    return value if isinstance(value, str) else ""


def _operated(estate: Estate) -> Iterator[Unguarded]:
    """Objects of operators: whom the operator's own policies let in is not in the estate."""
    for database in estate.databases:
        for guards in _of(database.product, "") if database.workload is None else ():
            if not guards.object:
                continue
            body = dict(database.resource.body)
            words = [text(word) for word in items(at(body, "spec", "args"))]
            names = {text(mapping(item).get("name")) for item in items(at(body, "spec", "env"))}
            guarded = at(body, *guards.object.split(".")) is not None or names & set(guards.guard_env)
            if guarded or any(_said(guard, words, " ".join(words)) for guard in guards.guard_args):
                continue
            reason = "it has no password, and whom its operator lets in is not in the estate"
            place = Place(database.resource.key, ("spec",))
            title = estate.products.title(database.product)
            yield Unguarded(
                product=title,
                resource=database.resource,
                container="",
                place=place,
                setting="",
                services=(),
                admission=None,
                light=guards.light,
                undecided=reason,
            )
