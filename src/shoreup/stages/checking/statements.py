"""Claims about what the estate has: counts, properties of something that is named, and what is nowhere.

A sentence is understood by three things: the property that it speaks of, whether it says that the property is there or
not, and of whom. What fits none of the forms is no claim that is understood, and is said to be so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from shoreup.facts.estate import Estate, Workload
from shoreup.model.claim import Answer, Checked, Kind, Spot
from shoreup.model.finding import Finding, Place
from shoreup.model.resource import Resource
from shoreup.model.wording import some
from shoreup.stages.checking.amounts import in_code, in_prose
from shoreup.stages.checking.document import FILE, Sentence, without_files
from shoreup.stages.checking.numbers import NUMBER, QUANTITY, Quantity, close, counts, limited_to, quantity
from shoreup.stages.checking.polarity import HAS, exclusive
from shoreup.stages.checking.properties import PATTERNS, Property
from shoreup.stages.checking.questions import PARKED, Item, things
from shoreup.stages.checking.values import Block

Where = Callable[[Place], Spot | None]
_JOBS = frozenset({"Job", "CronJob"})
_NOUNS: Mapping[str, str] = {
    r"services?|apps?|applications?|workloads?|pods?|components?": "",
    r"deployments?": "Deployment",
    r"stateful ?sets?": "StatefulSet",
    r"daemon ?sets?": "DaemonSet",
    r"(?:scheduled|cron) ?jobs?": "CronJob",
    r"containers?": "container",
    r"images?": "image",
}
"""Nouns for what runs, with the kind that they mean; empty for everything that stays."""
_WAYS = r"routes?|ingress(?:es)?|ingress ?routes?|hosts?|endpoints?|public services?"
_VERBS = r"\s*(?:of (?:them|these)\s+)?(?:have|has|use|uses|run|runs|set|define|lack)\b"
_PLAIN = r"(?:kubernetes|running|single|the|of|these|our|other|all|different|separate|total)"
"""Words before a noun that leave everything in; of what another singles out, some are counted."""
_OWN_SUBJECT = re.compile(
    r"\s*(?:(?:and|but|while|whereas|although|though)\s+)?(?:(?i:the|an?|all|every|each|both|other|some)\s+\w"
    r"|(?!(?:It|They|This|That|These|Those|Neither|None|No|Only|Both|Nothing)\b)"
    r"[A-Z][\w-]+(?:(?:,|\s+and|\s+or|\s+nor)?\s+[A-Z][\w-]+)*\s+(?:is|are|has|have|runs?|uses?|does|do|don|lacks?|sets?)\b)"
)
_COMPARED = re.compile(
    r"\b(?:(?:more|less|fewer|other|rather) than|at (?:least|most)|over|under|beyond|instead of|not only)\s*"
    r"(?:the\s+|a\s+)?$",
    re.IGNORECASE,
)
"""Words before a property that make it another: "more than one replica"."""
_SOME_OF_THEM = re.compile(
    rf"\b(?:{NUMBER}|none|all|each|every one|most|some)\s+of\s+(?:the|our|these|those)\b", re.IGNORECASE
)
_WITHIN = re.compile(
    r"\s\w.*\b(?:in|on|for|from|by|to|at|during|before|after|behind)\s+(?:(?:the|an?|its|this|their)\s+)?(?:\w+\s+){0,2}$",
    re.IGNORECASE,
)
_LIMITED_BEFORE = re.compile(rf"\b(?:of|among)\s+(?:the|our|these|those)?\s*(?:{NUMBER})\b[^,]*,\s*$", re.IGNORECASE)
"""What limits a count to some: "of the 15 deployments in scope, seven"."""
_GOES_ON = re.compile(
    r"\s*(?:$|[,;:(]|(?:have|has|had|is|are|was|were|do|does|did|don[’']t|doesn[’']t|that|which|who|whose|with|without"
    r"|lack\w*|miss\w*|use|uses|using|run|runs|running|set|sets|setting|define\w*|declare\w*|carr\w+|float\w*|still|also"
    r"|never|drop\w*|mount\w*|share\w*|come\w*|rel(?:y|ies)|pin\w*|tagged|request\w*|need\w*|get|gets|start\w*"
    r"|explicitly|only|each|all|on|at|in|of|from|behind|under|as|not|no|actually|currently|sit|sits|may|can|go|pull\w*)\b)",
    re.IGNORECASE,
)
"""What may stand behind a noun that is counted; with anything else it is part of another: ``image defaults``."""
_SAYS = re.compile(
    r"\b(?:has|have|had|is|are|was|runs?|uses?|sets?|defines?|declares?|with|gets?|carr(?:y|ies)|drops?|combines?"
    r"|mounts?|shares?|requests?|capped|deployed|started|sits?|comes?|needs?|gives?|also)\b",
    re.IGNORECASE,
)
"""Words that make a clause say something of what it names."""
_NOT = re.compile(
    r"\b(?:no|not|without|lacks?|lacking|missing|misses|never|neither|nor|none|zero|(?:does|do|is|are|has|have)n[’']t"
    r"|doesn[’']t|don[’']t)\b",
    re.IGNORECASE,
)
_NOT_AFTER = re.compile(
    r"^\s*[:=]?\s*[\"'`]?(?:false|off|disabled)\b"
    r"|^\W*(?:(?:is|are|was|were|has been|have been)\s+)?(?:(?:still|all|also)\s+)?"
    r"(?:missing|absent|lacking|not\s+(?:set|there|defined|configured|present|used)|never\s+set|nowhere)\b",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(
    r"\b(?:anywhere|nowhere|at all|in the (?:whole )?(?:repo(?:sitory)?|cluster|estate|code|platform)|exists?|defined"
    r"|configured|there (?:is|are))\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"[,;:]\s+|\s+\|\s*|\s+(?:but(?!\s+(?:\d|one|two|three|four|five)\b)|while|whereas|although|though)\s+|\s+[-–—]\s+"
    r"|\s+and\s+(?=(?:has|have|runs?|uses?|is|are|lacks?|no|without|only|none|all|\d+|two|three|four|five)\b)",
    re.IGNORECASE,
)
_SHOWN = 4


class Statements(Struct, frozen=True):
    """Answers claims about an estate. ``where`` finds the line of a place; ``findings`` are those of its audit."""

    estate: Estate
    where: Where
    findings: Sequence[Finding] = ()
    blocks: Callable[[Resource], Block | None] | None = None
    traced: Callable[[Property], int] = lambda _: 0
    """In how many places code speaks of a property, also where nothing was seen to have it."""
    declared: Callable[[str], int] = lambda _: 0
    """How many objects of a kind the code declares, whether they were read or not."""
    seen: dict[str, Sequence[Item]] = field(default_factory=dict)
    """Everything of a kind, listed once."""

    def answers(self, sentence: Sentence) -> Iterator[Checked]:
        """What the facts say to each clause of a sentence."""
        named = self._named(sentence)
        before = ""
        for clause in _clauses(without_files(sentence.plain)):
            for asked, match in _mentions(clause):
                yield from self._said(
                    sentence, clause, asked, match, self._meant(clause, named, sentence.codes), before
                )
            before = f"{before}{clause}, "

    def _said(
        self, sentence: Sentence, clause: str, asked: Property, match: re.Match[str], named: Sequence[Item], before: str
    ) -> Iterator[Checked]:
        if _COMPARED.search(clause[: match.start()]):
            return
        negated = _negated(clause, match)
        denial = [*_NOT.finditer(clause[: match.start()])]
        if denial and _WITHIN.search(clause[denial[-1].end() : match.start()]):
            return  # something else is denied: "the versions do not match in the backup"
        if re.match(r"\W*(?:and\s+)?(?:has|have|had|is|are|was|does|do|did)\b", clause) and _NOT.search(before):
            # A subject that others stand behind: "neither of the two, a and b, has a probe".
            if not re.search(r"\b(?:neither|none|no)\b", before, re.IGNORECASE):
                return
            negated = not negated
            subject = re.split(r"(?=\b(?:neither|none|no)\b)", before, flags=re.IGNORECASE)[-1]
            clause = f"{subject}{clause}"
        counted = _counted(clause, match, asked)
        if counted is None and _SOME_OF_THEM.search(clause[: match.start()]):
            return  # some of what is not known here
        if counted is not None and _LIMITED_BEFORE.search(before):
            return
        if counted is not None:
            yield self._count(sentence, clause, asked, counted, negated=negated)
        elif named and (negated or _SAYS.search(clause)):
            mine = [one for one in named if one.thing is not None and _fits(asked, one) and not _called(one, match[0])]
            # Where places were taken out, the piece that speaks of it.
            pieces = re.split(r"\s*\(\s*\)?\s*|\s{2,}", clause)
            said = next((one for one in pieces if match[0] in one), clause)
            end = said.find(match[0]) + len(match[0])
            if asked.value is None and re.search(r"\d", said[end:]):
                said = said[:end]  # no amount behind it was looked at
            mine = [one for one in mine if self._where_said(sentence, one)]
            told = [self._property(sentence, said, asked, one, negated=negated) for one in mine]
            # That it is the only one is more than that it is one.
            yield from (one for one in told if not exclusive(sentence.plain) or one.answer is Answer.WRONG)
        elif denial and HAS.search(clause[: denial[-1].start()]):
            return  # "the release has no probe at all": of what is not known here
        elif negated and _ANYWHERE.search(clause) and not limited_to(clause[match.end() :]):
            yield self._nowhere(sentence, clause, asked)

    def _where_said(self, sentence: Sentence, item: Item) -> bool:
        """Whether something is declared where the sentence says, if it says so: names alone may be another's."""
        files = {match["file"] for match in re.finditer(rf"(?P<file>{FILE}):\d", sentence.text)}
        block = self.blocks(item.thing.resource) if self.blocks and isinstance(item.thing, Workload) else None
        return not files or block is None or any(block.path.endswith(one.removeprefix("./")) for one in files)

    def _count(self, sentence: Sentence, clause: str, asked: Property, claimed: _Counted, *, negated: bool) -> Checked:
        # "No workload has a probe" counts those that have one; "12 have no probe" those that have none.
        without = negated and claimed.quantity.number != 0
        best: Checked | None = None
        senses = [asked] if asked.strictly is None else [asked, replace(asked, holds=asked.strictly)]
        # Some count what is scaled to nothing too.
        kinds = [claimed.of, PARKED] if claimed.of == "workload" else [claimed.of]
        for of in kinds:
            for sense, reading in ((one, other) for one in senses for other in claimed.readings):
                items = [one for one in self._things(of) if reading(one)]
                answer = self._counted(sentence, clause, sense, claimed, items, without=without)
                if answer.answer is Answer.CONFIRMED:
                    return replace(answer, fingerprints=self._found(asked, items))
                if best is None or (best.answer is Answer.WRONG and answer.answer is Answer.PARTLY):
                    best = answer
        assert best is not None
        kind = next((kind for words, kind in _NOUNS.items() if kind and re.fullmatch(words, claimed.noun, re.I)), "")
        read = sum(one.kind == kind for one in self._things(PARKED))
        if best.answer in (Answer.PARTLY, Answer.WRONG) and kind and self.declared(kind) > read:
            said = f"{best.said}; the code declares {self.declared(kind)}, of which not all were read"
            return replace(best, answer=Answer.UNDECIDED, said=said)
        if best.answer in (Answer.PARTLY, Answer.WRONG) and len(self._things(PARKED)) > len(self._things("workload")):
            said = f"{best.said} (what has no replicas left out)" if claimed.of == "workload" else best.said
            return replace(best, said=said)
        return best

    def _counted(
        self,
        sentence: Sentence,
        clause: str,
        asked: Property,
        claimed: _Counted,
        items: Sequence[Item],
        *,
        without: bool,
    ) -> Checked:
        told = [(one, asked.holds(self.estate, one)) for one in items]
        held = [one for one, holds in told if holds is (not without)]
        open_ones = [one for one, holds in told if holds is None]
        number = len(items) if claimed.quantity.number is None else claimed.quantity.number
        true = len(held)
        noun = claimed.noun if claimed.noun.endswith("s") else f"{claimed.noun}s"
        said = f"{true} of {len(items)} {noun} {'do not have' if without else 'have'} {asked.name}"
        spots = self._spots(held)
        whole = claimed.quantity.whole
        if whole is not None and whole != len(items) and not close(number, true, claimed.quantity.about):
            answer = Answer.UNDECIDED
            said += f"; the {whole} that are spoken of are counted in another way"
        elif not true and true + len(open_ones) < number <= self.traced(asked):
            answer = Answer.UNDECIDED
            said += ", but the code speaks of it, so that it may be counted in another way"
        elif close(number, true, claimed.quantity.about) and not open_ones:
            answer = Answer.CONFIRMED
        elif open_ones and true <= number <= true + len(open_ones):
            answer = Answer.UNDECIDED
            said += f", and of {len(open_ones)} the source does not decide it ({open_ones[0].label})"
        elif true == 0 or (number == 0 and true):
            answer = Answer.WRONG
        else:
            answer = Answer.PARTLY
        if answer in (Answer.WRONG, Answer.PARTLY) and asked.trace and not without and self.traced(asked) != true:
            said += f"; code says it in {self.traced(asked)} places"
        if answer is Answer.CONFIRMED and number in (0, len(items)):
            # Of none or of all: what no fact was read from, an unread chart or a kind of its own, counts too.
            every = number == len(items) and not without
            unseen = asked.contrary if every else asked.trace if not without else ""
            if unseen and self.traced(replace(asked, trace=unseen)) > (0 if every or not number else len(items)):
                answer = Answer.UNDECIDED
                said += ", but code that belongs to none of them speaks of it"
        if claimed.quantity.whole is not None and claimed.quantity.whole != len(items) and answer is Answer.CONFIRMED:
            answer = Answer.PARTLY
        return Checked(sentence.line, clause.strip(), Kind.COUNT, answer, said, spots)

    def _property(self, sentence: Sentence, clause: str, asked: Property, item: Item, *, negated: bool) -> Checked:
        holds = asked.holds(self.estate, item)
        spot = self.where(item.place)
        spots = (spot,) if spot else ()
        if holds is None:
            said = f"whether {item.label} has {asked.name}, the source does not decide"
            return Checked(sentence.line, clause.strip(), Kind.PROPERTY, Answer.UNDECIDED, said, spots)
        said = f"{item.label} {'has' if holds else 'does not have'} {asked.name}"
        claimed = [one for one in in_prose(clause) if one.type == "size"]
        if holds and asked.value is not None and claimed:
            true = asked.value(self.estate, item)
            right = any(one.same(held) for one in claimed for text in true for held in in_code(text))
            answer = Answer.CONFIRMED if right else Answer.PARTLY
            said = f"{said} of {', '.join(true)}"
            return Checked(sentence.line, clause.strip(), Kind.PROPERTY, answer, said, spots)
        answer = Answer.CONFIRMED if holds is not negated else Answer.WRONG
        prints = self._found(asked, [item]) if answer is Answer.CONFIRMED else ()
        return Checked(sentence.line, clause.strip(), Kind.PROPERTY, answer, said, spots, prints)

    def _found(self, asked: Property, items: Sequence[Item]) -> tuple[str, ...]:
        """The findings that say the same of the items."""
        labels = {one.label for one in items}
        mine = (one for one in self.findings if one.concern in asked.concerns and one.subject in labels)
        return tuple(one.fingerprint for one in mine)

    def _nowhere(self, sentence: Sentence, clause: str, asked: Property) -> Checked:
        told = [(one, asked.holds(self.estate, one)) for one in self._things(asked.of)]
        held = [one for one, holds in told if holds]
        doubt = next((one for one, holds in told if holds is None), None)
        if held:
            answer, said = Answer.WRONG, f"{len(held)} have {asked.name}: {_some(one.label for one in held)}"
        elif doubt is not None:
            answer, said = Answer.UNDECIDED, f"of {doubt.label} the source does not decide it"
        else:
            answer, said = Answer.CONFIRMED, f"none of {len(told)} has {asked.name}"
        return Checked(sentence.line, clause.strip(), Kind.ABSENCE, answer, said, self._spots(held))

    def _named(self, sentence: Sentence) -> list[Item]:
        """What runs, or is a way in, and is called by its name."""
        enclosing = self._enclosing(sentence)
        if enclosing:
            return enclosing
        said = [one.strip("`*_.,:;()\"'") for one in re.split(r"[\s,]+", sentence.text)]
        words = {*said, *sentence.codes, *_as_code(said)}
        behind = {one.rpartition("/")[2] for one in words if "." not in one.rpartition("/")[2]}
        return [
            one
            for of in ("workload", "way")
            for one in self._things(of)
            if any(name and (name in words or name in behind) for name in one.names)
        ]

    def _enclosing(self, sentence: Sentence) -> list[Item]:
        """What declares the one place that a sentence names: that is what it speaks of."""
        placed = re.findall(rf"(?P<file>{FILE}):(?P<line>\d+)", sentence.text)
        if len(placed) != 1 or self.blocks is None:
            return []
        path, line = placed[0][0], int(placed[0][-1])
        found = []
        for one in self._things("workload"):
            block = self.blocks(one.thing.resource) if isinstance(one.thing, Workload) else None
            if block is not None and block.path == path and block.first <= line <= block.last:
                found.append(one)
        return found if len(found) == 1 else []

    def _meant(self, clause: str, named: Sequence[Item], codes: Sequence[str] = ()) -> Sequence[Item]:
        """Of what a sentence names, what a clause speaks of: its own names, or those before where it has no subject."""
        words = {one.strip("`*_.,:;()\"'") for one in re.split(r"[\s,]+", clause)}
        words |= {one.lower() for one in words} | {*_as_code([*words])}
        mine = [one for one in named if words & set(one.names)]
        own = _OWN_SUBJECT.match(clause) or any(one and clause.strip().startswith(f"{one} ") for one in codes)
        return mine or ([] if own else named)

    def _things(self, of: str) -> Sequence[Item]:
        if of not in self.seen:
            self.seen[of] = things(self.estate, of)
        return self.seen[of]

    def _spots(self, items: Sequence[Item]) -> tuple[Spot, ...]:
        found = dict.fromkeys(self.where(one.place) for one in items[: _SHOWN * 4])
        return tuple(one for one in found if one is not None)[:_SHOWN]


