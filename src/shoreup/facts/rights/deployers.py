"""Programs whose work is to apply whatever a repository says: their accounts, and the objects that steer them.

They hold wide rights by design, which makes the repository as powerful as they are, and whoever may write the objects
that tell them what to apply. Data, dated and with a source (``data/deployers.json``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import truth
from shoreup.facts.knowledge import table
from shoreup.model.value import Value, pattern

_OTHER_ACCOUNT = "--default-service-account"
_TENANTS = (".multitenant", ".multitenancy.enabled")


class _Deployer(Struct, frozen=True, forbid_unknown_fields=True):
    """An account of a deployer. ``group`` and ``resources`` are the objects that say what it applies, where the
    program does so with its own rights unless it is told otherwise.
    """

    account: str
    name: str
    source: str
    checked: str
    group: str = ""
    resources: tuple[str, ...] = ()


@cache
def _bundled() -> Mapping[str, _Deployer]:
    return {entry.account: entry for entry in table("deployers", tuple[_Deployer, ...])}


def deployer(account: str) -> str:
    """The name of the program that deploys with this ServiceAccount; empty for any other account."""
    found = _bundled().get(account)
    return found.name if found else ""


def steered(groups: frozenset[str], resources: frozenset[str]) -> str:
    """The name of the program that whoever writes one of these objects tells what to apply; empty where none is."""
    for entry in _bundled().values():
        if entry.group in groups and not resources.isdisjoint({"*", *entry.resources}):
            return entry.name
    return ""


def limits_deployers(estate: Estate) -> bool:
    """Whether the estate tells Flux to apply with an account of the namespace instead of with its own rights."""
    for kind in ("FluxInstance", "Deployment", "Kustomization", "HelmRelease"):
        for resource in estate.by_kind.get(kind, ()):
            if _limited(dict(resource.body)):
                return True
    return any(_limited(dict(release.values)) for release in estate.releases)


def _limited(value: Value) -> bool:
    return any(
        _OTHER_ACCOUNT in leaf or (key.endswith(_TENANTS) and truth(leaf) is not False) for key, leaf in _leaves(value)
    )


def _leaves(value: Value, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{key}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, key)
    else:
        yield key, "true" if value is True else "false" if value is False else pattern(value)
