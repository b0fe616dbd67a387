"""Estates for the page: a small one with hostile names, and a large one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shoreup.model.account import Account, Coverage
from shoreup.model.amendment import Amendment, Change
from shoreup.model.dossier import Aim, Cell, Dossier, Readiness, Standing, Trait
from shoreup.model.finding import (
    Category,
    Confidence,
    Consequence,
    Finding,
    Fix,
    ResourceName,
    Safety,
    Section,
    Severity,
    Undecided,
)
from shoreup.model.graph import Graph, Link, Thing
from shoreup.model.proof import Control, Engine, Measurement, Proof, ProofSubject, Verdict

HOSTILE = '</script><img src=x onerror="window.owned=1">\u2028\'`${window.owned=1}'
MADE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def finding(number: int, name: str = "", severity: Severity = Severity.HIGH) -> Finding:
    """One of many findings."""
    name = name or f"service-{number}"
    return Finding(
        rank=number,
        concern=f"concern-{number % 40}",
        severity=severity,
        confidence=Confidence.CERTAIN,
        consequence_class=list(Consequence)[number % len(Consequence)],
        category=Category.BACKUPS,
        section=Section.FRAGILE_AREAS,
        subject=f"Deployment web/{name}",
        message=f"Deployment web/{name} is in trouble.",
        consequence="It stops.",
        file=f"apps/{name}.yaml",
        line=number,
        column=1,
        end_line=number,
        resource=ResourceName("", f"apps/v1/Deployment/web/{name}", "Deployment", "web", name),
        related=(),
        fingerprint=f"{number:020x}",
        fixes=(Fix("Mend it", Safety.SHOWN, "a person has to say how"),),
    )


def account(findings: tuple[Finding, ...]) -> Account:
    """An account of nothing else."""
    return Account(
        version="1.0",
        estate=("/somewhere/platform",),
        findings=findings,
        unproven=(),
        suppressed=(),
        undecided=(Undecided("concern-1", None, "a.yaml", 3, HOSTILE, "only an apply can know it"),),
        errors=(),
        coverage=Coverage({"yaml": 1}, {"manifest": 2}, 1),
        timing={},
    )


def service(number: int, name: str) -> Readiness:
    """A row of the table."""
    cells = {trait: Cell(list(Standing)[(number + place) % len(Standing)], "why") for place, trait in enumerate(Trait)}
    if name == "postgres":
        cells[Trait.PINNED] = Cell(Standing.TROUBLE, "why", (f"{1:020x}",))
    return Readiness("web", name, "Deployment", "gold", number, (f"workload/Deployment web/{name}",), cells)


def thing(name: str, dependants: int) -> Thing:
    """A workload."""
    return Thing(
        f"workload/Deployment web/{name}", "workload", f"Deployment web/{name}", "web", "a.yaml", 1, dependants
    )


def link(source: Thing, target: Thing) -> Link:
    """One calls the other."""
    return Link(source.id, target.id, "calls", "the variable HOST", "a.yaml", 2)


def proof(age: int, seconds: float) -> Proof:
    """A restore, so many days ago."""
    taken = MADE - timedelta(days=age)
    return Proof(
        id=f"restore-{age}",
        drill="restore",
        subject=ProofSubject("CronJob", "data", HOSTILE),
        claim="The newest copy restores whole into an empty server.",
        engine=Engine("postgresql", "17.2"),
        control=Control("a copy that lost its end", True),
        before="refused",
        after="it restores",
        verdict=Verdict.PASS,
        taken=taken,
        expires=taken + timedelta(days=30),
        measurements=(Measurement("rto", seconds, "s"), Measurement("rpo", 3600.0, "s")),
    )


def small() -> Dossier:
    """Two findings, three things, and names that would like to be programs."""
    wiki, database = thing(HOSTILE, 0), thing("postgres", 1)
    proofs = (proof(14, 50.0), proof(7, 44.0), proof(0, 41.0))
    return Dossier(
        account=account((finding(1, HOSTILE, Severity.CRITICAL), finding(2))),
        made=MADE,
        services=(service(0, HOSTILE), service(1, "postgres")),
        graph=Graph((database, wiki), (link(wiki, database),)),
        proofs=proofs,
        aims={str(proofs[0].subject): Aim(60.0, 86400.0)},
        amendment=Amendment(shown=(Change(f"{HOSTILE}.yaml", b"a: 1\n", f"a: 2 # {HOSTILE}\n".encode()),)),
    )


def large(*, findings: int, services: int) -> Dossier:
    """A platform with very many of everything."""
    things = tuple(thing(f"service-{number}", services - number) for number in range(services))
    links = tuple(link(one, things[number // 3]) for number, one in enumerate(things) if number)
    return Dossier(
        account=account(tuple(finding(number) for number in range(findings))),
        made=MADE,
        services=tuple(service(number, f"service-{number}") for number in range(services)),
        graph=Graph(things, links),
        proofs=(),
        aims={},
    )