def _called(item: Item, words: str) -> bool:
    """Whether the words are part of the name: ``the etcd backup`` says of no backup whether it is there."""
    return any(words.strip().lower().replace(" ", "-") in name.split("-")[1:] for name in item.names)


def _as_code(words: Sequence[str]) -> Iterator[str]:
    """Proper names as code writes them: ``Home Assistant`` as ``home-assistant``."""
    for at, one in enumerate(words):
        if one[:1].isupper() and (at or len(one) > _SHOWN):
            yield one.lower()
        if one[:1].isupper() and at + 1 < len(words):
            yield f"{one}-{words[at + 1]}".lower()


class _Counted(Struct, frozen=True, eq=False):
    """How many of what are claimed; each reading says which items count."""

    quantity: Quantity
    noun: str
    readings: Sequence[Callable[[Item], bool]]
    of: str = "workload"


def _clauses(text: str) -> Iterator[str]:
    """The clauses of a sentence; what stands alone before a colon is spoken of in those behind it."""
    topic = ""
    for clause in _CLAUSE.split(text):
        found = _mentions(clause)
        if (
            found
            and re.fullmatch(r"\W*(?:[\w-]+\W+){0,1}", clause.replace(found[0][1][0], ""))
            and not _NOT.search(clause)
        ):
            topic = clause
            continue
        yield f"{clause} {topic}" if topic and not found else clause


