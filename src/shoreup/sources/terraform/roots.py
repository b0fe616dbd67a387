"""What a root of Terraform says of itself: which version it asks for, and whether it is applied.

A directory that nothing in the estate calls may still be a module for somebody else. Only what such a module never
has, a lock file, values for its variables, a provider's configuration, shows that it is applied as it stands.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from msgspec import Struct

from shoreup.formats.hcl.syntax import Block
from shoreup.model.location import Span
from shoreup.terraform.configuration import Configurations, Module, constant_text

_VALUES = ("terraform.tfvars", "terraform.tfvars.json")
_AUTOMATIC_VALUES = (".auto.tfvars", ".auto.tfvars.json")


class RootShape(Struct, frozen=True):
    """One root. Where its state lies is :class:`~shoreup.sources.terraform.backends.RootBackend`'s to say.

    ``applied`` says by what it is known to be applied itself, empty when nothing shows it. ``managed`` counts the
    resource blocks and module calls. ``state_file`` is a state that lies in the repository. ``required_version`` is
    Terraform's own version as the root asks for it.
    """

    directory: str
    applied: str
    managed: int
    state_file: str
    required_version: str
    required_span: Span | None


def root_shapes(configurations: Configurations, directories: Iterable[str]) -> Iterator[RootShape]:
    """What the roots in these directories say. One that declares nothing is left out."""
    values: dict[str, str] = {}
    for path in configurations.tree.files:
        name = posixpath.basename(path)
        if name in _VALUES or name.endswith(_AUTOMATIC_VALUES):
            values.setdefault(posixpath.dirname(path) or ".", name)
    for directory in directories:
        shape = _shape(configurations, directory, values.get(directory, ""))
        if shape is not None:
            yield shape


def _shape(configurations: Configurations, directory: str, values: str) -> RootShape | None:
    module = configurations.module(directory)
    if module is None or not module.files:
        return None
    settings = [block for block in module.settings if block.kind == "terraform"]
    version, version_span = _required(settings)
    return RootShape(
        directory,
        _applied(configurations, module, values),
        len(module.resources) + len(module.calls),
        _state_file(configurations, directory),
        version,
        version_span,
    )


def _required(settings: list[Block]) -> tuple[str, Span | None]:
    for block in settings:
        wanted = constant_text(block, "required_version")
        if wanted is not None:
            attribute = block.body.attributes["required_version"]
            return wanted, block.source.span(attribute.start, attribute.end)
    return "", None


def _applied(configurations: Configurations, module: Module, values: str) -> str:
    if posixpath.normpath(posixpath.join(module.path, ".terraform.lock.hcl")) in configurations.tree:
        return "it has a lock file"
    if values:
        return f"it has {values}"
    if any(block.kind == "provider" for block in module.settings):
        return "it configures its providers"
    return ""


def _state_file(configurations: Configurations, directory: str) -> str:
    path = posixpath.normpath(posixpath.join(directory, "terraform.tfstate"))
    return path if path in configurations.tree else ""
