"""``restore``: the newest copy of every backup comes back, whole and in time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from shoreup.drills.base import Experiment, Go, Trial, Wishes
from shoreup.drills.restoring.specs import restore_spec
from shoreup.drills.restoring.trial import restore
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.proofs import Drill, backup_inputs, backup_subject


class Restore(Experiment):
    """A restore of each backup into an empty server of its version."""

    drill = Drill.RESTORE
    title = "the newest copy of each backup comes back into a scratch server, and every table is compared"
    proves = frozenset({"restore-untested"})
    nothing = "The estate has no backup that runs again and again, so there is nothing to restore."

    def trials(self, estate: Estate, wishes: Wishes) -> Iterator[Trial]:
        for together in once(running(estate)):
            backup = together[0]
            yield Trial(
                subject=backup_subject(backup),
                name=f"{backup.namespace}/{backup.name}",
                prepare=partial(_prepared, estate, together, wishes),
                inputs=backup_inputs(estate, backup),
            )


def _prepared(estate: Estate, together: tuple[Backup, ...], wishes: Wishes) -> Go | str:
    spec = restore_spec(estate, together, wishes)
    return spec if isinstance(spec, str) else lambda run, now: restore(spec, run=run, now=now)
