"""Terraform state that lies on the disk of whoever applied last."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, StateBackend
from shoreup.facts.fields import filled, mapping
from shoreup.facts.pipelines.steps import commands_of
from shoreup.facts.roots import TerraformRoot
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Declare a remote backend with locking and move the state there with `terraform init -migrate-state`",
    Safety.SHOWN,
    "which storage outlives this machine and this cluster is for its owner to say",
)
_GIVEN = re.compile(r"backend-config|backend\s*[\"']|\bspacectl\b")
_CONTROLLER = "infra.contrib.fluxcd.io/"
_NO_PLATFORM = re.compile(r"(?:^|/)(?:examples?|tests?|fixtures?|testdata|samples?|demo)(?:/|$)")
_MODULES = re.compile(r"(?:^|/)modules?(?:/|$)")


_PROPOSAL = """terraform {
  backend "s3" {
    bucket       = "<bucket on storage that outlives this machine and this cluster>"
    key          = "<name of this root>/terraform.tfstate"
    region       = "<region>"
    encrypt      = true
    use_lockfile = true
  }
}
# then: terraform init -migrate-state"""


class StateLocal(Concern):
    """A root of Terraform keeps its state on local disk.

    **What**

    The root declares resources and either no `backend` or `cloud` block, or `backend "local"`.

    **Why**

    The state is the only record of what Terraform made. On one disk it is lost with that disk, two people who apply
    at once overwrite each other's, and its secrets lie there in clear. Without it, Terraform wants to create
    everything again.

    **Example**

    `backend "local" {}` is found; `backend "s3" { use_lockfile = true }` is not. Directories that may be modules for
    others are undecided.

    **Fix safety**

    Shown: where the state should go is for its owner to say.
    """

    id = "state-local"
    title = "Terraform state on local disk"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.PRACTICE
    section = Section.FRAGILE_AREAS
    sources = (
        Source("Terraform: the local backend", "https://developer.hashicorp.com/terraform/language/backend/local"),
        Source("Terraform: locking of the state", "https://developer.hashicorp.com/terraform/language/state/locking"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every root that Terraform applies by itself."""
        given_elsewhere = any(_GIVEN.search(text) for text in commands_of(estate))
        controlled = _controlled(estate)
        roots = {root.directory: root for root in estate.terraform_roots}
        for backend in estate.backends:
            root = roots.get(backend.root)
            if root is None or backend.kind not in ("", "local") or not root.managed:
                continue
            if _NO_PLATFORM.search(root.directory):
                continue
            if backend.kind == "local":
                yield self._local(root, backend, 'declares `backend "local"`')
            elif root.directory in controlled:
                continue
            elif not root.applied or (root.by_providers and _MODULES.search(root.directory)):
                if root.applied or not _MODULES.search(root.directory):
                    reason = "nothing in the estate shows whether it is applied itself or a module for others"
                    yield self.undecided(backend.place, unknown="backend", reason=reason)
            elif given_elsewhere or "*" in controlled:
                writer = "a controller in the cluster applies it" if "*" in controlled else "a pipeline names a backend"
                yield self.undecided(backend.place, unknown="backend", reason=writer)
            else:
                yield self._local(root, backend, "declares no backend")

    def _local(self, root: TerraformRoot, backend: StateBackend, how: str) -> Outcome:
        subject = (
            "the Terraform root of the repository" if root.directory == "." else f"Terraform root {root.directory}"
        )
        there = f", and {root.state_file} is in the repository" if root.state_file else ""
        kept = "The state lies in git with its secrets in clear, and" if root.state_file else "The state"
        return self.found(
            backend.place,
            field="backend",
            subject=subject,
            message=f"{subject[0].upper()}{subject[1:]} {how}: its state is a file on the disk of who applies{there}.",
            consequence=(
                f"{kept} has no lock and no copy: when the file is lost or two people apply at once, Terraform no "
                "longer knows what it made and wants to create it again."
            ),
            fixes=(_FIX,),
            confidence=Confidence.CERTAIN if backend.kind or not root.by_providers else Confidence.LIKELY,
        )


def _controlled(estate: Estate) -> frozenset[str]:
    """The directories that a controller applies and keeps the state of; ``*`` where some are not known."""
    found: set[str] = set()
    for resource in estate.by_kind.get("Terraform", ()):
        if resource.api_version.startswith(_CONTROLLER):
            path = filled(mapping(resource.body.get("spec")).get("path"))
            found.add("*" if "*" in path else posixpath.normpath(path or "."))
    return frozenset(found)
