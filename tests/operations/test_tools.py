"""What a program writes arrives whole, however it writes it and whatever room a pipe has."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shoreup.operations.backup import tools
from shoreup.operations.backup.shelf import BackupTrouble
from shoreup.operations.backup.tools import output_of

WAYS = {
    "in crumbs": "for n in range(3000): w(b'%07d' % n); sys.stdout.buffer.flush()",
    "at once": "w(b''.join(b'%07d' % n for n in range(1000000)))",
    "nothing": "pass",
}


@pytest.mark.parametrize("roomy", [True, False])
@pytest.mark.parametrize("way", WAYS)
def test_all_of_it_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, roomy: bool) -> None:
    if not roomy:
        monkeypatch.setattr(tools, "_widened", lambda _: False)
    expected = {"in crumbs": 3000, "at once": 1000000, "nothing": 0}[way]
    program = f"import sys; w = sys.stdout.buffer.write\n{WAYS[way]}"
    with output_of([sys.executable, "-c", program], {}, tmp_path) as output:
        assert b"".join(output.pieces()) == b"".join(b"%07d" % number for number in range(expected))


def test_one_that_ends_badly_is_told_after_what_it_wrote(tmp_path: Path) -> None:
    program = "import sys; print('half'); sys.exit('fatal: the rest is lost')"
    seen = []
    with (
        pytest.raises(BackupTrouble, match="fatal: the rest is lost"),
        output_of([sys.executable, "-c", program], {}, tmp_path) as output,
    ):
        for piece in output.pieces():
            seen.append(piece)
    assert seen == [b"half\n"]
