"""The blocks of one directory of Terraform, by what they declare. Read once, however often it is called."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from shoreup.formats.files import FileTree
from shoreup.formats.hcl import Source, parse_file
from shoreup.formats.hcl.json_syntax import parse_json_file, parse_json_values
from shoreup.formats.hcl.syntax import Attribute, Block, File, Template

if TYPE_CHECKING:
    from shoreup.formats.hcl.writing import Writer

EXTENSIONS = (".tf", ".tf.json", ".tofu", ".tofu.json")
AUTOMATIC_VALUES = (".auto.tfvars", ".auto.tfvars.json")


class Module(Struct, eq=False):
    """One directory. ``resources`` and ``data`` are keyed by type and name; ``calls`` by the call's name."""

    path: str
    files: list[File] = field(default_factory=list)
    variables: dict[str, Block] = field(default_factory=dict)
    locals: dict[str, Attribute] = field(default_factory=dict)
    outputs: dict[str, Block] = field(default_factory=dict)
    resources: dict[tuple[str, str], Block] = field(default_factory=dict)
    data: dict[tuple[str, str], Block] = field(default_factory=dict)
    calls: dict[str, Block] = field(default_factory=dict)
    settings: list[Block] = field(default_factory=list)
    """``terraform``, ``provider``, ``moved`` and other blocks that declare nothing that runs."""


