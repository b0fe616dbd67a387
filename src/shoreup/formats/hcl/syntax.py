"""The tree of an HCL file.

Every node knows its :class:`Source` and its characters ``start`` and ``end`` (exclusive). Nodes are plain
slotted objects, made once per file and shared by every call of a module; nothing changes them after parsing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from shoreup.formats.hcl.source import Problem, Source


@dataclass(slots=True, eq=False)
class Literal:
    """A number, a boolean or null."""

    source: Source
    start: int
    end: int
    value: int | float | bool | None


@dataclass(slots=True, eq=False)
class Text:
    """Literal characters of a template: one line of a heredoc, or a run of a quoted string.

    ``start`` and ``end`` are what stands in the file after indentation and trimmed white space are taken off;
    ``value`` is what it means, escapes resolved.
    """

    source: Source
    start: int
    end: int
    value: str


@dataclass(slots=True, eq=False)
class Interpolation:
    """``${ expression }``."""

    source: Source
    start: int
    end: int
    expression: Expression


@dataclass(slots=True, eq=False)
class IfDirective:
    """``%{ if c }...%{ else }...%{ endif }``."""

    source: Source
    start: int
    end: int
    condition: Expression
    then: list[Part]
    otherwise: list[Part]


@dataclass(slots=True, eq=False)
class ForDirective:
    """``%{ for k, v in c }...%{ endfor }``. ``key`` is empty when there is one variable."""

    source: Source
    start: int
    end: int
    key: str
    item: str
    collection: Expression
    body: list[Part]


@dataclass(slots=True, eq=False)
class Template:
    """A string. ``encoding`` is ``hcl-quoted``, ``hcl-heredoc``, ``hcl-template`` or ``json``.

    ``constant`` is its value when nothing is interpolated.
    """

    source: Source
    start: int
    end: int
    parts: list[Part]
    encoding: str
    constant: str | None


@dataclass(slots=True, eq=False)
class Name:
    """The first word of a reference: ``var``, ``local``, a resource type, an iterator."""

    source: Source
    start: int
    end: int
    name: str


@dataclass(slots=True, eq=False)
class Attr:
    """``object.name``."""

    source: Source
    start: int
    end: int
    base: Expression
    name: str


@dataclass(slots=True, eq=False)
class Index:
    """``base[key]`` or ``base.0``."""

    source: Source
    start: int
    end: int
    base: Expression
    key: Expression


@dataclass(slots=True, eq=False)
class Splat:
    """``base[*].each`` or ``base.*.each``. ``each`` is an expression over :class:`SplatItem`."""

    source: Source
    start: int
    end: int
    base: Expression
    each: Expression


@dataclass(slots=True, eq=False)
class SplatItem:
    """Stands for one item inside a splat's ``each``."""

    source: Source
    start: int
    end: int


@dataclass(slots=True, eq=False)
class Call:
    """``name(arguments)``; ``expands`` says that the last argument is followed by ``...``."""

    source: Source
    start: int
    end: int
    name: str
    arguments: list[Expression]
    expands: bool


@dataclass(slots=True, eq=False)
class Unary:
    """``!x`` or ``-x``."""

    source: Source
    start: int
    end: int
    operator: str
    operand: Expression


@dataclass(slots=True, eq=False)
class Binary:
    """``left operator right``."""

    source: Source
    start: int
    end: int
    operator: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Conditional:
    """``condition ? then : otherwise``."""

    source: Source
    start: int
    end: int
    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(slots=True, eq=False)
class Paren:
    """``( inner )``."""

    source: Source
    start: int
    end: int
    inner: Expression


@dataclass(slots=True, eq=False)
class ListOf:
    """``[a, b]``."""

    source: Source
    start: int
    end: int
    items: list[Expression]


@dataclass(slots=True, eq=False)
class ObjectOf:
    """``{ key = value }``. A bare word as a key is a constant :class:`Template`."""

    source: Source
    start: int
    end: int
    items: list[tuple[Expression, Expression]]


@dataclass(slots=True, eq=False)
class ForOf:
    """``[for k, v in c : value if x]`` and ``{for k, v in c : key => value... if x}``.

    ``key_name`` is empty when there is one variable; ``result_key`` is ``None`` for a list.
    """

    source: Source
    start: int
    end: int
    key_name: str
    item_name: str
    collection: Expression
    result_key: Expression | None
    result: Expression
    condition: Expression | None
    grouped: bool


Expression: TypeAlias = (
    Literal
    | Template
    | Name
    | Attr
    | Index
    | Splat
    | SplatItem
    | Call
    | Unary
    | Binary
    | Conditional
    | Paren
    | ListOf
    | ObjectOf
    | ForOf
)
Part: TypeAlias = Text | Interpolation | IfDirective | ForDirective


@dataclass(slots=True, eq=False)
class Attribute:
    """``name = expression``."""

    source: Source
    start: int
    end: int
    name: str
    expression: Expression


@dataclass(slots=True, eq=False)
class Body:
    """The inside of a block or file, in the file's order."""

    source: Source
    start: int
    end: int
    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Block:
    """``kind "label" { body }``."""

    source: Source
    start: int
    end: int
    kind: str
    labels: list[str]
    body: Body


@dataclass(slots=True, eq=False)
class Comment:
    """A comment with its markers; a block comment may span lines."""

    start: int
    end: int


@dataclass(slots=True, eq=False)
class File:
    """One file of HCL."""

    source: Source
    body: Body
    comments: list[Comment]
    problems: list[Problem]
