"""What Terragrunt would apply: directories of Terraform with the inputs that its files give them.

A unit is a directory with a ``terragrunt.hcl`` that names a module or lies beside one. Includes are merged as
Terragrunt merges them. The outputs of a dependency are those that its configuration computes; made-up outputs
(``mock_outputs``) are never taken for real ones.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from shoreup.formats.hcl.syntax import Attr, Block, Expression, File, Name, ObjectOf, Template
from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform.configuration import Configurations, Module
from shoreup.terraform.expressions import evaluate_or_unknown
from shoreup.terraform.generated import with_generated
from shoreup.terraform.module import ModuleInstance, Root
from shoreup.terraform.scope import ResourceObject
from shoreup.terraform.terragrunt_file import TerragruntFile, attribute_value
from shoreup.terraform.variables import Given, given_in_files

FILE_NAMES = ("terragrunt.hcl", "terragrunt.hcl.json")
MAX_DEPTH = 50
"""Files that read one another, and dependencies of dependencies."""

KnownAfterApply = Callable[[str, dict[str, Value], str], Value | None]


class Unit(Struct, frozen=True):
    """One directory that Terragrunt applies.

    ``module`` is the directory of its Terraform, ``None`` when that is not in the estate (``source`` says where it
    comes from). ``given`` are values for the module's variables; ``generated`` the contents of the files that
    Terragrunt writes beside the module, by name, and ``texts`` the expressions that give them. ``dependencies`` are
    directories of other units.
    """

    directory: str
    path: str
    source: Value
    module: str | None
    given: Mapping[str, Given]
    generated: Mapping[str, Value] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    texts: Mapping[str, Given] = field(default_factory=dict)

    def inputs(self) -> dict[str, Value]:
        """The values for the module's variables."""
        return {name: given.value() for name, given in self.given.items()}


