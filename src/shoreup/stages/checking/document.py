"""A document in Markdown as sentences, each with its line and the file that is spoken of.

People write ``Files: `a.tf` `` above a paragraph and "lines 12-30" in it, so what a heading or an earlier sentence of
the same section names is remembered. A row of a table is one sentence. Places are written in many ways (``L35`` after a
file, a link to ``#L7-L18``, a column of lines); a sentence's ``text`` has them in one, ``file:7-18``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import Struct
from msgspec.structs import replace

from shoreup.stages.checking.clauses import advises, clauses

FILE = (
    r"(?:[\w@+~.-]+/)*[\w@+~.-]*\w\.(?:tf|tfvars|tofu|hcl|ya?ml|json5?|sh|bash|py|toml|tpl|tftpl|conf|cfg|ini|env|md|txt|js|ts|go)"
    r"(?:\.json)?|(?:[\w@+~.-]+/)*(?:Dockerfile|Makefile|Containerfile)"
)
"""A path as people write it."""
_FILE = re.compile(rf"(?<![\w/.-])(?P<file>{FILE})(?![\w/])")
_CODE = re.compile(r"(?P<fence>`+)(?P<code>.+?)(?P=fence)", re.DOTALL)
_END = re.compile(r"(?<=[.!?;])[\"')*_]*\s+(?=[\"'(*_`A-Z0-9~])|(?<=[X)]\.)\s+(?=[a-z])")
_ABBREVIATED = re.compile(r"\b(?:e\.g|i\.e|etc|vs|approx|incl|no|ca)\.$", re.IGNORECASE)
_LINK = re.compile(r"\[(?P<label>[^\]]*)\]\((?P<target>[^)\s]+)\)")
_LINK_LINES = re.compile(r"(?P<file>[^#]+)#(?:L|lines?-)(?P<first>\d+)(?:C\d+)?(?:-L?(?P<last>\d+)(?:C\d+)?)?$")
_FORGE = re.compile(
    r"https?://[^/\s]+/(?:[^/\s]+/)+?(?:-/)?(?:blob|raw|blame|src/(?:commit|branch|tag))/[^/\s]+/(?P<path>\S+)"
)
_ADDRESS = re.compile(
    r"(?<![(\w])`?(?P<file>https?://[^\s`)>#]+)#L(?P<first>\d+)(?:C\d+)?(?:-L?(?P<last>\d+)(?:C\d+)?)?`?"
)
_LINES = r"(?:\bL|\blines?\s+)(?P<first>\d+)(?:\s*(?:-|–|to|through)\s*L?(?P<last>\d+))?(?!\w|\.\d)"
_AT = r"(?:(?:at|on|in|around|about|near|see|from|cf\.)\s+)?(?:the\s+)?"
_BEHIND = re.compile(rf"`?(?P<file>{FILE})`?,?\s*(?P<open>\()?{_AT}{_LINES}(?(open)\))", re.IGNORECASE)
_MORE = re.compile(rf"(?P<before>`(?P<file>{FILE}):\d+(?:-\d+)?`)(?:,| and)\s+L(?P<first>\d+)(?:-L?(?P<last>\d+))?\b")
_BEFORE = re.compile(rf"{_LINES}\s+(?:of|in)\s+(?:the |its |their )?`?(?P<file>{FILE})`?", re.IGNORECASE)
_ALONE = re.compile(
    r"(?<![\w`:.-])(?:L|(?<!\d )(?<!\d)[Ll]ines? )(?P<first>\d+)(?:(?:-| to | through |–)L?(?P<last>\d+))?\b(?!\.\d)"
)
_LINE_COLUMN = re.compile(r"lines?(?: (?:no|number)s?\.?)?", re.IGNORECASE)
_LONE = re.compile(rf"\W*(?:(?:see|in|from|at)\s+)?`?(?:{FILE})(?::\d+(?:-\d+)?)?`?\W*", re.IGNORECASE)
_TITLE = re.compile(r"\W{0,3}\*\*[^*]+\*\*:?\W?")
"""A paragraph that is a title."""
_LISTS = re.compile(r"\W*(?:files?|where|locations?|places?|references?|refs?|evidence|sources?)\s*:", re.IGNORECASE)
"""How a section begins to list its places."""
_LISTED = re.compile(rf"(?P<file>{FILE}):(?P<first>\d+)(?:-(?P<last>\d+))?")
_ADVICE = re.compile(
    r"\W*(?:(?:suggested |possible |proposed )?"
    r"(?:fix(?:es)?|remed(?:y|ies)|improvements?|mitigations?|migrations?|scaling|solutions?)"
    r"(?: (?:approach|path|plan|steps?))?"
    r"|recommend(?:ations?|ed)|safe modification|next steps?|effort|priority|suggestions?)\s*:",
    re.IGNORECASE,
)
"""How a paragraph begins that advises."""
_BACKSLASHED = re.compile(r"(?<![\w\\/])(?:[\w.@-]+\\)+[\w.@-]+\.\w+")
_UNBROKEN = re.compile(r"\S{400,}")
"""What is no word, path or address that a person wrote."""
_LONGEST = 4000
"""Characters of a sentence."""
_SHORT_FENCE = 3
"""Lines of a block of code that are quoted, rather than shown."""


class Sentence(Struct, frozen=True):
    """One sentence. ``line`` is where it begins, 1-based; ``text`` has its marks (backticks, stars) still.

    ``codes`` is what stands in backticks. ``file`` is the file that is spoken of, empty where none is; ``written`` is
    the sentence as it stands in the document, and ``origin`` where in it each character of ``text`` comes from.
    """

    line: int
    text: str
    codes: tuple[str, ...]
    file: str
    written: str = ""
    origin: tuple[int, ...] = ()
    listed: tuple[tuple[str, int, int], ...] = ()
    """The places that its section lists, each a file with its first and last line."""
    section: int = 0

    @property
    def plain(self) -> str:
        """The text without marks of emphasis and code."""
        return re.sub(r"[`*]|(?<!\w)_|_(?!\w)", "", self.text)

    def part(self, start: int, end: int) -> str:
        """A piece of the text as it stands in the document."""
        held = self.origin[start:end]
        return self.written[min(held) : max(held) + 1].strip() if held else self.text[start:end].strip()


def sentences(text: str) -> Iterator[Sentence]:
    """Every sentence of a document, in order; headings are left out, and blocks of code that no place announces."""
    for _, section in groupby(_sentences(text), key=lambda one: one.section):
        held = [*section]
        listed = tuple(
            (match["file"], int(match["first"]), int(match["last"] or match["first"]))
            for one in held
            if _LISTS.match(one.plain)
            for match in _LISTED.finditer(one.text)
        )
        yield from (replace(one, listed=listed) if listed and not _LISTS.match(one.plain) else one for one in held)


def _sentences(text: str) -> Iterator[Sentence]:
    text = _UNBROKEN.sub("…", text)
    file, heading, section = "", False, 0
    last: Sentence | None = None
    for token in _parts(text):
        if token.type in ("heading_open", "heading_close"):
            heading = token.type == "heading_open"
            file = "" if heading else file
            section += heading
        elif token.type == "fence":
            if last is not None and (_FILE.search(last.text) or last.text.rstrip().endswith(":")):
                last = _quoting(last, token.content)
        elif token.map is not None:
            for line, said in _split(token.content, token.map[0] + 1):
                if len(said) > _LONGEST:
                    continue  # no person's sentence, and too much to look for places in
                written, (said, origin) = said, _canonical(said, file)
                found = _FILE.search(said)
                file = found["file"] if found is not None else file
                if heading:
                    continue
                section += _TITLE.fullmatch(said) is not None
                if last is not None:
                    yield last
                if last is not None and len(last.codes) > last.text.count("`") // 2 and _LONE.fullmatch(said):
                    # The place of the block of code above it.
                    codes = (*last.codes, *(one["code"].strip() for one in _CODE.finditer(said)))
                    origin = (*last.origin, len(last.written), *(len(last.written) + 1 + one for one in origin))
                    said, written = f"{last.text} {said}", f"{last.written} {written}"
                    last = Sentence(last.line, said, codes, file, written, origin, section=section)
                    continue
                codes = tuple(one["code"].strip() for one in _CODE.finditer(said))
                last = Sentence(line, said, codes, file, written, origin, section=section)
    if last is not None:
        yield last


def without_advice(sentence: Sentence) -> Sentence:
    """A sentence with the clauses blank that advise or judge; every other character stays where it was."""
    whole = _ADVICE.match(sentence.plain) is not None
    text = "".join(
        " " * (end - start) if whole or advises(sentence.text[start:end]) else sentence.text[start:end]
        for start, end in clauses(sentence.text)
    )
    return replace(sentence, text=text, codes=tuple(one for one in sentence.codes if one in text))


def without_files(text: str) -> str:
    """A text without the paths in it, and their lines."""
    return re.sub(r"(?<=\s):\d+(?:[-–]\d+)?", " ", _FILE.sub(" ", text))


def _quoting(sentence: Sentence, code: str) -> Sentence:
    quoted = [one.strip() for one in code.splitlines() if one.strip()]
    if len(quoted) > _SHORT_FENCE:
        return sentence
    return replace(sentence, codes=(*sentence.codes, *quoted))


def _parts(text: str) -> Iterator[Token]:
    """Inline text, headings and blocks of code; the cells of a table's row as one inline text."""
    columns: list[str] = []
    cells: list[str] | None = None
    head = False
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "thead_open":
            head, columns = True, []
        elif token.type == "thead_close":
            head = False
        elif token.type == "tr_open":
            cells, row = [], token
        elif token.type == "tr_close" and cells is not None:
            if not head:
                row.type, row.content = "inline", _row(columns, cells)
                yield row
            cells = None
        elif token.type == "inline" and cells is not None:
            (columns if head else cells).append(token.content)
        elif token.type in ("inline", "fence", "heading_open", "heading_close"):
            yield token


