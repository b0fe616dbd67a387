"""The backups that Shoreup itself takes, as facts: where ``[backup.NAME]`` stands, when it runs, what drills have seen.

They are no resources of the estate, and what is proven of them counts like anything else: a retention that a drill saw
leaving nothing is a finding at its table in ``shoreup.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from shoreup.facts.backups.tried_retention import TriedRetention, as_tried
from shoreup.facts.estate import Estate
from shoreup.facts.proofs import Drill, Inputs, standing
from shoreup.model.backup_settings import Keep
from shoreup.model.finding import Place
from shoreup.model.location import Span
from shoreup.model.proof import ProofSubject, digest_of
from shoreup.model.settings import Schedule
from shoreup.sources.repository import Role

PERIODS = ("hourly", "daily", "weekly", "monthly", "yearly")


class OwnBackup(Struct, frozen=True):
    """A ``[backup.NAME]``. ``schedule`` is as cron says it, empty where none takes it; ``pruned`` is whether one that
    removes is scheduled. ``place`` is where it stands.
    """

    name: str
    keep: Keep
    schedule: str
    pruned: bool
    place: Place

    @property
    def subject(self) -> ProofSubject:
        """What its proofs are about."""
        return own_subject(self.name)

    @property
    def called(self) -> str:
        """How a sentence calls it."""
        return f"[backup.{self.name}]"


def own_subject(name: str) -> ProofSubject:
    """A backup of Shoreup's own as the subject of proofs."""
    return ProofSubject("Backup", "", name)


def own_backups(estate: Estate) -> Iterator[OwnBackup]:
    """Every ``[backup.NAME]`` of the settings, where the audited tree holds them."""
    file = next((one for one in estate.repository if one.role is Role.SETTINGS), None)
    if file is None:
        return
    for name, own in sorted(estate.settings.backup.items()):
        schedule, pruned = scheduled(name, estate.settings.schedule.values())
        table = re.search(rf"^\s*\[\s*backup\s*\.\s*[\"']?{re.escape(name)}[\"']?\s*[].]", file.text, re.MULTILINE)
        start = len(file.text[: table.start()].encode()) if table is not None else 0
        start += len(table.group()) - len(table.group().lstrip()) if table is not None else 0
        yield OwnBackup(name, own.keep, schedule, pruned, Place(span=Span(file.path, start, start)))


def tried_own(estate: Estate, own: OwnBackup) -> TriedRetention | None:
    """What the newest drill of its retention saw that decided anything; ``None`` where there is none that counts."""
    inputs = retention_inputs(own.keep, own.schedule)
    proof = standing(estate, own.subject, Drill.RETENTION, inputs).proof
    same = proof is not None and all(proof.inputs.get(name) == digest for name, digest in inputs.digests.items())
    return as_tried(proof) if proof is not None and same else None


def retention_inputs(keep: Keep, schedule: str) -> Inputs:
    """What a proof of its retention is about."""
    return Inputs({"policy": digest_of(told(keep)), "schedule": digest_of(schedule)})


def told(keep: Keep) -> str:
    """The numbers in words."""
    said = [f"{name} {count}" for name in PERIODS if (count := getattr(keep, name)) > 0]
    return ", ".join([f"at least {max(1, keep.at_least)}", *said])


def scheduled(name: str, schedules: Iterable[Schedule]) -> tuple[str, bool]:
    """When a backup is taken, empty where nobody says it, and whether its old ones are removed by a schedule."""
    when, pruned = "", False
    for one in schedules:
        words = one.run.split()
        if words[:1] != ["backup"] or name not in words[2:]:
            continue
        if words[1] == "run":
            when = when or one.when
        pruned = pruned or words[1] == "prune" or "--prune" in words
    return when, pruned
