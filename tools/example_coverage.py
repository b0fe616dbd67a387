"""Which concerns the example platform shows, and which it does not.

    python tools/example_coverage.py

The example grows with the catalogue; this says where it has not followed yet. Nothing depends on it.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from shoreup.concerns.registry import all_concerns
from shoreup.stages.audit import AuditOptions, audit

EXAMPLE = Path(__file__).parent.parent / "examples" / "homelab"


def main() -> None:
    """Print one line a concern."""
    account = audit([EXAMPLE], AuditOptions(cache=False))
    places: dict[str, list[str]] = defaultdict(list)
    for finding in (*account.findings, *account.unproven):
        places[finding.concern].append(f"{finding.file}:{finding.line}")
    open_questions = {one.concern for one in account.undecided}
    for kind in all_concerns():
        found = places[kind.id]
        shown = f"{len(found):3}  {found[0]}" if found else "  -  undecided" if kind.id in open_questions else "  -"
        print(f"{kind.id:32} {shown}")
    print(f"\n{sum(1 for found in places.values() if found)} of {len(all_concerns())} concerns are shown.")


if __name__ == "__main__":
    main()