def _row(columns: Sequence[str], cells: Sequence[str]) -> str:
    """A row as one text; a number in a column of lines is joined to the row's file."""
    lines = {at for at, name in enumerate(columns) if _LINE_COLUMN.fullmatch(name.strip())}
    told = []
    numbers = [cells[at].strip(" `L") for at in sorted(lines) if at < len(cells)]
    for at, cell in enumerate(cells):
        bare = cell.strip(" `")
        if numbers and _FILE.fullmatch(bare):
            told.append(f"`{bare}:{numbers[0]}`" if re.fullmatch(r"\d+(?:[-–]\d+)?", numbers[0]) else cell)
        elif at not in lines:
            told.append(cell)
    return " | ".join(told)


def _canonical(said: str, file: str) -> tuple[str, tuple[int, ...]]:
    """The sentence with every place written as ``file:first-last``, in backticks, and where each character was."""

    def linked(match: re.Match[str]) -> str:
        place = _LINK_LINES.match(match["target"])
        if place is not None:
            return _place(_in_repository(place["file"]), place)
        target = _in_repository(match["target"])
        return f"`{target}`" if _FILE.fullmatch(target) else match["label"]

    marked = _Marked(said, range(len(said)))
    marked = marked.sub(_BACKSLASHED, lambda one: one[0].replace("\\", "/"))
    marked = marked.sub(_LINK, linked)
    marked = marked.sub(_ADDRESS, lambda one: _place(_in_repository(one["file"]), one) if one["first"] else one[0])
    for pattern in (_BEHIND, _BEFORE):
        marked = marked.sub(pattern, lambda one: _place(one["file"], one))
    while _MORE.search(marked.text) is not None:
        marked = marked.sub(_MORE, lambda one: f"{one['before']} {_place(one['file'], one)}")
    text = marked.text

    def near(match: re.Match[str]) -> str:
        before = [one["file"] for one in _FILE.finditer(text, 0, match.start())]
        own = _FILE.search(text)
        named = before[-1] if before else own["file"] if own is not None else file
        return _place(named, match) if named else match[0]

    marked = marked.sub(_ALONE, near)
    return marked.text, tuple(marked.origin)


