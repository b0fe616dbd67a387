"""A document in Markdown as sentences, each with its line and the file that is spoken of.

People write ``Files: `a.tf` `` above a paragraph and "lines 12-30" in it, so what a heading or an earlier sentence of
the same section names is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from msgspec import Struct

FILE = (
    r"(?:[\w@+~.-]+/)*[\w@+~.-]*\w\.(?:tf|tfvars|tofu|hcl|ya?ml|json|sh|bash|py|toml|tpl|tftpl|conf|cfg|ini|env|md|txt|js|ts|go)"
    r"(?:\.json)?|(?:[\w@+~.-]+/)*(?:Dockerfile|Makefile|Containerfile)"
)
"""A path as people write it."""
_FILE = re.compile(rf"(?<![\w/.-])(?P<file>{FILE})(?![\w/])")
_CODE = re.compile(r"(?P<fence>`+)(?P<code>.+?)(?P=fence)", re.DOTALL)
_END = re.compile(r"(?<=[.!?;])[\"')*_]*\s+(?=[\"'(*_`A-Z0-9~])")
_ABBREVIATED = re.compile(r"(?:e\.g|i\.e|etc|vs|approx|incl|no|ca)\.$", re.IGNORECASE)


class Sentence(Struct, frozen=True):
    """One sentence. ``line`` is where it begins, 1-based; ``text`` has its marks (backticks, stars) still.

    ``codes`` is what stands in backticks. ``file`` is the file that is spoken of, empty where none is.
    """

    line: int
    text: str
    codes: tuple[str, ...]
    file: str

    @property
    def plain(self) -> str:
        """The text without marks of emphasis and code."""
        return re.sub(r"[`*]|(?<!\w)_|_(?!\w)", "", self.text)


def sentences(text: str) -> Iterator[Sentence]:
    """Every sentence of a document, in order; blocks of code are left out, headings are not."""
    file = ""
    heading = False
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type == "heading_open":
            heading, file = True, ""
        elif token.type == "heading_close":
            heading = False
        if token.type != "inline" or token.map is None:
            continue
        for line, said in _split(token.content, token.map[0] + 1):
            found = _FILE.search(said)
            file = found["file"] if found is not None else file
            if heading:
                continue
            yield Sentence(line, said, tuple(one["code"].strip() for one in _CODE.finditer(said)), file)


def without_files(text: str) -> str:
    """A text without the paths in it."""
    return _FILE.sub(" ", text)


def _split(content: str, first: int) -> Iterator[tuple[int, str]]:
    """Sentences with the line that each begins on; nothing ends inside of code."""
    hidden = _CODE.sub(lambda one: "x" * len(one[0]), content)
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
