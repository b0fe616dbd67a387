"""Where the values of variables come from: a module call's arguments, ``*.tfvars`` files, a plan."""

from __future__ import annotations

from msgspec import Struct

from shoreup.formats.hcl.syntax import Expression
from shoreup.model.value import Unknown, Value
from shoreup.terraform.configuration import Configurations
from shoreup.terraform.expressions import evaluate_or_unknown
from shoreup.terraform.scope import Scope


class Given(Struct, eq=False):
    """A value for a variable: an expression in the scope where it stands, or one that cannot be read."""

    expression: Expression | None
    scope: Scope | None
    unknown: Unknown | None = None

    def value(self) -> Value:
        """The value; unknown where the expression cannot be evaluated."""
        if self.expression is None or self.scope is None:
            return self.unknown
        return evaluate_or_unknown(self.expression, self.scope)


def variable_files(configurations: Configurations, root: str) -> list[str]:
    """The files that Terraform reads by itself for a root, in its order: later ones win."""
    prefix = "" if root == "." else f"{root}/"
    first = [prefix + name for name in ("terraform.tfvars", "terraform.tfvars.json")]
    return [path for path in first if path in configurations.tree] + configurations.automatic_values(root)


def given_in_files(configurations: Configurations, root: str, scope: Scope) -> dict[str, Given]:
    """The values of variables that a root's own files set. ``scope`` serves constant expressions."""
    given: dict[str, Given] = {}
    for path in variable_files(configurations, root):
        file = configurations.values_file(path)
        if file is None:
            continue
        for name, attribute in file.body.attributes.items():
            given[name] = Given(attribute.expression, scope)
    return given


def unreadable_files(configurations: Configurations, root: str) -> list[str]:
    """Variable files of a root that are encrypted: what they set is not known."""
    return [path for path in variable_files(configurations, root) if configurations.tree.read(path) is None]
