"""The tree of an HCL file.

Every node knows its :class:`Source` and its characters ``start`` and ``end`` (exclusive). Nodes are plain
slotted objects, made once per file and shared by every call of a module; nothing changes them after parsing. A large
estate has millions of them: what can be worked out from the text is not stored, and the garbage collector need not
know those that hold no others. The others it has to know: Python takes apart what is nested deeply, as a hostile file
may be, without overflowing its stack only where it does.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct, field

from shoreup.formats.hcl.heredocs import lines_of_heredoc
from shoreup.formats.hcl.source import Problem, Source

_WRAPPING = frozenset({"hcl-quoted", "json"})


class Literal(Struct, eq=False, gc=False):
    """A number, a boolean or null."""

    source: Source
    start: int
    end: int
    value: int | float | bool | None


class Text(Struct, eq=False, gc=False):
    """Literal characters of a template: one line of a heredoc, or a run of a quoted string.

    ``start`` and ``end`` are what stands in the file after indentation and trimmed white space are taken off.
    ``decoded`` is what that means where it has escapes.
    """

    source: Source
    start: int
    end: int
    decoded: str | None = None

    @property
    def value(self) -> str:
        """What it means, escapes resolved."""
        return self.source.text[self.start : self.end] if self.decoded is None else self.decoded


class Interpolation(Struct, eq=False):
    """``${ expression }``."""

    source: Source
    start: int
    end: int
    expression: Expression


class IfDirective(Struct, eq=False):
    """``%{ if c }...%{ else }...%{ endif }``."""

    source: Source
    start: int
    end: int
    condition: Expression
    then: list[Part]
    otherwise: list[Part]


class ForDirective(Struct, eq=False):
    """``%{ for k, v in c }...%{ endfor }``. ``key`` is empty when there is one variable."""

    source: Source
    start: int
    end: int
    key: str
    item: str
    collection: Expression
    body: list[Part]


class Template(Struct, eq=False):
    """A string. ``encoding`` is ``hcl-quoted``, ``hcl-heredoc``, ``hcl-template`` or ``json``.

    ``constant`` is its value when nothing is interpolated. ``read`` are its parts, or ``None`` for a quoted string, a
    heredoc or a bare word that stands there as it is: most strings do, and few are ever asked for their parts.
    """

    source: Source
    start: int
    end: int
    read: list[Part] | None
    encoding: str
    constant: str | None

    @property
    def parts(self) -> list[Part]:
        """What it is made of; nothing for the empty string."""
        if self.read is None and self.encoding == "hcl-heredoc":
            lines = lines_of_heredoc(self.source.text, self.start, self.end)
            places = self.source.offsets
            self.read = [Text(self.source, places[start], places[end]) for start, end in lines]
        elif self.read is None:
            quotes = 0 if self.encoding == "raw" else 1
            self.read = [Text(self.source, self.start + quotes, self.end - quotes)] if self.constant else []
        return self.read

    @property
    def wrapped(self) -> Expression | None:
        """The expression that a string is nothing but an interpolation of: ``"${x}"`` is ``x``, of whatever type."""
        if self.constant is not None or self.encoding not in _WRAPPING or len(self.parts) != 1:
            return None
        part = self.parts[0]
        return part.expression if type(part) is Interpolation else None


class Name(Struct, eq=False, gc=False):
    """The first word of a reference: ``var``, ``local``, a resource type, an iterator."""

    source: Source
    start: int
    end: int
    name: str


class Attr(Struct, eq=False):
    """``object.name``."""

    source: Source
    start: int
    end: int
    base: Expression
    name: str


class Index(Struct, eq=False):
    """``base[key]`` or ``base.0``."""

    source: Source
    start: int
    end: int
    base: Expression
    key: Expression


class Splat(Struct, eq=False):
    """``base[*].each`` or ``base.*.each``. ``each`` is an expression over :class:`SplatItem`."""

    source: Source
    start: int
    end: int
    base: Expression
    each: Expression


class SplatItem(Struct, eq=False, gc=False):
    """Stands for one item inside a splat's ``each``."""

    source: Source
    start: int
    end: int


class Call(Struct, eq=False):
    """``name(arguments)``; ``expands`` says that the last argument is followed by ``...``."""

    source: Source
    start: int
    end: int
    name: str
    arguments: list[Expression]
    expands: bool


class Unary(Struct, eq=False):
    """``!x`` or ``-x``."""

    source: Source
    start: int
    end: int
    operator: str
    operand: Expression


class Binary(Struct, eq=False):
    """``left operator right``."""

    source: Source
    start: int
    end: int
    operator: str
    left: Expression
    right: Expression


class Conditional(Struct, eq=False):
    """``condition ? then : otherwise``."""

    source: Source
    start: int
    end: int
    condition: Expression
    then: Expression
    otherwise: Expression


class Paren(Struct, eq=False):
    """``( inner )``."""

    source: Source
    start: int
    end: int
    inner: Expression


class ListOf(Struct, eq=False):
    """``[a, b]``."""

    source: Source
    start: int
    end: int
    items: list[Expression]


class ObjectOf(Struct, eq=False):
    """``{ key = value }``. A bare word as a key is a constant :class:`Template`."""

    source: Source
    start: int
    end: int
    items: list[tuple[Expression, Expression]]


class ForOf(Struct, eq=False):
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


class Attribute(Struct, eq=False):
    """``name = expression``."""

    source: Source
    start: int
    end: int
    name: str
    expression: Expression


class Body(Struct, eq=False):
    """The inside of a block or file, in the file's order."""

    source: Source
    start: int
    end: int
    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


class Block(Struct, eq=False):
    """``kind "label" { body }``."""

    source: Source
    start: int
    end: int
    kind: str
    labels: list[str]
    body: Body


class Comment(Struct, eq=False, gc=False):
    """A comment with its markers; a block comment may span lines."""

    start: int
    end: int


class File(Struct, eq=False):
    """One file of HCL."""

    source: Source
    body: Body
    comments: list[Comment]
    problems: list[Problem]
