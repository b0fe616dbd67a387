"""How ready each service is: what the findings say of it, turned around to one row a service.

A trait is good only where the question arises and nothing speaks against it. What the source leaves open stays open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from shoreup.facts.backups.coverage import copied, keepers
from shoreup.facts.estate import Backup, Estate, Workload
from shoreup.facts.proofs import Drill, backup_inputs, backup_subject, standing
from shoreup.facts.scheduling.staying import REPLICATED, stays
from shoreup.facts.wiring.reading import wiring
from shoreup.model.account import Account
from shoreup.model.dossier import Cell, Readiness, Standing, Trait
from shoreup.model.finding import Draft, Finding, Undecided

_SPOKEN_OF: Mapping[Trait, tuple[str, ...]] = {
    Trait.BACKED_UP: ("backup-*", "data-on-tmpfs", "data-unmounted"),
    Trait.PINNED: ("image-tag-*", "image-update-frozen", "chart-unpinned", "version-unsupported"),
    Trait.PROBED: ("probe-*",),
    Trait.BUDGETED: ("pdb-*",),
    Trait.SCOPED: ("rbac-*", "token-permanent", "privileged-workload"),
    Trait.NOT_SINGLE: ("replica-single", "replicas-colocated", "gate-single", "rollout-shares-volume"),
}
"""The concerns that speak of a trait."""
_NONE = Cell(Standing.NONE)


def readiness(estate: Estate, account: Account, drafts: Mapping[str, Draft]) -> tuple[Readiness, ...]:
    """A row for each workload that is meant to run on, the ones that most depends on first."""
    rows = _Rows(estate, _said(account.findings, drafts), tuple(account.undecided), _copies(estate), _keeping(estate))
    found = [rows.of(workload) for workload in estate.workloads if stays(workload)]
    return tuple(sorted(found, key=lambda one: (-one.dependants, one.namespace, one.name)))


def _said(findings: Iterable[Finding], drafts: Mapping[str, Draft]) -> dict[int, list[Finding]]:
    """Findings by the keys of the resources that they are about."""
    found: dict[int, list[Finding]] = defaultdict(list)
    for one in findings:
        draft = drafts.get(one.fingerprint)
        if draft is not None and draft.at.resource >= 0:
            found[draft.at.resource].append(one)
    return found


def _copies(estate: Estate) -> dict[int, tuple[Backup, ...]]:
    """The backups of what keeps data, by the key of its resource."""
    return {keeper.resource.key: backups for keeper, backups in copied(estate)}


def _keeping(estate: Estate) -> frozenset[int]:
    return frozenset(keeper.resource.key for keeper in keepers(estate))


class _Rows(Struct, frozen=True):
    estate: Estate
    said: Mapping[int, Sequence[Finding]]
    undecided: tuple[Undecided, ...]
    copies: Mapping[int, tuple[Backup, ...]]
    keeping: frozenset[int]

    def of(self, workload: Workload) -> Readiness:
        graph = wiring(self.estate)
        nodes = graph.of(workload.resource.key)
        service = f"{workload.namespace}/{workload.name}"
        return Readiness(
            namespace=workload.namespace,
            name=workload.name,
            kind=workload.kind,
            tier=self.estate.settings.tier_of(service),
            dependants=max(map(graph.weight, nodes), default=0),
            things=tuple(f"{node.kind}/{node.name}" for node in nodes),
            cells=dict(self._cells(workload)),
        )

    def _cells(self, workload: Workload) -> Iterator[tuple[Trait, Cell]]:
        key = workload.resource.key
        own = (key,)
        backups = self.copies.get(key, ())
        keeps = key in self.keeping
        jobs = tuple(one.resource.key for one in backups)
        names = ", ".join(dict.fromkeys(f"{one.namespace}/{one.name}" for one in backups))
        copied_by = f"copied by {names}" if names else ""
        yield Trait.BACKED_UP, self._cell(Trait.BACKED_UP, (*own, *jobs), copied_by) if keeps else _NONE
        yield Trait.RESTORED, self._restored(backups) if keeps else _NONE
        yield Trait.PINNED, self._cell(Trait.PINNED, own)
        yield Trait.PROBED, self._cell(Trait.PROBED, own)
        several = workload.kind in REPLICATED and workload.replicas != 1
        budgeted = self._cell(Trait.BUDGETED, own)
        yield Trait.BUDGETED, budgeted if several or budgeted.standing is not Standing.GOOD else _NONE
        yield Trait.SCOPED, self._cell(Trait.SCOPED, (*own, *self._rights(workload)))
        alone = self._cell(Trait.NOT_SINGLE, own)
        yield Trait.NOT_SINGLE, alone if several or alone.standing is not Standing.GOOD else _NONE

    def _cell(self, trait: Trait, keys: Collection[int], note: str = "") -> Cell:
        concerns = _SPOKEN_OF[trait]
        found = [one for key in dict.fromkeys(keys) for one in self.said.get(key, ()) if _speaks(one.concern, concerns)]
        if found:
            worst = min(found, key=lambda one: one.rank)
            prints = tuple(one.fingerprint for one in found)
            return (
                Cell(Standing.WEAK, f"{note}, but: {worst.message}", prints)
                if note
                else Cell(Standing.TROUBLE, worst.message, prints)
            )
        doubt = next((one for one in self.undecided if self._about(one, keys) and _speaks(one.concern, concerns)), None)
        if doubt is not None:
            return Cell(Standing.OPEN, f"{doubt.unknown} is not known: {doubt.reason}")
        return Cell(Standing.GOOD, note)

    def _about(self, doubt: Undecided, keys: Collection[int]) -> bool:
        name = doubt.resource
        if name is None:
            return False
        resources = (self.estate.by_key[key] for key in keys)
        return any(
            (one.kind, one.namespace or "", one.name) == (name.kind, name.namespace, name.name) for one in resources
        )

    def _restored(self, backups: Sequence[Backup]) -> Cell:
        if not backups:
            return Cell(Standing.TROUBLE, "there is no copy that could be restored")
        for backup in backups:
            inputs = backup_inputs(self.estate, backup)
            stands = standing(self.estate, backup_subject(backup), Drill.RESTORE, inputs)
            if stands.proven and stands.proof is not None:
                return Cell(Standing.GOOD, f"restored on {stands.proof.day.isoformat()}")
        return Cell(Standing.TROUBLE, "no drill has restored it")

    def _rights(self, workload: Workload) -> Iterator[int]:
        """The bindings that give rights to what runs here."""
        account = (workload.service_account or "default", workload.namespace)
        for grant in self.estate.grants:
            if (grant.subject, grant.subject_namespace) == account and grant.subject_kind == "ServiceAccount":
                yield grant.resource.key


def _speaks(concern: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(concern, pattern) for pattern in patterns)
