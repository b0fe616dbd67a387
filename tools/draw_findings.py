"""Draw findings at random from audits of several estates, to be checked by reading the source.

    python tools/draw_findings.py --seed 20261123 --count 100 --today 2026-11-23 ESTATE...

Every finding of every estate is in the urn once. The same estates, at the same commits, with the same seed give the
same draw, in any order of the arguments. Prints one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
from datetime import date
from pathlib import Path

from shoreup.stages.audit import AuditOptions, audit


def main() -> None:
    """Draw and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("estates", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--select", default="", help="only these concerns, with commas between")
    parser.add_argument("--today", type=date.fromisoformat, default=date(2026, 11, 23))
    chosen = parser.parse_args()
    select = tuple(filter(None, chosen.select.split(",")))
    urn = [
        {
            "estate": estate.name,
            "commit": _commit(estate),
            "fingerprint": finding.fingerprint,
            "concern": finding.concern,
            "severity": finding.severity.value,
            "file": finding.file,
            "line": finding.line,
            "address": finding.resource.address if finding.resource else "",
            "message": finding.message,
        }
        for estate in sorted(chosen.estates, key=lambda path: path.name)
        for finding in sorted(
            audit([estate], AuditOptions(select=select, cache=False, today=chosen.today)).findings,
            key=lambda one: (one.fingerprint, one.file, one.line),
        )
    ]
    drawn = random.Random(chosen.seed).sample(urn, min(chosen.count, len(urn)))
    for one in sorted(drawn, key=lambda row: (row["estate"], row["concern"], row["file"], row["line"])):
        print(json.dumps(one, ensure_ascii=False))


def _commit(estate: Path) -> str:
    command = ["git", "-C", str(estate), "rev-parse", "--short=12", "HEAD"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() or "no commit"


if __name__ == "__main__":
    main()
