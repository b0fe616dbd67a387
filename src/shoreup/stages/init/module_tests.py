"""What a Terraform test can know of the modules that a root calls.

A test sees a root's own resources and no others. A run of its own can plan a module in place of the root, with the
values of its variables written out. So a call can have one whose values are all certain. A secret is not copied into a
test: a stand-in takes its place, of which nothing is asserted.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.facts.secrets.recognition import likenesses, secret_name
from shoreup.formats.hcl.rendering import expression_text, key_text
from shoreup.formats.hcl.style import Style
from shoreup.formats.hcl.syntax import Block
from shoreup.model.value import PartialText, Unknown, Value, unknowns
from shoreup.sources.provider import table
from shoreup.sources.terraform.reader import called_modules
from shoreup.terraform.configuration import Configurations, Module
from shoreup.terraform.module import ModuleInstance

_LONG = 1_000
"""Characters of a value from which it is no longer copied: a whole program or page."""
PLACEHOLDERS = {
    "string": '"placeholder"',
    "number": "1",
    "bool": "false",
    "list": "[]",
    "set": "[]",
    "map": "{}",
}
"""What stands in for a value, by the first word of its type."""


class Call(Struct, frozen=True):
    """A module instance that can be planned alone.

    ``name`` is that of the run, ``source`` the module's folder as seen from the root's, ``variables`` their lines, and
    ``withheld`` the variables that have a stand-in there.
    """

    name: str
    instance: ModuleInstance
    source: str
    variables: tuple[str, ...]
    withheld: frozenset[str]


def calls(configurations: Configurations, root: Module, untested: list[str]) -> Iterator[Call]:
    """The calls that can be tested, each set of values once; ``untested`` takes those that cannot, and why."""
    seen: set[tuple[str, tuple[str, ...]]] = set()
    names: set[str] = {"wiring"}
    refused: list[str] = []
    for instance in called_modules(configurations, root.path):
        if not any(table().kind(kind) for kind, _ in instance.module.resources):
            continue
        call, why = _call(root, instance, names)
        if why:
            refused.append(f"{instance.address} ({why})")
        elif (call.source, call.variables) not in seen:
            seen.add((call.source, call.variables))
            yield call
    if refused:
        more = f" and {len(refused) - 1} more of its modules" if len(refused) > 1 else ""
        untested.append(f"{root.path}: {refused[0]}{more}.")


def _call(root: Module, instance: ModuleInstance, names: set[str]) -> tuple[Call, str]:
    """A call as a run would have it, and why it cannot be one."""
    lines: list[str] = []
    withheld: set[str] = set()
    why = "it wants providers by names of its own" if _wants_aliases(instance.module) else ""
    for variable, block in instance.module.variables.items():
        if variable in instance.given and not why:
            value = instance.variable(variable)
            written, why = _written(variable, value, block)
            lines.append(f"{key_text(variable)} = {written}")
            if _is_withheld(variable, value, block):
                withheld.add(variable)
    source = posixpath.relpath(instance.module.path, root.path)
    source = source if source.startswith("..") else f"./{source}"
    name = "" if why else _named(instance.address, names)
    return Call(name, instance, source, tuple(aligned(lines)), frozenset(withheld)), why


def stand_in(block: Block) -> str:
    """What can take the place of a variable's value; empty where nothing certainly can."""
    kind = block.body.attributes.get("type")
    word = kind.expression.source.text[kind.expression.start : kind.expression.end] if kind else "string"
    value = PLACEHOLDERS.get(word.partition("(")[0].strip(), "")
    return "" if any(inner.kind == "validation" for inner in block.body.blocks) else value


def aligned(lines: Sequence[str]) -> Iterator[str]:
    """``name = value`` with the equals signs in one column."""
    width = max((len(line.partition(" ")[0]) for line in lines), default=0)
    for line in lines:
        name, _, rest = line.partition(" ")
        yield f"{name:<{width}} {rest}"


def _named(address: str, taken: set[str]) -> str:
    words = re.sub(r"\W+", "_", re.sub(r"(^|\.)module\.", r"\1", address)).strip("_")
    name, number = words, 2
    while name in taken:
        name, number = f"{words}_{number}", number + 1
    taken.add(name)
    return name


def _written(name: str, value: Value, block: Block) -> tuple[str, str]:
    """A value as Terraform writes it, or why there is none."""
    if _is_withheld(name, value, block):
        return (stand_in(block), "") if stand_in(block) else ("", f"no stand-in is certain for its variable {name}")
    if isinstance(value, (Unknown, PartialText)) or next(unknowns(value), None) is not None:
        return "", f"its variable {name} is not certain before an apply"
    return _inline(value), ""


def _is_withheld(name: str, value: Value, block: Block) -> bool:
    """Whether a value is a secret, decided or not, or a long text."""
    if isinstance(value, (bool, int, float)) or value is None:
        return False
    held = block.body.attributes.get("sensitive")
    marked = held is not None and held.expression.source.text[held.expression.start : held.expression.end] == "true"
    if isinstance(value, (Unknown, PartialText)):
        return marked or secret_name(name)
    texts = list(_texts(name, value))
    return (
        marked
        or sum(len(text) for _, text in texts) > _LONG
        or any(secret_name(key) or next(likenesses(text, key), None) is not None for key, text in texts)
    )


def _texts(name: str, value: Value) -> Iterator[tuple[str, str]]:
    """Every text inside a value, with the key that it stands under."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(str(key), item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(name, item)


def _inline(value: Value) -> str:
    """A decided value on one line."""
    if isinstance(value, dict):
        return (
            f"{{ {', '.join(f'{key_text(key)} = {_inline(item)}' for key, item in value.items())} }}" if value else "{}"
        )
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    assert not isinstance(value, (Unknown, PartialText))
    return expression_text(value, "", Style())


def _wants_aliases(module: Module) -> bool:
    return any(
        "configuration_aliases" in block.body.source.text[block.start : block.end]
        for block in module.settings
        if block.kind == "terraform"
    )
