"""What 400 simulated days of each backup job of an estate take: by the clock, and of processors.

    python bench/retention.py [ESTATE]

Clock times on a busy machine lie: the processor time of everything that was started stands beside them.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from time import monotonic

from shoreup.drills.base import NO_WISHES
from shoreup.drills.retention import Retention
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import opened

GOAL = 5.0
"""Seconds by the clock, for one job's 400 days."""
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def main() -> int:
    """Measure, print, and say by the exit code whether the goal is reached."""
    estate = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "examples" / "homelab"
    found = opened([estate], config=None, ledger="", empty=True)
    asked = Asked((), date(2026, 11, 23), proven=found.proven(), given=found.given, whole=found.whole)
    reached = True
    print("| job | verdict | clock | processor |\n|---|---|---|---|")
    for trial in Retention().trials(understood(read(found.tree, None, lambda *_: None), asked), NO_WISHES):
        ready = trial.prepare()
        if isinstance(ready, str):
            continue
        began, worked = monotonic(), sum(os.times()[:4])
        proof = ready("bench", NOW)
        took, worked = monotonic() - began, sum(os.times()[:4]) - worked
        print(f"| {trial.name} | {proof.verdict.value} | {took:.1f} s | {worked:.1f} s |", flush=True)
        reached = reached and took < GOAL
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
