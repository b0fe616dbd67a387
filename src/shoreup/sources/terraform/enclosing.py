"""Blocks of a folder that become a module of their own: what crosses the cut goes through inputs and outputs.

A module sees nothing of who calls it. So what its blocks refer to outside comes in as a variable, what others refer to
inside goes out as an output, and every block that waited for another one still does: a whole resource may be handed
over, and Terraform takes that as an order. Nothing else is written anew.

A reference is cut where cutting it cannot change what it gives: ``local.sizes["wiki"]`` is handed over as
``local.sizes``, for a key that is not there may be asked about with ``try``; an attribute of a resource that exists
once is handed over by itself.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from msgspec import Struct, field

from shoreup.formats.edits import CannotWrite, Replacement
from shoreup.formats.files import FileTree
from shoreup.formats.hcl.alignment import Change
from shoreup.formats.hcl.references import Reference, calls, references
from shoreup.formats.hcl.syntax import Attribute, Block, Body, Expression, File, ListOf, Literal, Template, Text
from shoreup.formats.hcl.syntax import Interpolation as Interpolated
from shoreup.formats.hcl.writing import Writer
from shoreup.model.edit import Enclose
from shoreup.sources.terraform.module_texts import Interface, Providers, as_it_stands, moved_blocks
from shoreup.terraform.configuration import Configurations, Module, constant_text, local_source

_READ_FILES = frozenset(
    f"file{kind}" for kind in ("", "exists", "set", "base64", "md5", "sha1", "sha256", "sha512", "base64sha256",
                               "base64sha512")
) | {"templatefile"}  # fmt: skip
_SAME_EVERYWHERE = frozenset({"each", "count", "self", "terraform", "tofu"})
_HANDED_ON: tuple[str, ...] = ("description", "type", "sensitive", "ephemeral")
"""What the variable that takes another one says as that one does."""
_META_REFERENCES = ("depends_on", "replace_triggered_by")


class Enclosed(Struct):
    """What becomes of a folder. ``within`` are changed references, also in blocks that move; ``calls`` are by module.

    ``files`` are new ones, and the file of ``moved`` blocks with what it gets.
    """

    within: dict[str, tuple[Replacement, ...]] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


class _Target(Struct, frozen=True):
    """What a reference names: its kind (``var``, ``data``, a type of resource), and where that will stand."""

    kind: str
    name: str
    words: int
    """How many words of the reference name it."""
    home: str = ""
    """The module that it moves into; empty for what stays."""
    block: Block | None = None


def enclosed(edits: Sequence[Enclose], tree: FileTree) -> Enclosed:
    """Work out how the blocks come to stand in modules of their own. Raises :class:`CannotWrite` with the reason."""
    return _Enclosing(edits, tree).run()


class _Enclosing:
    def __init__(self, edits: Sequence[Enclose], tree: FileTree) -> None:
        self.edits = edits
        self.tree = tree
        self.file = edits[0].moves[0].span.file
        self.directory = posixpath.dirname(self.file) or "."
        configurations = Configurations(tree)
        module = configurations.module(self.directory)
        if module is None:
            raise CannotWrite(f"{self.file} cannot be read")
        self.module: Module = module
        self._refuse(configurations)
        self.homes = {id(block): name for block, name in self._moving()}
        self.named = {
            (*_declared(block),): self.homes[id(block)]
            for one in self.module.files
            for block in one.body.blocks
            if id(block) in self.homes
        }
        self.sides = {one.name: Interface(one, self.directory) for one in edits}
        self.changes: dict[str, list[Change]] = {one.source.path: [] for one in self.module.files}

    def run(self) -> Enclosed:
        for file in self.module.files:
            for block in file.body.blocks:
                self._block(file, block)
        provided = Providers.of(self.module)
        made = Enclosed()
        for file in self.module.files:
            if changes := self.changes[file.source.path]:
                made.within[file.source.path] = Writer(file).replacements(changes)
        for one in self.edits:
            side = self.sides[one.name]
            made.calls[one.name] = side.call()
            made.files.update(side.files(provided))
        target, said = moved_blocks(self.module, self.directory, self.file, self.edits)
        made.files[target] = said
        return made

    def _refuse(self, configurations: Configurations) -> None:
        """What stands in the way as a whole."""
        for path in configurations.paths(self.directory):
            stem = posixpath.basename(path).partition(".")[0]
            if path.endswith(".json"):
                raise CannotWrite(f"{path} is written in JSON, in which references are not followed yet")
            if stem == "override" or stem.endswith("_override"):
                raise CannotWrite(f"{path} overrides blocks of its folder, and a module's blocks are out of its reach")
        for path in self.tree.files:
            if path.endswith((".tftest.hcl", ".tofutest.hcl")) and posixpath.dirname(path) in (
                self.directory.removeprefix("."),
                posixpath.join(self.directory, "tests").removeprefix("./"),
            ):
                raise CannotWrite(f"{path} tests the folder by its addresses, which are not followed there yet")
        for one in self.edits:
            if one.name in self.module.calls:
                raise CannotWrite(f"there is a module {one.name} already")
            folder = posixpath.dirname(one.moves[0].file)
            if any(path.startswith(f"{folder}/") for path in self.tree.files):
                raise CannotWrite(f"there is a folder {folder} already")

    def _moving(self) -> Iterator[tuple[Block, str]]:
        for one in self.edits:
            wanted = {(move.span.file, move.span.start): move.span.end for move in one.moves}
            count = 0
            for file in self.module.files:
                for block in file.body.blocks:
                    span = file.source.span(block.start, block.end)
                    if any(span.file == at and start <= span.start < end for (at, start), end in wanted.items()):
                        count += 1
                        yield block, one.name
            if count != len(one.moves):
                raise CannotWrite(f"{self.file} is not as it was read")

    # One block

    def _block(self, file: File, block: Block) -> None:
        home = self.homes.get(id(block), "")
        if block.kind in ("moved", "removed"):
            return
        for path, attribute in _attributes(block.body):
            if path[-2:] == ("lifecycle", "ignore_changes"):
                continue
            if attribute.name in ("provider", "providers") and len(path) == 1 and block.kind != "output":
                if home:
                    self.sides[home].use_provider(attribute)
            elif block.kind == "import" and path == ("to",):
                self._imported(file, attribute)
            else:
                self._expression(file, attribute.expression, home, path[-1])
        if home:
            self.sides[home].use(block)
            if block.kind == "module":
                self._source(file, block, home)

    def _imported(self, file: File, attribute: Attribute) -> None:
        for one in references(attribute.expression):
            target = self._target(one)
            if target is not None and target.home:
                self.changes[file.source.path].append(Change(one.start, one.start, f"module.{target.home}."))

    def _source(self, file: File, call: Block, home: str) -> None:
        """A path of a module is said from where it is called."""
        target = local_source(self.directory, call)
        attribute = call.body.attributes.get("source")
        if target is None or attribute is None:
            return
        folder = posixpath.dirname(next(one for one in self.edits if one.name == home).moves[0].file)
        said = posixpath.relpath(target, folder)
        if "//" in (constant_text(call, "source") or ""):
            raise CannotWrite(f"line {call.source.line(call.start)} calls a module by a path with //")
        node = attribute.expression
        self.changes[file.source.path].append(Change(node.start, node.end, f'"{said}"'))

    def _expression(self, file: File, expression: Expression, home: str, argument: str) -> None:
        source, changes = file.source, self.changes[file.source.path]
        near = set(self._paths(file, expression, home)) if home else set()
        if argument in _META_REFERENCES and isinstance(expression, ListOf):
            self._refuse_quoted(expression, home, argument)
        for one in references(expression):
            if one.start in near:
                continue
            target = self._target(one)
            if target is None or target.home == home:
                continue
            line = source.line(one.start)
            where = f"line {line} of {source.path}"
            if argument == "replace_triggered_by":
                raise CannotWrite(f"{where} replaces one when another changes, which must stand in the same module")
            if argument == "depends_on" and target.kind == "module":
                raise CannotWrite(f"{where} waits for the whole module {target.name}, which cannot be handed over")
            if target.kind == "ephemeral":
                raise CannotWrite(f"{where} hands over {target.name}, which is never kept and needs another way")
            words = target.words if argument == "depends_on" else _cut(one, target)
            end = one.ends[words - 1]
            said = source.text[one.start : end]
            if target.home:
                said = f"module.{target.home}.{self.sides[target.home].output(said, one.words[:words])}"
            if home:
                said = f"var.{self.sides[home].input(said, one.words[:words], _type(target, one, words, self.module))}"
            changes.append(Change(one.start, end, said))

    def _refuse_quoted(self, expression: ListOf, home: str, argument: str) -> None:
        for item in expression.items:
            if isinstance(item, Template) and item.constant:
                words = tuple(item.constant.split("."))
                if len(words) > 1 and self.named.get(_key(words), "") != home:
                    line = item.source.line(item.start)
                    raise CannotWrite(f"line {line} of {item.source.path} names {item.constant} in {argument} as text")

    def _paths(self, file: File, expression: Expression, home: str) -> Iterator[int]:
        """Files that are named from the module's own folder: they are as many folders up from the new one."""
        folder = posixpath.dirname(next(one for one in self.edits if one.name == home).moves[0].file)
        up = posixpath.relpath(self.directory, folder)
        for call in calls(expression):
            first = call.arguments[0] if call.name in _READ_FILES and call.arguments else None
            parts = first.parts if isinstance(first, Template) and first.constant is None else []
            if len(parts) < 2 or not isinstance(parts[0], Interpolated) or not isinstance(parts[1], Text):
                continue
            found = [*references(parts[0].expression)]
            if len(found) == 1 and found[0].words == ("path", "module") and parts[1].value.startswith("/"):
                self.changes[file.source.path].append(Change(parts[0].end, parts[0].end, f"/{up}"))
                yield found[0].start

    # What is meant

    def _target(self, one: Reference) -> _Target | None:
        words = one.words[1:] if one.words[0] == "resource" else one.words
        skipped = len(one.words) - len(words)
        if len(words) < 2 or words[0] in _SAME_EVERYWHERE:
            return None
        kind, name = str(words[0]), str(words[1])
        if kind in ("var", "local"):
            return _Target(kind, name, 2)
        if kind == "path":
            return _Target(kind, name, 2) if name == "module" else None
        if kind == "module":
            call = self.module.calls.get(name)
            return _Target(kind, name, 2, self.named.get((kind, name), ""), call) if call else None
        if kind in ("data", "ephemeral"):
            block = self.module.data.get((name, str(words[2]))) if len(words) > 2 else None
            home = self.named.get((kind, name, str(words[2])), "") if block else ""
            return _Target(kind, str(words[2]), 3, home, block) if block else None
        block = self.module.resources.get((kind, name))
        return _Target(kind, name, 2 + skipped, self.named.get((kind, name), ""), block) if block else None


