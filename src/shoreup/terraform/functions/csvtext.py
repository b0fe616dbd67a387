"""CSV as Go reads it: quotes are strict, empty lines are skipped, every row has as many fields as the header."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.model.value import Value
from shoreup.terraform.functions.kinds import Refused


def decode(text: str) -> Value:
    """The rows as objects of strings, named by the header line. Raises ``Refused``."""
    records = _records(text)
    header = next(records, None)
    if header is None:
        raise Refused("missing header line")
    _, names = header
    for index, name in enumerate(names):
        if name in names[:index]:
            raise Refused(f'duplicate column name "{name}"')
    rows: list[Value] = []
    for line, fields in records:
        if len(fields) != len(names):
            raise Refused(f"CSV parse error on line {line}: wrong number of fields")
        rows.append(dict(zip(names, fields, strict=True)))
    return rows


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Every record with the line on which it starts, from 1."""
    text = text.replace("\r\n", "\n").removesuffix("\r")
    position, line = 0, 1
    while position < len(text):
        if text[position] == "\n":
            position, line = position + 1, line + 1
            continue
        first, fields, ended = line, [], False
        while not ended:
            field, position = _field(text, position, line)
            line += field.count("\n")
            fields.append(field)
            ended = position >= len(text) or text[position] == "\n"
            position += 1
        line += 1
        yield first, fields


def _field(text: str, position: int, line: int) -> tuple[str, int]:
    """One field and where it ends: at a comma, a line end or the end of the text."""
    if not text.startswith('"', position):
        end = min(_find(text, ",", position), _find(text, "\n", position))
        if '"' in text[position:end]:
            raise Refused(f'CSV parse error on line {line}: bare " in non-quoted field')
        return text[position:end], end
    pieces: list[str] = []
    position += 1
    while True:
        quote = text.find('"', position)
        if quote < 0:
            raise Refused(f'CSV parse error on line {line}: extraneous or missing " in quoted-field')
        pieces.append(text[position:quote])
        position = quote + 1
        if not text.startswith('"', position):
            break
        pieces.append('"')
        position += 1
    if position < len(text) and text[position] not in ",\n":
        raise Refused(f'CSV parse error on line {line}: extraneous or missing " in quoted-field')
    return "".join(pieces), position


def _find(text: str, wanted: str, position: int) -> int:
    found = text.find(wanted, position)
    return len(text) if found < 0 else found
