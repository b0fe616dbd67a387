"""The catalogue's cases (see :mod:`case_files`), each audited: exactly these findings, doubts and errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from case_files import TODAY, Case, Expected, by_name, cases
from proving import bring
from shoreup.model.finding import Finding, Undecided
from shoreup.model.grades import Persona
from shoreup.stages.audit import AuditOptions, audit


@pytest.mark.parametrize("case", list(cases()), ids=by_name)
def test_case(case: Case, tmp_path: Path) -> None:
    for name, content in case.files.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")

    for one in case.proofs:
        bring(tmp_path, one.id, one)

    asked = AuditOptions(select=(case.concern,), cache=False, today=TODAY, persona=Persona.STRICT)
    account = audit([tmp_path], asked)

    assert [f"{problem.file}: {problem.cause}" for problem in account.errors] == case.errors
    agree(case.findings, [one for one in account.findings if not one.strict])
    agree(case.strict, [one for one in account.findings if one.strict])
    agree(case.unproven, account.unproven)
    agree(case.undecided, account.undecided)


def agree(wanted: Sequence[Expected], seen: Sequence[Finding] | Sequence[Undecided]) -> None:
    """Hold what was seen against what a case states, in the order of files and lines."""
    everything: list[Finding | Undecided] = [*seen]
    ordered = sorted(everything, key=lambda one: (one.file, one.line))
    stated = sorted(wanted, key=lambda one: (one.file, one.line))
    assert [(one.file, one.line) for one in ordered] == [(one.file, one.line) for one in stated], ordered
    for one, other in zip(ordered, stated, strict=True):
        for key, part in other.parts.items():
            assert part in str(getattr(one, key)), f"{key} of {one}"
