"""Who else gets a value from the place where it is written.

An edit that shall change one resource alone may go only where nobody else looks: not into a loop, not into a module
that is called twice, not into a local or a variable that is used twice. The same code run for two resources ends in
the same expressions; that is what is compared here.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

from shoreup.formats.hcl.syntax import Attribute, Block, Expression
from shoreup.model.location import Route
from shoreup.terraform.configuration import Module
from shoreup.terraform.module import ModuleInstance, ResourceInstance
from shoreup.terraform.way import Hop, Way, way_to


def top_of(module: ModuleInstance) -> ModuleInstance:
    """The root that a module is called from, through however many calls."""
    while module.called is not None:
        module = module.called.module
    return module


def twins(instance: ResourceInstance) -> Iterator[ResourceInstance]:
    """The other resources that are made by the same block of code."""
    for other in top_of(instance.module).made_by(instance.block):
        if other is not instance:
            yield other


def calls_of(module: ModuleInstance) -> int:
    """How many calls in the estate name the directory of a module."""
    return module.root.configurations.calls_of(module.module.path)


def why_shared(instance: ResourceInstance) -> str:
    """Why code in a resource's block counts for more than this one resource; empty where it does not."""
    block = instance.block
    counted = next((name for name in ("for_each", "count") if name in block.body.attributes), "")
    for other in twins(instance):
        if other.module is instance.module:
            line = (
                block.source.line(block.body.attributes[counted].start) if counted else block.source.line(block.start)
            )
            return f"{counted or 'the block'} in line {line} of {block.source.path} makes several of it"
    return why_called_often(instance.module)


def why_called_often(module: ModuleInstance | None) -> str:
    """Why code in a module counts more than once; empty where it does not."""
    while module is not None and module.called is not None:
        count = calls_of(module)
        if count > 1:
            return f"the module {module.module.path} is called {count} times"
        call = module.called.block
        instances = module.called.module.calls(call.labels[0])
        if isinstance(instances, list) and len(instances) > 1:
            return f"line {call.source.line(call.start)} of {call.source.path} calls the module {len(instances)} times"
        module = module.called.module
    return ""


class Sharing:
    """Whether the hops of one resource's value are those of others too.

    ``way`` gives the way to the same value of another resource, ``before`` are hops that led to where the way begins.
    """

    def __init__(
        self, instance: ResourceInstance, way: Callable[[ResourceInstance], Way | None], before: tuple[Hop, ...] = ()
    ) -> None:
        self.instance = instance
        self._way = way
        self._before = before
        self._keys: set[tuple[int, Route]] = set()
        self._has_twins = False
        for other in twins(instance):
            self._has_twins = True
            found = way(other)
            self._keys.update(hop.key for hop in found.hops) if found else None

    def inside(self, hops: tuple[Hop, ...], part: Expression, route: Route) -> Sharing:
        """The same for what is at ``route`` inside of a ``part`` of the expression that these hops end at."""
        node = hops[-1].expression

        def way(other: ResourceInstance) -> Way | None:
            found = self._way(other)
            return way_to(part, found.last.scope, route) if found and found.last.expression is node else None

        return Sharing(self.instance, way, (*self._before, *hops))

    def why(self, hop: Hop, hops: tuple[Hop, ...]) -> str:
        """Why a change at one of the hops would change more than this one resource; empty where it would not."""
        if hop.key in self._keys:
            return why_shared(self.instance) or f"line {hop.line} of {hop.file} feeds several resources"
        module = _holder(hop)
        if module is not None and (not self._has_twins or _is_default(hop, module)) and calls_of(module) > 1:
            return why_called_often(module)
        chain = (*self._before, *hops[: hops.index(hop) + 1])
        for before, each in zip((None, *chain), chain, strict=False):
            if not each.route and (word := _used_often(each, before)):
                return word
        return ""


def _is_default(hop: Hop, module: ModuleInstance) -> bool:
    """Whether a hop is a variable's default, which other calls may come to have."""
    defaults = (default_of(block) for block in module.module.variables.values())
    return any(default is not None and default.expression is hop.expression for default in defaults)


def _used_often(hop: Hop, before: Hop | None) -> str:
    """Says that a hop is the value of a local or a variable that is used in several places."""
    modules = {id(module): module for module in (_holder(hop), before.scope.module if before else None) if module}
    for module in modules.values():
        for word, expression in _named(module):
            if expression is hop.expression and (count := uses(module.module, word)) > 1:
                return f"{word} is used in {count} places"
    return ""


def uses(module: Module, word: str) -> int:
    """How often ``var.x`` or ``local.x`` is written in the files of a module."""
    pattern = re.compile(rf"\b{re.escape(word)}\b(?!-)")
    count = 0
    for file in module.files:
        comments = [(comment.start, comment.end) for comment in file.comments]
        for match in pattern.finditer(file.source.text):
            index = bisect_right(comments, (match.start(), len(file.source.text))) - 1
            count += index < 0 or comments[index][1] <= match.start()
    return count


def _holder(hop: Hop) -> ModuleInstance | None:
    """The module whose files hold an expression."""
    module: ModuleInstance | None = hop.scope.module
    directory = posixpath.dirname(hop.file) or "."
    while module is not None and directory != module.module.path:
        module = module.called.module if module.called else None
    return module


def _named(module: ModuleInstance) -> Iterator[tuple[str, Expression]]:
    """What stands for the locals and variables of a module: arguments of its call go before defaults."""
    for name, attribute in module.module.locals.items():
        yield f"local.{name}", attribute.expression
    for name, block in module.module.variables.items():
        given, default = module.given.get(name), default_of(block)
        if given is not None and given.expression is not None:
            yield f"var.{name}", given.expression
        if default is not None:
            yield f"var.{name}", default.expression


def default_of(block: Block) -> Attribute | None:
    """The default of a variable."""
    return block.body.attributes.get("default")
