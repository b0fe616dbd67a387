"""YAML as ``yamldecode`` reads it: YAML 1.1 words for booleans, numbers in decimal, times in RFC 3339, one document."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from shoreup.model.value import Value
from shoreup.terraform.functions.conversion import as_text, parse_number
from shoreup.terraform.functions.dates import written
from shoreup.terraform.functions.kinds import Refused

if TYPE_CHECKING:
    from yaml.nodes import MappingNode, Node, ScalarNode

MAX_NODES = 1_000_000
"""How many values a document may unfold to through its aliases."""

MAX_DEPTH = 150
_DEEP = re.compile(rf"^[ \-?]{{{MAX_DEPTH}}}", re.MULTILINE)
"""A line that may begin deeper than that."""
_UNTAGGED = "?"
_TAGS = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
    r"(?:(?:([Tt])|( ))([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?:\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_NULL = frozenset(["", "~", "null", "Null", "NULL"])
_INFINITE = frozenset(
    [".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN"]
)


def decode(text: str) -> Value:
    """The value of a document. Raises ``Refused``."""
    import yaml

    if text.count("[") + text.count("{") > MAX_DEPTH or _DEEP.search(text):
        _check_depth(text)
    try:
        nodes = list(yaml.compose_all(text, Loader=_loader()))
    except RecursionError:
        raise Refused("the YAML text nests too deeply") from None
    except (yaml.YAMLError, ValueError) as problem:
        mark = getattr(problem, "problem_mark", None)
        where = f"on line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Refused(f"{where}{getattr(problem, 'problem', None) or 'invalid YAML'}") from None
    if len(nodes) > 1:
        raise Refused("unexpected extra content after value")
    if not nodes:
        raise Refused("on line 1, column 1: missing start of document")
    return _Builder().value(nodes[0])


def _check_depth(text: str) -> None:
    """Refuse what nests so deep that libyaml, which builds nodes by recursion, would run out of stack."""
    import yaml

    depth = 0
    try:
        for event in yaml.parse(text, Loader=_loader()):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise Refused("the YAML text nests too deeply")
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except (yaml.YAMLError, ValueError):
        return  # reading it will tell


@lru_cache(maxsize=1)
def _loader() -> type:
    """A loader that leaves every untagged plain scalar undecided."""
    import yaml

    base: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

    def resolve(self: object, kind: type, value: object, implicit: object) -> str:
        if kind is not yaml.ScalarNode:
            return _TAGS + ("seq" if kind is yaml.SequenceNode else "map")
        plain = implicit[0] if isinstance(implicit, tuple) else False
        return _UNTAGGED if plain else _TAGS + "str"

    return type("UndecidedLoader", (base,), {"resolve": resolve})


class _Builder:
    def __init__(self) -> None:
        self.built: dict[int, tuple[Value, int]] = {}
        self.open: set[int] = set()

    def value(self, node: Node) -> Value:
        return self.sized(node)[0]

    def sized(self, node: Node) -> tuple[Value, int]:
        """A node's value and how many values it unfolds to."""
        if id(node) in self.open:
            raise Refused("a value refers to itself through an alias")
        if id(node) not in self.built:
            self.open.add(id(node))
            self.built[id(node)] = self.build(node)
            self.open.discard(id(node))
        size = self.built[id(node)][1]
        if size > MAX_NODES:
            raise Refused("the document unfolds to too many values")
        return self.built[id(node)]

    def build(self, node: Node) -> tuple[Value, int]:
        from yaml.nodes import MappingNode, ScalarNode

        if isinstance(node, ScalarNode):
            return _scalar(node), 1
        if isinstance(node, MappingNode):
            return self.mapping(node)
        parts = [self.sized(item) for item in node.value]
        return [value for value, _ in parts], 1 + sum(size for _, size in parts)

    def mapping(self, node: MappingNode) -> tuple[Value, int]:
        built: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        total = 1
        for key_node, value_node in node.value:
            value, size = self.sized(value_node)
            total += size
            if (key_node.tag == _UNTAGGED and key_node.value == "<<") or key_node.tag == _TAGS + "merge":
                for mapping in value if isinstance(value, list) else [value]:
                    if not isinstance(mapping, dict):
                        raise Refused("only a mapping can be merged")
                    merged = {**mapping, **merged}
                continue
            key = self.value(key_node)
            if key is None or isinstance(key, (list, dict)):
                raise Refused("mapping key must not be null or compound")
            built[str(as_text(key))] = value
        return {**merged, **built}, total


def _scalar(node: ScalarNode) -> Value:
    tag, text = node.tag, node.value
    if tag == _UNTAGGED:
        return _guessed(text)
    if not tag.startswith(_TAGS):
        raise Refused(f'unsupported tag "{tag}"')
    name = tag.removeprefix(_TAGS)
    if name in ("str", "binary") or node.style in ("'", '"'):
        return str(text)
    if name == "null":
        return None
    if name == "bool" and text in _TRUE | _FALSE:
        return text in _TRUE
    if name in ("int", "float"):
        return _number(text)
    if name == "timestamp" and (time := _time(text)) is not None:
        return time
    raise Refused(f"cannot parse a value as !!{name}")


def _guessed(text: str) -> Value:
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text in _INFINITE:
        raise Refused("an infinite number is not supported")
    if text[0] not in "+-.0123456789":
        return text
    if (time := _time(text)) is not None:
        return time
    if _INTEGER.fullmatch(text) or _FLOAT.fullmatch(text):
        return _number(text)
    return text


def _number(text: str) -> Value:
    plain = text.replace("_", "")
    if plain.startswith(("0x", "0o")):
        return int(plain, 0)
    return parse_number(plain)


def _time(text: str) -> str | None:
    from datetime import UTC, datetime

    found = _DATE.fullmatch(text)
    if found is None or (found[4] and not found[9]) or (found[5] and found[9]):
        return None
    try:
        time = datetime(*(int(found[group] or 0) for group in (1, 2, 3, 6, 7, 8)), tzinfo=UTC)  # type: ignore[arg-type,misc]  # six ints
    except ValueError:
        return None
    zone = found[9] if found[9] else "Z"
    return written(time)[:-1] + ("Z" if zone in ("Z", "+00:00", "-00:00") else zone)
