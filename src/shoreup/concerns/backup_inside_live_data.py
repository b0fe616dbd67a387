"""Copies that are written among the data that they protect."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns._backups import lies_on, once, running, subject
from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.naming import named
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity

_FIX = Fix(
    "Write the copies to a volume of their own",
    Safety.UNSAFE,
    "the job then writes elsewhere; the copies that are there must be moved by hand",
)


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

    Unsafe: the job writes to another place from then on.
    """

    id = "backup-inside-live-data"
    title = "Backups are written among the data that they protect"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.FRAGILE_AREAS

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at where each job writes."""
        for group in once(running(estate)):
            found = next((one for one in group if one.within and not one.target_remote and not one.copied_on), None)
            if found is not None:
                yield self._inside(found)

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
