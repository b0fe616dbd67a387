"""Strings: cutting, trimming, joining, searching. What is known only in part stays readable where that is certain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.terraform.functions import graphemes, patterns
from shoreup.terraform.functions.conversion import as_number, as_text, as_texts
from shoreup.terraform.functions.kinds import Number, Refused, Text
from shoreup.terraform.functions.signature import Function, Parameter

MAX_SPACES = 10_000
MAX_TEXT = 8 * 1024 * 1024
"""Characters of a result; longer ones are made to exhaust a reader."""

SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
"""What Terraform trims as white space."""


def each_part(text: Text, change: Callable[[str], str]) -> Value:
    """Change the known parts of a text, for changes that look at one character at a time."""
    if isinstance(text, str):
        return change(text)
    if isinstance(text, Unknown):
        return text
    return join_text([change(part) if isinstance(part, str) else part for part in text.parts])


def _unknown(text: PartialText | Unknown) -> Unknown:
    return text if isinstance(text, Unknown) else Unknown(text.reason)


def lower(text: Text) -> Value:
    return each_part(text, lambda part: "".join(map(_lower, part)) if not part.isascii() else part.lower())


def _lower(char: str) -> str:
    changed = char.lower()
    return changed if len(changed) == 1 else changed[0]


def upper(text: Text) -> Value:
    return each_part(text, lambda part: "".join(map(_upper, part)) if not part.isascii() else part.upper())


def _upper(char: str) -> str:
    changed = char.upper()
    return changed if len(changed) == 1 else char


def title(text: str) -> Value:
    """Upper-case every letter that follows no letter, digit, underscore or mark of a word."""
    changed: list[str] = []
    inside = False
    for char in text:
        changed.append(char if inside else char.title() if len(char.title()) == 1 else char)
        inside = _in_word(char)
    return "".join(changed)


def _in_word(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char == "_"
    return char.isalpha() or char.isdigit() or not char.isspace()


def reverse(text: str) -> Value:
    return "".join(reversed(graphemes.clusters(text)))


def chomp(text: Text) -> Value:
    return _trimmed(text, "", "\r\n")


def trimspace(text: Text) -> Value:
    return _trimmed(text, SPACE, SPACE)


def trim(text: Text, cutset: str) -> Value:
    return _trimmed(text, cutset, cutset)


def _trimmed(text: Text, left: str, right: str) -> Value:
    """Strip characters from the ends. An unknown end takes the neighbours that it may expose with it."""
    if isinstance(text, Unknown):
        return text
    if isinstance(text, str):
        return text.lstrip(left).rstrip(right)
    parts = list(text.parts)
    _strip_end(parts, 0, lambda part: part.lstrip(left))
    _strip_end(parts, -1, lambda part: part.rstrip(right))
    return join_text(parts)


def _strip_end(parts: list[str | Unknown], end: int, strip: Callable[[str], str]) -> None:
    step = -1 if end else 1
    for index in range(len(parts))[::step]:
        part = parts[index]
        if isinstance(part, str):
            parts[index] = strip(part)
            if parts[index]:
                return


def trimprefix(text: Text, prefix: str) -> Value:
    if isinstance(text, str):
        return text.removeprefix(prefix)
    answer = startswith(text, prefix)
    if answer is True and isinstance(text, PartialText):
        first = text.parts[0]
        assert isinstance(first, str) or not prefix
        return join_text([first[len(prefix) :], *text.parts[1:]]) if isinstance(first, str) else text
    return text if answer is False else _unknown(text)


def trimsuffix(text: Text, suffix: str) -> Value:
    if isinstance(text, str):
        return text.removesuffix(suffix)
    answer = endswith(text, suffix)
    if answer is True and isinstance(text, PartialText):
        last = text.parts[-1]
        if isinstance(last, str):
            return join_text([*text.parts[:-1], last[: len(last) - len(suffix)]])
        return text
    return text if answer is False else _unknown(text)


def startswith(text: Text, prefix: str) -> Value:
    if isinstance(text, str) or not prefix:
        return not prefix or (isinstance(text, str) and text.startswith(prefix))
    known = text.parts[0] if isinstance(text, PartialText) else ""
    if isinstance(known, str):
        if known.startswith(prefix):
            return True
        if not prefix.startswith(known):
            return False
    return _unknown(text)


def endswith(text: Text, suffix: str) -> Value:
    if isinstance(text, str) or not suffix:
        return not suffix or (isinstance(text, str) and text.endswith(suffix))
    known = text.parts[-1] if isinstance(text, PartialText) else ""
    if isinstance(known, str):
        if known.endswith(suffix):
            return True
        if not suffix.endswith(known):
            return False
    return _unknown(text)


def strcontains(text: Text, part: str) -> Value:
    if isinstance(text, str):
        return part in text
    if isinstance(text, PartialText) and any(isinstance(known, str) and part in known for known in text.parts):
        return True
    return _unknown(text)


def indent(spaces: Number, text: Text) -> Value:
    if not isinstance(spaces, int) or not 0 <= spaces <= MAX_SPACES:
        raise Refused("the number of spaces must be a small whole number", 0)
    return each_part(text, lambda part: part.replace("\n", "\n" + " " * spaces))


def join(separator: Text, *lists: Value) -> Value:
    if not lists:
        raise Refused("at least one list is required")
    known = [item for items in lists if isinstance(items, list) for item in items if isinstance(item, str)]
    if isinstance(separator, str) and len(known) == sum(len(items) for items in lists if isinstance(items, list)):
        if sum(map(len, known)) + len(separator) * len(known) > MAX_TEXT:
            raise Refused("the result is too long")
        return separator.join(known)
    parts: list[str | Unknown] = []
    size = 0
    for number, items in enumerate(lists, 1):
        assert isinstance(items, list)
        for index, item in enumerate(items):
            if item is None:
                where = f"element {index} of list {number}" if len(lists) > 1 else f"element {index}"
                raise Refused(f"{where} is null; cannot concatenate null values", number)
            if parts:
                parts.extend(_pieces(separator))
            parts.extend(_pieces(item))
            size += sum(len(part) if isinstance(part, str) else 1000 for part in (*_pieces(separator), *_pieces(item)))
            if size > MAX_TEXT:
                raise Refused("the result is too long")
            parts.append("")
    return join_text(parts)


def _pieces(text: Value) -> tuple[str | Unknown, ...]:
    if isinstance(text, PartialText):
        return text.parts
    return (text,) if isinstance(text, (str, Unknown)) else ()


def split(separator: str, text: str) -> Value:
    if separator:
        return list(text.split(separator))
    return list(text)


def replace(text: Text, old: str, new: str) -> Value:
    if len(old) > 1 and old.startswith("/") and old.endswith("/"):
        return patterns.replace(old[1:-1], text, new) if isinstance(text, str) else _unknown(text)
    if isinstance(text, str):
        if len(new) > len(old) and text.count(old) * (len(new) - len(old)) > MAX_TEXT:
            raise Refused("the result is too long")
        return text.replace(old, new)
    return each_part(text, lambda part: part.replace(old, new)) if len(old) == 1 else _unknown(text)


def regex(pattern: str, text: str) -> Value:
    return patterns.first(pattern, text)


def regexall(pattern: str, text: str) -> Value:
    return patterns.every(pattern, text)


def substr(text: Text, offset: Number, length: Number) -> Value:
    if not isinstance(offset, int) or not isinstance(length, int):
        raise Refused("value must be a whole number")
    if isinstance(text, PartialText):
        known = text.parts[0]
        if isinstance(known, str) and offset >= 0 and length >= 0 and known.isascii() and offset + length < len(known):
            return known[offset : offset + length]
        return _unknown(text)
    if isinstance(text, Unknown):
        return text
    chars = graphemes.clusters(text)
    if offset < 0:
        offset = max(offset + len(chars), 0)
        if length == 0:
            length = -1
    elif length == 0:
        return ""
    return "".join(chars[offset:] if length < 0 else chars[offset : offset + length])


_STRING = Parameter("str", as_text, unknown=True)
_WHOLE = Parameter("str", as_text)

FUNCTIONS: Mapping[str, Function] = {
    "chomp": Function(chomp, (_STRING,)),
    "endswith": Function(endswith, (_STRING, Parameter("suffix", as_text))),
    "indent": Function(indent, (Parameter("spaces", as_number), _STRING)),
    "join": Function(join, (Parameter("separator", as_text, unknown=True),), Parameter("lists", as_texts)),
    "lower": Function(lower, (_STRING,)),
    "regex": Function(regex, (Parameter("pattern", as_text), Parameter("string", as_text))),
    "regexall": Function(regexall, (Parameter("pattern", as_text), Parameter("string", as_text))),
    "replace": Function(replace, (_STRING, Parameter("substr", as_text), Parameter("replace", as_text))),
    "split": Function(split, (Parameter("separator", as_text), Parameter("str", as_text))),
    "startswith": Function(startswith, (_STRING, Parameter("prefix", as_text))),
    "strcontains": Function(strcontains, (_STRING, Parameter("substr", as_text))),
    "strrev": Function(reverse, (_WHOLE,)),
    "substr": Function(substr, (_STRING, Parameter("offset", as_number), Parameter("length", as_number))),
    "title": Function(title, (_WHOLE,)),
    "trim": Function(trim, (_STRING, Parameter("cutset", as_text))),
    "trimprefix": Function(trimprefix, (_STRING, Parameter("prefix", as_text))),
    "trimspace": Function(trimspace, (_STRING,)),
    "trimsuffix": Function(trimsuffix, (_STRING, Parameter("suffix", as_text))),
    "upper": Function(upper, (_STRING,)),
}
