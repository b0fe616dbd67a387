"""Equals signs and comments in their columns, after an edit as before it.

``terraform fmt`` keeps the equals signs of neighbouring lines in one column, and the comments behind them. An edit
that puts a line between others, takes one away or makes one longer would leave the neighbours out of line. So they
are moved too, but only where they were in line: nobody's own layout is formatted on the way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from shoreup.formats.hcl.lines import Line, lines_of


class Change(Struct, frozen=True):
    """``text`` instead of the characters ``start`` to ``end`` (exclusive)."""

    start: int
    end: int
    text: str


def together(changes: Iterable[Change]) -> list[Change]:
    """Changes in order; what is put in at one place is one change, and the same change twice is made once."""
    made: list[Change] = []
    for change in sorted(changes, key=_place):
        last = made[-1] if made else None
        if last is not None and last.start == last.end == change.start == change.end:
            made[-1] = Change(last.start, last.end, last.text + change.text)
        elif change != last:
            made.append(change)
    return made


def alignment(text: str, lines: Sequence[Line]) -> bool:
    """Whether a file keeps its equals signs in columns. A file that does not tell is taken to."""
    told = {True: 0, False: 0}
    for chain in _chains(lines, _has_equals):
        widths = {_lead(text, line) - line.start for line in chain}
        if len(widths) > 1:
            told[_in_column(text, chain)] += 1
    return told[True] >= told[False]


def aligned(text: str, lines: Sequence[Line], changes: Iterable[Change], *, columns: bool) -> tuple[Change, ...]:
    """The changes, and the moves that keep columns in line. ``columns`` says what new lines on their own shall do."""
    made = sorted(changes, key=_place)
    if not made:
        return ()
    first, last = _surroundings(lines, made[0].start, max(change.end for change in made))
    start, end = lines[first].start, lines[last].start if last < len(lines) else len(text)
    near = [Change(change.start - start, change.end - start, change.text) for change in made]
    window = text[start:end]
    moved = _aligned(window, lines_of(window), near, columns)
    return tuple(Change(change.start + start, change.end + start, change.text) for change in moved)


def _surroundings(lines: Sequence[Line], start: int, end: int) -> tuple[int, int]:
    """The first and the last line (exclusive) that a change can concern: those in one chain with it, and some more."""
    first = max(bisect_right(lines, start, key=lambda line: line.start) - 2, 0)
    while first > 0 and _in_chain(lines[first - 1]):
        first -= 1
    last = min(bisect_right(lines, end, key=lambda line: line.start) + 1, len(lines))
    while last < len(lines) and _in_chain(lines[last]):
        last += 1
    return max(first - 1, 0), min(last + 1, len(lines))


def _in_chain(line: Line) -> bool:
    return line.equals >= 0 or line.comment >= 0


def _aligned(text: str, lines: Sequence[Line], made: list[Change], columns: bool) -> tuple[Change, ...]:
    pieces = list(_pieces(text, made))
    whole = "".join(piece.text for piece in pieces)
    near = [(piece.start, piece.start + len(piece.text)) for piece in pieces if piece.change is not None]
    moves = _moves(_Before(text, lines), whole, near, pieces, columns)
    return _merged(made, pieces, moves)


class _Piece(Struct):
    """A part of the new text: kept from the old one at ``old``, or the text of a change. ``start`` is in the new."""

    start: int
    text: str
    old: int
    change: int | None = None


def _pieces(text: str, changes: Sequence[Change]) -> Iterator[_Piece]:
    position = start = 0
    for index, change in enumerate(changes):
        if change.start > position:
            yield _Piece(start, text[position : change.start], position)
            start += change.start - position
        yield _Piece(start, change.text, change.start, index)
        start += len(change.text)
        position = change.end
    if position < len(text):
        yield _Piece(start, text[position:], position)


class _Before:
    """What was in line before: by the first character of each line."""

    def __init__(self, text: str, lines: Sequence[Line]) -> None:
        self.equals = {line.start: _in_column(text, chain) for chain in _chains(lines, _has_equals) for line in chain}
        self.equals |= {line.start: text[_lead(text, line) : line.opens] == " " for line in lines if line.opens >= 0}
        self.comments = {
            line.start: _comments_in_column(text, chain) for chain in _chains(lines, _has_comment) for line in chain
        }


def _moves(
    before: _Before, text: str, near: Sequence[tuple[int, int]], pieces: Sequence[_Piece], columns: bool
) -> list[Change]:
    """The runs of spaces of the new text that are to be others."""
    lines = lines_of(text)
    touched = {
        index
        for index, line in enumerate(lines)
        for start, end in near
        if line.start <= end + 2 and start <= line.end + 2
    }
    moved: dict[int, int] = {}
    made: list[Change] = []
    position = {line.start: index for index, line in enumerate(lines)}
    for chain in _chains(lines, _has_equals):
        first = position[chain[0].start]
        if touched.isdisjoint(range(first - 1, first + len(chain) + 1)):
            continue
        if not _all_in_line(chain, pieces, before.equals, columns):
            continue
        widest = max(_lead(text, line) - line.start for line in chain)
        for line in chain:
            lead = _lead(text, line)
            wanted = widest - (lead - line.start) + 1
            if wanted != line.equals - lead:
                made.append(Change(lead, line.equals, " " * wanted))
                moved[line.start] = wanted - (line.equals - lead)
    for index in touched:
        line = lines[index]
        if line.opens >= 0 and _all_in_line([line], pieces, before.equals, columns):
            lead = _lead(text, line)
            if text[lead : line.opens] != " ":
                made.append(Change(lead, line.opens, " "))
                moved[line.start] = 1 - (line.opens - lead)
    for chain in _chains(lines, _has_comment):
        first = position[chain[0].start]
        stirred = not touched.isdisjoint(range(first - 1, first + len(chain) + 1))
        if not stirred and not any(line.start in moved for line in chain):
            continue
        if not _all_in_line(chain, pieces, before.comments, True):
            continue
        widths = [line.code - line.start + moved.get(line.start, 0) for line in chain]
        for line, width in zip(chain, widths, strict=True):
            wanted = max(widths) - width + 1
            if wanted != line.comment - line.code:
                made.append(Change(line.code, line.comment, " " * wanted))
    return made


def _all_in_line(chain: Sequence[Line], pieces: Sequence[_Piece], before: dict[int, bool], columns: bool) -> bool:
    """Whether every line of the old text that is in a chain was in line in there."""
    known = [before[old] for line in chain if (old := _old_start(line, pieces)) is not None and old in before]
    return all(known) if known and (columns or len(known) > 1) else columns


def _old_start(line: Line, pieces: Sequence[_Piece]) -> int | None:
    for piece in pieces:
        if piece.change is None and piece.start <= line.start < piece.start + len(piece.text):
            return piece.old + line.start - piece.start
    return None


def _merged(changes: Sequence[Change], pieces: Sequence[_Piece], moves: Iterable[Change]) -> tuple[Change, ...]:
    """Moves of kept text become changes of their own, moves inside of new text change that."""
    made: list[Change] = []
    inside: dict[int, list[Change]] = {}
    for move in moves:
        for piece in pieces:
            if piece.start <= move.start and move.end <= piece.start + len(piece.text):
                if piece.change is None:
                    first = piece.old + move.start - piece.start
                    made.append(Change(first, first + move.end - move.start, move.text))
                else:
                    shifted = Change(move.start - piece.start, move.end - piece.start, move.text)
                    inside.setdefault(piece.change, []).append(shifted)
                break
    for index, change in enumerate(changes):
        text = change.text
        for move in sorted(inside.get(index, ()), key=_place, reverse=True):
            text = text[: move.start] + move.text + text[move.end :]
        made.append(Change(change.start, change.end, text))
    return tuple(sorted(made, key=_place))


def _place(change: Change) -> tuple[int, int]:
    return change.start, change.end


def _chains(lines: Sequence[Line], wanted: Callable[[Line], bool]) -> Iterator[list[Line]]:
    chain: list[Line] = []
    for line in lines:
        if wanted(line):
            chain.append(line)
        elif chain:
            yield chain
            chain = []
    if chain:
        yield chain


def _has_equals(line: Line) -> bool:
    return line.equals >= 0


def _has_comment(line: Line) -> bool:
    return line.comment >= 0


def _lead(text: str, line: Line) -> int:
    """The end of what stands before the equals sign."""
    end = max(line.equals, line.opens)
    while end > line.start and text[end - 1] in " \t":
        end -= 1
    return end


def _in_column(text: str, chain: Sequence[Line]) -> bool:
    widest = max(_lead(text, line) - line.start for line in chain)
    return all(
        text[_lead(text, line) : line.equals] == " " * (widest - (_lead(text, line) - line.start) + 1) for line in chain
    )


def _comments_in_column(text: str, chain: Sequence[Line]) -> bool:
    widest = max(line.code - line.start for line in chain)
    return all(text[line.code : line.comment] == " " * (widest - (line.code - line.start) + 1) for line in chain)
