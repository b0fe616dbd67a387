"""Tests of an estate itself, derived from its wiring: a test file for each Terraform root, and smoke checks.

A Terraform root is read as a plan would know it, so that no assertion needs what only an apply gives. A root whose
plan cannot be made without asking something outside gets no test, and the reason is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from shoreup.formats.hcl.syntax import Block
from shoreup.model.errors import UserError
from shoreup.sources.reading import Found
from shoreup.sources.terraform import TerraformReading, known_after_apply, plain_roots
from shoreup.sources.terraform.reader import read_called, read_root
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.places import Places
from shoreup.stages.auditing.reading import Reading, read
from shoreup.stages.init.module_tests import aligned, calls, stand_in
from shoreup.stages.init.smoke_tests import checks, job, script
from shoreup.stages.init.terraform_tests import Assertion, Run, assertions, test_file
from shoreup.stages.opening import Opened, opened
from shoreup.terraform.configuration import Configurations, Module, local_source
from shoreup.terraform.module import ModuleInstance, Root
from shoreup.terraform.terragrunt import Terragrunt
from shoreup.terraform.variables import given_in_files

Progress = Callable[[str, int, int], None]
TEST_FILE = "tests/shoreup.tftest.hcl"
SCRIPT, JOB = "tests/smoke.sh", "tests/smoke-job.yaml"


class Drawn(Struct, frozen=True):
    """A file. ``target`` is where it belongs, ``there`` says that something is there already, ``holds`` counts."""

    target: Path
    text: str
    there: bool
    holds: int


class EstateTests(Struct, frozen=True):
    """The files, and of what no test could be derived, with why."""

    files: tuple[Drawn, ...]
    untested: tuple[str, ...]


def draw_tests(path: Path, kubectl: str, say: Progress) -> EstateTests:
    """Tests for the estate at ``path``. ``kubectl`` is an image that has it, for a Job that looks at Services.

    Raises :class:`UserError` where nothing is certain enough to be tested.
    """
    found = opened((path,))
    asked = Asked((), datetime.now(UTC).date(), given=found.given, whole=found.whole)
    reading = read(found.tree, None, say, alone=True)
    estate = understood(reading, asked)
    untested: list[str] = []
    made = list(_of_roots(found, asked, untested))
    smoke = list(checks(estate))
    if smoke:
        text = script(smoke, Places(reading.resources, reading.trace, found.tree.read))
        made.append(_drawn(found, SCRIPT, text, len(smoke)))
        jobs = job(estate, smoke, text, kubectl)
        if jobs:
            made.append(_drawn(found, JOB, jobs, jobs.count("\n      - name: ")))
    if not made:
        raise UserError(" ".join(["Nothing here is certain enough to be tested.", *untested]))
    return EstateTests(tuple(made), tuple(untested))


def _drawn(found: Opened, place: str, text: str, holds: int) -> Drawn:
    target = found.root / place
    return Drawn(target, text, target.exists(), holds)


def _of_roots(found: Opened, asked: Asked, untested: list[str]) -> Iterator[Drawn]:
    configurations = Configurations(found.tree)
    for directory in plain_roots(configurations, Terragrunt(configurations, known_after_apply)):
        module = configurations.module(directory)
        if module is None:
            continue
        variables, why = _variables(configurations, module)
        if why := why or _unplannable(configurations, module):
            untested.append(f"{directory}: {why}.")
            continue
        runs = [
            *_of_root(found, asked, configurations, module),
            *_of_calls(found, asked, configurations, module, untested),
        ]
        if not runs:
            if module.resources:
                untested.append(f"{directory}: nothing of its own is certain before an apply.")
            continue
        text = test_file(runs, _mocks(configurations, module), variables)
        holds = sum(len(run.assertions) for run in runs)
        yield _drawn(found, TEST_FILE if directory == "." else f"{directory}/{TEST_FILE}", text, holds)


def _of_root(found: Opened, asked: Asked, configurations: Configurations, module: Module) -> Iterator[Run]:
    planned = TerraformReading()
    read_root(configurations, module.path, planned, planned_only=True)
    certain, places = _certain(found, asked, planned)
    if certain:
        yield Run("wiring", certain, places)


def _of_calls(
    found: Opened, asked: Asked, configurations: Configurations, module: Module, untested: list[str]
) -> Iterator[Run]:
    """A run for each call of which something else is certain than of the calls of that module before it."""
    seen: set[tuple[str, ...]] = set()
    for call in calls(configurations, module, untested):
        certain, places = _certain(found, asked, read_called(call.instance, call.withheld))
        same = (call.source, *(one.condition for one in certain))
        if certain and same not in seen:
            seen.add(same)
            yield Run(
                call.name, certain, places, call.source, call.variables, f"{call.instance.address}, planned alone"
            )


def _certain(found: Opened, asked: Asked, planned: TerraformReading) -> tuple[tuple[Assertion, ...], Places]:
    kept = [Found(replace(one.resource, key=key), one.tracer) for key, one in enumerate(planned.found)]
    reading = Reading(found.tree, kept, planned)
    return tuple(assertions(understood(reading, asked))), Places(reading.resources, reading.trace, found.tree.read)


def _variables(configurations: Configurations, module: Module) -> tuple[list[str], str]:
    """Lines for the variables that nothing in the repository sets, or why there can be none."""
    root = Root(configurations, module.path, known_after_apply)
    instance = ModuleInstance(root, module, "", {})
    given = given_in_files(configurations, module.path, instance.scope)
    lines: list[str] = []
    for name, block in module.variables.items():
        if name in given or "default" in block.body.attributes:
            continue
        value = stand_in(block)
        if not value:
            return [], f"nothing in the repository sets its variable {name}, for which no stand-in is certain"
        lines.append(f"{name} = {value}")
    return list(aligned(lines)), ""


def _unplannable(configurations: Configurations, module: Module) -> str:
    """Why no plan of the root can be made without asking something outside; empty where one can."""
    for one in _reached(configurations, module):
        for kind, name in one.data:
            if kind == "terraform_remote_state":
                return f"it reads the state of another root (data.{kind}.{name})"
        for call in one.calls.values():
            source = call.body.attributes.get("source")
            if source is not None and local_source(one.path, call) is None:
                return f"it calls module {call.labels[0]} from elsewhere, whose providers are not known"
        if one is not module and any(block.kind == "provider" for block in one.settings):
            return f"the module {one.path} configures a provider of its own, which no test can stand in for"
    return ""


def _reached(configurations: Configurations, module: Module) -> Iterator[Module]:
    waiting, seen = [module], {module.path}
    while waiting:
        one = waiting.pop()
        yield one
        for call in one.calls.values():
            target = local_source(one.path, call)
            inner = configurations.module(target) if target is not None and target not in seen else None
            if inner is not None:
                seen.add(inner.path)
                waiting.append(inner)


def _mocks(configurations: Configurations, module: Module) -> list[str]:
    """Every provider that the root and its modules use, with its aliases."""
    names: dict[tuple[str, str], None] = {}
    for one in _reached(configurations, module):
        for kind, _ in (*one.resources, *one.data):
            names[(kind.partition("_")[0], "")] = None
        for block in one.settings:
            if block.kind == "provider":
                names[(block.labels[0], _alias(block))] = None
            for required in (inner for inner in block.body.blocks if inner.kind == "required_providers"):
                names.update(((name, ""), None) for name in required.body.attributes)
    names.pop(("terraform", ""), None)
    return [
        f'mock_provider "{name}" {{}}' if not alias else f'mock_provider "{name}" {{\n  alias = "{alias}"\n}}'
        for name, alias in sorted(names)
    ]


def _alias(block: Block) -> str:
    held = block.body.attributes.get("alias")
    return "" if held is None else held.expression.source.text[held.expression.start : held.expression.end].strip('"')
