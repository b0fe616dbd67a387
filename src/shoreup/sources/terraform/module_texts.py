"""The files of a module that is cut out of its folder: its call, its variables and outputs, and what keeps addresses.

Texts are made with ``\\n``; whoever puts them into files gives them those files' line ends.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from shoreup.formats.hcl import Source, parse_file
from shoreup.formats.hcl.alignment import Change
from shoreup.formats.hcl.references import references
from shoreup.formats.hcl.style import indentation
from shoreup.formats.hcl.syntax import Attribute, Block, Expression, ObjectOf, Template
from shoreup.formats.hcl.writing import Writer
from shoreup.model.edit import Enclose
from shoreup.terraform.configuration import Module

_NOT_FOR_VARIABLES = frozenset(
    {"source", "version", "providers", "count", "for_each", "lifecycle", "depends_on", "locals"}
)
"""Names that a module's call keeps for itself."""
_BUILT_IN = "terraform"
"""The provider that is part of Terraform."""


def as_it_stands(node: Expression) -> str:
    """An expression's text, its later lines without the indentation of its first."""
    text = node.source.text
    margin = indentation(text, node.start)
    lines = text[node.start : node.end].replace("\r\n", "\n").split("\n")
    return "\n".join([lines[0], *(line.removeprefix(margin) for line in lines[1:])])


class Providers(Struct):
    """The providers that a folder asks for by their local names, with their sources."""

    sources: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, module: Module) -> Providers:
        """Those of a folder's ``terraform`` blocks."""
        found = cls()
        inner = (one for block in module.settings if block.kind == "terraform" for one in block.body.blocks)
        for block in inner:
            for name, attribute in block.body.attributes.items() if block.kind == "required_providers" else ():
                said = attribute.expression
                for key, value in said.items if isinstance(said, ObjectOf) else ():
                    if isinstance(key, Template) and key.constant == "source":
                        found.sources[name] = as_it_stands(value)
        return found


class Interface:
    """What one module takes and gives. Asked again for the same expression it gives the same name."""

    def __init__(self, edit: Enclose, directory: str) -> None:
        self.name = edit.name
        self.folder = posixpath.dirname(edit.moves[0].file)
        self._source = f"./{posixpath.relpath(self.folder, directory)}"
        self._inputs: dict[str, tuple[str, Mapping[str, str]]] = {}
        self._outputs: dict[str, str] = {}
        self._providers: set[str] = set()
        """Those that are used as they are by default."""
        self._aliases: set[str] = set()

    def input(self, said: str, words: Sequence[str | int], about: Mapping[str, str]) -> str:
        """The name of the variable that takes an expression; ``about`` are the variable's arguments as text."""
        known = next((name for name, (other, _) in self._inputs.items() if other == said), None)
        if known is not None:
            return known
        name = _named(words, {*self._inputs, *_NOT_FOR_VARIABLES})
        self._inputs[name] = (said, about)
        return name

    def output(self, said: str, words: Sequence[str | int]) -> str:
        """The name of the output that gives an expression."""
        known = next((name for name, other in self._outputs.items() if other == said), None)
        if known is not None:
            return known
        name = _named(words, self._outputs)
        self._outputs[name] = said
        return name

    def use(self, block: Block) -> None:
        """Note the provider of a block."""
        if block.kind in ("resource", "data") and "provider" not in block.body.attributes:
            self._providers.add(block.labels[0].partition("_")[0])

    def use_provider(self, attribute: Attribute) -> None:
        """Note the providers that a block names."""
        node = attribute.expression
        for value in (item for _, item in node.items) if isinstance(node, ObjectOf) else (node,):
            for one in references(value):
                if len(one.words) > 1:
                    self._aliases.add(".".join(map(str, one.words[:2])))
                else:
                    self._providers.add(str(one.words[0]))

    def call(self) -> str:
        """The block that calls the module."""
        lines = [f'  source = "{self._source}"']
        if self._aliases:
            passed = [f"    {name} = {name}" for name in sorted((self._providers | self._aliases) - {_BUILT_IN})]
            lines += ["", "  providers = {", *passed, "  }"]
        if self._inputs:
            lines += ["", *(f"  {name} = {said}" for name, (said, _) in self._inputs.items())]
        return _laid_out(f'module "{self.name}" {{\n' + "\n".join(lines) + "\n}\n")

    def files(self, known: Providers) -> dict[str, str]:
        """The files that the module has beside its blocks."""
        variables = [
            _block("variable", name, [f"{word} = {text}" for word, text in about.items()])
            for name, (_, about) in self._inputs.items()
        ]
        outputs = [_block("output", name, [f"value = {said}"]) for name, said in self._outputs.items()]
        made = {
            "variables.tf": "\n".join(variables),
            "outputs.tf": "\n".join(outputs),
            "versions.tf": self._versions(known),
        }
        return {f"{self.folder}/{name}": _laid_out(text) for name, text in made.items() if text}

    def _versions(self, known: Providers) -> str:
        lines: list[str] = []
        for name in sorted({*self._providers, *(one.partition(".")[0] for one in self._aliases)} - {_BUILT_IN}):
            own = [one for one in sorted(self._aliases) if one.startswith(f"{name}.")]
            said = [f"source = {known.sources[name]}"] if name in known.sources else []
            said += [f"configuration_aliases = [{', '.join(own)}]"] if own else []
            if said:
                lines += [f"    {name} = {{", *(f"      {line}" for line in said), "    }"]
        if not lines:
            return ""
        return "\n".join(["terraform {", "  required_providers {", *lines, "  }", "}", ""])


