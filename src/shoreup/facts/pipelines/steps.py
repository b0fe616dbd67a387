"""What the estate's CI runs: each step with its shell text, when it runs, and what a person must approve before.

Every system calls it something else; here it is a job with steps. Where it is not certain when a job runs, the job
says so and nothing may be concluded from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import items, known_text, mapping, text, texts
from shoreup.formats.shell import Program, parse
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value

API = "ci"
_ACTIONS = frozenset({"github-workflow", "gitea-workflow", "forgejo-workflow"})
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
_NOT_JOBS = frozenset(
    {
        "stages",
        "variables",
        "default",
        "include",
        "workflow",
        "image",
        "services",
        "cache",
        "before_script",
        "after_script",
    }
)


class Step(Struct, frozen=True, eq=False):
    """One thing that a job does: shell text, or an action by its name (``uses``) with what it is given (``given``)."""

    place: Place
    route: Route
    run: str
    uses: str
    given: Mapping[str, Value]
    condition: str


class PipelineJob(Struct, frozen=True, eq=False):
    """One job. ``on_push`` are the branches on whose push it runs by itself (``*`` for any), empty where it does not.

    ``asks`` says what makes a person approve it before it runs. ``needs`` are the jobs that must have passed.
    ``condition`` is its own ``if``, as text.
    """

    resource: Resource
    name: str
    place: Place
    steps: tuple[Step, ...]
    on_push: tuple[str, ...]
    asks: str
    needs: tuple[str, ...]
    condition: str


def pipeline_jobs(estate: Estate) -> tuple[PipelineJob, ...]:
    """Every job of every pipeline whose shape is known."""
    return estate.once(_jobs)


def commands_of(estate: Estate) -> Iterator[str]:
    """The shell text of every step."""
    for job in pipeline_jobs(estate):
        for step in job.steps:
            if step.run:
                yield step.run


def shell_of(step: Step) -> Program:
    """A step as commands; the system's own expressions (``${{ ... }}``) are not decided."""
    return _shell(step.run)


@lru_cache(maxsize=512)
def _shell(run: str) -> Program:
    return parse(_EXPRESSION.sub(lambda found: "_" * len(found[0]), run))


def _jobs(estate: Estate) -> tuple[PipelineJob, ...]:
    found: list[PipelineJob] = []
    for kind, resources in estate.by_kind.items():
        for resource in resources:
            if resource.api_version != API:
                continue
            if kind in _ACTIONS:
                found.extend(_workflow(resource))
            elif kind == "gitlab-pipeline":
                found.extend(_gitlab(resource))
    return tuple(found)


# ------------------------------------------------------------------------------- GitHub and those like it


def _workflow(resource: Resource) -> Iterator[PipelineJob]:
    pushed = _pushed(resource.body.get("on"))
    for name, body in mapping(resource.body.get("jobs")).items():
        job = mapping(body)
        environment = job.get("environment")
        called = text(mapping(environment).get("name")) if isinstance(environment, dict) else text(environment)
        yield PipelineJob(
            resource=resource,
            name=name,
            place=Place(resource.key, ("jobs", name)),
            steps=tuple(_steps(resource, job, ("jobs", name, "steps"))),
            on_push=pushed,
            asks=f"the environment {called}" if called else "",
            needs=texts(job.get("needs")),
            condition=text(job.get("if")),
        )


def _pushed(on: Value) -> tuple[str, ...]:
    """The branches on whose push a workflow runs."""
    if on == "push" or (isinstance(on, list) and "push" in on):
        return ("*",)
    held = mapping(on)
    if "push" not in held:
        return ()
    push = mapping(held.get("push"))
    if "branches" in push:
        return texts(push.get("branches"))
    return () if "tags" in push and "branches-ignore" not in push else ("*",)


def _steps(resource: Resource, job: Mapping[str, Value], route: Route) -> Iterator[Step]:
    for index, body in enumerate(items(job.get("steps"))):
        step = mapping(body)
        at: Route = (*route, index)
        yield Step(
            place=Place(resource.key, (*at, "run") if step.get("run") is not None else at),
            route=at,
            run=known_text(step.get("run")),
            uses=text(step.get("uses")),
            given=mapping(step.get("with")),
            condition=text(step.get("if")),
        )


# ------------------------------------------------------------------------------------------------ GitLab


def _gitlab(resource: Resource) -> Iterator[PipelineJob]:
    for name, body in resource.body.items():
        job = mapping(body)
        script = job.get("script")
        if name in _NOT_JOBS or name.startswith(".") or script is None:
            continue
        rules = items(job.get("rules"))
        manual = text(job.get("when")) == "manual" or any(text(mapping(rule).get("when")) == "manual" for rule in rules)
        # Rules decide in ways of their own; only a job without any certainly runs on each push.
        plain = not rules and "extends" not in job and "workflow" not in resource.body
        only = texts(job.get("only")) if isinstance(job.get("only"), (list, str)) else ()
        pushed = () if not plain or "except" in job else (only or ("*",)) if "only" not in job or only else ()
        yield PipelineJob(
            resource=resource,
            name=name,
            place=Place(resource.key, (name,)),
            steps=tuple(
                Step(place=Place(resource.key, route), route=route, run=line, uses="", given={}, condition="")
                for route, line in _lines(script, (name, "script"))
            ),
            on_push=tuple(branch for branch in pushed if branch not in ("tags", "merge_requests", "schedules", "web")),
            asks="a person who starts it" if manual else "",
            needs=texts(job.get("needs")),
            condition="",
        )


def _lines(script: Value, route: Route) -> Iterator[tuple[Route, str]]:
    if isinstance(script, str):
        yield route, script
    for index, line in enumerate(items(script)):
        if isinstance(line, str):
            yield (*route, index), line
