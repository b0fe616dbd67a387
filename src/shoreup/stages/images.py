"""Writing down what runs: each moving image reference of the estate with the version and digest that it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec
from msgspec import Struct

from shoreup.facts.estate import Image
from shoreup.facts.versions.images import parse
from shoreup.facts.versions.pins import full_reference
from shoreup.facts.versions.tags import movement
from shoreup.formats.lock_file import NAME, Lock, render
from shoreup.formats.lock_file import parse as parse_lock
from shoreup.live.registry import Registry, RegistryError
from shoreup.model.errors import UserError
from shoreup.model.pin import ChartPin, ImagePin
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import opened

Progress = Callable[[str, int, int], None]

_CHART = re.compile(r".+?-(v?\d+\.\d+\.\d+\S*)")


class Locked(Struct, frozen=True):
    """What came of it: the file's new text, and each reference that could not be resolved, with the reason."""

    path: Path
    text: str
    lock: Lock
    failures: Mapping[str, str]


def lock(
    paths: Sequence[Path],
    *,
    running: Mapping[str, str] | None,
    source: str,
    charts: Sequence[ChartPin],
    insecure: Collection[str],
    today: date,
    say: Progress,
) -> Locked:
    """Resolve every moving reference of the estate.

    With ``running`` (digests by reference, as pods ask for them) a reference is what runs; registries are then asked
    only for a finer tag of the same digest. Without it registries say what the tag names today. ``source`` names where
    ``running`` comes from. Entries for what could not be resolved stay as they were.
    """
    found = opened(paths, empty=True)
    root, tree = found.root, found.tree
    asked = Asked((), today, given=found.given, whole=found.whole)
    estate = understood(read(tree, None, say), asked)
    wanted = {full_reference(one): one for one in estate.images if _moves(one, movement(one, estate.products))}
    known = {_full(reference): digest for reference, digest in (running or {}).items()}
    before = {one.reference: one for one in parse_lock(tree.text(NAME) or "").images} if NAME in tree else {}
    registries: dict[str, Registry] = {}
    pins: dict[str, ImagePin] = {}
    failures: dict[str, str] = {}
    for number, (reference, image) in enumerate(sorted(wanted.items())):
        say("asking registries", number, len(wanted))
        tag = image.tag if isinstance(image.tag, str) else "latest"
        if running is not None and reference not in known:
            failures[reference] = f"no pod of {source} runs it"
        else:
            try:
                registry = registries.get(image.registry) or Registry(
                    image.registry, insecure=image.registry in insecure
                )
                registries[image.registry] = registry
                pins[reference] = _pin(registry, image, tag, known.get(reference, ""), source, today)
            except RegistryError as problem:
                failures[reference] = str(problem)
                if reference in known:
                    pins[reference] = ImagePin(reference, tag, known[reference], source, today)
        if reference not in pins and reference in before:
            pins[reference] = before[reference]
    held = Lock(tuple(pins.values()), tuple(charts))
    return Locked(root / NAME, render(held.images, held.charts), held, failures)


def _pin(registry: Registry, image: Image, tag: str, digest: str, source: str, today: date) -> ImagePin:
    found = registry.find(image.repository, tag)
    if digest and found.digest != digest:
        return ImagePin(full_reference(image), tag, digest, source, today)
    return ImagePin(full_reference(image), found.tag, found.digest, source if digest else registry.host, today)


def _moves(image: Image, how: str | None) -> bool:
    return how is not None and "*" not in image.registry and "*" not in image.repository


def _full(reference: str) -> str:
    found = parse(reference)
    tag = found.tag if isinstance(found.tag, str) else "latest"
    return f"{found.registry}/{found.repository}:{tag}"


def installed_charts(content: bytes, source: str, today: date) -> tuple[ChartPin, ...]:
    """The chart versions that ``helm list -A -o json`` names. Raises :class:`UserError` where it is something else."""
    try:
        held = msgspec.json.decode(content)
    except msgspec.DecodeError as problem:
        raise UserError(f"That is no output of 'helm list -A -o json': {problem}.") from None
    if not isinstance(held, list):
        raise UserError("That is no output of 'helm list -A -o json': it is no list.")
    return tuple(_charts(held, source, today))


def _charts(held: list[object], source: str, today: date) -> Iterator[ChartPin]:
    for entry in held:
        if isinstance(entry, dict):
            match = _CHART.fullmatch(str(entry.get("chart", "")))
            if match and isinstance(entry.get("name"), str):
                yield ChartPin(str(entry.get("namespace", "")), entry["name"], match.group(1), source, today)
