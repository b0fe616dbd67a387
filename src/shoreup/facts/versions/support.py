"""Until when a release is supported, by a public data set.

The dates come from endoflife.date's repository (``data/support.json`` names the commit). A version that the
data set does not know is undecided: it may be newer than the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache, lru_cache

from msgspec import Struct

from shoreup.facts.knowledge import table
from shoreup.facts.products import Product
from shoreup.model.settings import SupportDate

_CANDIDATE = re.compile(r"(alpha|beta|rc|preview|pre|m)[-.]?\d*$", re.IGNORECASE)
_NUMBERS = re.compile(r"\d+")
_SHORT_LIFE_DAYS = 370


class Cycle(Struct, frozen=True):
    """A line of releases, such as PostgreSQL 16.

    ``end`` is the last day of support where the data set gives one; ``ended`` says that support is over without a
    date. ``newest`` is the newest release of the line.
    """

    name: str
    released: date | None
    end: date | None
    ended: bool
    long_term: bool
    newest: str

    def supported(self, today: date) -> bool:
        """Whether fixes still come."""
        return not self.ended and (self.end is None or today <= self.end)


class Support(Struct, frozen=True):
    """What the data set says of a version.

    ``kind`` is ``candidate`` (alpha, beta, release candidate), ``short-lived`` (a release that ends within a year while
    the product has long-term ones), ``long-term`` or ``regular``. ``cycle`` is ``None`` for a version older than
    everything that the data set lists. ``successors`` are the supported lines, the nearest first; of a product with
    long-term releases those alone.
    """

    version: str
    kind: str
    cycle: Cycle | None
    supported: bool
    successors: tuple[Cycle, ...]


class _SupportData(Struct, frozen=True):
    source: str
    licence: str
    commit: str
    date: str
    products: dict[str, list[tuple[str, str | None, str | bool | None, bool, str]]]


@cache
def _bundled() -> _SupportData:
    return table("support", _SupportData)


def data_date() -> str:
    """The date of the data set, ISO."""
    return _bundled().date


@cache
def cycles(product: str) -> tuple[Cycle, ...]:
    """The release lines of a product of the data set, newest first; empty when it is not in there."""
    return tuple(
        Cycle(
            name=name,
            released=date.fromisoformat(released) if released else None,
            end=date.fromisoformat(end) if isinstance(end, str) else None,
            ended=end is True,
            long_term=long_term,
            newest=newest,
        )
        for name, released, end, long_term, newest in _bundled().products.get(product, ())
    )


def support(
    product: Product, version: str, today: date, own: Mapping[str, tuple[Cycle, ...]] | None = None
) -> Support | None:
    """What is known of a product's version, or ``None`` when the data set does not decide it.

    A version shorter than the product's cycles (``redis:7``) stands for the newest of them. ``own`` has the owner's
    cycles by product id.
    """
    lines = (own or {}).get(product.id)
    return _of_lines(lines, version, today) if lines else _of_data(product.support, version, today)


@lru_cache(maxsize=4096)
def _of_data(product: str, version: str, today: date) -> Support | None:
    return _of_lines(cycles(product), version, today)


def _of_lines(lines: tuple[Cycle, ...], version: str, today: date) -> Support | None:
    numbers = _numbers(version)
    if not lines or not numbers:
        return None
    candidate = bool(_CANDIDATE.search(version))
    cycle = _cycle(lines, numbers)
    successors = _successors(lines, cycle, numbers, today, candidate)
    if cycle is None:
        older = all(numbers < _numbers(line.name) for line in lines if _numbers(line.name))
        if older and all(not line.supported(today) for line in _oldest(lines)):
            return Support(version, "candidate" if candidate else "regular", None, False, successors)
        return Support(version, "candidate", None, True, successors) if candidate else None
    kind = "candidate" if candidate else _kind(lines, cycle)
    return Support(version, kind, cycle, cycle.supported(today), successors)


def majors(known: Support) -> tuple[Cycle, ...]:
    """The supported lines that are another major than the version in use: another first number, or another long-term
    release. The nearest comes first.
    """
    own = _NUMBERS.match(known.cycle.name if known.cycle else known.version)
    return tuple(
        line
        for line in known.successors
        if line.long_term or (first := _NUMBERS.match(line.name)) is None or own is None or first[0] != own[0]
    )


def own_cycles(product: Product, dates: Iterable[SupportDate]) -> Mapping[str, tuple[Cycle, ...]]:
    """The owner's support dates of a product, laid over the data set's; empty where there are none."""
    own = {
        one.release: Cycle(
            name=one.release, released=None, end=one.ends, ended=False, long_term=one.long_term, newest=""
        )
        for one in dates
        if one.product == product.id
    }
    if not own:
        return {}
    rest = tuple(line for line in cycles(product.support) if line.name not in own)
    return {product.id: (*own.values(), *rest)}


@lru_cache(maxsize=4096)
def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in _NUMBERS.findall(_CANDIDATE.sub("", version)))


def _cycle(lines: Iterable[Cycle], numbers: tuple[int, ...]) -> Cycle | None:
    best: Cycle | None = None
    length = 0
    floating: list[tuple[tuple[int, ...], Cycle]] = []
    for line in lines:
        name = _numbers(line.name)
        if not name or not line.name[:1].isdigit():
            continue
        if name == numbers[: len(name)] and len(name) > length:
            best, length = line, len(name)
        elif numbers == name[: len(numbers)]:
            floating.append((name, line))
    if best is None and floating:
        best = max(floating, key=lambda entry: entry[0])[1]
    return best


def _oldest(lines: tuple[Cycle, ...]) -> tuple[Cycle, ...]:
    named = [line for line in lines if _numbers(line.name)]
    return (min(named, key=lambda line: _numbers(line.name)),) if named else ()


def _kind(lines: tuple[Cycle, ...], cycle: Cycle) -> str:
    if cycle.long_term:
        return "long-term"
    if (
        any(line.long_term for line in lines)
        and cycle.released
        and cycle.end
        and (cycle.end - cycle.released).days <= _SHORT_LIFE_DAYS
    ):
        return "short-lived"
    return "regular"


def _successors(
    lines: tuple[Cycle, ...], cycle: Cycle | None, numbers: tuple[int, ...], today: date, candidate: bool
) -> tuple[Cycle, ...]:
    own = _numbers(cycle.name) if cycle else numbers
    alive = [
        line for line in lines if line.supported(today) and (_numbers(line.name) > own or (candidate and line is cycle))
    ]
    lasting = [line for line in alive if line.long_term]
    return tuple(sorted(lasting or alive, key=lambda line: _numbers(line.name)))
