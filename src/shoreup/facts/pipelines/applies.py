"""Where a pipeline changes the infrastructure by itself, and what of a plan anybody has seen before."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.pipelines.steps import PipelineJob, pipeline_jobs, shell_of
from shoreup.formats.shell import Command
from shoreup.model.finding import Place

_TOOLS = frozenset({"terraform", "tofu", "terragrunt"})
_APPLYING = frozenset({"apply", "destroy"})
_STARTED_BY_HAND = ("pull_request", "workflow_dispatch", "inputs.")


class Apply(Struct, frozen=True, eq=False):
    """A command that applies without asking, in a job that runs on a push. ``verb`` is ``apply`` or ``destroy``.

    ``planned`` says that the same job makes a plan, which then nobody waits for. ``undecided`` says why somebody may
    have to approve it all the same.
    """

    job: PipelineJob
    place: Place
    tool: str
    verb: str
    planned: bool
    undecided: str


def applies_on_push(estate: Estate) -> Iterator[Apply]:
    """Every such command of the estate's pipelines. A saved plan that is applied is what was planned."""
    for job in pipeline_jobs(estate):
        if not job.on_push:
            continue
        planned = any(_plans(command) for step in job.steps for command in shell_of(step).commands)
        for step in job.steps:
            if any(word in f"{step.condition} {job.condition}" for word in _STARTED_BY_HAND):
                continue
            for command in shell_of(step).commands:
                verb = _applies(command)
                if verb:
                    yield Apply(
                        job=job,
                        place=step.place,
                        tool=command.name,
                        verb=verb,
                        planned=planned,
                        undecided=_approved(job),
                    )


def _approved(job: PipelineJob) -> str:
    if job.asks:
        return f"{job.asks} may ask for approval; that stands in the forge's settings"
    if job.needs:
        return f"it waits for {', '.join(job.needs)}, where the plan may be approved"
    return ""


def _applies(command: Command) -> str:
    """What the command does without asking and without a saved plan; empty for any other."""
    words = [word.text for word in command.arguments]
    verb = next((word for word in words if word in _APPLYING), "")
    if command.name not in _TOOLS or not verb:
        return ""
    agreed = any(word.lstrip("-").startswith("auto-approve") and not word.endswith("=false") for word in words)
    saved = any(not word.startswith("-") for word in words[words.index(verb) + 1 :])
    return verb if agreed and not saved else ""


def _plans(command: Command) -> bool:
    return command.name in _TOOLS and any(word.text == "plan" for word in command.arguments)
