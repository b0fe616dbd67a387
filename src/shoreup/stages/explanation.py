"""One finding explained: the lines that prove it, the ways through the wiring that lead to it, and its weight."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from shoreup.facts.proofs import last_day, subject_of
from shoreup.facts.wiring.graph import WAY_IN, Edge, Node, Wiring
from shoreup.facts.wiring.reading import wiring
from shoreup.formats.files import FileTree
from shoreup.model.errors import UserError
from shoreup.model.explanation import Excerpt, Explanation, SourceLine, Step
from shoreup.model.finding import Category, Consequence, Draft, Finding, Place
from shoreup.stages.auditing.examination import Asked, Examination, chosen, examination
from shoreup.stages.auditing.masking import masked
from shoreup.stages.opening import opened
from shoreup.stages.own_concerns import NO_OWN_CODE, OwnCode
from shoreup.stages.owners_word import owners_word

Progress = Callable[[str, int, int], None]

FINGERPRINT = re.compile(r"[0-9a-f]{4,40}")
"""The first four characters are enough where no other finding has them."""
_AROUND = 2
"""Lines shown before and after what is meant."""
_LONGEST = 8
"""Lines shown of something long."""
_WAYS = 3
_NEEDS = 6
_SECRETS = re.compile(r"secret|credential|token|key|password|auth")
_LOSSES = {
    Consequence.DATA_LOSS: "Data is lost for good; that comes before everything else.",
    Consequence.TAKEOVER: "Somebody else gets in; only lost data comes before that.",
    Consequence.OUTAGE: "Something stops; lost data and takeovers come before that.",
    Consequence.HYGIENE: "Nothing stops by it; it makes the rest more likely.",
}


class Question(Struct, frozen=True):
    """Which finding, of which estate. ``config``, ``today`` and ``own`` as in an audit."""

    fingerprint: str
    paths: Sequence[Path]
    config: Path | None = None
    today: date | None = None
    own: OwnCode = NO_OWN_CODE


def explain(question: Question, say: Progress) -> Explanation:
    """Explain the finding whose fingerprint begins so. Reads the estate anew.

    Raises :class:`UserError` where no finding, or more than one, has it.
    """
    estate = opened(question.paths, config=question.config, empty=True)
    tree, given = estate.tree, estate.given
    today = question.today or date.today()  # noqa: DTZ011  # support ends on a day, wherever one is
    own = question.own.load()
    asked = Asked(chosen((), (), given, own), today, proven=estate.proven(), given=given, whole=estate.whole, own=own)
    seen = examination(tree, asked, say)
    finding, standing = _chosen(question.fingerprint, seen)
    among = seen.account.unproven if finding in seen.account.unproven else seen.account.findings
    draft = seen.drafts[finding.fingerprint]
    graph = wiring(seen.estate)
    node = max(graph.of(draft.at.resource), key=graph.weight, default=None)
    ways = _ways(graph, node, seen) if node is not None else []
    return Explanation(
        finding=finding,
        among=len(among),
        weights=tuple(_weights(finding)),
        excerpts=tuple(_excerpts(finding, tree)),
        ways=tuple(ways[:_WAYS]),
        ways_left=max(0, len(ways) - _WAYS),
        needs=tuple(_needs(graph, node, seen)) if node is not None else (),
        standing=standing,
        settings=tuple(owners_word(draft, seen.estate)),
        drills=tuple(_drills(draft, seen)),
    )


def _chosen(mark: str, seen: Examination) -> tuple[Finding, str]:
    account = seen.account
    every = [(one, "") for one in (*account.findings, *account.unproven)]
    for one in account.suppressed:
        until = f" until {one.until.isoformat()}" if one.until else ""
        every.append((one.finding, f"Accepted{until} in {one.file}:{one.line}: {one.reason}"))
    found = [pair for pair in every if pair[0].fingerprint.startswith(mark)]
    if not found:
        raise UserError(
            f"No finding of this estate has the fingerprint {mark!r}. 'shoreup audit' shows each with its own; "
            "after the estate, name its path: shoreup explain FINGERPRINT PATH."
        )
    if len(found) > 1:
        names = ", ".join(one.fingerprint for one, _ in found[:3])
        raise UserError(f"{len(found)} findings have fingerprints that begin with {mark!r}: {names}. Give more of it.")
    return found[0]


def _weights(finding: Finding) -> Iterator[str]:
    """Why it stands where it stands, the strongest reason first."""
    yield f"{finding.consequence_class.value}: {_LOSSES[finding.consequence_class]}"
    yield f"{finding.severity.value}: how bad it is by itself; within one class the worse comes first."
    if finding.dependants:
        things = f"{finding.dependants} things hang" if finding.dependants > 1 else "One thing hangs"
        yield f"{things} on it; among equals what carries more comes first."
    if finding.confidence.value != "certain":
        yield "likely, not certain: read the lines below before you act on it; the certain comes first."
    if finding.strict:
        yield "strict: true, and seldom worth a change; only '--persona strict' shows it."


def _drills(draft: Draft, seen: Examination) -> Iterator[str]:
    """What drills have seen of the thing itself, the newest first."""
    resource = seen.estate.by_key.get(draft.at.resource)
    own = None if resource is None else subject_of(resource).key[:3]
    about = [one for one in seen.estate.proofs if str(one.subject) == draft.subject or one.subject.key[:3] == own]
    for proof in sorted(about, key=lambda one: one.taken, reverse=True)[:_WAYS]:
        verdict = proof.verdict.value.replace("-", " ")
        seen_then = f"{proof.claim} Seen: {proof.after}. Counts until {last_day(proof).isoformat()}."
        yield f"{proof.drill} of {proof.day.isoformat()}: {verdict}. {seen_then}"
        for limit in proof.limits:
            yield f"It does not show: {limit}."


# -------------------------------------------------------------------------------------------------- evidence


def _excerpts(finding: Finding, tree: FileTree) -> Iterator[Excerpt]:
    secret = finding.category is Category.ACCESS and bool(_SECRETS.search(finding.concern))
    secret = secret or (finding.resource is not None and finding.resource.kind == "Secret")
    shown: set[tuple[str, int]] = set()
    places = [(finding.file, finding.line, finding.end_line, "")]
    places += [(one.file, one.line, one.line, one.note) for one in finding.related]
    for file, line, end, note in places:
        if not file or line < 1 or (file, line) in shown:
            continue
        shown.add((file, line))
        text = tree.text(file)
        if text is None:
            continue
        last = min(end, line + _LONGEST - 1)
        lines = masked(text, [range(max(1, line - _AROUND), last + _AROUND + 1)], secret=secret)
        yield Excerpt(
            file, note, tuple(SourceLine(number, said, line <= number <= last) for number, said in lines.items())
        )


# ---------------------------------------------------------------------------------------------------- wiring


def _ways(graph: Wiring, node: Node, seen: Examination) -> list[tuple[Step, ...]]:
    """Ways that lead to the node: from outside first, else from what depends on it directly."""
    running = graph.running(node)
    starts = [one for one in running if one.kind == WAY_IN] or list(running)
    ways = (graph.path(start, node) for start in starts)
    return [(*(_step(edge, seen) for edge in way), Step(node.name)) for way in ways if way]


def _needs(graph: Wiring, node: Node, seen: Examination) -> Iterator[Step]:
    """What the node depends on itself."""
    for edge in graph.needs.get(node, [])[:_NEEDS]:
        # A note that only says the target's name again gives way to the kind of the dependency.
        short = edge.target.name.rpartition("/")[2].rpartition(" ")[2]
        how = edge.how.replace("-", " ") if not edge.note or edge.note.endswith(short) else edge.note
        yield Step(edge.target.name, how, _written(edge.place, seen))


def _step(edge: Edge, seen: Examination) -> Step:
    return Step(edge.source.name, edge.note or edge.how, _written(edge.place, seen))


def _written(place: Place, seen: Examination) -> str:
    location = seen.places.location(place)
    return f"{location.file}:{location.line}" if location else ""