class Configurations:
    """Every directory of Terraform in the estate, read when it is asked for."""

    def __init__(self, tree: FileTree) -> None:
        self.tree = tree
        self._by_directory: dict[str, list[str]] = {}
        self._values: dict[str, list[str]] = {}
        for path in tree.files:
            if _is_replaced(path, tree):
                tree.skipped.setdefault(path, "replaced by its .tofu file")
            elif path.endswith(EXTENSIONS):
                self._by_directory.setdefault(posixpath.dirname(path) or ".", []).append(path)
            elif path.endswith(AUTOMATIC_VALUES):
                self._values.setdefault(posixpath.dirname(path) or ".", []).append(path)
        self._modules: dict[str, Module] = {}
        self._files: dict[str, File | None] = {}
        self._calls: Counter[str | None] = Counter()
        self._counted = 0
        self.writers: dict[str, Writer] = {}
        """The files that edits were made for so far."""

    @property
    def read_directories(self) -> list[str]:
        """The directories that have been read so far, sorted."""
        return sorted(self._modules)

    @property
    def directories(self) -> list[str]:
        """The directories that hold Terraform files, sorted."""
        return sorted(self._by_directory)

    def module(self, directory: str) -> Module | None:
        """The configuration of a directory, or ``None`` where there is none."""
        if directory not in self._by_directory:
            return None
        if directory not in self._modules:
            self._modules[directory] = self._read(directory)
        return self._modules[directory]

    def _read(self, directory: str) -> Module:
        module = Module(directory)
        paths = self._by_directory[directory]
        for path in sorted(paths, key=_overrides):
            file = self.file(path)
            if file is not None:
                module.files.append(file)
                self._declare(module, file, override=_overrides(path))
        return module

    def module_with(self, directory: str, files: Mapping[str, File]) -> Module:
        """A directory with further files, which take the place of those that have their names."""
        module = Module(directory)
        own = {posixpath.basename(path): path for path in self._by_directory.get(directory, [])}
        for name in sorted({*own, *files}, key=lambda name: (_overrides(name), name)):
            file = files[name] if name in files else self.file(own[name])
            if file is not None:
                module.files.append(file)
                self._declare(module, file, override=_overrides(name))
        return module

    def calls_of(self, directory: str) -> int:
        """How many calls name a directory, in those that have been read so far."""
        if self._counted != len(self._modules):
            known = self._modules.items()
            self._calls = Counter(local_source(path, call) for path, module in known for call in module.calls.values())
            self._counted = len(self._modules)
        return self._calls[directory]

    def paths(self, directory: str) -> list[str]:
        """The Terraform files of a directory."""
        return self._by_directory.get(directory, [])

    def automatic_values(self, directory: str) -> list[str]:
        """The ``.auto.tfvars`` files of a directory, sorted."""
        return self._values.get(directory, [])

    def size(self, directory: str) -> int:
        """The bytes of a directory's Terraform files."""
        return sum(len(self.tree.read(path) or b"") for path in self._by_directory.get(directory, ()))

    def called_from(self, directory: str) -> set[str]:
        """The local directories that a directory's module blocks name. Parses no file without a module block."""
        called: set[str] = set()
        for path in self._by_directory[directory]:
            if b"module" not in (self.tree.read(path) or b""):
                continue
            file = self.file(path)
            for block in file.body.blocks if file else ():
                target = local_source(directory, block) if block.kind == "module" else None
                if target is not None and target != directory:
                    called.add(target)
        return called

    def file(self, path: str) -> File | None:
        """Read and parse one file, once; its problems go to the tree's errors."""
        if path not in self._files:
            self._files[path] = self._parse(path)
        return self._files[path]

    def _parse(self, path: str) -> File | None:
        try:
            file = self.tree.once(path, _parsed)
        except RecursionError:
            self.tree.error(path, 0, "nested too deeply", "the file")
            return None
        for problem in file.problems if file else ():
            self.tree.error(path, problem.line, problem.cause, problem.skipped)
        return file

    def values_file(self, path: str) -> File | None:
        """Read a ``.tfvars`` or ``.tfvars.json`` file, whose arguments are values of variables."""
        content = self.tree.read(path)
        if content is None:
            return None
        source = Source(path, content)
        file = parse_json_values(source) if path.endswith(".json") else parse_file(source)
        for problem in file.problems:
            self.tree.error(path, problem.line, problem.cause, problem.skipped)
        return file

    def _declare(self, module: Module, file: File, *, override: bool) -> None:
        for block in file.body.blocks:
            kind, labels = block.kind, block.labels
            if kind == "locals":
                self._declare_locals(module, block, override=override)
                continue
            wanted = _LABELS.get(kind)
            if wanted is None:
                module.settings.append(block)
                continue
            if len(labels) != wanted:
                line = file.source.line(block.start)
                self.tree.error(file.source.path, line, f"a {kind} block needs {wanted} labels", "the block")
                continue
            known = _declared(module, kind)
            key = (labels[0], labels[1]) if wanted == 2 else labels[0]
            if key in known and override:
                known[key] = _merged(known[key], block)
            elif key in known:
                line = file.source.line(block.start)
                name = ".".join(labels)
                self.tree.error(file.source.path, line, f"{kind} {name} is declared twice", "the second one")
            else:
                known[key] = block

    def _declare_locals(self, module: Module, block: Block, *, override: bool) -> None:
        for name, attribute in block.body.attributes.items():
            if name in module.locals and not override:
                line = block.source.line(attribute.start)
                self.tree.error(block.source.path, line, f"local {name} is declared twice", "the second one")
            else:
                module.locals[name] = attribute


def _parsed(path: str, content: bytes) -> File:
    source = Source(path, content)
    return parse_json_file(source) if path.endswith(".json") else parse_file(source)


_LABELS = {"variable": 1, "output": 1, "module": 1, "resource": 2, "data": 2, "ephemeral": 2}


def _is_replaced(path: str, tree: FileTree) -> bool:
    """Whether a file of the same name with OpenTofu's own ending stands beside it, which OpenTofu reads instead."""
    for ending in (".tf", ".tf.json"):
        if path.endswith(ending):
            return f"{path.removesuffix(ending)}{ending.replace('.tf', '.tofu')}" in tree
    return False


def _overrides(path: str) -> bool:
    name = posixpath.basename(path).split(".", 1)[0]
    return name == "override" or name.endswith("_override")


