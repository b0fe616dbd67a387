"""How well `shoreup check` reads written audits: documents held against their keys.

    PYTHONPATH=tests python tools/score_check.py DOCUMENT.md ESTATE [--all]

The key stands beside the document (``NAME.key.yaml``). Printed are the claims that were told falsely, then those that
were not decided; with ``--all`` every one. The last line is the score. Exits with 1 where a verdict is false.
"""

from __future__ import annotations

import sys
from pathlib import Path

from checking.scoring import Judged, key, score
from shoreup.stages.check import check


def main(document: Path, estate: Path, *, everything: bool) -> int:
    """Print the score of a document."""
    done = check(document, [estate], None, lambda _what, _done, _of: None)
    found = score(key(document.with_suffix(".key.yaml")), done.checked)
    shown = found.judged if everything else [one for one in found.judged if one.false or not one.right]
    for one in sorted(shown, key=lambda judged: (not judged.false, judged.right)):
        print(_line(one))
    right, can = len(found.right), len(found.decidable)
    open_right = (
        sum(one.right or not one.decided for one in found.judged)
        - right
        - sum(not one.decided and one not in found.right for one in found.decidable)
    )
    print(
        f"{document.name}: {len(found.judged)} claims, {sum(one.decided for one in found.judged)} decided;"
        f" of {can} that the source decides {right} are right; {open_right} of {len(found.judged) - can} that it does"
        f" not decide are left open; {len(found.false)} false"
    )
    return int(bool(found.false))


def _line(one: Judged) -> str:
    mark = "FALSE" if one.false else "right" if one.right else "open "
    told = one.told.value if one.told else "nothing"
    claim = one.claim
    return f"{mark} {claim.id} line {claim.line}: {told}, key {claim.verdict} ({claim.truth})\n      {one.said[:300]}"


if __name__ == "__main__":
    given = [one for one in sys.argv[1:] if not one.startswith("--")]
    sys.exit(main(Path(given[0]), Path(given[1]), everything="--all" in sys.argv))
