"""Kubernetes' quantities: ``150m`` of a processor, ``2Gi`` of memory, ``50GB`` in a flag."""

from __future__ import annotations

import re

from shoreup.facts.fields import known_text
from shoreup.model.value import Value

_QUANTITY = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?)\s*(?P<unit>[A-Za-z]{0,3})\s*")
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_UNITS = ("", "Ki", "Mi", "Gi", "Ti", "Pi")
_DECIMAL = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


def cores(value: Value) -> float | None:
    """A processor quantity in cores; ``None`` where it is not decided or none."""
    found = _QUANTITY.fullmatch(known_text(value))
    if found is None or found["unit"] not in {"", "m", "u", "n"}:
        return None
    return float(found["number"]) / {"": 1, "m": 1e3, "u": 1e6, "n": 1e9}[found["unit"]]


def size(value: Value) -> int | None:
    """A size in bytes, as Kubernetes writes it (``50Gi``); ``None`` where it is not decided or none."""
    found = _QUANTITY.fullmatch(known_text(value))
    if found is None:
        return None
    if found["unit"] in _BINARY:
        return int(float(found["number"]) * 1024 ** _BINARY[found["unit"]])
    if found["unit"] in _DECIMAL:
        return int(float(found["number"]) * 1000 ** _DECIMAL[found["unit"]])
    return None


def flag_size(value: Value) -> int | None:
    """A size in bytes as programs of the Prometheus family read it: ``50GB`` and ``50GiB`` both count by 1024."""
    found = _QUANTITY.fullmatch(known_text(value))
    if found is None:
        return None
    unit = found["unit"].upper().replace("IB", "").removesuffix("B")
    powers = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
    return int(float(found["number"]) * 1024 ** powers[unit]) if unit in powers else None


def spoken_size(count: int) -> str:
    """Bytes for people: ``50Gi``."""
    amount, power = float(count), 0
    while amount >= 1024 and power < len(_UNITS) - 1:
        amount, power = amount / 1024, power + 1
    return f"{amount:.0f}{_UNITS[power]}" if amount >= 10 or amount == int(amount) else f"{amount:.1f}{_UNITS[power]}"
