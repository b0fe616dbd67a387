"""``backup-under-load``: each dump runs against a real server while money moves, and then is broken."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from shoreup.drills.base import Experiment, Go, Trial, Wishes
from shoreup.drills.under_load.specs import TOOLS, load_spec
from shoreup.drills.under_load.trial import dump_under_load
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.proofs import Drill, backup_inputs, backup_subject


class UnderLoad(Experiment):
    """Each dump of a database, made while transfers run, restored, and broken."""

    drill = Drill.UNDER_LOAD
    title = "each dump runs against a real server under load; its sum has to be exact, and a broken one has to fail"
    proves = frozenset(
        {"backup-inconsistent", "backup-failure-silent", "backup-result-ignored", "credential-on-command-line"}
    )
    nothing = "The estate has no job that dumps a database again and again, so there is no dump to try under load."

    def trials(self, estate: Estate, wishes: Wishes) -> Iterator[Trial]:
        for together in once(running(estate)):
            backup = together[0]
            if backup.workload is not None and any(one.tool in TOOLS for one in together):
                yield Trial(
                    subject=backup_subject(backup),
                    name=f"{backup.namespace}/{backup.name}",
                    prepare=partial(_prepared, estate, together),
                    inputs=backup_inputs(estate, backup),
                )


def _prepared(estate: Estate, together: tuple[Backup, ...]) -> Go | str:
    spec = load_spec(estate, together)
    return spec if isinstance(spec, str) else lambda run, now: dump_under_load(spec, run=run, now=now)
