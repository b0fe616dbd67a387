"""How text is written in each of the ways that files know: quotes, escapes, blocks."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from shoreup.formats.patterns import late
from shoreup.formats.sourcemap import ENCODED
from shoreup.formats.yaml.resolve import resolve

_HCL_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_YAML_ESCAPES = {
    "\\": "\\\\", '"': '\\"', "\0": "\\0", "\a": "\\a", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v",
    "\f": "\\f", "\r": "\\r", "\x1b": "\\e", "\x85": "\\N", "\u2028": "\\L", "\u2029": "\\P",
}  # fmt: skip
_UNPRINTABLE = late("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]")
_PLAIN_BAD = late(r":(?:[ \t]|\Z)|[ \t]#|[\t\n]|\A[\s,\[\]{}#&*!|>'\"%@`]|\A[-?:](?:[\s,\[\]{}]|\Z)|\s\Z")
FLOW = re.compile(r"[,\[\]{}]")
"""The signs of YAML's collections in brackets."""
_FLOW_WORD = re.compile(r"[\w./@+-](?:[\w ./@+=-]|:(?=[\w/]))*")
WORD = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false")
"""A number or a boolean, as HCL and JSON write it."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
"""A bare key of HCL."""
_NOT_ENCODED_AS_IS = late(r"[^ !#-%'-;=?-\[\]-~\xa0-\u2027\u202a-\ud7ff]")


def spelled(text: str, encodings: Sequence[str]) -> str | None:
    """How ``text``, as the whole of a string, is written under ``encodings`` (outermost first); without quotes.

    ``None`` where it cannot be said in that style. Lines of block styles are not indented yet.
    """
    for encoding in reversed(encodings):
        written = _under(text, encoding)
        if written is None:
            return None
        text = written
    return text


def plain_text(text: str, *, flow: bool = False) -> bool:
    """Whether a text can stand in YAML without quotes and is read as that text, by every reader we know."""
    if not text or _PLAIN_BAD.search(text) or _UNPRINTABLE.search(text) or text.startswith(("---", "...")):
        return False
    if flow and not _FLOW_WORD.fullmatch(text):
        return False
    return not typed(text)


def typed(text: str) -> bool:
    """Whether a reader of YAML, by any version's rules, might take the unquoted text for something else than text."""
    if not isinstance(resolve(text), str) or text in ("=", "<<"):
        return True
    return re.fullmatch(r"[-+]?[0-9][0-9_,.:]*(?:[eE][-+]?[0-9]+)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*", text) is not None


def _under(text: str, encoding: str) -> str | None:
    match encoding:
        case "raw":
            return text
        case "hcl-quoted":
            escaped = "".join(_HCL_ESCAPES.get(char, char) for char in text)
            return re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04x}", _sequences(escaped))
        case "hcl-heredoc" | "hcl-template":
            return _sequences(text)
        case "hcl-literal":
            return text if WORD.fullmatch(text) else None
        case "json":
            return json.dumps(text, ensure_ascii=False)[1:-1]
        case "yaml-double":
            return double_quoted(text)
        case "yaml-single":
            return None if "\n" in text or _UNPRINTABLE.search(text) else text.replace("'", "''")
        case "yaml-plain":
            return text if plain_text(text) else None
        case "yaml-literal" | "yaml-folded":
            return None if _UNPRINTABLE.search(text) else text
        case _:
            return None if encoding != ENCODED or _NOT_ENCODED_AS_IS.search(text) else text


def _sequences(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def double_quoted(text: str) -> str:
    """The inside of YAML's double quotes."""
    escaped = "".join(_YAML_ESCAPES.get(char, char) for char in text)
    return _UNPRINTABLE.sub(_by_number, escaped)


def _by_number(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02X}" if code <= 0xFF else f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def quoted_text(text: str) -> str:
    """Text in YAML's quotes: double ones, single ones where that needs no escapes and double ones would."""
    inside = double_quoted(text)
    if inside != text and "'" not in text and "\n" not in text and not _UNPRINTABLE.search(text) and "\t" not in text:
        return f"'{text}'"
    return f'"{inside}"'
