"""``shoreup.lock``: which images and charts run, written down so that a fix may pin them.

The file is TOML, sorted, one table an entry, so that a difference reads well in a review.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from msgspec import Struct

from shoreup.model.pin import ChartPin, ImagePin

NAME = "shoreup.lock"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_HEAD = "# What runs, as 'shoreup images lock' saw it. 'shoreup fix' pins by it and by nothing else.\n"


class Lock(Struct, frozen=True):
    """Everything that the file says. ``problems`` are entries that were left out, each in one sentence."""

    images: tuple[ImagePin, ...] = ()
    charts: tuple[ChartPin, ...] = ()
    problems: tuple[str, ...] = ()


def parse(text: str) -> Lock:
    """Read the file. Never raises: what is not an entry is a problem."""
    try:
        held = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        return Lock(problems=(f"no TOML: {problem}",))
    problems: list[str] = []
    images = list(_images(held.get("image"), problems))
    charts = list(_charts(held.get("chart"), problems))
    return Lock(tuple(images), tuple(charts), tuple(problems))


def render(images: Sequence[ImagePin], charts: Sequence[ChartPin] = ()) -> str:
    """The file's text."""
    blocks = [_HEAD]
    for image in sorted(images, key=lambda one: one.reference):
        blocks.append(
            _table(
                "image", image.taken, reference=image.reference, tag=image.tag, digest=image.digest, source=image.source
            )
        )
    for chart in sorted(charts, key=lambda one: (one.namespace, one.release)):
        blocks.append(
            _table(
                "chart",
                chart.taken,
                namespace=chart.namespace,
                release=chart.release,
                version=chart.version,
                source=chart.source,
            )
        )
    return "\n".join(blocks)


def _table(name: str, taken: date, **fields: str) -> str:
    lines = [f"[[{name}]]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in fields.items())]
    return "\n".join((*lines, f"taken = {taken.isoformat()}")) + "\n"


def _images(held: object, problems: list[str]) -> Iterator[ImagePin]:
    for number, entry in enumerate(_entries(held, "image", problems), 1):
        reference, tag, digest = (_text(entry, key) for key in ("reference", "tag", "digest"))
        taken = entry.get("taken")
        if not reference or not _TAG.fullmatch(tag) or not _DIGEST.fullmatch(digest) or type(taken) is not date:
            problems.append(f"image {number} has no reference, tag, sha256 digest and day")
        else:
            yield ImagePin(reference, tag, digest, _text(entry, "source"), taken)


def _charts(held: object, problems: list[str]) -> Iterator[ChartPin]:
    for number, entry in enumerate(_entries(held, "chart", problems), 1):
        namespace, release, version = (_text(entry, key) for key in ("namespace", "release", "version"))
        taken = entry.get("taken")
        if not release or not version or type(taken) is not date:
            problems.append(f"chart {number} has no release, version and day")
        else:
            yield ChartPin(namespace, release, version, _text(entry, "source"), taken)


def _entries(held: object, name: str, problems: list[str]) -> Iterator[Mapping[str, object]]:
    if held is None:
        return
    if not isinstance(held, list):
        problems.append(f"{name} is no list of tables")
        return
    for entry in held:
        if isinstance(entry, dict):
            yield entry
        else:
            problems.append(f"an entry of {name} is no table")


def _text(entry: Mapping[str, object], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