class Terragrunt:
    """Every Terragrunt file of an estate. ``known_after_apply`` is what :class:`Root` asks of resources."""

    def __init__(self, configurations: Configurations, known_after_apply: KnownAfterApply) -> None:
        self.configurations = configurations
        self.is_repository = _is_repository(configurations.tree.root)
        self._known_after_apply = known_after_apply
        self._units: dict[str, Unit | None] = {}
        self._instances: dict[str, ModuleInstance | None] = {}
        self._alone: dict[tuple[str, str], TerragruntFile] = {}
        self._folders = {
            posixpath.dirname(path)[:end]
            for path in configurations.tree.files
            for end in _ends(posixpath.dirname(path))
        }
        self._opening: set[str] = set()

    def units(self) -> list[Unit]:
        """The units, by directory."""
        for path in self.configurations.tree.files:
            if posixpath.basename(path) == "terragrunt.stack.hcl":
                self.error(path, 0, "stacks of Terragrunt are not read", "the units that it makes")
        paths = [path for path in self.configurations.tree.files if posixpath.basename(path) in FILE_NAMES]
        directories = sorted({posixpath.dirname(path) or "." for path in paths})
        return [unit for directory in directories if (unit := self.unit(directory)) is not None]

    def unit(self, directory: str) -> Unit | None:
        """The unit in a directory; ``None`` when nothing is applied there."""
        if directory not in self._units:
            self._units[directory] = None
            self._units[directory] = self._read(directory)
        return self._units[directory]

    def instance(self, unit: Unit) -> ModuleInstance | None:
        """The unit's module with its inputs, ready to be evaluated as a root."""
        if unit.directory not in self._instances:
            self._instances[unit.directory] = self._instance(unit)
        return self._instances[unit.directory]

    def _instance(self, unit: Unit) -> ModuleInstance | None:
        module = None if unit.module is None else with_generated(self.configurations, unit.module, unit.texts)
        if unit.module is None or module is None:
            return None
        root = Root(self.configurations, unit.module, self._known_after_apply)
        instance = ModuleInstance(root, module, "", dict(unit.given))
        # Terragrunt passes inputs through the environment, and files of values win over that.
        for folder in dict.fromkeys([unit.module, unit.directory]):
            instance.given.update(given_in_files(self.configurations, folder, instance.scope))
        return instance

    # What configuration files ask for

    def file(self, path: str) -> File | None:
        """A parsed Terragrunt file, or ``None`` when it is not in the estate."""
        return self.configurations.file(path) if path in self.configurations.tree else None

    def exists(self, path: str) -> bool:
        """Whether the estate has such a file or folder."""
        return path in self.configurations.tree or path in self._folders

    def error(self, path: str, line: int, cause: str, skipped: str) -> None:
        """Note what could not be followed."""
        self.configurations.tree.error(path, line, cause, skipped)

    def standing_alone(self, path: str, original: str) -> TerragruntFile | None:
        """A file that ``read_terragrunt_config`` reads for the unit ``original``: its own directory is the unit."""
        file = self.file(path)
        if file is None:
            return None
        key = (path, original)
        if key not in self._alone:
            self._alone[key] = TerragruntFile(self, file, posixpath.dirname(path) or ".", original)
        return self._alone[key]

    def dependency(self, asking: TerragruntFile, name: str) -> Value:
        """The outputs of a dependency."""
        label = f"dependency.{name}"
        files = [asking, *asking.includes().values()]
        found = next(
            ((file, block) for file in files for block in file.blocks("dependency") if block.labels[:1] == [name]), None
        )
        if found is None:
            return Unknown(f"there is no {label}")
        directory = self._dependency_directory(*found)
        unit = None if directory is None else self.unit(directory)
        instance = None if unit is None or unit.directory in self._opening else self.instance(unit)
        if unit is None or instance is None or len(self._opening) >= MAX_DEPTH:
            return Unknown(f"the outputs of {label} are known only after its apply")
        self._opening.add(unit.directory)
        try:
            outputs = ResourceObject(f"{label}.outputs")
            outputs.update(instance.outputs())
            return outputs
        finally:
            self._opening.discard(unit.directory)

    def _dependency_directory(self, file: TerragruntFile, block: Block) -> str | None:
        return _from_unit(file, attribute_value(block, "config_path", file))

    # Reading a unit

    def _read(self, directory: str) -> Unit | None:
        prefix = "" if directory == "." else f"{directory}/"
        path = next((prefix + name for name in FILE_NAMES if prefix + name in self.configurations.tree), None)
        file = None if path is None else self.file(path)
        if path is None or file is None:
            return None
        own = TerragruntFile(self, file, directory)
        layers = [*reversed(list(_merged_includes(own))), (own, "shallow")]
        if (
            file.body.attributes.get("skip")
            and evaluate_or_unknown(file.body.attributes["skip"].expression, own.scope) is True
        ):
            return None
        source = _last(file_source(layer) for layer, _ in layers)
        module = self._module_directory(own, layers, source)
        if source is None and module is None:
            return None
        declared = self.configurations.module(module) if module else None
        texts = {name: given for layer, _ in layers for name, given in _generated(layer)}
        return Unit(
            directory,
            path,
            source,
            module,
            {**_inputs(layers, declared), **self._value_files(layers)},
            {name: given.value() for name, given in texts.items()},
            tuple(sorted(self._dependencies(layers))),
            texts,
        )

    def _module_directory(
        self, own: TerragruntFile, layers: list[tuple[TerragruntFile, str]], source: Value
    ) -> str | None:
        if source is None:
            return own.directory if own.directory in self.configurations.directories else None
        for file in (own, *(layer for layer, _ in layers)):
            path = file.estate_path(_local(source))
            if path is not None and path in self.configurations.directories:
                return path
        return None

    def _dependencies(self, layers: list[tuple[TerragruntFile, str]]) -> set[str]:
        found = {
            directory
            for layer, _ in layers
            for block in layer.blocks("dependency")
            if (directory := self._dependency_directory(layer, block)) is not None
        }
        for layer, _ in layers:
            for block in layer.blocks("dependencies"):
                paths = attribute_value(block, "paths", layer)
                for path in paths if isinstance(paths, list) else ():
                    if (directory := _from_unit(layer, path)) is not None:
                        found.add(directory)
        return found

    def _value_files(self, layers: list[tuple[TerragruntFile, str]]) -> dict[str, Given]:
        """Values in the files that ``extra_arguments`` hands to Terraform."""
        given: dict[str, Given] = {}
        for layer, _ in layers:
            for terraform in layer.blocks("terraform"):
                for block in terraform.body.blocks:
                    for name in ("required_var_files", "optional_var_files"):
                        paths = attribute_value(block, name, layer)
                        for path in paths if isinstance(paths, list) else ():
                            given.update(self._value_file(layer, path))
        return given

    def _value_file(self, layer: TerragruntFile, path: Value) -> dict[str, Given]:
        known = layer.estate_path(path)
        file = self.configurations.values_file(known) if known is not None else None
        if file is None:
            return {}
        return {name: Given(attribute.expression, layer.scope) for name, attribute in file.body.attributes.items()}


