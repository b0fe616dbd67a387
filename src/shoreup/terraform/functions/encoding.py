"""Values as text and back: JSON, YAML, CSV, base64, URLs."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Mapping

from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform.functions import csvtext, jsontext, partial, yamlread, yamlwrite
from shoreup.terraform.functions.conversion import as_text, parse_number
from shoreup.terraform.functions.kinds import Refused, Text
from shoreup.terraform.functions.signature import Function, Parameter
from shoreup.terraform.functions.strings import each_part

MAX_UNPACKED = 16 * 1024 * 1024
"""More than this from ``base64gunzip`` is a trap, not configuration."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ENCODINGS = re.compile(
    r"utf-8|utf-16[bl]e|iso-8859-(?:[2-8]|1[0-6]?)|windows-125[0-8]|ibm(?:437|850|852|855|862|866)|koi8-[ru]",
    re.IGNORECASE,
)
"""Encodings that Python and Terraform read alike."""


def jsonencode(value: Value) -> Value:
    return jsontext.encode(value)


def jsondecode(text: Text) -> Value:
    if isinstance(text, Unknown):
        return text
    if isinstance(text, PartialText):
        return partial.decode(text, _parse_json, quoted=True)
    return _parse_json(text)


def _parse_json(text: str) -> Value:
    try:
        value: Value = json.loads(text, parse_int=parse_number, parse_float=parse_number, parse_constant=_no_constant)
    except RecursionError:
        raise Refused("the JSON text nests too deeply") from None
    except ValueError as problem:
        where = f" on line {problem.lineno}" if isinstance(problem, json.JSONDecodeError) else ""
        raise Refused(f"invalid JSON{where}") from None
    return _repaired(value) if _LONE_SURROGATE.search(text) or "\\u" in text else value


def _no_constant(name: str) -> Value:
    raise ValueError(name)


def _repaired(value: Value) -> Value:
    """Lone surrogates are replaced, as in Go: they cannot be written as UTF-8."""
    if isinstance(value, str):
        return _LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_LONE_SURROGATE.sub("\ufffd", key): _repaired(item) for key, item in value.items()}
    return [_repaired(item) for item in value] if isinstance(value, list) else value


def yamlencode(value: Value) -> Value:
    return yamlwrite.encode(value)


def yamldecode(text: Text) -> Value:
    if isinstance(text, Unknown):
        return text
    if isinstance(text, PartialText):
        return partial.decode(text, yamlread.decode, quoted=False)
    return yamlread.decode(text)


def csvdecode(text: str) -> Value:
    return csvtext.decode(text)


def base64encode(text: str) -> Value:
    return b64encode(text.encode("utf-8", "replace")).decode("ascii")


def base64decode(text: str) -> Value:
    try:
        return _from_base64(text).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("the result of decoding the provided string is not valid UTF-8") from None


def _from_base64(text: str) -> bytes:
    try:
        return b64decode(text.replace("\n", "").replace("\r", "").encode("ascii"), validate=True)
    except (BinasciiError, ValueError):
        raise Refused("failed to decode base64 data") from None


def base64gunzip(text: str) -> Value:
    import zlib

    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(_from_base64(text), MAX_UNPACKED)
    except zlib.error:
        raise Refused("failed to gunzip bytestream") from None
    if unpacker.unconsumed_tail:
        raise Refused("the unpacked data is too large")
    if not unpacker.eof:
        raise Refused("failed to read gunzip raw data: unexpected EOF")
    return unpacked.decode("utf-8", "replace")


def base64gzip(text: str) -> Value:
    return Unknown("the result of base64gzip() depends on the compressor")


def textencodebase64(text: str, encoding: str) -> Value:
    if not _ENCODINGS.fullmatch(encoding):
        return _unread(encoding)
    try:
        return b64encode(text.encode(encoding)).decode("ascii")
    except UnicodeEncodeError:
        raise Refused("the given string contains characters that cannot be represented in this encoding", 0) from None


def textdecodebase64(text: str, encoding: str) -> Value:
    if not _ENCODINGS.fullmatch(encoding):
        return _unread(encoding)
    try:
        return _from_base64(text).decode(encoding)
    except UnicodeDecodeError:
        raise Refused("the given string contains symbols that are not defined for this encoding", 0) from None
    except Refused:
        raise Refused("the given value is not valid base64", 0) from None


def _unread(encoding: str) -> Unknown:
    return Unknown(f"the encoding {encoding} is not read here")


def urlencode(text: Text) -> Value:
    from urllib.parse import quote_plus

    return each_part(text, lambda part: quote_plus(part, safe="", errors="replace"))


def urldecode(text: str) -> Value:
    from urllib.parse import unquote_plus

    if re.search(r"%(?![0-9a-fA-F]{2})", text):
        raise Refused("failed to decode URL: invalid URL escape")
    return unquote_plus(text, errors="replace")


_STRING = Parameter("str", as_text)
_PARTIAL = Parameter("str", as_text, unknown=True)
_SOURCE = Parameter("src", as_text, unknown=True)
_VALUE = Parameter("value", null=True, unknown=True)
_ENCODING = Parameter("encoding", as_text)

FUNCTIONS: Mapping[str, Function] = {
    "base64decode": Function(base64decode, (_STRING,)),
    "base64encode": Function(base64encode, (_STRING,)),
    "base64gunzip": Function(base64gunzip, (_STRING,)),
    "base64gzip": Function(base64gzip, (_STRING,)),
    "csvdecode": Function(csvdecode, (_STRING,)),
    "jsondecode": Function(jsondecode, (_PARTIAL,)),
    "jsonencode": Function(jsonencode, (Parameter("val", null=True, unknown=True),)),
    "textdecodebase64": Function(textdecodebase64, (Parameter("source", as_text), _ENCODING)),
    "textencodebase64": Function(textencodebase64, (Parameter("string", as_text), _ENCODING)),
    "urldecode": Function(urldecode, (_STRING,)),
    "urlencode": Function(urlencode, (_PARTIAL,)),
    "yamldecode": Function(yamldecode, (_SOURCE,)),
    "yamlencode": Function(yamlencode, (_VALUE,)),
}