def _mentions(clause: str) -> Sequence[tuple[Property, re.Match[str]]]:
    """The properties that a clause speaks of, each piece of it once, in order."""
    found: list[tuple[Property, re.Match[str]]] = []
    for asked, pattern in PATTERNS:
        match = pattern.search(clause)
        if match is not None and not any(
            match.start() < other.end() and other.start() < match.end() for _, other in found
        ):
            found.append((asked, match))
    return sorted(found, key=lambda one: one[1].start())


def _negated(clause: str, match: re.Match[str]) -> bool:
    return bool(_NOT.search(clause[: match.start()])) or bool(_NOT_AFTER.match(clause[match.end() :]))


def _counted(clause: str, about: re.Match[str], asked: Property) -> _Counted | None:
    """The quantity in front of what it counts: a noun, or nothing but a verb (``only 2 have a probe``)."""
    for match in QUANTITY.finditer(clause):
        if match.start() >= about.start():
            break
        if match["number"] and not counts(clause, match.start()):
            continue
        behind = clause[match.end() : about.start()]
        nouns = {_WAYS: "way"} if asked.of == "way" else _NOUNS
        for words, kind in nouns.items():
            noun = re.match(rf"\s*(?:{_PLAIN}\s+){{0,2}}?(?P<noun>{words})\b", behind, re.IGNORECASE)
            if noun is not None and _GOES_ON.match(behind[noun.end() :]) and not limited_to(behind[noun.end() :]):
                of = kind if kind in ("container", "image") else asked.of
                readings = _readings(asked, kind, kubernetes="kubernetes" in noun[0].lower())
                return _Counted(quantity(match), noun["noun"], readings, of)
        alone = (match["number"] or "").lower() == "one" and not match["only"]
        if match["number"] and not alone and re.match(_VERBS, behind):
            noun_of = "workloads" if asked.of == "workload" else "routes"
            return _Counted(quantity(match), noun_of, _readings(asked, ""), asked.of)
    return None


def _readings(asked: Property, kind: str, *, kubernetes: bool = False) -> Sequence[Callable[[Item], bool]]:
    if asked.of == "way" or kind in ("container", "image"):
        return (lambda _: True,)
    if kubernetes:
        return (lambda one: one.kind != "ComposeService",)
    if kind:
        return (lambda one: one.kind == kind,)
    # "Services" are what stays; some count the jobs with them.
    return (lambda one: one.kind not in _JOBS, lambda _: True)


def _fits(asked: Property, item: Item) -> bool:
    return (asked.of == "way") == (item.kind in ("Ingress", "IngressRoute", "HTTPRoute") or not _runs(item))


def _runs(item: Item) -> bool:
    return type(item.thing).__name__ == "Workload"


def _some(labels: Iterable[str]) -> str:
    return some(list(dict.fromkeys(labels)), _SHOWN)
