"""Claims of how many: files, lines, folders, objects of a kind, places where a piece of code stands.

Two people count differently (files or objects, with or without what is not installed), so a number is right where one
sensible way of counting gives it; all ways are told where none does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.estate import Estate
from shoreup.model.claim import Answer, Checked, Kind, Spot
from shoreup.model.resource import Resource
from shoreup.stages.checking.corpus import Corpus
from shoreup.stages.checking.document import FILE, Sentence
from shoreup.stages.checking.evidence import holds
from shoreup.stages.checking.numbers import NUMBER, QUANTITY, close, counts, limited_to, quantity, value
from shoreup.stages.checking.places import meant
from shoreup.stages.checking.polarity import HAS, negative
from shoreup.stages.checking.values import Block
from shoreup.stages.checking.words import parts, telling

Where = Callable[[Resource], Block | None]
_LENGTH = re.compile(
    r"(?P<about>about |around |roughly |almost |nearly |over |more than |~ ?)?(?P<number>\d[\d,]*)[ -]lines?\b(?! \d)",
    re.IGNORECASE,
)
_LONGEST = re.compile(r"\b(?:longest|largest|biggest)\b", re.IGNORECASE)
_LINED = re.compile(r"^[^,;.]*?\b(?:lines?|files?|times|places|occurrences?|comments?|mentions?)\b", re.IGNORECASE)
_HEAD = re.compile(
    r"[^.,;:(|]*?(?=\s(?:with|which|that|in total|are|is|have|has|sets?|uses?|runs?|never|remain|carr\w+|lack|do"
    r"|does)\b|[.,;:(|]|$)"
)
_SOME_OF = re.compile(
    r"\b(?:that|which|who|whose|where|when|to|has|have|is|are|does|looks?|covers?|protects?|sets?|uses?|with|without|for)\b",
    re.IGNORECASE,
)
"""Words behind "no X" after which some of them are denied, not all."""
_HAVING = re.compile(
    rf"\b(?P<number>{NUMBER})\s+(?:(?:out\s+)?of\s+(?:the\s+|our\s+)?(?P<whole>{NUMBER})\s+)?(?P<what>`[^`]+`|[\w.]+)\s+files\s+"
    r"(?:that\s+|which\s+)?(?P<lack>(?:never|do\s+not|don[’']t)\s+)?(?:mention|contain|have|set|use|declare|carry|name)s?\s+"
    r"`(?P<code>[^`]+)`",
    re.IGNORECASE,
)
ROW = re.compile(
    rf"(?P<what>[^|`]*\w)\s*\|\s*(?:(?P<about>about|around|~|over)\s*)?(?:(?P<number>{NUMBER})|(?P<none>none|no|zero))\b"
    r"(?P<rest>\s*\([^|]*\)|,? (?:in|under|below) `[^`|]+`)?\s*",
    re.IGNORECASE,
)
"""A row of a table that says how many there are of something."""
_TIMES = re.compile(
    r"`(?P<code>[^`]+)`\s+(?:appears|occurs|stands|is\s+(?:used|repeated|written|hard-?coded|set))\s+(?:exactly\s+)?"
    rf"(?P<number>once|twice|(?:{NUMBER})(?=\s+times))(?:\s+times)?(?P<rest>(?:[^.;]|\.(?=\w))*)",
    re.IGNORECASE,
)
_OF_SOME = re.compile(
    r"\b(?:set|used|found|made|present|defined|declared|given|enabled|disabled|carried|repeated|mounted)\s+(?:\w+\s+)?"
    r"(?:in|by|on|across|for|from|to|at)\s+(?:only\s+)?$",
    re.IGNORECASE,
)
"""What makes a number one of those that have what was just spoken of."""
_SHORTEST_CODE = 3
_SHOWN = 4
_BESIDE = r"(?!(?:times|days|hours|replicas|instances|of)\b)(?:(?!(?:in|of|from|on|under)\b)[\w'’-]+\s+){0,3}?"
_ANYWHERE = re.compile(
    r"\b(?:anywhere|nowhere|at all|in (?:the|this) (?:whole )?(?:repo(?:sitory)?|cluster|estate|code|platform|tree)"
    r"|exists?|defined|there (?:is|are|isn[’']t|aren[’']t)|not a single|(?:not|n[’']t) (?:find|see))\b",
    re.IGNORECASE,
)
"""What makes "no X" speak of everything, not of the thing just named."""
_FOLDERS = re.compile(r"(?:dir(?:ectorie)?s?|(?:sub-?)?folders?|directory)\b(?:\s+(?:under|in|below))?", re.IGNORECASE)
_KIND_ENDS = (
    r"(?=\s*(?:$|[.,;:)(|]|->|(?:in|under|of the|anywhere|objects?|and|or|exists?|at all|here|are spread|there)\b))"
)
"""What may stand behind a kind; behind anything else ("12 deployments that have no probe") some of them are counted."""
_RUNS = frozenset({"Service", "Pod", "ReleaseValues", "ChartValues", "Provider", "Database", "Model"})
"""Kinds whose names mean something wider when people say them."""


class _Words(Struct, frozen=True):
    kinds: Mapping[str, tuple[str, ...]]
    languages: Mapping[str, tuple[str, ...]]


@cache
def _words() -> _Words:
    content = resources.files("shoreup.stages.checking").joinpath("data", "kinds.json").read_bytes()
    return msgspec.json.decode(content, type=_Words)


@cache
def _kinds(present: tuple[str, ...]) -> Sequence[tuple[re.Pattern[str], Sequence[str]]]:
    told = [*_words().kinds.items()]
    told += [(_spelled(kind), (kind,)) for kind in sorted(present, key=len, reverse=True) if kind not in _RUNS]
    before = r"\s*(?:(?:kubernetes|flux|such|separate)\s+)?"
    found = [(re.compile(rf"{before}`?(?:{words})`?{_KIND_ENDS}", re.IGNORECASE), kinds) for words, kinds in told]
    # A kind of which there is none is known by how it is written.
    return (*found, (re.compile(rf"\s*`?(?P<kind>(?:[A-Z][a-z]+){{2,}})`?{_KIND_ENDS}"), ()))


class Reading(Struct, frozen=True):
    """One way of counting: the number, what it counts, and where some of it is."""

    number: int
    what: str
    spots: tuple[Spot, ...] = ()
    loose: bool = False
    """Whether what is counted is every place where code stands, of which a person may mean some."""
    kind: str = ""


class Census(Struct, frozen=True):
    """Answers claims of how many there are in a tree and an estate. ``where`` finds the lines of a resource."""

    tree: Corpus
    estate: Estate
    where: Where

    def answers(self, sentence: Sentence) -> Iterator[Checked]:
        """What is counted in a sentence, counted again."""
        yield from self._lengths(sentence)
        yield from self._records(sentence)
        yield from self._files_with(sentence)
        yield from self._row(sentence)
        yield from self._times(sentence)
        text = _without_lines(sentence.text)
        for match in QUANTITY.finditer(text):
            if match["all"] or _in_code(text, match.start()) or (match["number"] and not counts(text, match.start())):
                continue
            before = text[: match.start()]
            if _OF_SOME.search(before) or (match["none"] and HAS.search(re.split(r"[.,;:|]", before)[-1])):
                continue
            if match["number"] and match["number"].lower() == "one" and not match["only"] and not match["whole"]:
                continue
            behind = text[match.end() :]
            if match["none"] and not (_absent(text, match.end()) or re.match(r"\s*other\b", behind)):
                continue
            readings = [*self._counted(sentence, behind)]
            if readings:
                claimed = quantity(match)
                number, about = claimed.number or 0, claimed.about
                answer = _told(sentence, f"{match[0].strip()} {_head(behind)}", number, about, readings)
                yield self._unless_elsewhere(answer, behind, readings)
                yield from self._of_those(sentence, behind)
                if match["none"]:
                    yield from self._or(sentence, behind)

    def _unless_elsewhere(self, answer: Checked, behind: str, readings: Sequence[Reading]) -> Checked:
        """An answer that leaves open what another way of counting may decide."""
        if answer.answer is Answer.PARTLY and any(one.loose for one in readings) and not _LINED.search(behind):
            said = f"{answer.said}; which of them are counted is not said"
            return replace(answer, answer=Answer.UNDECIDED, said=said)
        kind = next((one.kind for one in readings if one.kind), "")
        if answer.answer is Answer.CONFIRMED and answer.kind is Kind.ABSENCE and kind:
            there = self.tree.anywhere(re.compile(rf"\b(?:kubernetes_)?{_snake(kind)}(?:_v\d\w*)?\b"), (".tf", ".tofu"))
            if there is not None:
                said = f"nothing that is installed is one, but the code speaks of {_snake(kind)}"
                return replace(answer, answer=Answer.UNDECIDED, said=said, spots=(there,))
        return answer

    def _counted(self, sentence: Sentence, behind: str) -> Iterator[Reading]:
        yield from self._files(sentence, behind)
        yield from self._folders(sentence, behind)
        yield from self._objects(sentence, behind)
        yield from self._places(behind)

    def _or(self, sentence: Sentence, behind: str) -> Iterator[Checked]:
        """``no A or B``: the second of two that are nowhere."""
        more = re.match(r"\W*[\w ]{2,30}? (?:or|and|nor) (?:no )?(?P<rest>.+)", behind)
        if more is not None:
            readings = [*self._objects(sentence, more["rest"])]
            if readings:
                yield _told(sentence, f"no {_head(more['rest'])}", 0, "", readings)

    def _of_those(self, sentence: Sentence, behind: str) -> Iterator[Checked]:
        """What is said of objects just counted: that all have a piece of code, or that some have no such field."""
        there = [*self._there(sentence, behind)]
        every = re.match(r"[^,;.]*,\s+(?:and\s+)?(?:all|every one|each)\s+(?:\w+\s+)?(?P<code>`[^`]+`)", behind)
        if every is not None and there:
            code = every["code"].strip("`")
            held = [one for one in there if holds(self._text(one), code)]
            answer = Answer.CONFIRMED if len(held) == len(there) else Answer.PARTLY
            yield _checked(sentence, every["code"], answer, f"{len(held)} of {len(there)} have it", ())
        lacks = re.search(
            rf"\b(?P<number>{NUMBER})\b[^,;.]*?\b(?:carr\w+|ha[sv]e?|sets?|defines?) no (?P<field>\w+(?: \w+)?)",
            behind,
            re.I,
        )
        if lacks is not None and there:
            named = parts(lacks["field"])
            head = parts(lacks["field"].split()[-1])
            keys = [{key for key in one.body if head <= parts(key) <= named} for one in there]
            if any(keys):
                number = sum(not one for one in keys)
                answer = Answer.CONFIRMED if number == value(lacks["number"]) else Answer.PARTLY
                said = f"{number} of {len(there)} have no {next(iter(set().union(*keys)))}"
                yield _checked(sentence, lacks[0], answer, said, ())

    def _there(self, sentence: Sentence, behind: str) -> Iterator[Resource]:
        """The objects of the kind that is counted, within what the sentence speaks of."""
        scope = self._scope(sentence)
        for pattern, kinds in self._kinds():
            if pattern.match(behind):
                every = (one for kind in kinds for one in self.estate.by_kind.get(kind, ()))
                yield from (one for one in every if self._inside(self.where(one), scope))
                return

    def _text(self, resource: Resource) -> str:
        block = self.where(resource)
        lines = self.tree.cut(block.path) if block is not None else ()
        return "\n".join(lines[block.first - 1 : block.last]) if block is not None else ""

    def _files(self, sentence: Sentence, behind: str) -> Iterator[Reading]:
        """Files of a language, an ending or a name; those in a folder, the empty ones, those with a piece of code."""
        match = re.match(r"\s*(?P<empty>empty\s+)?(?P<what>`[^`]+`|[\w.]+)\s+files?\b(?P<rest>[^.;]*)", behind)
        if match is None:
            return
        rest = match["rest"]
        for endings in self._endings(match["what"].strip("`")):
            before = re.match(r"(?:the )?(?:folder|directory) (?P<folder>`[^`]+`)", sentence.text, re.IGNORECASE)
            within = f" in {before['folder']}" if before is not None and "`" not in rest else rest
            found = [one for one in self._within(within) if one.endswith(endings)]
            if match["empty"]:
                found = [one for one in found if not (self.tree.text(one) or "").strip()]
            code = next(iter(re.findall(r"`([^`]+)`", rest)), "")
            if code and not self._folder(code) and not re.fullmatch(FILE, code):
                found = [one for one in found if self.tree.has(one, code)]
            elif code and self._folder(code) and re.match(r"\s*(?:pull|use|refer|include|import|mention)", rest):
                every = (one for one in self.tree.files if one.endswith(endings))
                found = [one for one in every if code.rstrip("/") in (self.tree.text(one) or "")]
            spots = tuple(Spot(one, 1) for one in found[:_SHOWN])
            yield Reading(len(found), f"{'empty ' if match['empty'] else ''}{match['what'].strip('`')} files", spots)

    def _endings(self, what: str) -> Iterator[tuple[str, ...]]:
        """The endings that are meant, in each way they can be."""
        if re.fullmatch(FILE, what) and not (what.startswith(".") and what.count(".") > 1):
            yield (f"/{what}",)
            return
        for words, endings in _words().languages.items():
            if re.fullmatch(rf"\.?(?:{words})", what, re.IGNORECASE):
                yield from dict.fromkeys((endings, endings[:1]))
                return
        if re.fullmatch(r"\.\w[\w.-]*", what):
            yield (what,)

    def _folders(self, sentence: Sentence, behind: str) -> Iterator[Reading]:
        match = _FOLDERS.match(behind.lstrip())
        space = re.match(rf"\s*namespaces?{_KIND_ENDS}", behind)
        if match is None and space is None:
            return
        folder = next(filter(None, map(self.tree.folder, sentence.codes)), "")
        below = {
            one[len(folder) :].lstrip("/").split("/")[0] for one in self.tree.files if one.startswith(f"{folder}/")
        }
        names = {one for one in below if f"{folder}/{one}" not in self.tree}
        if folder:
            yield Reading(len(names), f"folders in {folder}")
        if space is not None:
            yield Reading(len(self.estate.by_kind.get("Namespace", ())), "of kind Namespace")

    def _objects(self, sentence: Sentence, behind: str) -> Iterator[Reading]:
        """Objects of a kind, whether Kubernetes', a provider's or the repository's own."""
        for pattern, kinds in self._kinds():
            match = pattern.match(behind)
            if match is None:
                continue
            more = re.match(r",? and (?P<rest>.+)", behind[match.end() :])
            if more is not None and any(one.match(f" {more['rest']}") for one, _ in self._kinds()):
                return  # both together are counted
            within = self._namespace(behind[match.end() :])
            if within is None:
                return
            scope = self._scope(sentence)
            found: list[Resource] = []
            kinds = kinds or (match["kind"].removesuffix("s"),)
            for kind in kinds:
                mine = [one for one in self.estate.by_kind.get(kind, ()) if "*" not in one.name]
                mine = [one for one in mine if not within or (one.namespace or "default") == within]
                blocks = {one.key: self.where(one) for one in mine}
                mine = [one for one in mine if self._inside(blocks[one.key], scope)]
                spots = {key: Spot(one.path, one.first) for key, one in blocks.items() if one is not None}
                found += mine
                if mine:
                    yield Reading(
                        len(mine), f"of kind {kind}", tuple(spots[one.key] for one in mine[:_SHOWN] if one.key in spots)
                    )
            if within:
                yield Reading(len(found), f"of kind {kinds[0]} in the namespace {within}")
            else:
                yield from self._declared(kinds, scope)
            return

    def _namespace(self, behind: str) -> str | None:
        """The namespace that a count is limited to: empty for everything, ``None`` for what is not known."""
        rest = limited_to(behind)
        if not rest:
            return ""
        names = {one.namespace for held in self.estate.by_kind.values() for one in held if one.namespace}
        words = [one.strip(".") for one in re.findall(r"[\w./-]+", rest)[:3]]
        named = next((one for one in words if one in names), None)
        return named or ("" if any(map(self._folder, words)) or self._scope_named(rest) else None)

    def _scope_named(self, text: str) -> bool:
        return re.match(r"`?[\w-]+`? (?:root|folder|directory|module)\b", text) is not None

    def _declared(self, kinds: Sequence[str], scope: str) -> Iterator[Reading]:
        """Files that declare a kind, whether they are installed or not."""
        found = {one: at for one in self.tree.files if one.startswith(scope) and (at := self.tree.declares(one, kinds))}
        spots = tuple(Spot(one, at) for one, at in [*found.items()][:_SHOWN])
        yield Reading(len(found), f"files that declare {kinds[0]}", spots, kind=kinds[0])

    def _kinds(self) -> Sequence[tuple[re.Pattern[str], Sequence[str]]]:
        """Words for kinds, the field's own before those cut from a kind's name."""
        return _kinds(tuple(self.estate.by_kind))

    def _places(self, behind: str) -> Iterator[Reading]:
        """Places where code stands: ``31 `skip` comments``, ``only 2 have `x = true` ``."""
        match = re.match(rf"\s*{_BESIDE}`(?P<code>[^`]+)`", behind)
        if match is None or len(match["code"]) < _SHORTEST_CODE or self._folder(match["code"]):
            return
        code = match["code"]
        if "*" in code and re.search(r"[/*]\.?\w", code):
            return  # a pattern of files
        if re.fullmatch(r"[\w.-]+(?:/[\w.-]+)+/?", code) and not re.match(r"\s*`", behind):
            return  # a path
        if re.fullmatch(FILE, code) or (re.fullmatch(r"[A-Za-z-]+", code) and not re.match(r"\s*(?:other )?`", behind)):
            return
        files, lines, spots = 0, 0, []
        for one in self.tree.files:
            if one.endswith(".md"):
                continue
            numbers = self.tree.standing(one, code)
            files, lines = files + bool(numbers), lines + len(numbers)
            spots += [Spot(one, n) for n in numbers[:1]]
        if re.match(r"\s*other\b", behind):
            # One was just spoken of; another is a second file with it.
            yield Reading(max(0, files - 1), f"more files with {code}", tuple(spots[1:_SHOWN]))
            return
        yield Reading(lines, f"lines with {code}", tuple(spots[:_SHOWN]), loose=True)
        yield Reading(files, f"files with {code}", tuple(spots[:_SHOWN]), loose=True)
        declared = re.compile(rf'[ \t]*(?:\w+[ \t]+)?"?{re.escape(code)}"?[ \t]*(?:"[^"]*"[ \t]*)*\{{')
        blocks = [
            Spot(one, n)
            for one in self.tree.files
            if one.endswith((".tf", ".tofu", ".hcl"))
            for n in self.tree.standing(one, code)
            if declared.match(self.tree.cut(one)[n - 1])
        ]
        if blocks:
            yield Reading(len(blocks), f"blocks of {code}", tuple(blocks[:_SHOWN]), loose=True)

    def _lengths(self, sentence: Sentence) -> Iterator[Checked]:
        """How long a file, or all of a language, is said to be."""
        for match in _LENGTH.finditer(sentence.text):
            number, about = int(match["number"].replace(",", "")), match["about"] or ""
            every = re.search(rf"(?:{NUMBER})\s+(?:`?(?P<what>\.?\w+)`?)\s+files\b", sentence.text, re.IGNORECASE)
            if every is not None and every["what"] is not None:
                for endings in self._endings(every["what"]):
                    found = [one for one in self.tree.files if one.endswith(endings)]
                    total = sum((self.tree.text(one) or "").count("\n") for one in found)
                    yield _told(
                        sentence, match[0].strip(), number, about, [Reading(total, f"lines in {len(found)} files")]
                    )
                    break
                continue
            path = next(iter(meant(self.tree, sentence.file, sentence.plain).paths), "") if sentence.file else ""
            text = self.tree.text(path) if path else None
            if text is None:
                continue
            readings = [
                Reading(one, f"lines in {path}", (Spot(path, 1),))
                for one in dict.fromkeys((len(text.splitlines()), text.count("\n")))
            ]
            yield _told(sentence, match[0].strip(), number, about, readings)
            if _LONGEST.search(sentence.text):
                yield from self._longest(sentence, path)

    def _records(self, sentence: Sentence) -> Iterator[Checked]:
        """``Largest file: `x` ``, where no length is told."""
        named = [*re.finditer(FILE, sentence.text)]
        if (
            not re.search(r"\b(?:longest|largest|biggest)\s+(?:\S+\s+)?file\b", sentence.text, re.IGNORECASE)
            or len(named) != 1
        ):
            return
        if _LENGTH.search(sentence.text):
            return
        for path in meant(self.tree, named[0][0], sentence.plain).paths:
            ending = path[path.rfind(".") :]
            size = len(self.tree.text(path) or "")
            longer = [one for one in self.tree.longer(path, ending) if len(self.tree.text(one) or "") > size]
            text = named[0][0]
            if longer:
                true = f"{longer[0]} has {len(self.tree.cut(longer[0]))} lines, {path} {len(self.tree.cut(path))}"
                yield _checked(sentence, text, Answer.WRONG, true, (Spot(longer[0], 1),))
            elif not [*self.tree.longer(path, ending)]:
                yield _checked(sentence, text, Answer.CONFIRMED, f"no {ending} file is longer", (Spot(path, 1),))

    def _files_with(self, sentence: Sentence) -> Iterator[Checked]:
        """``29 of the 69 HelmRelease files never mention `limits:` ``."""
        match = _HAVING.search(sentence.text)
        if match is None or not counts(sentence.text, match.start()):
            return
        what = match["what"].strip("`")
        sets = [[one for one in self.tree.files if f"/{one}".endswith(endings)] for endings in self._endings(what)]
        if not sets and re.fullmatch(r"[A-Z]\w+", what):
            sets = [[one for one in self.tree.files if self.tree.declares(one, (what,))]]
        whole = value(match["whole"]) if match["whole"] else None
        for files in sets:
            if whole is not None and whole != len(files):
                continue
            held = sum(bool(self.tree.standing(one, match["code"])) for one in files)
            true = len(files) - held if match["lack"] else held
            number = value(match["number"])
            said = f"{true} of {len(files)} {what} files {'do not have' if match['lack'] else 'have'} it"
            answer = Answer.CONFIRMED if number == true else Answer.PARTLY
            yield _checked(sentence, match[0], answer, said, ())
            return

    def _row(self, sentence: Sentence) -> Iterator[Checked]:
        """A row of a table: ``CronJobs | 6``."""
        row = ROW.fullmatch(sentence.text)
        if row is None or not any(pattern.fullmatch(f" {row['what']}") for pattern, _ in self._kinds()):
            return
        readings = [*self._objects(sentence, f" {row['what']}")]
        number = 0 if row["none"] else value(row["number"])
        if readings:
            answer = _told(sentence, sentence.text, number, row["about"] or "", readings)
            if row["rest"] and answer.answer is not Answer.CONFIRMED:
                answer = replace(answer, answer=Answer.UNDECIDED, said=f"{answer.said}; not all may be meant")
            yield self._unless_elsewhere(answer, f" {row['what']}", readings)

    def _times(self, sentence: Sentence) -> Iterator[Checked]:
        """``the literal `x` appears eight times in `a.tf` ``."""
        match = _TIMES.search(sentence.text)
        if match is None or negative(sentence.text[: match.start()]):
            return
        code, rest = match["code"], match["rest"].strip(" .,;:)")
        files: Sequence[str] = [one for one in self.tree.files if not one.endswith(".md")]
        if rest and not re.fullmatch(r"in (?:the|this) (?:whole |entire )?(?:repo(?:sitory)?|code|tree)", rest):
            named = re.fullmatch(rf"in `?(?P<file>{FILE})`?", rest)
            files = meant(self.tree, named["file"], sentence.written).paths if named is not None else ()
        if not files or len(code) < _SHORTEST_CODE or "*" in code:
            return
        lines = [Spot(one, number) for one in files for number in self.tree.standing(one, code)]
        number = {"once": 1, "twice": 2}.get(match["number"].lower()) or value(match["number"])
        every = sum((self.tree.text(one) or "").count(code) for one in files)
        if number == every:
            said = f"it stands there {every} times"
            yield _checked(sentence, match[0], Answer.CONFIRMED, said, tuple(lines[:_SHOWN]))
        else:
            yield _told(
                sentence, match[0], number, "", [Reading(len(lines), f"lines with {code}", tuple(lines[:_SHOWN]))]
            )

    def _longest(self, sentence: Sentence, path: str) -> Iterator[Checked]:
        ending = path[path.rfind(".") :]
        longer = [*self.tree.longer(path, ending)]
        if not longer:
            yield _checked(sentence, "longest", Answer.CONFIRMED, f"no {ending} file is longer", (Spot(path, 1),))
        elif "file" in sentence.plain:
            yield _checked(sentence, "longest", Answer.WRONG, f"{longer[0]} is longer", (Spot(longer[0], 1),))

    def _folder(self, written: str) -> bool:
        return bool(self.tree.folder(written))

    def _within(self, rest: str) -> Sequence[str]:
        folder = next(filter(None, map(self.tree.folder, re.findall(r"`([^`]+)`", rest))), "")
        inside = folder and re.match(r"\s*(?:\([^)]*\)\s*)?(?:under|in|below|of)\b", rest)
        return [one for one in self.tree.files if not inside or one.startswith(f"{folder}/")]

    def _scope(self, sentence: Sentence) -> str:
        """The folder that a sentence speaks of: in backticks, or as ``the cluster root``."""
        for one in sentence.codes:
            if self._folder(one):
                return f"{self.tree.folder(one)}/"
        named = re.search(r"\bthe `?(?P<name>[\w-]+)`? (?:root|folder|directory|module)\b", sentence.text)
        if named is None:
            return ""
        mine = [one for one in self.tree.folders if one.rpartition("/")[2] == named["name"]]
        return f"{min(mine, key=len)}/" if mine else ""

    @staticmethod
    def _inside(block: Block | None, scope: str) -> bool:
        return not scope or (block is not None and block.path.startswith(scope))


