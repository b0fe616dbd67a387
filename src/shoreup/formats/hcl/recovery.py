"""What is kept of a broken file: the blocks that are whole.

After a wrong bracket nothing that follows can be trusted, but formatted code begins every block of a file in the
first column. So reading starts again there. A block with a problem inside is left out, for what is absent from
it proves nothing; so is one that swallows the beginning of the next, for then its end is missing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from shoreup.formats.hcl.parser import Parser
from shoreup.formats.hcl.source import Problem, Source, SyntaxProblem
from shoreup.formats.hcl.syntax import Attribute, Block, Body, File

MAX_PROBLEMS = 50
"""A file with more than this is something else than HCL."""

_BLOCK = re.compile(
    r"^(?:resource|data|module|variable|output|locals|provider|terraform|moved|import|removed|check|ephemeral"
    r"|include|dependency|generate|inputs|remote_state)\b[^\n]*\{",
    re.MULTILINE,
)
_ARGUMENT = re.compile(r"^[^\W\d][\w-]*[ \t]*=", re.MULTILINE)
"""Where reading starts again in a file of values, which has no blocks."""


def salvage(source: Source) -> File:
    """Read a file of which it is known that something in it is broken."""
    text = source.text
    blocks = [match.start() for match in _BLOCK.finditer(text)]
    starts = blocks or [match.start() for match in _ARGUMENT.finditer(text)]
    known = frozenset(blocks)
    file = File(source, Body(source, 0, len(text)), [], [])
    offset = 0
    effort = 4 * len(text)  # what is read again and again is read so often, and no more
    while offset < len(text):
        parser = Parser(source, offset)
        body = Body(source, offset, offset)
        body.attributes = file.body.attributes
        failed: SyntaxProblem | None = None
        try:
            parser.items(body, closing="")
        except SyntaxProblem as problem:
            failed = problem
        except RecursionError:
            failed = SyntaxProblem(parser.start, "nested too deeply")
        torn = _first_torn(body.blocks, known)
        if torn is not None:
            broken = body.blocks[torn].start
            failed = SyntaxProblem(broken, "this block is never closed with }")
            del body.blocks[torn:]
        else:
            broken = parser.top
        file.body.blocks.extend(body.blocks)
        if failed is None:
            file.comments.extend(parser.comments)
            break
        file.comments.extend(comment for comment in parser.comments if comment.end <= broken)
        effort -= parser.offset - offset
        following = bisect_right(starts, max(broken, offset - 1))
        offset = starts[following] if following < len(starts) else len(text)
        if effort < 0 or len(file.problems) == MAX_PROBLEMS:
            skipped = "the rest of the file"
            offset = len(text)
        else:
            skipped = _name(text, broken)
        file.problems.append(Problem(source.line(failed.offset), failed.cause, skipped, failed.offset))
    return file


def readable(file: File) -> File:
    """The file without the blocks and arguments that hold bytes which are not UTF-8. Comments may hold any."""
    source, body = file.source, file.body
    if not source.undecodable:
        return file
    comments = [(comment.start, comment.end) for comment in file.comments]
    wrong = [offset for offset in source.undecodable if not _inside(offset, comments)]

    def decodable(item: Block | Attribute) -> bool:
        first = bisect_left(wrong, item.start)
        if first == len(wrong) or wrong[first] >= item.end:
            return True
        skipped = _name(source.text, item.start)
        file.problems.append(Problem(source.line(wrong[first]), "not UTF-8", skipped, wrong[first]))
        return False

    body.attributes = {name: item for name, item in body.attributes.items() if decodable(item)}
    body.blocks = [block for block in body.blocks if decodable(block)]
    return file


def _inside(offset: int, ranges: list[tuple[int, int]]) -> bool:
    index = bisect_right(ranges, (offset, offset)) - 1
    return index >= 0 and ranges[index][0] <= offset < ranges[index][1]


def _first_torn(blocks: list[Block], starts: frozenset[int]) -> int | None:
    """The first block in which a block stands that begins in the first column like one of the file."""
    for index, block in enumerate(blocks):
        if any(inner.start in starts for inner in block.body.blocks):
            return index
    return None


def _name(text: str, start: int) -> str:
    """What stands at ``start``, in words."""
    end = text.find("\n", start)
    line = text[start : len(text) if end < 0 else end].strip()
    name, equals, _ = line.partition("=")
    if equals and name.strip().replace("-", "_").isidentifier():
        return f"the argument {name.strip()}"[:120]
    if _BLOCK.match(line):
        return f"the block {line.partition('{')[0].strip()}"[:120]
    return "what follows, up to the next block"
