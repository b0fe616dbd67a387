"""A written audit of the example, by someone who had not seen how it is read, held against its key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from checking.scoring import Judged, Score, key, score
from shoreup.stages.check import check

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "tests" / "checking" / "homelab.md"
ESTATE = ROOT / "examples" / "homelab"
AGAIN = """
If examples/homelab has changed, its lines and numbers have too. See what is true with
    PYTHONPATH=src:tests python tools/score_check.py tests/checking/homelab.md examples/homelab
and correct the lines in tests/checking/homelab.md, and `text` and `truth` in homelab.key.yaml, by hand in the source.
"""


@pytest.fixture(scope="module")
def held() -> Score:
    done = check(DOCUMENT, [ESTATE], None, lambda _what, _done, _of: None)
    return score(key(DOCUMENT.with_suffix(".key.yaml")), done.checked)


def test_no_claim_is_told_falsely(held: Score) -> None:
    assert not held.false, f"{_shown(held.false)}{AGAIN}"


def test_nine_of_ten_claims_are_told_rightly(held: Score) -> None:
    left = [one for one in held.decidable if one not in held.right]
    assert len(held.right) * 10 >= len(held.decidable) * 9, f"{_shown(left)}{AGAIN}"


def test_what_no_source_decides_is_left_open(held: Score) -> None:
    opened = [one for one in held.judged if one not in held.decidable]
    assert opened
    assert not [one.claim.id for one in opened if one.decided]


@pytest.mark.parametrize("name", ["homelab", "stfnhh", "elcattivo66", "billimek", "zhangzqs", "onedr0p", "mitchross"])
def test_a_key_is_of_its_document(name: str) -> None:
    lines = (DOCUMENT.parent / f"{name}.md").read_text(encoding="utf-8").splitlines()
    claims = key(DOCUMENT.parent / f"{name}.key.yaml")
    assert len({one.id for one in claims}) == len(claims)
    assert [one.id for one in claims if not lines[one.line - 1].strip()] == []


def _shown(judged: Sequence[Judged]) -> str:
    told = (f"{one.claim.id} line {one.claim.line}: {one.told}, not {one.claim.verdict}: {one.said}" for one in judged)
    return "\n".join(told)
