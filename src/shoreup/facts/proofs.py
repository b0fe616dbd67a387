"""Which proofs still count: for a subject and a drill, the newest that is young enough and about what stands there now.

A proof is about an image, a command, a volume. When one of them changes in the repository, what was proven is something
else, and the question is open again. Only what the repository says is compared: a tag that moved in a registry is not
seen here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum

import msgspec
from msgspec import Struct, field

from shoreup.facts.estate import Backup, Database, Estate, Volume, Workload
from shoreup.model.proof import Proof, ProofSubject, Verdict, digest_of
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown, Value, unknowns

LONGEST = timedelta(days=366)
"""No proof counts for longer, whatever it says of itself."""
UPGRADED_TO = "to"
"""What the major version that a rehearsal went to is called among its measurements."""
ESTATE = ProofSubject()
"""The subject of proofs about the estate as a whole."""


class Drill(StrEnum):
    """What can be proven, by the names that proofs carry."""

    RESTORE = "restore"
    RETENTION = "retention"
    UNDER_LOAD = "backup-under-load"
    UPGRADE = "upgrade"
    ROTATION = "rotation"
    FAILOVER = "failover"
    CHAOS = "chaos"
    IMAGE_SCAN = "image-scan"
    CHECKS = "checks"
    RECOVERY = "recovery"
    PROBE = "probe"
    POOL = "pool"
    COMPARE = "compare"


class State(StrEnum):
    """How a claim stands today."""

    PROVEN = "proven"
    NEVER = "never"
    EXPIRED = "expired"
    CHANGED = "changed"
    FAILED = "failed"
    NOT_VERIFIED = "not-verified"


class Standing(Struct, frozen=True):
    """How a claim stands. ``proof`` is the one that decides; ``changed`` are the inputs that are others now."""

    state: State
    proof: Proof | None = None
    changed: tuple[str, ...] = ()

    @property
    def proven(self) -> bool:
        """Whether a passing proof counts today."""
        return self.state is State.PROVEN


class Inputs(Struct, frozen=True):
    """What a proof of a subject would be about, as digests by name.

    ``undecided`` says why one of them is not known, so that nobody can tell whether it is still the same.
    """

    digests: Mapping[str, str] = field(default_factory=dict)
    undecided: str = ""


NO_INPUTS = Inputs()


def standing(estate: Estate, subject: ProofSubject, drill: Drill, inputs: Inputs = NO_INPUTS) -> Standing:
    """How the claim stands on the estate's day. The newest word counts, but what could not be verified takes nothing
    back.
    """
    known = [one for one in about(estate, subject) if one.drill == drill and one.day <= estate.today]
    known.sort(key=lambda one: one.taken, reverse=True)
    decided = next((one for one in known if one.verdict is not Verdict.COULD_NOT_VERIFY), None)
    if decided is None:
        return Standing(State.NOT_VERIFIED, known[0]) if known else Standing(State.NEVER)
    if decided.verdict is Verdict.FAIL:
        return Standing(State.FAILED, decided)
    changed = tuple(name for name, digest in inputs.digests.items() if decided.inputs.get(name) != digest)
    if changed:
        return Standing(State.CHANGED, decided, changed)
    if estate.today > last_day(decided):
        return Standing(State.EXPIRED, decided)
    return Standing(State.PROVEN, decided)


def last_day(proof: Proof) -> date:
    """The last day on which a proof counts."""
    return min(proof.last_day, proof.day + LONGEST)


def about(estate: Estate, subject: ProofSubject) -> list[Proof]:
    """Every proof about a subject, of whatever drill, in no order."""
    found = [one for one in estate.proofs if one.subject.key == subject.key]
    if found and subject.name and len(_roots(estate, subject)) > 1:
        return [one for one in found if one.subject.root == subject.root]
    return found


def _roots(estate: Estate, subject: ProofSubject) -> set[str]:
    return {
        resource.root
        for resource in estate.by_kind.get(subject.kind, ())
        if (resource.namespace or "") == subject.namespace and resource.name == subject.name
    }


# ------------------------------------------------------------------------------------- what a proof is about


def subject_of(resource: Resource, container: str = "") -> ProofSubject:
    """A resource, or a container of it, as the subject of proofs."""
    return ProofSubject(resource.kind, resource.namespace or "", resource.name, container, resource.root)


def backup_subject(backup: Backup) -> ProofSubject:
    """A backup as the subject of proofs: its job, with the container where the job has several."""
    return subject_of(backup.resource, backup.place.container if several(backup) else "")


def several(backup: Backup) -> bool:
    """Whether more than one container does the job's work."""
    return backup.workload is not None and len([one for one in backup.workload.containers if not one.init]) > 1


