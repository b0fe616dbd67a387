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
from shoreup.stages.checking.corpus import Corpus
from shoreup.stages.checking.document import FILE, Sentence
from shoreup.stages.checking.evidence import attribute, holds, squeezed, wanted
from shoreup.stages.checking.places import meant
from shoreup.stages.checking.words import parts, shared, stem

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
_POINTS_BACK = re.compile(r"^(?:it|its|they|their|this|that|the same)\b|\bthat (?:same )?file\b", re.IGNORECASE)


class Block(Struct, frozen=True):
    """Lines ``first`` to ``last`` of a file, which declare something of a kind."""

    path: str
    first: int
    last: int
    kind: str = ""


class Values(Struct, frozen=True):
    """Answers claims of values. ``named`` finds what is declared by a name, ``of_kind`` what is of a kind."""

    tree: Corpus
    named: Callable[[str], Sequence[Block]]
    of_kind: Callable[[str], Sequence[Block]]

    def answers(self, sentence: Sentence) -> Iterator[Checked]:
        """What the fields say to the values of a sentence that names no lines."""
        if re.search(rf"(?:{FILE}):\d", sentence.text):
            return
        blocks = self._subject(sentence)
        wish = wanted(re.sub(rf"`?(?:{FILE})`?", " ", sentence.text), sentence.codes)
        for code in wish.codes:
            yield from self._code(sentence, code, blocks)
        for amount in wish.amounts:
            keyed = re.search(_SET + re.escape(amount.written), sentence.text)
            called = [*self._keyed(sentence, keyed["key"], amount)] if keyed is not None else []
            yield from called or self._amount(sentence, wish.text, amount, blocks)

    def _code(self, sentence: Sentence, code: str, blocks: Sequence[Block]) -> Iterator[Checked]:
        """A value in backticks, after the name of its field or with it."""
        if re.fullmatch(FILE, code) or self.named(code):
            return
        before = re.findall(r"[\w-]+", sentence.text.partition(f"`{code}`")[0])[-_BEFORE:]
        names = {stem(part) for one in before for part in re.split(r"[-_]", one)}
        fields: list[tuple[str, str, int, str]] = []
        for block, number, line in self._lines(blocks):
            field = _FIELD.match(line)
            if field is not None and _is_named(field["key"], names):
                fields.append((_bare(field["value"]), block.path, number, line))
        pair = _PAIR.fullmatch(code)
        if not fields and pair is not None:
            fields = [*self._pairs(pair["key"], blocks)]
            code = pair["value"]
        values = {one[0] for one in fields}
        right = [one for one in fields if squeezed(one[0]) == squeezed(code)]
        if right:
            _, path, number, _ = right[0]
            yield _checked(sentence, code, Answer.CONFIRMED, f"it stands at {path}:{number}", (Spot(path, number),))
        elif len(values) == 1 and not re.search(r"[${(|]", fields[0][0]):
            _, path, number, line = fields[0]
            said = f"{path}:{number} has {self._shown(path, number, line)!r}"
            yield _checked(sentence, code, Answer.WRONG, said, (Spot(path, number),))
        elif not fields and len(code) > _BEFORE:
            at = next(((one, number) for one, number, line in self._lines(blocks) if holds(line, code)), None)
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

    def _subject(self, sentence: Sentence) -> Sequence[Block]:
        """The lines of what a sentence speaks of."""
        if sentence.file and _POINTS_BACK.search(sentence.plain):
            return [self._whole(one) for one in meant(self.tree, sentence.file, sentence.written).paths]
        names = self._names(sentence)
        declared = [one for name in names for one in self.named(name)]
        if len(declared) == 1:
            return declared
        files = [one for one in self.tree.files if one.endswith(_CODES) and names & _called(one)]
        whole = [self._whole(one) for one in files] if len(files) <= _MOST else []
        if not whole and not declared:
            return self.of_kind(sentence.plain)
        covered = {one.path for one in declared}
        return [*declared, *(one for one in whole if one.path not in covered)]

    def _names(self, sentence: Sentence) -> set[str]:
        """Names as code writes them: those in backticks, capitalised words, two of them joined."""
        words = re.findall(r"[\w.-]+", re.sub(r"`[^`]*`", " ", sentence.text))
        told = {one.lower() for one in sentence.codes}
        for at, one in enumerate(words):
            if one[:1].isupper() or at == 0 or self.named(one):
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
