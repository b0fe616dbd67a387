"""One ``terragrunt.hcl`` as its expressions see it: locals, includes, dependencies and Terragrunt's own functions.

Terragrunt's paths are absolute, and where the repository will lie is not known. Such a path is a text that begins
with the unknown :data:`ESTATE`: it reads files of the estate, ``basename`` and ``dirname`` work on it, and as an
input it stays known from the repository's folder on. Nothing is executed and no environment is read.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shoreup.formats.hcl.syntax import Block, File
from shoreup.model.value import PartialText, Unknown, Value, join_text
from shoreup.terraform.configuration import Module
from shoreup.terraform.expressions import Namespace, evaluate, evaluate_or_unknown
from shoreup.terraform.functions import filesystem
from shoreup.terraform.module import ModuleInstance, Root
from shoreup.terraform.scope import EvaluationError, ResourceObject, Scope

if TYPE_CHECKING:
    from shoreup.terraform.terragrunt import Terragrunt

ESTATE = Unknown("the folder of the repository is known only on the machine that applies")
DEFAULT_NAMES = ("terragrunt.hcl", "root.hcl")
"""What ``find_in_parent_folders()`` looks for without a name."""

_ON_THE_MACHINE = {
    "run_cmd": "run_cmd() runs a program on the machine that applies",
    "sops_decrypt_file": "the file is encrypted",
    "get_env": "the environment of the machine that applies is not known",
    "get_platform": "the machine that applies is not known",
    "read_tfvars_file": "read_tfvars_file() is not read here",
}


def in_estate(path: str) -> Value:
    """An absolute path to something in the estate, as Terragrunt gives it."""
    return join_text([ESTATE, "" if path == "." else f"/{path}"])


class TerragruntFile(ModuleInstance):
    """A configuration file. ``unit`` is the directory that is applied: for an included file, the one that includes it.

    A file that ``read_terragrunt_config`` reads is a unit of its own; ``original`` is the unit that asked first.

    ``module.locals`` are the file's locals, so that references are followed as in a Terraform module.
    """

    def __init__(self, terragrunt: Terragrunt, file: File, unit: str, original: str | None = None) -> None:
        self.terragrunt = terragrunt
        self.file = file
        self.unit = unit
        self.original = unit if original is None else original
        self.directory = posixpath.dirname(file.source.path) or "."
        locals_ = {
            name: attribute
            for block in file.body.blocks
            if block.kind == "locals"
            for name, attribute in block.body.attributes.items()
        }
        module = Module(self.directory, [file], locals=locals_)
        super().__init__(Root(terragrunt.configurations, self.directory, lambda *_: None), module, "", {})

    # What the file says

    def blocks(self, kind: str) -> list[Block]:
        """The top-level blocks of a kind."""
        return [block for block in self.file.body.blocks if block.kind == kind]

    def inputs(self) -> Value:
        """The ``inputs`` attribute; ``None`` where there is none."""
        attribute = self.file.body.attributes.get("inputs")
        return None if attribute is None else evaluate_or_unknown(attribute.expression, self.scope)

    def all_locals(self) -> dict[str, Value]:
        """Every local; one that cannot be evaluated is unknown."""
        found: dict[str, Value] = {}
        for name in self.module.locals:
            try:
                found[name] = self.local(name)
            except EvaluationError as problem:
                found[name] = Unknown(str(problem))
        return found

    def includes(self) -> Mapping[str, TerragruntFile]:
        """The included files by the names of their blocks, in the file's order. One that is not found is left out."""
        return self._once(("includes",), self._includes)

    def _includes(self) -> dict[str, TerragruntFile]:
        if self.directory != self.unit:
            return {}  # Terragrunt allows one level of includes
        found: dict[str, TerragruntFile] = {}
        for block in self.blocks("include"):
            attribute = block.body.attributes.get("path")
            path = (
                None if attribute is None else self.estate_path(evaluate_or_unknown(attribute.expression, self.scope))
            )
            file = None if path is None else self.terragrunt.file(path)
            if file is None:
                line = block.source.line(block.start)
                self.terragrunt.error(block.source.path, line, "the included file is not in the estate", "what it sets")
            elif file is not self.file:
                found[block.labels[0] if block.labels else ""] = TerragruntFile(
                    self.terragrunt, file, self.unit, self.original
                )
        return found

    def exposed(self) -> Value:
        """What other files see of this one: its locals and inputs, and an unknown for the rest."""
        seen = ResourceObject(posixpath.basename(self.file.source.path))
        seen["locals"] = self.all_locals()
        seen["inputs"] = self.inputs()
        return seen

    # References and functions

    def reference(self, base: Namespace, name: str) -> Any:
        if base.word == "local":
            return self.local(name)
        if base.word == "include":
            included = self.includes()
            if name in included:
                return included[name].exposed()
            if "" in included:
                exposed = included[""].exposed()
                return exposed.get(name) if isinstance(exposed, dict) else exposed
            return Unknown(f"include.{name} is not in the estate")
        if base.word == "dependency":
            return {"outputs": self.terragrunt.dependency(self, name)}
        if base.word in ("feature", "values", "unit", "stack"):
            return Unknown(f"{base.word}.{name} is given when Terragrunt runs")
        raise EvaluationError(f"there is no {base.word}.{name} in a Terragrunt file")

    def function(self, name: str, values: list[Value]) -> Value:
        if name in _ON_THE_MACHINE:
            return Unknown(_ON_THE_MACHINE[name])
        own = _FUNCTIONS.get(name)
        if own is not None:
            return own(self, values)
        if name in ("dirname", "basename", "abspath") and values and (path := self._below(values[0])) is not None:
            if name == "basename":
                return Unknown(ESTATE.reason) if path == "." else posixpath.basename(path)
            if path == "." and name == "dirname":
                return Unknown(ESTATE.reason)
            return in_estate(path if name == "abspath" else posixpath.dirname(path) or ".")
        return super().function(name, values)

    def file_function(self, name: str, values: list[Value], scope: Scope) -> Value:
        if values and (path := self._below(values[0])) is not None:
            values = [posixpath.relpath(path, self.directory), *values[1:]]
        return super().file_function(name, values, scope)

    def estate_path(self, value: Value) -> str | None:
        """A path as a path in the estate; ``None`` where it is unknown or leads outside."""
        path = self._below(value)
        if path is None and isinstance(value, str) and not value.startswith(("/", "~")):
            path = filesystem.clean(posixpath.join(self.directory, value))
        return None if path is None or path == ".." or path.startswith("../") else path

    def _below(self, value: Value) -> str | None:
        """The rest of an absolute path that begins with the estate's folder."""
        if not isinstance(value, PartialText) or value.parts[0] is not ESTATE or len(value.parts) > 2:
            return None
        rest = value.parts[1] if len(value.parts) == 2 else ""
        if not isinstance(rest, str) or (rest and not rest.startswith("/")):
            return None
        return filesystem.clean(rest.lstrip("/")) if rest.strip("/") else "."

    def included_directory(self, values: list[Value]) -> str:
        """The directory of the include that a function asks about: the named one, the only one, or this file."""
        included = self.includes()
        name = values[0] if values else ""
        if isinstance(name, str) and name in included:
            return included[name].directory
        return next(iter(included.values())).directory if included else self.directory

    def found_above(self, values: list[Value]) -> Value:
        """``find_in_parent_folders``: the nearest file or folder of that name above the unit."""
        name = values[0] if values else None
        if isinstance(name, Unknown | PartialText):
            return Unknown(name.reason)
        names = DEFAULT_NAMES if name is None else (str(name),)
        folder = self.unit
        while folder not in (".", ""):
            folder = posixpath.dirname(folder) or "."
            for wanted in names:
                path = filesystem.clean(posixpath.join(folder, wanted))
                if self.terragrunt.exists(path):
                    return in_estate(path)
        if len(values) > 1:
            return values[1]
        return Unknown(f"there is no {' or '.join(names)} above {self.unit} in the estate")

    def read_config(self, values: list[Value]) -> Value:
        """``read_terragrunt_config``: another file's locals and inputs."""
        path = self.estate_path(values[0]) if values else None
        if path is None:
            reason = values[0].reason if values and isinstance(values[0], Unknown) else "it lies outside the estate"
            return Unknown(f"the Terragrunt file cannot be read: {reason}")
        other = self.terragrunt.standing_alone(path, self.original)
        if other is not None:
            return other.exposed()
        return values[1] if len(values) > 1 else Unknown(f"the file {path} is not in the estate")


