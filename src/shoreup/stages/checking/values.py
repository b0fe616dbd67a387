"""Claims that something has a value: ``the reclaim policy `Delete` ``, ``a claim of 20Gi``, ``14 clients``.

Looked for is a field whose name the sentence says, in what the sentence names: the lines that declare it, the files of
its folder, or the file that is spoken of. Only where one field fits is its value held against the claim.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from shoreup.model.claim import Answer, Checked, Kind, Spot
from shoreup.stages.auditing.masking import masked
from shoreup.stages.checking.amounts import Amount, in_code
from shoreup.stages.checking.clauses import claims
from shoreup.stages.checking.corpus import Corpus
from shoreup.stages.checking.document import FILE, Sentence
from shoreup.stages.checking.evidence import attribute, holds, squeezed, wanted
from shoreup.stages.checking.places import meant
from shoreup.stages.checking.polarity import denied, exclusive, negative, sweeping
from shoreup.stages.checking.words import parts, shared, stem, telling

_FIELD = re.compile(r"^\s*(?:-\s+)?[\"']?(?P<key>[A-Za-z_][\w./-]*)[\"']?\s*[:=]\s*(?P<value>\S.*)$")
_PAIR = re.compile(r"(?P<key>--?[\w.-]+|[\w.-]+)(?:\s*[=:]\s*|\s+)(?P<value>[\w.-]+)")
_BEFORE = 5
"""Words before a value in which the name of its field is looked for."""
_MOST = 40
"""Files that one subject may have; a name of more is no subject."""
_CODES = (".tf", ".tfvars", ".tftpl", ".yaml", ".yml", ".json", ".json5", ".toml", ".conf", ".ini", ".env")
_VERSIONED = parts("version image tag")
"""Fields that hold a version, which people seldom name."""
_SET = r"`(?P<key>[A-Za-z]\w*)` (?:is |are )?(?:set |limited |fixed )?(?:to |at |of )?`?"
"""A field by its own name, and what it is."""
_SWITCHED = re.compile(
    r"(?<![\w-])(?P<what>\w+) (?:is|are|was|stays|remains) (?:(?:still|also|currently|explicitly|switched|turned) )?"
    r"(?P<state>enabled|disabled|(?<=switched )(?:on|off)|(?<=turned )(?:on|off))(?![\w-])",
    re.IGNORECASE,
)
_DECIDED = frozenset({Answer.CONFIRMED, Answer.WRONG, Answer.PARTLY})
_SHOWN = 4
_NAME = r"[A-Za-z][\w.-]*"
_ROW = re.compile(rf"(?:{_NAME}, )+{_NAME},? (?:and|or) {_NAME}|\b[A-Z][\w.-]* and [A-Z][\w.-]*")
_OTHER = re.compile(r"\W*(?:(?:and|but|while|as)\s+)?(?:(?i:the|an?|all|every|each|both|other)\s|[A-Z]\w+\s)")
"""How a clause begins that speaks of something else than the one before it."""
_POINTS_BACK = re.compile(r"^(?:it|its|they|their|this|that|the same)\b|\bthat (?:same )?file\b", re.IGNORECASE)


class Block(Struct, frozen=True):
    """Lines ``first`` to ``last`` of a file, which declare something of a kind."""

    path: str
    first: int
    last: int
    kind: str = ""


class Subject(Struct, frozen=True):
    """What is spoken of, and the lines that declare it."""

    name: str
    blocks: Sequence[Block]


class Values(Struct, frozen=True):
    """Answers claims of values. ``named`` finds what is declared by a name, ``of_kind`` what is of a kind."""

    tree: Corpus
    named: Callable[[str], Sequence[Block]]
    of_kind: Callable[[str], Sequence[Block]]

    def answers(self, sentence: Sentence) -> Iterator[Checked]:
        """What the fields say to the values of a sentence that names no lines."""
        if re.search(rf"(?:{FILE}):\d", sentence.text):
            return
        before: Sequence[Subject] = ()
        for clause in claims(sentence.text):
            subjects = self._subjects(sentence, clause)
            if not subjects and before and not _POINTS_BACK.search(re.sub(r"[`*]", "", clause)):
                subjects = () if _OTHER.match(clause) else before
            before = subjects or before
            told = [self._of(sentence, clause, one, row=len(subjects) > 1) for one in subjects or [Subject("", ())]]
            if not any(one.answer in _DECIDED for answers in told for one in answers):
                partly = self._partly(self._names(sentence, clause))
                if partly and len(partly) <= _MOST:
                    told = [self._of(sentence, clause, Subject("", [*map(self._whole, partly)]), row=False)]
            yield from told[0] if len(told) == 1 else _together(sentence, subjects, told)

    def _of(self, sentence: Sentence, clause: str, subject: Subject, *, row: bool) -> Sequence[Checked]:
        """What the fields of one subject say to the values of a clause."""
        wish = wanted(re.sub(rf"`?(?:{FILE})`?", " ", clause), [one for one in sentence.codes if one in clause])
        told: list[Checked] = []
        if exclusive(re.sub(r"`[^`]*`", " ", clause)):
            return told
        off = negative(re.sub(r"`[^`]*`", " ", clause))
        for code in wish.codes:
            if denied(clause, code) or (off and re.fullmatch(r"[\w.-]+", code)):
                continue  # what is said not to be so is not confirmed by being there
            told += self._code(sentence, code, subject.blocks, row=row)
        told += self._switched(sentence, clause, subject.blocks)
        for amount in () if off else wish.amounts:
            keyed = re.search(_SET + re.escape(amount.written), clause)
            called = [*self._keyed(sentence, keyed["key"], amount)] if keyed is not None else []
            told += called or self._amount(sentence, wish.text, amount, subject.blocks)
        return told

    def _code(self, sentence: Sentence, code: str, blocks: Sequence[Block], *, row: bool) -> Iterator[Checked]:
        """A value in backticks, after the name of its field or with it."""
        if re.fullmatch(FILE, code) or self.named(code):
            return
        before = re.findall(r"[\w-]+", sentence.text.partition(f"`{code}`")[0])[-_BEFORE:]
        names = {stem(part) for one in before for part in re.split(r"[-_]", one)}
        fields: list[tuple[str, str, int, str]] = []
        for block, number, line in self._lines(blocks):
            field = _FIELD.match(line)
            own = re.match(r"(?P<key>[\w./-]+)\s*[:=]", code)
            if field is not None and own is not None and own["key"] != field["key"]:
                continue
            if field is not None and _is_named(field["key"], names):
                fields.append((_bare(field["value"]), block.path, number, line))
        pair = _PAIR.fullmatch(code)
        if not fields and pair is not None:
            fields = [*self._pairs(pair["key"], blocks)]
            code = pair["value"] if fields else code
        values = {one[0] for one in fields}
        right = [one for one in fields if squeezed(one[0]) == squeezed(code)]
        every = not row and sweeping(re.sub(r"`[^`]*`", " ", sentence.text))
        if every and (len(right) < 2 or len(values) > 1):
            return  # one of them confirms nothing of all
        if right:
            _, path, number, _ = right[0]
            yield _checked(sentence, code, Answer.CONFIRMED, f"it stands at {path}:{number}", (Spot(path, number),))
        elif len(values) == 1 and not re.search(r"[${(|]", fields[0][0]):
            _, path, number, line = fields[0]
            said = f"{path}:{number} has {self._shown(path, number, line)!r}"
            yield _checked(sentence, code, Answer.WRONG, said, (Spot(path, number),))
        elif not fields and len(code) > _BEFORE:
            behind = re.findall(r"[\w-]+", sentence.text.partition(f"`{code}`")[2])[:2]
            about = telling(" ".join((*before, *behind)))
            mere = re.fullmatch(r"[A-Za-z]+", code) is not None
            at = next(
                (
                    (one, number)
                    for one, number, line in self._lines(blocks)
                    if holds(line, code) and not (mere and not shared(about, parts(line.replace(code, " "))))
                ),
                None,
            )
            if at is not None:
                spots = (Spot(at[0].path, at[1]),)
                yield _checked(sentence, code, Answer.CONFIRMED, f"it stands at {at[0].path}:{at[1]}", spots)

    def _pairs(self, key: str, blocks: Sequence[Block]) -> Iterator[tuple[str, str, int, str]]:
        """What stands behind an option: ``--keep 3``, or two items of a list."""
        if not key.startswith("-"):
            return
        for block, number, line in self._lines(blocks):
            match = re.search(rf"(?<![\w-]){re.escape(key)}[\"',\s=]+(?P<value>[\w.-]+)", line)
            if match is not None:
                yield match["value"], block.path, number, line

    def _amount(self, sentence: Sentence, text: str, amount: Amount, blocks: Sequence[Block]) -> Iterator[Checked]:
        """An amount with the name of what it measures beside it."""
        about = attribute(text, amount)
        if amount.type == "version":
            about |= _VERSIONED
        said = parts(sentence.plain)
        found: dict[str, tuple[str, str, int]] = {}
        for block, number, line in self._lines(blocks):
            field = _FIELD.match(line)
            kind = parts(block.kind)
            if field is None or not (shared(about, parts(field["key"])) or (kind and shared(about, kind))):
                continue
            if amount.type == "number" and not parts(field["key"]) <= said:
                continue
            bare = _bare(field["value"])
            for one in in_code(bare):
                if one.type == amount.type and bare.startswith(one.written):
                    found.setdefault(one.value, (one.written, block.path, number))
        if not found and amount.type == "number":
            found = {str(count): (str(count), path, number) for count, path, number in self._listed(about, blocks)}
        right = found.get(amount.value)
        if right is not None:
            told, spots = f"it stands at {right[1]}:{right[2]}", (Spot(right[1], right[2]),)
            yield _checked(sentence, amount.written, Answer.CONFIRMED, told, spots)
        elif len(found) == 1:
            true, path, number = next(iter(found.values()))
            told, spots = f"it is {true} at {path}:{number}", (Spot(path, number),)
            yield _checked(sentence, amount.written, Answer.WRONG, told, spots)
        else:
            told = f"nothing was found that {amount.written!r} could be held against"
            yield _checked(sentence, amount.written, Answer.NOT_UNDERSTOOD, told, ())

    def _switched(self, sentence: Sentence, clause: str, blocks: Sequence[Block]) -> Iterator[Checked]:
        """``Hubble is disabled``: what the field ``enabled`` right below a name has."""
        match = _SWITCHED.search(clause)
        if match is None or re.search(r"\b(?:not|never|no|only|n[’']t)\b", clause, re.IGNORECASE):
            return
        found: dict[bool, tuple[str, int]] = {}
        for block, number, line in self._lines(blocks):
            name = re.fullmatch(r"(?P<indent>\s*)[\"']?(?P<key>[\w.-]+)[\"']?\s*(?::|=\s*\{|\{)\s*", line)
            if name is None or squeezed(name["key"].lower()) != match["what"].lower():
                continue
            below = self.tree.cut(block.path)[number : number + _BEFORE]
            for at, one in enumerate(below, start=number + 1):
                depth = len(one) - len(one.lstrip())
                if one.strip() and depth <= len(name["indent"]):
                    break
                state = re.match(r"\s*enabled?\s*[:=]\s*[\"']?(?P<state>true|false)\b", one)
                if state is not None and depth == len(below[0]) - len(below[0].lstrip()):
                    found.setdefault(state["state"] == "true", (block.path, at))
        if len(found) != 1:
            return
        on, (path, number) = next(iter(found.items()))
        right = on is (match["state"].lower() in ("enabled", "on"))
        said = f"{match['what']} is {'enabled' if on else 'disabled'} at {path}:{number}"
        yield _checked(sentence, match[0], Answer.CONFIRMED if right else Answer.WRONG, said, (Spot(path, number),))

    def _keyed(self, sentence: Sentence, key: str, amount: Amount) -> Iterator[Checked]:
        """The value of a field that is called by its own name, where the source has one."""
        spoken = meant(self.tree, sentence.file, sentence.written).paths if sentence.file else ()
        files = [one for one in spoken or self.tree.files if one.endswith(_CODES)]
        found: dict[str, tuple[str, int, Amount]] = {}
        for block, number, line in self._lines([self._whole(one) for one in files]):
            field = _FIELD.match(line)
            if field is None or field["key"] != key:
                continue
            for one in in_code(_bare(field["value"])):
                if one.type == amount.type:
                    found.setdefault(one.value, (block.path, number, one))
        if len(found) != 1:
            return
        path, number, one = next(iter(found.values()))
        answer = Answer.CONFIRMED if one.same(amount) else Answer.WRONG
        yield _checked(
            sentence,
            f"{key} {amount.written}",
            answer,
            f"it is {one.written} at {path}:{number}",
            (Spot(path, number),),
        )

    def _listed(self, about: frozenset[str], blocks: Sequence[Block]) -> Iterator[tuple[int, str, int]]:
        """How many items the list has that is called so."""
        for block in blocks:
            lines = self.tree.cut(block.path)
            for number in range(block.first, min(block.last, len(lines)) + 1):
                key = re.fullmatch(r"(?P<indent>\s*)(?P<key>[\w-]+):\s*", lines[number - 1])
                if key is None or not parts(key["key"]) or not parts(key["key"]) <= about:
                    continue
                item = re.compile(rf"(?P<indent>\s{{{len(key['indent'])},}})- ")
                first = item.match(lines[number]) if number < len(lines) else None
                if first is None:
                    continue
                count = 0
                for line in lines[number:]:
                    indent = len(line) - len(line.lstrip())
                    if line.strip() and not line.lstrip().startswith("#"):
                        if indent < len(first["indent"]) or (
                            indent == len(first["indent"]) and not line.lstrip().startswith("-")
                        ):
                            break
                        count += indent == len(first["indent"])
                yield count, block.path, number

    def _subjects(self, sentence: Sentence, clause: str) -> Sequence[Subject]:
        """What a clause speaks of: each of several in a row, or all that it names as one."""
        if sentence.file and _POINTS_BACK.search(re.sub(r"[`*]", "", clause)):
            files = meant(self.tree, sentence.file, sentence.written).paths
            return [Subject("it", [self._whole(one) for one in files])] if files else ()
        row = _ROW.search(re.sub(r"`([^`]*)`", r"\1", clause))
        if row is not None:
            names = re.findall(r"[\w.-]+", re.sub(r"\b(?:and|or)\b", " ", row[0]))
            each = [Subject(one, self._blocks(self._names(sentence, one))) for one in names]
            if all(one.blocks for one in each):
                return each
        blocks = self._blocks(self._names(sentence, clause)) or self.of_kind(clause)
        return [Subject("", blocks)] if blocks else ()

    def _blocks(self, names: set[str]) -> Sequence[Block]:
        declared = [one for name in sorted(names) for one in self.named(name)]
        if len(declared) == 1:
            return declared
        files: Sequence[str] = [one for one in self.tree.files if one.endswith(_CODES) and names & _called(one)]
        if not files and not declared:
            files = self._partly(names)
        whole = [self._whole(one) for one in files] if len(files) <= _MOST else []
        covered = {one.path for one in declared}
        return [*declared, *(one for one in whole if one.path not in covered)]

    def _partly(self, names: set[str]) -> Sequence[str]:
        """The files of the one folder that has a name as a part of its own."""
        folders = {one for one in self.tree.folders if names & set(one.rpartition("/")[2].lower().split("-"))}
        tops = [one for one in folders if one.rpartition("/")[0] not in folders]
        if len(tops) != 1:
            return ()
        return [one for one in self.tree.files if one.startswith(f"{tops[0]}/") and one.endswith(_CODES)]

    def _names(self, sentence: Sentence, clause: str) -> set[str]:
        """Names as code writes them: those in backticks, capitalised words, two of them joined."""
        words = re.findall(r"[\w.-]+", re.sub(r"`[^`]*`", " ", clause))
        told = {one.lower() for one in sentence.codes if one in clause}
        for at, one in enumerate(words):
            if one != one.lower() or at == 0 or self.named(one):
                told |= {one.lower(), re.sub(r"(?<=[a-z])(?=[A-Z])", "-", one).lower()}
            if at + 1 < len(words) and one[:1].isupper():
                told.add(f"{one}-{words[at + 1]}".lower())
        return told

    def _whole(self, path: str) -> Block:
        return Block(path, 1, len(self.tree.cut(path)))

    def _lines(self, blocks: Sequence[Block]) -> Iterator[tuple[Block, int, str]]:
        for block in blocks:
            lines = self.tree.cut(block.path)
            for number in range(block.first, min(block.last, len(lines)) + 1):
                yield block, number, lines[number - 1]

    def _shown(self, path: str, number: int, line: str) -> str:
        text = self.tree.text(path) or ""
        return masked(text, [range(number, number + 1)], secret=False).get(number, line).strip()[:90]


def _together(sentence: Sentence, subjects: Sequence[Subject], told: Sequence[Sequence[Checked]]) -> Iterator[Checked]:
    """What is said of several, one by one: right where it is of each."""
    texts = dict.fromkeys(one.text for answers in told for one in answers)
    for text in texts:
        each = [next((one for one in answers if one.text == text), None) for answers in told]
        right = [one for one in each if one is not None and one.answer is Answer.CONFIRMED]
        wrong = [one for one in each if one is not None and one.answer is Answer.WRONG]
        spots = tuple(spot for one in (*wrong, *right) for spot in one.spots)[:_SHOWN]
        if len(right) == len(each):
            yield _checked(sentence, text, Answer.CONFIRMED, "it stands with each of them", spots)
        elif len(wrong) == len(each):
            yield _checked(sentence, text, Answer.WRONG, wrong[0].said, spots)
        elif right or wrong:
            others = [subject.name for subject, one in zip(subjects, each, strict=True) if one not in right]
            said = f"{len(right)} of the {len(each)} have it; not found: {', '.join(others)}"
            answer = Answer.PARTLY if right and wrong else Answer.UNDECIDED
            yield _checked(sentence, text, answer, said, spots)


def _called(path: str) -> set[str]:
    """The names that a path has: of its folders, and of the file."""
    folders = path.lower().split("/")
    return {*folders[:-1], folders[-1].split(".")[0]}


def _is_named(key: str, names: set[str]) -> bool:
    """Whether the words before a value are the name of a field, all of it."""
    told = [stem(one) for one in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", key)]
    return len(told) > 1 and all(one in names for one in told)


def _bare(value: str) -> str:
    return re.sub(r"\s+#.*$", "", value).strip(" \"',")


def _checked(sentence: Sentence, text: str, answer: Answer, said: str, spots: tuple[Spot, ...]) -> Checked:
    return Checked(sentence.line, text, Kind.PROPERTY, answer, said, spots, (), sentence.written)
