"""Everything about an estate on one page: one reading of it, and all that can be said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from shoreup.concerns.registry import all_concerns
from shoreup.facts.estate import Estate
from shoreup.facts.proofs import backup_subject
from shoreup.model.account import Account
from shoreup.model.dossier import Aim, Dossier
from shoreup.model.grades import Persona
from shoreup.model.proof import Proof
from shoreup.stages.auditing.examination import Examination
from shoreup.stages.auditing.personas import heard_by
from shoreup.stages.fix import FixOptions, fix
from shoreup.stages.graph import wired
from shoreup.stages.readiness import readiness

Progress = Callable[[str, int, int], None]


class DossierOptions(Struct, frozen=True):
    """``unsafe`` shows fixes that restart or change behaviour too. The rest as in an audit."""

    unsafe: bool = True
    config: Path | None = None
    persona: Persona | None = None


def dossier(paths: Sequence[Path], options: DossierOptions, say: Progress, account: Account | None = None) -> Dossier:
    """Read the estate at ``paths``, judge it, and work out its fixes; nothing is written.

    With ``account``, an audit's of the same estate, that is what is shown of findings.

    Raises :class:`UserError` and :class:`NothingToAudit` as an audit does.
    """
    fixed = fix(paths, FixOptions(unsafe=options.unsafe, config=options.config, persona=options.persona), say)
    seen: Examination = fixed.before
    persona = options.persona or seen.estate.settings.selection.persona
    if account is None:
        account = replace(heard_by(seen.account, persona), estate=tuple(str(path.resolve()) for path in paths))
    return Dossier(
        account=account,
        made=datetime.now(UTC),
        services=readiness(seen.estate, account, seen.drafts),
        graph=wired(seen.estate, seen.places).graph(),
        proofs=tuple(sorted(seen.estate.proofs, key=lambda one: (one.taken, one.id))),
        aims=_aims(seen.estate, seen.estate.proofs),
        amendment=fixed.amendment,
        titles={concern.id: concern.title for concern in all_concerns()},
    )


def _aims(estate: Estate, proofs: Sequence[Proof]) -> Mapping[str, Aim]:
    """The objectives of what was restored: those of the data that the backup is of."""
    found: dict[str, Aim] = {}
    told = {str(one.subject) for one in proofs}
    for backup in estate.backups:
        subject = str(backup_subject(backup))
        if subject not in told:
            continue
        for database in backup.protects_databases[:1]:
            aim = estate.settings.objective(f"{database.namespace}/{database.name}")
            found[subject] = Aim(
                aim.rto.total_seconds() if aim.rto else None, aim.rpo.total_seconds() if aim.rpo else None
            )
    return found