def _declared(module: Module, kind: str) -> dict[Any, Block]:
    tables: dict[str, dict[Any, Block]] = {
        "variable": module.variables,
        "output": module.outputs,
        "module": module.calls,
        "resource": module.resources,
        "data": module.data,
        "ephemeral": module.data,
    }
    return tables[kind]


def _merged(block: Block, override: Block) -> Block:
    """Terraform's override files replace arguments, and all nested blocks of a kind at once."""
    kinds = {inner.kind for inner in override.body.blocks}
    body = type(block.body)(
        block.body.source,
        block.body.start,
        block.body.end,
        {**block.body.attributes, **override.body.attributes},
        [inner for inner in block.body.blocks if inner.kind not in kinds] + override.body.blocks,
    )
    return Block(block.source, block.start, block.end, block.kind, block.labels, body)


def constant_text(block: Block, name: str) -> str | None:
    """An argument that is written as a plain string, such as a module's source."""
    attribute = block.body.attributes.get(name)
    if attribute is None or not isinstance(attribute.expression, Template):
        return None
    return attribute.expression.constant


def local_source(directory: str, call: Block) -> str | None:
    """The directory that a module call in ``directory`` names, when it is a local path."""
    source = constant_text(call, "source")
    if source is None or (not source.startswith(("./", "../")) and source not in (".", "..")):
        return None
    return posixpath.normpath(posixpath.join(directory, source.replace("//", "/")))


def module_roots(configurations: Configurations) -> list[str]:
    """The directories that are applied: those that no other directory calls, but for modules that are left over.

    Directories that only call one another in a circle are noted as an error and none of them is a root.
    """
    called = {directory: configurations.called_from(directory) for directory in configurations.directories}
    targets = {target for found in called.values() for target in found}
    uncalled = [directory for directory in configurations.directories if directory not in targets]
    roots = _applied(configurations, uncalled, called)
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        directory = waiting.pop()
        if directory not in reached:
            reached.add(directory)
            waiting.extend(called.get(directory, ()))
    for directory in configurations.directories:
        if directory not in reached and directory not in uncalled:
            module = configurations.module(directory)
            path = module.files[0].source.path if module and module.files else directory
            configurations.tree.error(path, 0, "modules call one another in a circle", f"the module {directory}")
    return roots


def _applied(configurations: Configurations, uncalled: list[str], called: dict[str, set[str]]) -> list[str]:
    """Those directories that nobody calls which somebody applies.

    A folder without provider, backend, values or lock file, in a folder of modules that a real root calls, is a module
    that is no longer called. Without a real root beside it nothing tells a module from a root, and it counts.
    """
    own = {directory: _is_applied_itself(configurations, directory) for directory in uncalled}
    shelves = {
        posixpath.dirname(target) for directory in uncalled if own[directory] for target in called.get(directory, ())
    }
    applied: list[str] = []
    for directory in uncalled:
        if own[directory] or posixpath.dirname(directory) not in shelves or posixpath.dirname(directory) == "":
            applied.append(directory)
            continue
        for path in configurations.paths(directory):
            configurations.tree.not_applied(path)
    return applied


def _is_applied_itself(configurations: Configurations, directory: str) -> bool:
    """Whether a directory holds what only something that is applied needs."""
    prefix = "" if directory == "." else f"{directory}/"
    tree = configurations.tree
    if f"{prefix}.terraform.lock.hcl" in tree or f"{prefix}terraform.tfvars" in tree:
        return True
    for path in configurations.paths(directory):
        content = tree.read(path) or b""
        if b"provider" not in content and b"backend" not in content and b"cloud" not in content:
            continue
        file = configurations.file(path)
        for block in file.body.blocks if file else ():
            inner = {nested.kind for nested in block.body.blocks}
            if block.kind == "provider" or (block.kind == "terraform" and inner & {"backend", "cloud"}):
                return True
    return False
