"""Accounts of programs whose work is to apply whatever a repository says.

They hold wide rights by design, which makes the repository as powerful as they are. Data, dated and with a source
(``data/deployers.json``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import msgspec


class _Deployer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: str
    name: str
    source: str
    checked: str


@cache
def _bundled() -> Mapping[str, str]:
    content = files("shoreup.facts").joinpath("data", "deployers.json").read_bytes()
    return {entry.account: entry.name for entry in msgspec.json.decode(content, type=list[_Deployer])}


def deployer(account: str) -> str:
    """The name of the program that deploys with this ServiceAccount; empty for any other account."""
    return _bundled().get(account, "")