def moved_blocks(module: Module, directory: str, file: str, edits: Sequence[Enclose]) -> tuple[str, str]:
    """The file for ``moved`` blocks, and those that are new: where such stand already, but not in the long file."""
    there = Counter(
        one.source.path for one in module.files for block in one.body.blocks if block.kind == "moved"
    )  # fmt: skip
    there.pop(file, None)
    target = there.most_common(1)[0][0] if there else posixpath.join(directory.removeprefix("."), "moves.tf")
    blocks = [
        f"moved {{\n  from = {address}\n  to   = module.{one.name}.{address}\n}}\n"
        for one in edits
        for address in one.addresses
    ]
    return target, "\n".join(blocks)


def _block(kind: str, name: str, lines: Iterable[str]) -> str:
    inside = "".join(f"  {line}\n".replace("\n", "\n  ").removesuffix("  ") for line in lines)
    return f'{kind} "{name}" {{\n{inside}}}\n'


def _laid_out(text: str) -> str:
    """A text with its equals signs in columns."""
    (made,) = Writer(parse_file(Source("new.tf", b""))).replacements([Change(0, 0, text)])
    return made.text.decode()


def _named(words: Sequence[str | int], taken: Iterable[str]) -> str:
    """A name for what is handed over: what it is called itself, with the attribute's name where it is but one."""
    kept = [str(word) for word in words if isinstance(word, str)]
    kept = kept[1:] if kept[0] in ("resource", "data") else kept
    kind, label, rest = kept[0], kept[1], kept[2:]
    kind = re.sub(r"_v\d+$", "", kind.partition("_")[2])
    if words[0] == "path":
        label = "module_path"
    if words[0] == "module":
        kind, label, rest = "", rest[0] if rest else label, []
    last = "namespace" if kind == "namespace" and rest[-1:] == ["name"] else rest[-1] if rest else ""
    plain = label if not last or label.endswith(last) else f"{label}_{last}"
    tries = [plain, f"{kind}_{plain}" if kind else f"{plain}_value", *(f"{plain}_{count}" for count in range(2, 1000))]
    used = set(taken)
    return next(name for one in tries if (name := re.sub(r"\W", "_", one)) not in used)