def _relative_to_include(file: TerragruntFile, values: list[Value]) -> Value:
    return posixpath.relpath(file.unit, file.included_directory(values))


def _relative_from_include(file: TerragruntFile, values: list[Value]) -> Value:
    return posixpath.relpath(file.included_directory(values), file.unit)


def _repository_root(file: TerragruntFile, values: list[Value]) -> Value:
    return in_estate(".") if file.terragrunt.is_repository else Unknown(ESTATE.reason)


def _from_repository_root(file: TerragruntFile, values: list[Value]) -> Value:
    return file.unit if file.terragrunt.is_repository else Unknown(ESTATE.reason)


def _to_repository_root(file: TerragruntFile, values: list[Value]) -> Value:
    return posixpath.relpath(".", file.unit) if file.terragrunt.is_repository else Unknown(ESTATE.reason)


_FUNCTIONS: Mapping[str, Callable[[TerragruntFile, list[Value]], Value]] = {
    "find_in_parent_folders": TerragruntFile.found_above,
    "get_terragrunt_dir": lambda file, _: in_estate(file.unit),
    "get_original_terragrunt_dir": lambda file, _: in_estate(file.original),
    "get_parent_terragrunt_dir": lambda file, values: in_estate(file.included_directory(values)),
    "get_path_from_repo_root": _from_repository_root,
    "get_path_to_repo_root": _to_repository_root,
    "get_repo_root": _repository_root,
    "mark_as_read": lambda _, values: values[0] if values else None,
    "path_relative_from_include": _relative_from_include,
    "path_relative_to_include": _relative_to_include,
    "read_terragrunt_config": TerragruntFile.read_config,
}


def attribute_value(block: Block, name: str, file: TerragruntFile) -> Value:
    """An argument of a block, unknown where it cannot be evaluated, ``None`` where it is absent."""
    attribute = block.body.attributes.get(name)
    if attribute is None:
        return None
    try:
        return evaluate(attribute.expression, file.scope)
    except EvaluationError as problem:
        return Unknown(str(problem))
