"""Actions of strangers that a pipeline runs by a name that may move, with a token that changes the repository.

A tag or branch of an action is wherever its owner puts it; a commit is not. The forge's own actions are as much to be
trusted as the forge that runs them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.facts.estate import Estate
from shoreup.facts.fields import known_text, mapping
from shoreup.facts.pipelines.steps import PipelineJob, pipeline_jobs
from shoreup.facts.programs.remote_code import FetchedCode, spoken
from shoreup.model.finding import Place
from shoreup.model.value import Value

_ACTION = re.compile(r"(?P<owner>[\w.-]+)/[\w./-]+@(?P<version>[\w./-]+)")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_OF_THE_FORGE = frozenset({"actions", "github"})


def moving_actions(estate: Estate) -> Iterator[FetchedCode]:
    """Every pipeline with such steps, once, where the pipeline itself says that its token may write."""
    found: dict[int, list[tuple[Place, str]]] = {}
    names: dict[int, str] = {}
    for job in pipeline_jobs(estate):
        if not _writes(job):
            continue
        for step in job.steps:
            action = _ACTION.fullmatch(step.uses)
            if action is None or action["owner"] in _OF_THE_FORGE or _COMMIT.fullmatch(action["version"]):
                continue
            names[job.resource.key] = job.resource.name
            place = Place(job.resource.key, (*step.route, "uses"))
            found.setdefault(job.resource.key, []).append((place, step.uses))
    for key, steps in found.items():
        used = list(dict.fromkeys(uses for _, uses in steps))
        move = "which its owner may move" if len(used) == 1 else "which their owners may move"
        what = f"runs {spoken(used)}, {move}, with a token that changes the repository"
        yield FetchedCode(steps[0][0], f"pipeline {names[key]}", what, "the action", in_pipeline=True)


def _writes(job: PipelineJob) -> bool:
    own = mapping(mapping(job.resource.body.get("jobs")).get(job.name)).get("permissions")
    return _may_write(job.resource.body.get("permissions") if own is None else own)


def _may_write(permissions: Value) -> bool:
    if known_text(permissions) == "write-all":
        return True
    held = mapping(permissions)
    return any(known_text(held.get(scope)) == "write" for scope in ("contents", "packages", "actions", "deployments"))
