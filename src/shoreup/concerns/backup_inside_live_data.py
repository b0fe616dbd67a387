"""Copies that are written among the data that they protect."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import lasting, lies_on, subject
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.estate import Backup, Estate, Script
from shoreup.facts.naming import named
from shoreup.facts.programs.located import substitute
from shoreup.model.edit import Edit, NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Write the copies to a volume of their own",
    Safety.UNSAFE,
    "the job then writes elsewhere; the copies that are there must be moved by hand",
)


_PROPOSAL = """volumeMounts:
  - {name: copies, mountPath: /copies}   # and the job writes there
volumes:
  - name: copies
    nfs: {server: <another machine>, path: <its folder for copies>}"""


class BackupInsideLiveData(Concern):
    """The folder of the copies lies inside the folder of the data.

    **What**

    The job writes into the directory that the application itself has mounted as its data, and nothing carries the
    copies further.

    **Why**

    Whatever empties, encrypts or overwrites the data's directory takes the copies along; so does deleting the claim. A
    full disk stops the application, not only the backup. And each copy of the directory holds all the copies before it.

    **Example**

    `cp /data/db.sqlite3 /data/backups/...` where `/data` is the application's claim is found.

    **Fix safety**

    Unsafe: the job writes to another place from then on. It is made where the job has exactly one other volume mounted
    that may be written to; else the text is shown.
    """

    id = "backup-inside-live-data"
    title = "Backups are written among the data that they protect"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.FRAGILE_AREAS
    sources = (Source("Site Reliability Engineering: data integrity", "https://sre.google/sre-book/data-integrity/"),)
    slow_facts = "programs"
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at where each job writes."""
        for group in once(running(estate)):
            found = next((one for one in group if one.within and not one.target_remote and not one.copied_on), None)
            if found is not None:
                yield self._inside(found)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The other volume of the job, wherever the program names the folder."""
        backup = next((one for one in estate.backups if draft.at in (one.path_place, one.place) and one.within), None)
        moved = _moved(estate, backup) if backup is not None else ()
        if not moved:
            return self.unrepaired(draft)
        opens = frozenset({"backup-same-failure-domain"})
        return Repair(_FIX, moved, cost="the copies of until now stay where they are", opens=opens)

    def _inside(self, backup: Backup) -> Outcome:
        who = subject(backup)
        workload, volume = backup.within[0]
        return self.found(
            backup.path_place or backup.place,
            field="target",
            subject=who,
            message=f"{who} writes its copies to {backup.target_path}, on {lies_on(volume)} among the live data of "
            f"{named(workload.resource)}.",
            consequence="What destroys or fills the data's folder takes the copies along, and they fill the disk that "
            "the application needs.",
            related=((Place(workload.resource.key, volume.route), "the data that it protects"),),
            fixes=(_FIX,),
        )


def _moved(estate: Estate, backup: Backup) -> tuple[Edit, ...]:
    """The edits that put another volume's path in place of the live one's; none where that is not certain."""
    folder, container = posixpath.dirname(backup.target_path.partition("*")[0]), backup.container
    if container is None or backup.workload is None or not folder.startswith("/"):
        return ()
    volumes = {volume.name: volume for volume in backup.workload.volumes}
    live = [one for one in container.mounts if folder == one.path or folder.startswith(f"{one.path.rstrip('/')}/")]
    others = [one for one in container.mounts if one not in live and not one.read_only]
    if len(live) != 1 or len(others) != 1 or others[0].volume == live[0].volume:
        return ()
    other = volumes.get(others[0].volume)
    if not lasting(other) or any(volume is other for _, volume in backup.protects_volumes):
        return ()
    edits: list[Edit] = []
    for script in estate.scripts:
        if script.workload is not backup.workload or script.container is not container:
            continue
        # A folder of the same name is only there if the program makes it; the volume itself is.
        inside = folder[len(live[0].path.rstrip("/")) :] if "mkdir -p" in script.text else ""
        written = _written_anew(script, folder, others[0].path.rstrip("/") + inside)
        if written is None:
            return ()
        edits += written
    return tuple(edits)


def _written_anew(script: Script, folder: str, other: str) -> list[Edit] | None:
    """Another folder wherever the script names this one; ``None`` where one of the places cannot be edited."""
    edits: list[Edit] = []
    for found in re.finditer(rf"(?<![\w/.-]){re.escape(folder)}(?![\w.-])", script.text):
        edit = substitute(script, found.start(), found.end(), other) if script.complete else None
        if edit is None:
            return None
        edits.append(edit)
    return edits
