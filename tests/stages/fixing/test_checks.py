"""Each check sees what it is for: a writer or a repair that does wrong is dropped alone, with the true cause."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from shoreup.concerns.rollout_shares_volume import RolloutSharesVolume
from shoreup.facts.estate import Estate
from shoreup.formats.edits import Replacement
from shoreup.model.amendment import Amendment
from shoreup.model.edit import Edit, NoRepair, Put, Repair
from shoreup.model.finding import Draft, Safety
from shoreup.stages.fix import FixOptions, fix
from shoreup.stages.fixing.realising import Realiser
from small_estates import VAULT

NOTES = VAULT.replace("vault", "notes").replace("noteswarden", "vaultwarden")
OPTIONS = FixOptions(select=("rollout-shares-volume",), unsafe=True, today=date(2026, 11, 23))
Writer = Callable[[Replacement], Sequence[Replacement]]


def fixed(root: Path) -> Amendment:
    """The run over two workloads that have the same trouble, each in a file of its own."""
    (root / "vault.yaml").write_text(VAULT, encoding="utf-8")
    (root / "notes.yaml").write_text(NOTES, encoding="utf-8")
    return fix([root], OPTIONS, lambda *_: None).amendment


def told(amendment: Amendment) -> tuple[list[str], list[tuple[str, str]]]:
    """The files that are cured, and those whose fix was dropped with the check that it failed."""
    return (
        [one.finding.file for one in amendment.applied],
        [(one.finding.file, one.check) for one in amendment.dropped],
    )


def at(text: str, *, delete: int = 0, write: str = "") -> Replacement:
    start = VAULT.index(text)
    return Replacement("vault.yaml", start, start + delete, write.encode())


def a_byte_less(one: Replacement) -> Sequence[Replacement]:
    return [replace(one, text=one.text[:-1])]


def a_place_further(one: Replacement) -> Sequence[Replacement]:
    return [replace(one, start=one.start + 1, end=one.end + 1)]


def a_place_before(one: Replacement) -> Sequence[Replacement]:
    return [replace(one, start=one.start - 1, end=one.end - 1)]


def nothing(one: Replacement) -> Sequence[Replacement]:
    return [replace(one, text=VAULT[one.start : one.end].encode())]


def into_the_sibling(one: Replacement) -> Sequence[Replacement]:
    return [replace(one, file="notes.yaml")]


def into_another_field_of_the_sibling(one: Replacement) -> Sequence[Replacement]:
    start = NOTES.index("storageClassName: nfs") + len("storageClassName: ")
    return [one, Replacement("notes.yaml", start, start + 3, b"ssd")]


def a_second_field(one: Replacement) -> Sequence[Replacement]:
    return [one, at("1Gi", delete=1, write="9")]


def a_second_field_of_its_own(one: Replacement) -> Sequence[Replacement]:
    return [one, at("1.32.0", delete=1, write="2")]


def a_second_document(one: Replacement) -> Sequence[Replacement]:
    return [one, at("---\n", write="---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: stray, namespace: home}\n")]


def no_yaml(one: Replacement) -> Sequence[Replacement]:
    return [replace(one, text=b"\n{[")]


def no_text(one: Replacement) -> Sequence[Replacement]:
    return [replace(one, text=b"\xff\xfe")]


def over_the_comment(one: Replacement) -> Sequence[Replacement]:
    return [replace(one, end=one.end + len("  # as it was"))]


@pytest.mark.parametrize(
    ("wrong", "checks"),
    [
        (a_byte_less, {"intended"}),
        (a_place_further, {"intended", "read"}),
        (a_place_before, {"intended", "read"}),
        (nothing, {"intended"}),
        (into_the_sibling, {"intended"}),
        (into_another_field_of_the_sibling, {"intended", "read"}),
        (a_second_field, {"intended"}),
        (a_second_field_of_its_own, {"intended"}),
        (a_second_document, {"intended"}),
        (no_yaml, {"read"}),
        (no_text, {"read"}),
        (over_the_comment, {"read"}),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_writer_that_does_wrong_is_caught(
    wrong: Writer, checks: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Realiser.realise

    def realise(self: Realiser, edits: Sequence[Edit], *, alone: bool = False) -> tuple[Replacement, ...]:
        made = right(self, edits, alone=alone)
        if any(one.file == "vault.yaml" for one in made):
            return tuple(other for one in made for other in wrong(one))
        return made

    monkeypatch.setattr(Realiser, "realise", realise)
    amendment = fixed(tmp_path)
    cured, dropped = told(amendment)
    left = [one.finding.file for one in amendment.not_fixed]
    assert cured == ["notes.yaml"], "the neighbour is not to blame"
    assert left + [file for file, _ in dropped] == ["vault.yaml"]
    assert {check for _, check in dropped} <= checks, amendment.dropped[0].cause
    assert all(change.path == "notes.yaml" for change in amendment.changes)
    (change,) = amendment.changes
    assert change.after == NOTES.replace("RollingUpdate", "Recreate").encode()


def more(*edits: Callable[[int], Edit]) -> Callable[[Repair, int], Repair]:
    return lambda repair, key: replace(repair, edits=(*repair.edits, *(edit(key) for edit in edits)))


def something_else(repair: Repair, key: int) -> Repair:
    return replace(repair, edits=(Put(key, ("metadata", "annotations"), {"note": "seen"}),))


def called_safe(repair: Repair, key: int) -> Repair:
    fix = replace(repair.fix, safety=Safety.SAFE)
    return replace(repair, fix=fix, edits=(Put(key, ("spec", "template", "spec", "priorityClassName"), "high"),))


@pytest.mark.parametrize(
    ("wrong", "check", "cause"),
    [
        (something_else, "gone", "still be there"),
        (more(lambda key: Put(key, ("spec", "replicas"), 3)), "new", "would come up at"),
        (more(lambda key: Put(key, ("spec", "minReadySeconds"), "soon")), "schema", "minReadySeconds"),
        (called_safe, "impact", "restart"),
    ],
    ids=["gone", "new", "schema", "impact"],
)
def test_a_repair_that_asks_for_wrong_is_caught(
    wrong: Callable[[Repair, int], Repair],
    check: str,
    cause: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = RolloutSharesVolume.repair

    def repair(self: RolloutSharesVolume, estate: Estate, draft: Draft) -> Repair | NoRepair:
        made = right(self, estate, draft)
        if isinstance(made, Repair) and "vault" in draft.subject:
            return wrong(made, draft.at.resource)
        return made

    monkeypatch.setattr(RolloutSharesVolume, "repair", repair)
    amendment = fixed(tmp_path)
    assert told(amendment) == (["notes.yaml"], [("vault.yaml", check)])
    assert cause in amendment.dropped[0].cause


def test_a_repair_that_breaks_costs_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right = RolloutSharesVolume.repair

    def repair(self: RolloutSharesVolume, estate: Estate, draft: Draft) -> Repair | NoRepair:
        if "vault" in draft.subject:
            raise LookupError
        return right(self, estate, draft)

    monkeypatch.setattr(RolloutSharesVolume, "repair", repair)
    assert told(fixed(tmp_path)) == (["notes.yaml"], [("vault.yaml", "repair")])
