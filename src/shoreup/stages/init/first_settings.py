"""The first ``shoreup.toml`` of an estate, written from what is seen in it.

What is certain about every estate stands there live; what only the owner can decide is written out and commented, with
the estate's own names in it, so that to agree is to take a sign away.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from shoreup.facts.estate import Estate, WayIn
from shoreup.facts.ways_in.exposure import private_name
from shoreup.formats.files import FileTree
from shoreup.model.errors import UserError
from shoreup.model.wording import some
from shoreup.sources.git import listed
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import estate_root, refuse_nothing
from shoreup.stages.settings import FILE

Progress = Callable[[str, int, int], None]
_MANY = 12
"""Names that are written out before the rest is left to the owner."""
_REVIEW = timedelta(days=182)
_REGISTRIES = frozenset({"docker.io", "quay.io", "registry.k8s.io", "gcr.io", "mcr.microsoft.com", "public.ecr.aws"})


def first_settings(path: Path, say: Progress, *, shown: bool = False) -> tuple[Path, str]:
    """Where the settings of the estate at ``path`` belong, and their text. ``shown`` says that nothing is written.

    Raises :class:`UserError` where there are some that this would be written over, and :class:`NothingToAudit`.
    """
    root, only = estate_root((path,))
    target = root / FILE
    if only:
        raise UserError(f"{path} is a file. Name the folder of your repository.")
    if not shown and (target.exists() or target.is_symlink()):
        raise UserError(f"{target} is there already. Change it by hand, or move it away first.")
    tree = FileTree(root, (), listed(root))
    refuse_nothing(tree)
    today = date.today()  # noqa: DTZ011  # a day for people to look again
    estate = understood(read(tree, None, say), Asked((), today))
    return target, render(estate, today)


def render(estate: Estate, today: date) -> str:
    """The text for an estate."""
    return "\n".join(_lines(estate, today)) + "\n"


def _lines(estate: Estate, today: date) -> Iterator[str]:
    yield "# What Shoreup cannot read out of this repository. Every key is optional; a wrong one is an error."
    yield "# Lines that are commented out are proposals with the names of this estate in them."
    yield ""
    yield "[selection]"
    yield 'fail-on = "high"            # critical, high, medium, low, never: what makes a pipeline fail'
    yield 'persona = "regular"         # incident: data loss and takeover alone; strict: everything'
    yield '# baseline = "shoreup-baseline.json"   # shoreup audit --write-baseline shoreup-baseline.json'
    yield ""
    yield from _owner(estate)
    yield from _exposure(estate)
    yield from _tiers(estate)
    yield from _storage(estate, today)
    yield "# [thresholds]"
    yield f"# module-lines = {estate.settings.thresholds.module_lines}"
    yield f"# support-ends-days = {estate.settings.thresholds.support_ends_days}"
    yield ""
    yield "# [[suppress]]"
    yield '# ids = ["module-oversized"]'
    yield '# path = "legacy/**"           # or resource = "namespace/name"'
    yield '# reason = "moves out this year"'
    yield f"# until = {(today + _REVIEW).isoformat()}"


def _owner(estate: Estate) -> Iterator[str]:
    yield "# Where images lie that you build yourself."
    yield "# [owner]"
    yield from _proposed("images", _namespaces(estate), "ghcr.io/you/*")
    yield ""


def _namespaces(estate: Estate) -> list[str]:
    """Places of images that nobody publishes for all: private registries first, then what the estate uses most."""
    private: Counter[str] = Counter()
    public: Counter[str] = Counter()
    for image in estate.images:
        if image.product or "*" in image.registry or "*" in image.repository:
            continue
        space = image.repository.partition("/")[0] if "/" in image.repository else ""
        if image.registry in _REGISTRIES:
            continue
        if image.registry == "ghcr.io":
            public[f"{image.registry}/{space}/*"] += 1
        else:
            private[f"{image.registry}/*"] += 1
    return [*sorted(private), *(name for name, count in public.most_common() if count > 1)]


def _exposure(estate: Estate) -> Iterator[str]:
    outside, inside, unclear = (_hosts(estate.ways_in, answer) for answer in (True, False, None))
    yield "# What the internet reaches and what only your network does. Hosts outrank what the estate seems to say."
    yield "# [exposure.internet]"
    if outside:
        yield f"# seen as open: {_some(outside)}"
    yield from _proposed("hosts", [host for host in unclear if not private_name(host)], "www.example.org")
    yield "# [exposure.lan]"
    if inside:
        yield f"# seen as closed: {_some(inside)}"
    yield '# networks = ["192.0.2.1/32"]   # your own address, where a filter lets it in'
    yield ""


def _hosts(ways: Iterable[WayIn], answer: bool | None) -> list[str]:
    return sorted({host for way in ways if way.internet is answer for host in way.hosts if host and "*" not in host})


def _tiers(estate: Estate) -> Iterator[str]:
    names = sorted({f"{one.namespace}/{one.name}" for one in estate.databases if "*" not in one.name})
    yield "# What matters most, how long it may be away, and what a restore must reach."
    yield "# [tiers.critical]"
    yield from _proposed("services", names, "databases/*")
    yield '# accepted-downtime = "5m"'
    yield "# [objectives.critical]"
    yield '# rpo = "24h"                  # how much of the newest data may be lost'
    yield '# rto = "4h"                   # how long until it works again'
    yield "# [objectives.default]"
    yield '# rpo = "7d"'
    yield ""


def _storage(estate: Estate, today: date) -> Iterator[str]:
    places = {
        f"{volume.server}:{volume.path}"
        for workload in estate.workloads
        for volume in workload.volumes
        if volume.server and volume.path and "*" not in volume.server + volume.path
    }
    servers = sorted({place.partition(":")[0] for place in places})
    yield "# Where the estate's storage is mounted on this machine, so that a drill finds the backups."
    yield "# [storage]"
    for place in sorted(places)[:_MANY] or ["192.0.2.5:/volume1/backups"]:
        yield f"# {_quoted(place)} = {_quoted('/mnt/' + (place.rstrip('/').rpartition('/')[2] or 'storage'))}"
    yield ""
    yield "# What protects it and is not in this repository. It counts until it expires; then look again."
    yield "# [[protection]]"
    yield f"# what = {_quoted(servers[0] if servers else '*')}"
    yield '# by = "snapshots of the storage server, hourly, copied to another house"'
    yield '# covers = ["backup", "off-site"]   # backup, retention, off-site, alert, rate-limit'
    yield f"# expires = {(today + _REVIEW).isoformat()}"
    yield ""


def _proposed(key: str, names: Sequence[str], example: str) -> Iterator[str]:
    shown = list(names[:_MANY]) or [example]
    if len(shown) == 1:
        yield f"# {key} = [{_quoted(shown[0])}]"
        return
    yield f"# {key} = ["
    for name in shown:
        yield f"#   {_quoted(name)},"
    if len(names) > _MANY:
        yield f"#   # and {len(names) - _MANY} more"
    yield "# ]"


def _some(names: Sequence[str]) -> str:
    return some([_quoted(name)[1:-1] for name in names], 4)


def _quoted(text: str) -> str:
    """Text as TOML writes it; a name of the estate ends no string and starts no line."""
    return json.dumps(text, ensure_ascii=True).replace("\x7f", "\\u007f")
