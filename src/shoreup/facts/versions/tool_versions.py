"""Which versions of their tools an estate pins, and where: in pipelines, in version files, in Terraform itself.

Only exact versions count, for a range agrees with whatever fits. A version is a pin of the tool that applies or checks
the estate; what runs in the cluster (its own kubectl jobs) is another matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import known_text
from shoreup.facts.pipelines.steps import Step, pipeline_jobs
from shoreup.facts.roots import LooseFile
from shoreup.model.finding import Place

_EXACT = re.compile(r"^\s*=?\s*v?(\d+\.\d+(?:\.\d+)?)\s*$")
_ACTIONS = {
    "hashicorp/setup-terraform": ("terraform", "terraform_version"),
    "opentofu/setup-opentofu": ("opentofu", "tofu_version"),
    "azure/setup-kubectl": ("kubectl", "version"),
    "azure/setup-helm": ("helm", "version"),
    "helm/kind-action": ("kind", "version"),
    "terraform-linters/setup-tflint": ("tflint", "tflint_version"),
    "autero1/action-terragrunt": ("terragrunt", "terragrunt-version"),
    "gruntwork-io/terragrunt-action": ("terragrunt", "tg_version"),
    "imranismail/setup-kustomize": ("kustomize", "kustomize-version"),
    "fluxcd/flux2/action": ("flux", "version"),
    "siderolabs/setup-talosctl": ("talosctl", "version"),
}
"""Actions that install a tool, from their own documentation (2026-11-23): the tool, and the input with its version."""
_NAMES = {
    "terraform": "terraform",
    "opentofu": "opentofu",
    "tofu": "opentofu",
    "kubectl": "kubectl",
    "helm": "helm",
    "kustomize": "kustomize",
    "flux2": "flux",
    "flux": "flux",
    "talosctl": "talosctl",
    "talos": "talosctl",
    "terragrunt": "terragrunt",
    "tflint": "tflint",
    "sops": "sops",
    "age": "age",
    "kubeconform": "kubeconform",
    "talhelper": "talhelper",
    "k9s": "k9s",
    "helmfile": "helmfile",
    "cilium-cli": "cilium-cli",
}
_TOML_TOOL = re.compile(
    r"^[ \t]*[\"']?(?:(?:aqua|ubi|asdf|github|core|cargo|go):)?(?:[\w.-]+/)*(?P<tool>[\w.-]+)[\"']?[ \t]*=[ \t]*"
    r"(?:\{[^}\n]*?version[ \t]*=[ \t]*)?[\"'](?P<version>[^\"'\n]+)[\"']",
    re.MULTILINE,
)
_TOML_TABLE = re.compile(r"^[ \t]*\[+(?P<name>[^\]\n]+)\]+", re.MULTILINE)
_LISTED = re.compile(r"^[ \t]*(?P<tool>[\w.-]+)[ \t]+(?P<version>[^\s#]+)", re.MULTILINE)


class ToolPin(Struct, frozen=True, eq=False):
    """One tool at one exact version, empty where the pipeline decides it as it runs. ``where`` says where, in words."""

    tool: str
    version: str
    where: str
    place: Place


def tool_pins(estate: Estate) -> Iterator[ToolPin]:
    """Every exact pin of a known tool."""
    for job in pipeline_jobs(estate):
        for step in job.steps:
            pin = _of_step(step, f"the pipeline {job.resource.name}")
            if pin is not None:
                yield pin
    for file in estate.loose_files:
        yield from _of_file(file)
    for root in estate.terraform_roots:
        exact = _EXACT.match(root.required_version)
        if exact:
            yield ToolPin("terraform", exact[1], f"the Terraform root {root.directory}", root.required_place)


def _of_step(step: Step, where: str) -> ToolPin | None:
    tool, field = _ACTIONS.get(step.uses.partition("@")[0].lower(), ("", ""))
    if not tool:
        return None
    place = Place(step.place.resource, (*step.route, "with", field))
    written = known_text(step.given.get(field))
    exact = _EXACT.match(written)
    if exact is None:
        return ToolPin(tool, "", where, place) if "${{" in written else None
    return ToolPin(tool, exact[1], where, place)


def _of_file(file: LooseFile) -> Iterator[ToolPin]:
    if file.kind == "version":
        tool = _NAMES.get(file.path.rpartition("/")[2].removeprefix(".").removesuffix("-version"), "")
        exact = _EXACT.match(file.text)
        if tool and exact:
            yield ToolPin(tool, exact[1], file.path, file.place(exact.start(1), exact.end(1)))
    elif file.kind == "tool-versions":
        for found in _LISTED.finditer(file.text):
            yield from _pin(file, found)
    elif file.kind == "mise":
        tables = [(match.start(), match["name"].strip()) for match in _TOML_TABLE.finditer(file.text)]
        for found in _TOML_TOOL.finditer(file.text):
            table = next((name for start, name in reversed(tables) if start < found.start()), "")
            if table == "tools":
                yield from _pin(file, found)


def _pin(file: LooseFile, found: re.Match[str]) -> Iterator[ToolPin]:
    tool = _NAMES.get(found["tool"].lower(), "")
    exact = _EXACT.match(found["version"])
    if tool and exact:
        yield ToolPin(tool, exact[1], file.path, file.place(found.start("version"), found.end("version")))


def agree(one: str, other: str) -> bool:
    """Whether two versions are the same as far as both say it (``1.9`` and ``1.9.8``)."""
    return all(left == right for left, right in zip(one.split("."), other.split("."), strict=False))