class _Marked(Struct, frozen=True):
    """A text in which some was replaced, with the place in the first text that each character comes from."""

    text: str
    origin: Sequence[int]

    def sub(self, pattern: re.Pattern[str], new: Callable[[re.Match[str]], str]) -> _Marked:
        """The text with every match replaced."""
        text, at = "", 0
        origin: list[int] = []
        for match in pattern.finditer(self.text):
            told = new(match)
            if told == match[0] or not told:
                continue
            text += self.text[at : match.start()] + told
            origin += self.origin[at : match.start()]
            origin += [*[self.origin[match.start()]] * (len(told) - 1), self.origin[match.end() - 1]]
            at = match.end()
        return _Marked(text + self.text[at:], [*origin, *self.origin[at:]])


def _in_repository(target: str) -> str:
    """The path in the repository that a link leads to; of a forge's address what stands behind the revision."""
    target = unquote(target.partition("?")[0]).removeprefix("./")
    forge = _FORGE.match(target)
    return forge["path"] if forge is not None else target


def _place(file: str, match: re.Match[str]) -> str:
    return f"`{file}:{match['first']}{'-' + match['last'] if match['last'] else ''}`"


def _split(content: str, first: int) -> Iterator[tuple[int, str]]:
    """Sentences with the line that each begins on; nothing ends inside of code."""
    hidden = _CODE.sub(lambda one: "X" * len(one[0]), content)
    start = 0
    for end in [*_ends(hidden), len(content)]:
        said = content[start:end]
        stripped = said.strip()
        if stripped:
            before = start + len(said) - len(said.lstrip())
            yield first + content.count("\n", 0, before), " ".join(stripped.split())
        start = end


def _ends(hidden: str) -> Sequence[int]:
    return [one.end() for one in _END.finditer(hidden) if not _ABBREVIATED.search(hidden[: one.start()])]
