"""A second process that reads half of a large estate's Terraform and keeps its half of the trees.

Resources come over as plain data; trees never do. A resource that the companion has read is traced by asking
it. Small estates are read in one process, where starting a second costs more than it saves.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from threading import current_thread, main_thread
from typing import TYPE_CHECKING

from msgspec.structs import replace

from shoreup.formats.files import FileTree
from shoreup.model.finding import ReadError
from shoreup.model.location import Route
from shoreup.model.origin import Origin
from shoreup.sources.reading import Found
from shoreup.sources.terraform import TerraformReading, known_after_apply, plain_roots, read_roots
from shoreup.terraform.configuration import Configurations
from shoreup.terraform.plan import Plan
from shoreup.terraform.terragrunt import Terragrunt

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

WORTH_IT = 4_000_000
"""Bytes of Terraform from which a second process pays: about two seconds of reading."""


class RemoteTracer:
    """Asks the companion."""

    __slots__ = ("connection", "index")

    def __init__(self, connection: Connection, index: int) -> None:
        self.connection = connection
        self.index = index

    def trace(self, route: Route) -> Origin | None:
        """The origin of a field."""
        self.connection.send((self.index, route))
        answer = self.connection.recv()
        assert answer is None or isinstance(answer, Origin)
        return answer


class _Untraceable:
    """Stands in for a tracer while a resource travels."""

    def trace(self, route: Route) -> Origin | None:
        return None


def read_terraform_shared(tree: FileTree, plan: Plan | None, *, alone: bool = False) -> TerraformReading:
    """Every root of the estate, read on two processors where that is worth it and ``alone`` does not forbid it."""
    configurations = Configurations(tree)
    terragrunt = Terragrunt(configurations, known_after_apply)
    roots = plain_roots(configurations, terragrunt)
    sizes = {root: sum(configurations.size(folder) for folder in _below(root, configurations)) for root in roots}
    # To fork beside other threads would copy what they hold at that moment as held for ever.
    alone = alone or current_thread() is not main_thread()
    if alone or plan or sum(sizes.values()) < WORTH_IT or len(roots) < 2 or not sys.platform.startswith("linux"):
        return read_roots(configurations, roots, terragrunt, rest=True, plan=plan)
    import multiprocessing  # only large estates wait for it

    mine, theirs = halves(sizes)
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(here, there, tree, configurations, theirs), daemon=True)
    process.start()
    there.close()
    reading = read_roots(configurations, mine, terragrunt, rest=False, sparing=True)
    try:
        other, errors, templates = here.recv()
    except EOFError:  # the companion died: its roots are read here
        reading.add(read_roots(configurations, theirs, None, rest=False, sparing=True))
        return reading
    assert isinstance(other, TerraformReading)
    other.found = [Found(found.resource, RemoteTracer(here, index)) for index, found in enumerate(other.found)]
    reading.add(other)
    tree.templates |= templates
    for problem in errors:
        tree.error(problem.file, problem.line, problem.cause, problem.skipped)
    tree.forget()  # trees have the texts; few of the bytes are asked for again
    return reading


def halves(sizes: dict[str, int]) -> tuple[list[str], list[str]]:
    """Share roots out so that both sides have about the same bytes; each side keeps the roots' order."""
    sides: tuple[list[str], list[str]] = ([], [])
    loads = [0, 0]
    for root in sorted(sizes, key=lambda one: (-sizes[one], one)):
        lighter = 0 if loads[0] <= loads[1] else 1
        sides[lighter].append(root)
        loads[lighter] += sizes[root]
    return sorted(sides[0]), sorted(sides[1])


def _below(root: str, configurations: Configurations) -> list[str]:
    return [folder for folder in configurations.directories if folder == root or folder.startswith(f"{root}/")]


def _serve(
    asking: Connection, connection: Connection, tree: FileTree, configurations: Configurations, roots: Sequence[str]
) -> None:
    """The companion's life. It ends when nobody holds the ``asking`` end any more, so it must not hold it itself."""
    asking.close()
    gc.disable()
    known = len(tree.errors)
    reading = read_roots(configurations, roots, None, rest=False, sparing=True)
    tracers = [found.tracer for found in reading.found]
    nothing = _Untraceable()
    reading.found = [Found(found.resource, nothing) for found in reading.found]
    errors: list[ReadError] = tree.errors[known:]
    connection.send((reading, errors, tree.templates))
    del reading, errors
    tree.forget()
    while True:
        try:
            index, route = connection.recv()
        except EOFError:
            return
        origin = tracers[index].trace(route)
        connection.send(replace(origin, via=()) if origin is not None else None)