def backup_inputs(estate: Estate, backup: Backup) -> Inputs:
    """The image that runs a backup, the command that makes it and the place that it goes to; of an operator's archive
    the image of the server and how long copies are kept.
    """
    digests = {"command": digest_of(_command(estate, backup)), "volume": digest_of(_target(backup))}
    undecided = ""
    if backup.workload is not None:
        image = next(
            (one.image for one in backup.workload.containers if one.name == backup.place.container),
            backup.workload.containers[0].image if backup.workload.containers else None,
        )
        if image is not None:
            digests["image"] = digest_of(image.text)
            undecided = image.tag.reason if isinstance(image.tag, Unknown) else ""
    if backup.archive is not None:
        archive = backup.archive
        digests["image"], digests["retention"] = digest_of(archive.image), digest_of(archive.retention)
        digests["volume"] = digest_of(f"{archive.endpoint} {archive.place}")
        undecided = archive.undecided or ("its image is not all known" if "*" in archive.image else "")
    return Inputs(digests, undecided)


def decided(estate: Estate, backup: Backup, drill: Drill) -> Proof | None:
    """The newest proof of a drill that decides what is true of a backup as it stands today.

    A failure counts until the job is another one, a pass also no longer than it lasts.
    """
    inputs = backup_inputs(estate, backup)
    stands = standing(estate, backup_subject(backup), drill, inputs)
    proof = stands.proof
    if proof is None or stands.state not in (State.PROVEN, State.FAILED) or inputs.undecided:
        return None
    same = all(proof.inputs.get(name) == digest for name, digest in inputs.digests.items())
    return proof if same else None


def database_inputs(database: Database) -> Inputs:
    """The product and version of a database and the volumes that its data lies on."""
    digests = {
        "volume": digest_of("; ".join(sorted(_volume(one) for one in database.volumes))),
        "image": digest_of(f"{database.product} {database.version}"),
    }
    return Inputs(digests, "" if database.version else "its version is not known")


def workload_inputs(workload: Workload) -> Inputs:
    """The images and volumes of a workload."""
    images = [one.image for one in workload.containers]
    digests = {
        "image": digest_of("; ".join(one.text for one in images)),
        "volume": digest_of("; ".join(sorted(_volume(one) for one in workload.volumes))),
    }
    return Inputs(digests, next((one.tag.reason for one in images if isinstance(one.tag, Unknown)), ""))


def _command(estate: Estate, backup: Backup) -> str:
    """The program that makes the copy, as far as the source says it: the script, or the declaration."""
    for script in estate.scripts:
        if script.place.resource == backup.place.resource and script.place.route == backup.place.route:
            return script.text.strip()
    if backup.workload is not None:
        container = next((one for one in backup.workload.containers if one.name == backup.place.container), None)
        if container is not None:
            return _stable([container.body.get("command"), container.body.get("args")])
    return _stable(dict(backup.resource.body).get("spec"))


def _target(backup: Backup) -> str:
    place = _volume(backup.target_volume) if backup.target_volume is not None else backup.target_remote
    return f"{place} {backup.target_path}".strip()


def _volume(volume: Volume) -> str:
    return " ".join(part for part in (volume.kind, volume.server, volume.path, volume.claim) if part)


def _stable(value: Value) -> str:
    """A value as text that is equal for equal values, whatever the order of their keys."""
    return msgspec.json.encode(_plain(value), order="sorted").decode()


def _plain(value: Value) -> object:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, PartialText):
        return value.pattern
    return "*" if isinstance(value, Unknown) else value


def first_unknown(value: Value) -> str:
    """Why a part of a value is not known; empty when all of it is."""
    return next((one.reason for one in unknowns(value)), "")
