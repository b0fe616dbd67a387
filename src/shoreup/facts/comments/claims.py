"""What comments claim to be missing, held against the facts.

Only plain claims count: "no rotation yet", "TODO: add probes", "limits are missing". A comment that explains why
something is so, or what would happen without it, claims nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from msgspec import Struct

from shoreup.facts.estate import Backup, Estate, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.naming import named
from shoreup.facts.programs.scripts import place_in, program
from shoreup.facts.selection import selects
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.model.value import Unknown, Value

Proof = tuple[tuple[Place, str], ...]


class Claim(Struct, frozen=True, eq=False):
    """A claim that the facts speak against. ``missing`` is what it calls missing, ``found`` what there is.

    ``undecided`` says why the facts do not settle it.
    """

    place: Place
    missing: str
    subject: str
    found: str
    proof: Proof
    undecided: str = ""


Check = Callable[["_About", re.Match[str]], "tuple[str, Proof] | Unknown | None"]


class _About(Struct, frozen=True, eq=False):
    """What a comment is about: the resource that holds it, and the workloads that are or run it."""

    estate: Estate
    resource: Resource
    workloads: tuple[Workload, ...]
    backups: tuple[Backup, ...]


class _Subject(Struct, frozen=True, eq=False):
    missing: str
    words: str
    check: Check


def contradicted_claims(estate: Estate) -> Iterator[Claim]:
    """Every comment of the estate whose claim the facts contradict, and those that they leave open."""
    workloads: dict[int, list[Workload]] = {}
    for workload in estate.workloads:
        workloads.setdefault(workload.resource.key, []).append(workload)
    backups: dict[int, list[Backup]] = {}
    for backup in estate.backups:
        for key in {backup.resource.key, backup.place.resource}:
            backups.setdefault(key, []).append(backup)
    for comment in estate.comments:
        resource = estate.by_key.get(comment.resource)
        if resource is not None:
            running = tuple(workloads.get(resource.key, ()))
            about = _About(estate, resource, running, tuple(backups.get(resource.key, ())))
            yield from _claims(comment.text, Place(resource=resource.key, span=comment.span), about)
    for script in estate.scripts:
        resource = estate.by_key.get(script.place.resource)
        if resource is None or script.language != "shell" or not _ANY.search(script.text):
            continue
        running = (script.workload,) if script.workload is not None else ()
        keys = {resource.key, *(workload.resource.key for workload in running)}
        own = tuple(backup for key in sorted(keys) for backup in backups.get(key, ()))
        for start, end in program(script).comments:
            about = _About(estate, resource, running, own)
            yield from _claims(script.text[start:end].lstrip("# "), place_in(script, start, end), about)


def _claims(written: str, place: Place, about: _About) -> Iterator[Claim]:
    for subject, pattern in _patterns() if _ABOUT.search(written) else ():
        match = pattern.search(written)
        if match is None:
            continue
        answer = subject.check(about, match)
        called = named(about.resource)
        if isinstance(answer, Unknown):
            yield Claim(
                place=place, missing=subject.missing, subject=called, found="", proof=(), undecided=answer.reason
            )
        elif answer is not None:
            yield Claim(place, subject.missing, called, answer[0], answer[1])
        return


# The claims


def _retention(about: _About, match: re.Match[str]) -> tuple[str, Proof] | Unknown | None:
    reason = ""
    for backup in about.backups:
        for retention in backup.retention:
            if retention.by in ("age", "count", "policy"):
                return f"{retention.command} removes old copies", ((retention.place, "what removes old copies"),)
            reason = retention.undecided or reason
        reason = reason or backup.undecided
    return Unknown(reason) if reason else None


def _probe(about: _About, match: re.Match[str]) -> tuple[str, Proof] | Unknown | None:
    asked = (match.groupdict().get("which") or "").lower()
    fields = [f"{kind}Probe" for kind in ("readiness", "liveness", "startup") if asked.startswith(kind[:5])]
    return _in_containers(about, fields or ["readinessProbe", "livenessProbe"], "every container has it")


_RESOURCES = {"cpu": "cpu", "memory": "memory", "mem": "memory", "ram": "memory"}
_RESOURCE = re.compile(r"\b(?:cpu|memory|mem|ram)\b", re.IGNORECASE)


def _limits(about: _About, match: re.Match[str]) -> tuple[str, Proof] | Unknown | None:
    group = "requests" if match.group("what").lower().startswith("request") else "limits"
    kind = (match.groupdict().get("which") or "").lower()
    # "CPU is not capped: no limit" speaks of one of the two, wherever in the comment it is named.
    named_too = {_RESOURCES[found[0].lower()] for found in _RESOURCE.finditer(match.string)}
    key = _RESOURCES.get(kind, "") or (named_too.pop() if len(named_too) == 1 else "")
    proof: list[tuple[Place, str]] = []
    for workload in about.workloads:
        for container in workload.containers:
            if container.init:
                continue
            held = mapping(container.body.get("resources")).get(group)
            if isinstance(held, Unknown):
                return held
            if not mapping(held) or (key and mapping(held).get(key) is None):
                return None
            route = (*container.route, "resources", group)
            proof.append((Place(workload.resource.key, route, container=container.name), f"the {group}"))
    return (f"its {group} are set", tuple(proof)) if proof else None


def _in_containers(about: _About, fields: Sequence[str], said: str) -> tuple[str, Proof] | Unknown | None:
    proof: list[tuple[Place, str]] = []
    for workload in about.workloads:
        for container in workload.containers:
            if container.init:
                continue
            for field in fields:
                held: Value = container.body.get(field)
                if isinstance(held, Unknown):
                    return held
                if not mapping(held):
                    return None
                place = Place(workload.resource.key, (*container.route, field), container=container.name)
                proof.append((place, f"the {field}"))
    return (said, tuple(proof)) if proof else None


def _tls(about: _About, match: re.Match[str]) -> tuple[str, Proof] | Unknown | None:
    spec = mapping(about.resource.body.get("spec"))
    if about.resource.kind not in ("Ingress", "IngressRoute"):
        return None
    held = spec.get("tls")
    if isinstance(held, Unknown):
        return held
    present = bool(items(held)) or (about.resource.kind == "IngressRoute" and isinstance(held, dict))
    if not present:
        return None
    return "it has a tls section", ((Place(about.resource.key, ("spec", "tls")), "the tls section"),)


def _budget(about: _About, match: re.Match[str]) -> tuple[str, Proof] | Unknown | None:
    for workload in about.workloads:
        for budget in about.estate.budgets:
            selector = mapping(budget.body.get("spec")).get("selector")
            if (budget.namespace or "default") == workload.namespace and selects(selector, workload.labels) is True:
                called = text(mapping(budget.body.get("metadata")).get("name")) or budget.name
                return f"the budget {called} selects it", ((Place(budget.key), "the budget"),)
    return None


_SUBJECTS = (
    _Subject(
        "retention",
        r"(?:back-?up |dump |old )?(?:(?<!log )(?<!logs )(?<!key )(?<!secret )(?<!password )(?<!token )"
        r"(?<!certificate )(?<!cert )rotation|retention(?: policy)?|"
        r"rotat(?:e|ing)(?: (?:the |our )?(?:old )?(?:back-?ups?|dumps?|files|copies|them|these))?"
        r"(?! (?:logs?|keys?|secrets?|passwords?|tokens?|cert))|"
        r"(?:prun(?:e|ing)|clean(?:ing)?[ -]?up|delet(?:e|ing)|remov(?:e|ing|al of)|expir(?:e|ing)) "
        r"(?:of )?(?:the )?old(?:er)?(?: back-?ups?| dumps?| files| copies| ones)?)",
        _retention,
    ),
    _Subject(
        "a probe",
        r"(?:(?P<which>readiness|liveness|startup)[ -]?)?(?:probes?|health[ -]?checks?)",
        _probe,
    ),
    _Subject(
        "a limit or request",
        r"(?:resources? )?(?:(?P<which>cpu|memory|mem|ram) )?(?:resources? )?(?P<what>limits?|requests?)",
        _limits,
    ),
    _Subject("TLS", r"(?:tls|https|ssl)", _tls),
    _Subject("a disruption budget", r"(?:pdbs?|pod ?disruption ?budgets?|disruption budgets?)", _budget),
)
"""What a comment may call missing, and how the facts are asked."""

_TODO = (
    r"^\W*(?:todo|fixme|xxx)\b(?:\([^)]*\))?[\s:,-]*(?:we |i )?(?:still |really )?(?:needs? (?:to )?|should |must )?"
    r"(?:add|implement|set(?: ?up)?|configure|enable|introduce|do|write|create|have)?\s*"
    r"(?:a |an |some |proper |the |real |actual )*"
)
_NO = r"\b(?:there(?:'s| is| are) |has |have |with )?(?:no|missing|lacks?|lacking) (?:a |an |any |proper |the )*"
_TAIL = r"\b(?! (?:beyond|other|more|longer|of |is needed|needed|required|because|since|on purpose|here because))"
_AFTER = (
    r"\b(?: (?:is|are|was|were))? (?:still )?"
    r"(?:missing|not (?:yet )?(?:there|set|configured|implemented|done|enabled|in place)|to ?do|tbd)\b"
)


@cache
def _patterns() -> tuple[tuple[_Subject, re.Pattern[str]], ...]:
    made = []
    for subject in _SUBJECTS:
        # A group name may stand once in a pattern, so each form is a pattern of its own.
        for form in (
            f"(?:{_TODO})(?:{subject.words}){_TAIL}",
            f"(?:{_NO})(?:{subject.words}){_TAIL}",
            f"(?:{subject.words}){_AFTER}",
        ):
            made.append((subject, re.compile(form, re.IGNORECASE)))
    return tuple(made)


_TOPICS = "rotat|retention|old|probe|health|limit|request|tls|https|ssl|pdb|disruption"
_ABOUT = re.compile(_TOPICS, re.IGNORECASE)
"""A word of each subject: a cheap look before the patterns."""
_ANY = re.compile(rf"#.*(?:{_TOPICS})", re.IGNORECASE)