def _declared(block: Block) -> tuple[str, ...]:
    return (*block.labels,) if block.kind == "resource" else (block.kind, *block.labels)


def _key(words: tuple[str, ...]) -> tuple[str, ...]:
    return words[: 3 if words[0] == "data" else 2]


def _attributes(body: Body, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Attribute]]:
    """Every argument inside of a block, with the blocks that it stands in."""
    for attribute in body.attributes.values():
        yield (*path, attribute.name), attribute
    for block in body.blocks:
        yield from _attributes(block.body, (*path, block.kind))


def _cut(one: Reference, target: _Target) -> int:
    """How many words of a reference are handed over."""
    if target.kind in ("var", "local", "path"):
        return target.words
    several = target.block is not None and {"count", "for_each"} & set(target.block.body.attributes)
    if several or len(one.words) <= target.words:
        return target.words
    if target.kind == "module":
        return target.words + 1
    rest = one.words[target.words :]
    if rest[:2] == ("metadata", 0) and rest[2:3] in (("name",), ("namespace",), ("uid",)):
        return target.words + 3
    return target.words + 1 if isinstance(rest[0], str) else target.words


def _type(target: _Target, one: Reference, words: int, module: Module) -> dict[str, str]:
    """The arguments of the variable that takes it: what is known of its type, and whether it is secret."""
    if target.kind == "var":
        block = module.variables.get(target.name)
        own = block.body.attributes if block else {}
        said = {name: as_it_stands(own[name].expression) for name in _HANDED_ON if name in own}
        return said if "type" in said else {"type": "any", **said}
    if target.kind == "local":
        attribute = module.locals.get(target.name)
        return {"type": _plain_type(attribute.expression) if attribute else "any"}
    certain = target.kind == "path" or words == target.words + 3
    return {"type": "string" if certain else "any"}


def _plain_type(node: Expression) -> str:
    if isinstance(node, Template):
        return "string"
    if isinstance(node, Literal) and node.value is not None:
        return "bool" if isinstance(node.value, bool) else "number"
    return "any"
