"""What `make demo` shows: a backup that is none, the account of a small platform, its fixes, and both again.

    python tools/demo.py FOLDER REPORT

FOLDER is a copy of examples/homelab; its files are changed. REPORT is where the page about it is written.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from demo_restore import PROGRAM, lose, stage, win
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from shoreup.cli.output import save
from shoreup.model.account import Account
from shoreup.model.amendment import Amendment, Applied, Change
from shoreup.model.finding import Category, Finding, Severity
from shoreup.model.settings import Persona
from shoreup.report import html, text
from shoreup.report.amendment import render_offer
from shoreup.stages.auditing.personas import heard_by
from shoreup.stages.dossier import DossierOptions, dossier
from shoreup.stages.fix import FixOptions, fix, write_out

TELLING = (
    "backup-failure-silent",
    "backup-inconsistent",
    "rollout-shares-volume",
    "probe-readiness-missing",
    "pdb-missing",
    "gate-single",
)
"""Fixes that say most in a few lines, the best first; three of them are shown."""
SHOWN = 3


def main() -> None:
    """Lose a backup, audit, fix, restore, audit again, and write the page of it all."""
    folder, report = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    console = Console(highlight=False)
    with stage(folder, console) as restoring:
        if restoring is not None:
            lose(restoring)
        before, amendment = show_fixes(folder, console)
        if restoring is not None:
            win(restoring)
        after = dossier([folder], DossierOptions(), silent)
    console.rule("Before and after")
    console.print(table(before.findings, after.account.findings))
    report.parent.mkdir(exist_ok=True)
    save(html.render(replace(after, amendment=amendment)), report)
    console.print(f"All of it on one page: {report}")


def show_fixes(folder: Path, console: Console) -> tuple[Account, Amendment]:
    """Audit, fix what code can cure, and give the account from before with what was done."""
    offers: list[tuple[Applied, Sequence[Change]]] = []

    def taken(offer: Applied, changes: Sequence[Change]) -> bool:
        offers.append((offer, changes))
        return True

    fixed = fix([folder], FixOptions(unsafe=True, today=today(), choose=taken), silent)
    before = replace(heard_by(fixed.before.account, Persona.REGULAR), estate=(str(folder),))
    print(text.render(before, width=console.width, colour=console.is_terminal, detail="brief"))
    console.rule("What code can cure: shoreup fix --unsafe --write")
    held = {one.finding.fingerprint for one in fixed.amendment.applied}
    for offer, changes in telling([pair for pair in offers if pair[0].finding.fingerprint in held])[:SHOWN]:
        print(render_offer(offer, changes, width=console.width, colour=console.is_terminal))
    amendment = write_out(fixed)
    console.print(
        f"{len(amendment.applied)} findings cured in {len(amendment.written)} files, "
        f"{len(amendment.not_fixed)} left with the reason ('shoreup fix' says each)."
    )
    return before, amendment


def silent(what: str, done: int, total: int) -> None:
    """Nobody watches this progress."""


def today() -> date:
    """The day that the example is judged by."""
    return date.today()  # noqa: DTZ011  # support ends on a day, wherever one is


def telling(offers: Sequence[tuple[Applied, Sequence[Change]]]) -> list[tuple[Applied, Sequence[Change]]]:
    """One fix of each kind, those that tell most first: that of the job whose backup was lost before all."""
    first: dict[str, tuple[Applied, Sequence[Change]]] = {}
    for offer, changes in sorted(offers, key=lambda pair: all(one.path != PROGRAM for one in pair[1])):
        first.setdefault(offer.finding.concern, (offer, changes))
    return sorted(first.values(), key=lambda pair: rank(pair[0].finding.concern))


def rank(concern: str) -> int:
    """How much a fix tells; the least is said of those that nobody chose."""
    return TELLING.index(concern) if concern in TELLING else len(TELLING)


def table(before: Sequence[Finding], after: Sequence[Finding]) -> Table:
    """Counts side by side, by group and severity."""
    made = Table(box=None, pad_edge=False)
    made.add_column("")
    for severity in Severity:
        made.add_column(severity.value, justify="right")
    for category in Category:
        cells = []
        for severity in Severity:
            counts = [
                sum(one.category is category and one.severity is severity for one in some) for some in (before, after)
            ]
            cells.append(f"{counts[0]} → {counts[1]}" if counts[0] != counts[1] else str(counts[0] or "·"))
        made.add_row(text.GROUP_NAMES[category], *cells)
    made.add_row("in all", "", "", "", f"{len(before)} → {len(after)}", style="bold")
    return made


if __name__ == "__main__":
    main()
