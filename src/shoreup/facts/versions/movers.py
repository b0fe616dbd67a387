"""What moves versions, and what of that keeps data: bots that change the code, automations in the cluster, tags.

A bot's rules are its own language. Only what certainly holds is taken from them: that there is a bot, that it is
switched off, that it looks at no images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.facts.estate import Backup, Estate, Workload
from shoreup.facts.proofs import Drill, backup_inputs, backup_subject, standing, subject_of, workload_inputs
from shoreup.facts.storage.state import kept
from shoreup.facts.versions.tags import movement
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.finding import Place
from shoreup.model.location import Span
from shoreup.model.resource import Resource
from shoreup.model.value import at
from shoreup.sources.repository import RepositoryFile, Role

_SWITCHED_OFF = re.compile(r"""^[ \t{]*["']?enabled["']?\s*:\s*false""", re.MULTILINE)
_ONLY_MANAGERS = re.compile(r"""["']?enabledManagers["']?\s*:\s*\[(?P<names>[^\]]*)\]""")
_IMAGE_MANAGERS = re.compile(
    r"kubernetes|flux|helm|argocd|kustomize|docker-compose|terraform|regex|custom|helmfile|crossplane|tekton",
    re.IGNORECASE,
)
_ECOSYSTEMS = re.compile(r"""package-ecosystem["']?\s*:\s*["']?(?P<name>[\w-]+)""")
_IMAGE_ECOSYSTEMS = frozenset({"docker", "docker-compose", "helm"})
_AUTOMATION = "image.toolkit.fluxcd.io/"


class MovedData(Struct, frozen=True, eq=False):
    """Something that keeps data and whose version can move. ``guarded`` says that a restore of it is on record."""

    resource: Resource
    place: Place
    guarded: bool


class Mover(Struct, frozen=True, eq=False):
    """What moves versions. ``field`` names it for a fingerprint, ``name`` for people."""

    name: str
    field: str
    place: Place
    data: tuple[MovedData, ...] = ()
    undecided: str = ""


def movers(estate: Estate) -> Iterator[Mover]:
    """Everything that moves versions of what keeps data."""
    data = keeping(estate)
    if not data:
        return
    everything = tuple(one for _, one in data)
    for file in estate.repository:
        if file.role is Role.UPDATE_BOT and _looks_at_images(file):
            place = Place(span=Span(file.path, 0, 0))
            yield Mover(file.title, f"bot {file.title}", place, everything)
    for resource in estate.by_kind.get("ImageUpdateAutomation", ()):
        if resource.api_version.startswith(_AUTOMATION):
            yield _automation(resource, everything)
    moving = [(workload, one) for workload, one in data if _moving(estate, workload)]
    if moving:
        yield Mover("A moving tag", "tags", moving[0][1].place, tuple(one for _, one in moving))


def _looks_at_images(file: RepositoryFile) -> bool:
    if file.title == "Dependabot":
        return any(found["name"] in _IMAGE_ECOSYSTEMS for found in _ECOSYSTEMS.finditer(file.text))
    depth = _SWITCHED_OFF.search(file.text)
    if depth and "packageRules" not in file.text[: depth.start()]:
        return False
    managers = _ONLY_MANAGERS.search(file.text)
    return managers is None or _IMAGE_MANAGERS.search(managers["names"]) is not None


def _automation(resource: Resource, everything: tuple[MovedData, ...]) -> Mover:
    name = f"ImageUpdateAutomation {resource.namespace}/{resource.name}"
    place = Place(resource.key)
    if at(dict(resource.body), "spec", "suspend") is True:
        return Mover(name, f"automation {resource.name}", place)
    return Mover(
        name, f"automation {resource.name}", place, everything[:0], "which images its policies mark is not decided"
    )


def keeping(estate: Estate) -> list[tuple[Workload | None, MovedData]]:
    """What keeps lasting data, each once, with its workload where it has one."""
    restored = _restored(estate)
    found: dict[int, tuple[Workload | None, MovedData]] = {}
    for database in estate.databases:
        product = estate.products.get(database.product)
        if product is None or not product.lasting or (database.workload is not None and not database.workload.enabled):
            continue
        key = database.resource.key
        guarded = key in restored or _own_proof(estate, database.resource, database.workload)
        found.setdefault(key, (database.workload, MovedData(database.resource, database.place, guarded)))
    for workload in estate.workloads:
        key = workload.resource.key
        if key in found or not workload.enabled or workload.kind not in LONG_RUNNING:
            continue
        holding = next(
            (one for one in kept(workload, estate.products) if one.product is not None and one.product.lasting), None
        )
        if holding is not None:
            guarded = key in restored or _own_proof(estate, workload.resource, workload)
            found[key] = (workload, MovedData(workload.resource, holding.container.image.place, guarded))
    return list(found.values())


def _restored(estate: Estate) -> set[int]:
    """The keys of what a backup with a restore on record protects."""
    found: set[int] = set()
    for backup in estate.backups if estate.proofs else ():
        if standing(estate, backup_subject(backup), Drill.RESTORE, backup_inputs(estate, backup)).proven:
            found.update(_protected(backup))
    return found


def _protected(backup: Backup) -> Iterator[int]:
    yield from (database.resource.key for database in backup.protects_databases)
    yield from (workload.resource.key for workload, _ in backup.protects_volumes)


def _own_proof(estate: Estate, resource: Resource, workload: Workload | None) -> bool:
    """Whether a restore into the thing itself is on record, with the image that it has now."""
    if not estate.proofs:
        return False
    inputs = (workload_inputs(workload),) if workload is not None else ()
    return standing(estate, subject_of(resource), Drill.RESTORE, *inputs).proven


def _moving(estate: Estate, workload: Workload | None) -> bool:
    if workload is None:
        return False
    holding: Sequence[str] = [one.container.name for one in kept(workload, estate.products)]
    return any(
        movement(container.image, estate.products) is not None
        for container in workload.containers
        if container.name in holding
    )
