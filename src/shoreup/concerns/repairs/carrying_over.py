"""What the concerns about support share: a PostgreSQL whose upgrade was rehearsed goes to that version by an edit.

Another image alone would find files that it cannot open. So the edit brings a Job along that carries them over, which
waits (``suspend``) until a person has stopped the server. It is offered only while a rehearsal of that very step
counts: without one nobody knows whether it goes, nor for how long.
"""

from __future__ import annotations

import re
from importlib.resources import files

from msgspec import Struct

from shoreup.facts.estate import Container, Database, Estate, Image, Workload
from shoreup.facts.fields import text
from shoreup.facts.proofs import UPGRADED_TO, Drill, database_inputs, last_day, standing, subject_of
from shoreup.facts.versions.pins import image_at
from shoreup.facts.versions.support import Cycle, cycles
from shoreup.model.edit import Add, Append, Edit, Repair, Substitute
from shoreup.model.finding import Fix, Place, Safety
from shoreup.model.value import Value

_PRODUCT = "postgresql"
_OFFICIAL = frozenset({"postgres", "library/postgres"})
_TAG = re.compile(r"(?P<version>\d+(?:\.\d+)?)(?P<flavour>-(?:bullseye|bookworm|trixie))?")
"""Tags of images that can install the old version's programs beside the new ones."""
_DATA = "/var/lib/postgresql/data"
_MOVED_IN = 18
"""The version whose image looks for its data in another folder when nobody names one."""
_VOLUME = "/volume"
_OPENS = frozenset({"database-upgrade-unrehearsed", "version-end-near"})
"""Where the step was not to the newest version, the next one waits already."""


def carried_over(estate: Estate, place: Place) -> Repair | str:
    """The edits, or why there are none in words; empty where this is no matter of a rehearsal."""
    image = image_at(estate, place)
    database = next((one for one in estate.databases if image is not None and one.place == image.place), None)
    if image is None or database is None or database.product != _PRODUCT or database.workload is None:
        return ""
    stands = standing(estate, subject_of(database.resource), Drill.UPGRADE, database_inputs(database))
    proof = stands.proof
    if not stands.proven or proof is None:
        return "no rehearsal of the upgrade counts today: shoreup upgrade postgres rehearse"
    container = next(one for one in database.workload.containers if one.image.place == image.place)
    target = next((int(one.value) for one in proof.measurements if one.name == UPGRADED_TO), 0)
    step = _step(image, target)
    if step is None:
        return "only the official image on Debian, with its tag in clear, can carry its data over by a Job"
    data = _data_of(database.workload, container)
    if isinstance(data, str):
        return data
    edits: list[Edit] = [step.edit]
    if step.source < _MOVED_IN <= target and "PGDATA" not in container.env:
        edits.append(Append(image.place.resource, (*container.route, "env"), {"name": "PGDATA", "value": _DATA}))
    user = text(container.env.get("POSTGRES_USER")) or "postgres"
    edits.append(Add(database.resource.key, _job(database, step, data, user)))
    fix = Fix(
        f"Move to PostgreSQL {target}: the image, and a Job that waits to carry the data over",
        Safety.UNSAFE,
        f"rehearsed on {proof.day}, which counts until {last_day(proof)}; before it rolls out: a backup, the workload "
        "scaled to none, the Job let go (suspend: false) and done",
    )
    return Repair(fix, tuple(edits), "nobody is served from the stop until the Job is done", _OPENS)


class _Step(Struct, frozen=True):
    """From one major version to another: the image that has the new one, and the edit that names it."""

    source: int
    target: int
    image: str
    edit: Edit


def _step(image: Image, target: int) -> _Step | None:
    """``None`` where the image cannot carry data over, or is not written so that its tag can be put anew."""
    cycle = next((one for one in cycles(_PRODUCT) if one.name == str(target)), None)
    tag = _TAG.fullmatch(image.tag) if isinstance(image.tag, str) and image.digest is None else None
    if cycle is None or tag is None or image.tag_chars is None or image.repository not in _OFFICIAL:
        return None
    written = _newest(cycle, tag["version"]) + (tag["flavour"] or "")
    return _Step(
        source=int(tag["version"].partition(".")[0]),
        target=target,
        image=image.text[: -len(str(image.tag))] + written,
        edit=Substitute(image.place.resource, image.place.route, *image.tag_chars, written),
    )


class _Data(Struct, frozen=True):
    """Where the data lies: the claim, and the folder from the top of its volume."""

    claim: str
    folder: str


def _data_of(workload: Workload, container: Container) -> _Data | str:
    """Where a server's data lies, or why that is not known."""
    said = container.env.get("PGDATA")
    data = _DATA if said is None else text(said)
    volumes = {one.name: one for one in workload.volumes}
    for mount in sorted(container.mounts, key=lambda one: -len(one.path)):
        if data and f"{data}/".startswith(f"{mount.path.rstrip('/')}/"):
            volume = volumes.get(mount.volume)
            folder = f"{mount.sub_path}/{data[len(mount.path.rstrip('/')) :]}".replace("//", "/").strip("/")
            claim = volume.claim if volume is not None else ""
            if claim and volume is not None and volume.route[1:2] == ("volumeClaimTemplates",):
                claim = f"{claim}-0" if workload.replicas in (1, None) else ""
            if not claim:
                return "the Job needs the claim that the data lies on by its name, and one server"
            if not folder or "*" in folder:
                return "the data lies at the top of its volume, and the Job needs a folder that it can rename"
            return _Data(claim, folder)
    return "where its data lies is not known"


def _newest(cycle: Cycle, old: str) -> str:
    """The version as finely written as the old one."""
    return cycle.newest if "." in old and cycle.newest else cycle.name


def _job(database: Database, step: _Step, lies: _Data, user: str) -> dict[str, Value]:
    script = files("shoreup.facts").joinpath("data", "postgres_upgrade.sh").read_text(encoding="utf-8")
    given = {
        "OLD": str(step.source),
        "NEW": str(step.target),
        "DATA": f"{_VOLUME}/{lies.folder}",
        "PGUSER": user,
    }
    container: dict[str, Value] = {
        "name": "upgrade",
        "image": step.image,
        "command": ["sh", "-c"],
        "args": [script],
        "env": [{"name": name, "value": value} for name, value in given.items()],
        "volumeMounts": [{"name": "data", "mountPath": _VOLUME}],
    }
    pod: dict[str, Value] = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": lies.claim}}],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{database.name}-to-{step.target}"[:63], "namespace": database.namespace},
        "spec": {"suspend": True, "backoffLimit": 0, "template": {"spec": pod}},
    }