def _is_repository(root: Path) -> bool:
    """Whether the estate is a repository as a whole: it is the top of one, or no part of any (an export of one)."""
    here = root.absolute()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here) == here


def _ends(directory: str) -> Iterator[int]:
    """Where each folder of a path ends."""
    yield from (index for index, char in enumerate(directory) if char == "/")
    yield len(directory)


def _last(values: Iterator[Value]) -> Value:
    """The value that wins: the last one that is set."""
    winner: Value = None
    for value in values:
        if value is not None:
            winner = value
    return winner


def _merged_includes(own: TerragruntFile) -> Iterator[tuple[TerragruntFile, str]]:
    """The included files with how they are merged, the strongest first."""
    blocks = {block.labels[0] if block.labels else "": block for block in own.blocks("include")}
    for name, included in own.includes().items():
        strategy = attribute_value(blocks[name], "merge_strategy", own)
        if strategy != "no_merge":
            yield included, "deep" if strategy in ("deep", "deep_map_only") else "shallow"


def file_source(file: TerragruntFile) -> Value:
    """Where a file takes its Terraform from; ``None`` where it does not say."""
    return _last(attribute_value(block, "source", file) for block in file.blocks("terraform"))


def _local(source: Value) -> Value:
    """The path of a source on disk, its ``//`` taken as one folder below the other."""
    if isinstance(source, PartialText):
        parts = [part.replace("//", "/") if isinstance(part, str) else part for part in source.parts]
        return PartialText(tuple(parts))
    if isinstance(source, str) and (source.startswith(("./", "../")) or source in (".", "..")):
        return source.replace("//", "/")
    return None


def _from_unit(file: TerragruntFile, path: Value) -> str | None:
    """A path that is taken relative to the unit, also in an included file."""
    if isinstance(path, str) and not path.startswith("/"):
        joined = posixpath.normpath(posixpath.join(file.unit, path))
        return None if joined.startswith("..") else joined
    return file.estate_path(path)


def _generated(file: TerragruntFile) -> Iterator[tuple[str, Given]]:
    for block in file.blocks("generate"):
        path = attribute_value(block, "path", file)
        contents = block.body.attributes.get("contents")
        if isinstance(path, str) and contents is not None and attribute_value(block, "disable", file) is not True:
            yield posixpath.normpath(path), Given(contents.expression, file.scope)


def _inputs(layers: list[tuple[TerragruntFile, str]], module: Module | None) -> dict[str, Given]:
    """The inputs of all files, the weakest first. ``deep`` on a layer says how the stronger ones join it."""
    given: dict[str, Given] = {}
    strategy = "shallow"
    for file, following in layers:
        attribute = file.file.body.attributes.get("inputs")
        if attribute is not None:
            value = file.inputs()
            if isinstance(value, Unknown | PartialText):
                unknown = Unknown(f"the inputs are not known: {value.reason}")
                given = {name: Given(None, None, unknown) for name in (*given, *(module.variables if module else ()))}
            elif isinstance(value, dict):
                for name, item in value.items():
                    joined = _joined(given.get(name), item) if strategy == "deep" else None
                    given[name] = joined or _given(attribute.expression, file, name)
        strategy = following
    return given


def _given(inputs: Expression, file: TerragruntFile, name: str) -> Given:
    """One item of an inputs object: its own expression, else the reference ``inputs.name`` for the tracer to follow."""
    if isinstance(inputs, ObjectOf):
        for key, value in inputs.items:
            if isinstance(key, Template) and key.constant == name:
                return Given(value, file.scope)
    return Given(Attr(inputs.source, inputs.start, inputs.end, inputs, name), file.scope)


def _joined(weaker: Given | None, stronger: Value) -> Given | None:
    """Two maps or two lists merged deeply; ``None`` where the stronger value simply wins."""
    if weaker is None or weaker.expression is None or weaker.scope is None:
        return None
    value = deeply(weaker.value(), stronger)
    if value is stronger:
        return None
    where = weaker.expression
    return Given(Name(where.source, where.start, where.end, "merged"), weaker.scope.with_names({"merged": value}, {}))


def deeply(weaker: Value, stronger: Value) -> Value:
    """Terragrunt's deep merge: maps key by key, lists one after the other, the stronger value of anything else."""
    if isinstance(weaker, dict) and isinstance(stronger, dict):
        merged = dict(weaker)
        for key, value in stronger.items():
            merged[key] = deeply(merged[key], value) if key in merged else value
        return merged
    if isinstance(weaker, list) and isinstance(stronger, list):
        return [*weaker, *stronger]
    return stronger