def _told(sentence: Sentence, text: str, number: int, about: str, readings: Sequence[Reading]) -> Checked:
    kind = Kind.COUNT if number else Kind.ABSENCE
    for one in readings:
        if close(number, one.number, about) and (number or not any(other.number for other in readings)):
            said = f"there {'is' if one.number == 1 else 'are'} {one.number or 'no'} {_one(one)}"
            said = said.replace("are no of kind", "is nothing of kind")
            return _checked(sentence, text, Answer.CONFIRMED, said, one.spots, kind)
    true = [one for one in readings if one.number] or readings[:1]
    said = "; ".join(dict.fromkeys(f"{one.number} {_one(one)}" for one in true))
    if not any(one.number for one in readings):
        said = "; ".join(dict.fromkeys(f"no {one.what}" for one in true))
    answer = Answer.PARTLY if number and true[0].number else Answer.WRONG
    verb = "is" if true[0].number == 1 else "are"
    return _checked(sentence, text, answer, f"there {verb} {said}", true[0].spots, kind)


def _one(reading: Reading) -> str:
    """What is counted, in the singular where it is one."""
    if reading.number != 1:
        return reading.what
    return re.sub(r"\b(file|line|folder)s\b", r"\1", reading.what).replace("that declare ", "that declares ")


def _without_lines(text: str) -> str:
    """A text whose places hold no numbers."""
    text = re.sub(rf"(`?(?:{FILE})`?):\d+(?:-\d+)?", r"\1", text)
    return _LENGTH.sub(" ", text)


