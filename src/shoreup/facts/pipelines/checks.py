"""What a repository's pipelines check: whether a change of the estate is tried out, and its images scanned, before it
arrives.

A pipeline is looked through for words that name a check. One that hands its work to something which is not in the
repository, or to a script, may check anything, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.formats.patterns import late
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at
from shoreup.sources.repository import Role


class Kind(StrEnum):
    """What is checked."""

    ESTATE = "estate"
    IMAGES = "images"


_WORDS = {
    Kind.ESTATE: late(
        r"\b(?:terraform|tofu|opentofu|terragrunt)\b[^\n|;&]*\b(?:validate|plan|test)\b|\bhclvalidate\b"
        r"|\btflint\b|\btfsec\b|\bterrascan\b|\bcheckov\b|\bkics\b|\bterraform-validate\b|\btfplan\b|\btf-plan\b"
        r"|\bkubeconform\b|\bkubeval\b|\bkube-?linter\b|\bkube-score\b|\bkubescape\b|\bpolaris\b|\bpluto\b|\bkubent\b"
        r"|\bconftest\b|\bopa (?:test|eval|check)\b|\bkyverno (?:test|apply)\b|\bdatree\b|\bkubectl-validate\b"
        r"|\bflux[-_ ]local\b|\bflux[-_ ](?:diff|build)\b|\bflate\b|\bargocd\b[^\n|;&]*\bdiff\b|\bargocd-diff\b"
        r"|\bkustomize\b[^\n|;&]*\bbuild\b|\bkubectl\b[^\n|;&]*(?:--dry-run|\bkustomize\b|\bdiff\b)"
        r"|\bhelm\b[^\n|;&]*\b(?:lint|template|unittest)\b|\bct (?:lint|install)\b|\bhelm-unittest\b"
        r"|\bmegalinter\b|\bsuper-linter\b|\btrivy\b[^\n|;&]*\bconfig\b|\bscan-type: config\b|\bshoreup\b"
        r"|\bdocker[ -]compose\b[^\n|;&]*\bconfig\b|\bmolecule test\b"
        r"|\bhelmfile\b[^\n|;&]*\b(?:lint|diff|template)\b"
        r"|\bkind (?:create|load)\b|\bhelm/kind-action\b|\bk3d cluster create\b|\bchainsaw test\b|\bterratest\b",
        re.IGNORECASE,
    ),
    Kind.IMAGES: late(
        r"\btrivy\b[^\n|;&]*\b(?:image|i|k8s|kubernetes)\b|\btrivy-action\b|\bgrype\b|\banchore/scan-action\b|\bosv-scanner\b"
        r"|\bsnyk\b[^\n|;&]*\bcontainer\b|\bsnyk/actions/docker\b|\bdocker[ -]scout\b|\bclair(?:ctl)?\b|\bdockle\b"
        r"|\bgcloud\b[^\n|;&]*\bimages scan\b",
        re.IGNORECASE,
    ),
}  # fmt: skip
_NOT_IMAGES = re.compile(r"^(?:fs|filesystem|config|repo|rootfs|sbom)$")
_HANDS_ON = late(
    r"(?:^|[;&|(])[ \t]*(?:sudo )?(?:"
    r"(?P<runner>make|just|task|go-task|mage|nox|tox|mise (?:run|r)|earthly|dagger|pre-commit|lefthook|bazel|yarn|pnpm|"
    r"nix (?:run|flake check|build)|npm (?:run|test)|poetry run|uv run)(?=$|[\s;&|])"
    r"|(?:(?:bash|sh|python3?) )?(?P<script>[\w./-]+\.(?:sh|py|rb|ts|mjs))(?=$|[\s;&|])"
    r")|\bpre-commit/action\b",
    re.MULTILINE,
)
_SCANNERS = late(
    r"(?<![a-z])(?:(checkov|tfsec|terrascan|kube-linter|kube-score|polaris|kubescape|datree|kics)(?![a-z])"
    r"|(trivy)\b[^\n|;&]*\bconfig\b|terraform_(trivy)\b)"
)
"""Scanners of one block at a time. Trivy is one only where it looks at configuration."""
_COMMENT = late(r"(?:^|(?<=\s))#.*")
_SCRIPT_KEYS = frozenset(
    {"run", "script", "before_script", "after_script", "commands", "command", "text", "bash", "args"}
)
_CALL_KEYS = frozenset({"uses", "include", "template", "extends", "image", "pipe", "component", "orbs"})
_TALK = frozenset(
    {"name", "description", "paths", "paths-ignore", "branches", "if", "title", "body", "message", "labels"}
)
"""Keys whose text does nothing."""
_IDLE = late(
    r"^(?:actions/(?:checkout|cache|setup-\w+|labeler|stale|upload-artifact|download-artifact|first-interaction|"
    r"create-github-app-token|github-script|configure-pages|deploy-pages|upload-pages-artifact)|hashicorp/setup-terraform|"
    r"opentofu/setup-opentofu|azure/setup-\w+|docker/[\w-]+|jdx/mise-action|tibdex/[\w-]+|peter-evans/[\w-]+|"
    r"renovatebot/[\w-]+|EndBug/[\w-]+|tj-actions/[\w-]+|bjw-s-labs/action-changed-files|lycheeverse/[\w-]+|"
    r"mheap/[\w-]+|dorny/paths-filter|release-drafter/[\w-]+|googleapis/release-please-action|softprops/[\w-]+|"
    r"webfactory/ssh-agent|tailscale/github-action)(?:[/@]|$)",
    re.IGNORECASE,
)
"""Steps of others that prepare or announce something and check nothing. Others may check anything."""
_HOST = re.compile(r"^https?://[^/]+/")
_MAY_CHECK = re.compile(r"lint|valid|check|test|\bci\b|verify|scan|diff|plan|conform|policy|quality", re.IGNORECASE)


class Checked(Struct, frozen=True):
    """What the pipelines say of one kind of check.

    ``by`` is where it is done. Where nothing is seen, ``perhaps`` says what may do it and ``place`` where that stands.
    """

    by: str
    perhaps: str
    place: Place | None


def pipelines(estate: Estate) -> tuple[Resource, ...]:
    """The pipelines of the estate."""
    return tuple(one for one in estate.resources if one.api_version == "ci")


def checked(estate: Estate, kind: Kind) -> Checked:
    """Whether a pipeline does this check."""
    perhaps, place = "", None
    for pipeline in pipelines(estate):
        for route, key, text in _texts(pipeline):
            if _does(kind, pipeline, route, text):
                return Checked(f"the pipeline {pipeline.name}", "", None)
            if not perhaps:
                perhaps = _may(estate, kind, key, text)
                place = Place(pipeline.key, route) if perhaps else None
    for file in estate.repository:
        if file.role is Role.CHECKS and file.title in ("Atlantis", "Spacelift") and kind is Kind.ESTATE:
            return Checked(file.title, "", None)
    return Checked("", perhaps, place)


def scanners(estate: Estate) -> Iterator[tuple[str, str]]:
    """Scanners of one block at a time that pipelines and hooks run, each once with the file that runs it."""
    seen: set[tuple[str, str]] = set()
    for path, text in _run_at_changes(estate):
        for found in _SCANNERS.finditer(_COMMENT.sub("", text)):
            one = (next(name for name in found.groups() if name), path)
            if one not in seen:
                seen.add(one)
                yield one


def _run_at_changes(estate: Estate) -> Iterator[tuple[str, str]]:
    for pipeline in pipelines(estate):
        path = pipeline.address.removeprefix(f"ci/{pipeline.kind}/")
        for route, key, text in sorted(_texts(pipeline), key=lambda one: [str(step) for step in one[0]]):
            if "trivy-action" in text and at(dict(pipeline.body), *route[:-1], "with", "scan-type") == "config":
                yield path, "trivy config"
            elif key in _SCRIPT_KEYS or key in _CALL_KEYS:
                yield path, text
    for file in estate.repository:
        if file.role is Role.CHECKS and file.title == "pre-commit":
            yield file.path, file.text


def _does(kind: Kind, pipeline: Resource, route: Route, text: str) -> bool:
    found = _WORDS[kind].search(text)
    if found is None:
        return False
    if kind is Kind.IMAGES and "trivy-action" in text:
        scan = at(dict(pipeline.body), *route[:-1], "with", "scan-type")
        return not (isinstance(scan, str) and _NOT_IMAGES.match(scan))
    return True


def _may(estate: Estate, kind: Kind, key: str, text: str) -> str:
    """What a step hands its work to, when that may do the check; empty where it does not."""
    if key in _SCRIPT_KEYS:
        for found in _HANDS_ON.finditer(text):
            name = found["runner"] or found["script"] or "pre-commit"
            told = _told_elsewhere(estate, kind, name)
            if told is not None:
                return told
        return ""
    if key in _CALL_KEYS and "${{" not in text and _MAY_CHECK.search(text) and not _IDLE.match(_HOST.sub("", text)):
        return f"it uses {text}, and what that checks is not in the repository"
    return ""


def _told_elsewhere(estate: Estate, kind: Kind, name: str) -> str | None:
    """What a runner of tasks does, where its file is in the repository; ``None`` where that file names no check."""
    runner = "pre-commit" if name.startswith("pre-commit") else name.split()[0].removeprefix("go-")
    files = [file for file in estate.repository if file.role is Role.CHECKS and file.title == runner]
    if files and not any(_WORDS[kind].search(file.text) for file in files):
        return None
    return f"it runs {name}, and what that checks is told elsewhere"


def _texts(pipeline: Resource) -> Iterator[tuple[Route, str, str]]:
    """Every text of a pipeline with the key that it stands under."""
    todo: list[tuple[Route, str, Value]] = [((), "", dict(pipeline.body))]
    while todo:
        route, key, value = todo.pop()
        if isinstance(value, dict):
            todo.extend(((*route, name), name, item) for name, item in value.items() if name not in _TALK)
        elif isinstance(value, list):
            todo.extend(((*route, index), key, item) for index, item in enumerate(value))
        elif isinstance(value, str):
            yield route, key, value
