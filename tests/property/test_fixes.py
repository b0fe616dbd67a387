"""Any fixes of any estate: nothing else changes, what is announced is gone, nothing comes, twice is once.

The files are written and everything is read anew from the disk; what the run says of itself is not believed.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fixable_estates import FixableEstate
from hashicorp import needs_hashicorp
from hashicorp_reading import disagreements
from shoreup.formats.files import FileTree
from shoreup.model.account import Account
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.auditing.reading import read
from shoreup.stages.fix import FixOptions, fix, write_out
from shoreup.stages.fixing.expectation import same
from shoreup.stages.fixing.remarks import remarks

TODAY = date(2026, 11, 23)


def silent(what: str, done: int, total: int) -> None:
    """Nobody waits."""


def audited(root: Path) -> Account:
    return audit([root], AuditOptions(cache=False, today=TODAY))


def bodies(root: Path) -> dict[str, object]:
    return {
        f"{one.root} {one.address}": dict(one.body) for one in read(FileTree(root), None, silent, alone=True).resources
    }


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15)
@needs_hashicorp
def test_any_subset_of_fixes_does_what_it_says_and_nothing_else(seed: int) -> None:
    random = Random(seed)
    files = FixableEstate(random).build()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        before, old = audited(root), bodies(root)
        assert not before.errors
        marks = [one.fingerprint for one in before.findings]
        wish = tuple(mark for mark in marks if random.random() < 0.7)
        if not wish:
            return
        fixed = fix([root], FixOptions(unsafe=True, today=TODAY, fingerprints=wish), silent)
        amendment = write_out(fixed)
        after, new = audited(root), bodies(root)

        assert [(one.finding.concern, one.check, one.cause) for one in amendment.dropped] == []
        cured = {one.finding.fingerprint for one in amendment.applied}
        assert cured <= set(wish)
        assert cured | {one.finding.fingerprint for one in amendment.not_fixed} >= set(wish)

        # Bytes: files without an edit are the same, and comments stay.
        changed = {one.path for one in amendment.changes}
        lost = sum(one.loses_comments for one in amendment.applied)
        for path, content in files.items():
            now = (root / path).read_bytes()
            assert (now != content) == (path in changed)
            assert remarks(path, now) >= remarks(path, content) - lost
            assert (b"\r\n" in now) == (b"\r\n" in content)
            assert now.startswith(b"\xef\xbb\xbf") == content.startswith(b"\xef\xbb\xbf")
            if path.endswith(".tf"):
                assert [*disagreements(now.decode())] == []
            else:
                assert list(yaml.safe_load_all(now))

        # Resources: those of no cured finding are as they were. One text may cure several at once.
        there = {one.fingerprint for one in after.findings}
        names = {one.resource.name for one in before.findings if one.resource and one.fingerprint not in there}
        strange = [key for key, body in old.items() if not same(body, new.get(key)) and not _of(key, names)]  # type: ignore[arg-type]  # bodies are values
        assert strange == []

        # Findings: what was announced is gone, and nothing came.
        assert not cured & there
        came = Counter(one.fingerprint for one in after.findings) - Counter(marks)
        opened = {name for one in amendment.applied for name in one.opens}
        assert [one.concern for one in after.findings if one.fingerprint in came and one.concern not in opened] == []
        assert not after.errors

        # Twice is once.
        left = tuple(mark for mark in wish if mark in there)
        if left:
            again = fix([root], FixOptions(unsafe=True, today=TODAY, fingerprints=left), silent)
            assert again.amendment.changes == ()


def _of(key: str, names: set[str]) -> bool:
    return any(name in key for name in names)