def _in_code(text: str, at: int) -> bool:
    return text.count("`", 0, at) % 2 == 1


def _spelled(kind: str) -> str:
    """A kind as people write it: ``IngressRoute`` as ``ingress routes`` too."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", kind)
    last = words[-1] if words else kind
    if last.endswith("y"):
        last = f"{last[:-1]}(?:y|ies)"
    return r"[ _-]?".join([*words[:-1], last]) + r"(?:e?s)?" if words else re.escape(kind)


def _head(behind: str) -> str:
    hidden = re.sub(r"`[^`]*`", lambda one: "x" * len(one[0]), behind)
    return behind[: _HEAD.match(hidden).end()].strip()  # type: ignore[union-attr]


def _absent(text: str, at: int) -> bool:
    """Whether "no X" at a place of a text says that there is none at all, rather than that none does something."""
    hidden = re.sub(r"`[^`]*`", lambda one: "x" * len(one[0]), text[at:])
    rest = re.split(r"[.,;:)|—–]|\s-\s", hidden)[0]
    scope = [*_ANYWHERE.finditer(rest)]
    if scope:
        return not telling(rest[scope[-1].end() :])
    return _ANYWHERE.search(text) is not None and _SOME_OF.search(rest) is None


def _snake(kind: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()


def _checked(
    sentence: Sentence, text: str, answer: Answer, said: str, spots: tuple[Spot, ...], kind: Kind = Kind.COUNT
) -> Checked:
    return Checked(sentence.line, text, kind, answer, said, spots, (), sentence.written)
