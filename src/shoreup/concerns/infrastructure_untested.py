"""Estates whose changes nothing tries out before they arrive."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.proofs import since
from shoreup.facts.estate import Estate
from shoreup.facts.pipelines.checks import Kind, checked, pipelines
from shoreup.facts.proofs import ESTATE, Drill, State, standing
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_CHECK = Fix(
    "Check each change in the pipeline: a validation and a plan for Terraform, schemas and a build for manifests",
    Safety.SHOWN,
    "which checks fit depends on where the pipeline runs and what it may reach",
)


_PROPOSAL = """# .github/workflows/audit.yaml
on: [pull_request]
jobs:
  audit:
    runs-on: <runner>
    steps:
      - uses: actions/checkout@<commit>
      - run: shoreup audit ."""


class InfrastructureUntested(Concern):
    """No pipeline of the repository checks a change of the estate.

    **What**

    The pipelines are looked through for steps that validate, plan, build, render or lint the estate: `terraform
    validate` and `plan`, `kubeconform`, `kustomize build`, `flux-local`, `helm template`, policy checks and their like.
    Formatting is no check. A pipeline that hands its work to something outside the repository is left open, as is an
    estate that is only a part of its repository. It is one entry for the estate.

    **Why**

    A typo is then found by the cluster, at the moment at which it is applied.

    **Example**

    Pipelines that run `terraform fmt -check` and `terraform apply` alone are listed; one with a `terraform plan` on
    pull requests is not.

    **Fix safety**

    Shown: a pipeline needs to know where it runs and what it may reach.
    """

    id = "infrastructure-untested"
    title = "Changes of the estate are checked by nothing"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.PRACTICE
    section = Section.TEST_GAPS
    sources = (
        Source("Terraform: tests", "https://developer.hashicorp.com/terraform/language/tests"),
        Source(
            "Site Reliability Engineering: testing for reliability", "https://sre.google/sre-book/testing-reliability/"
        ),
    )
    proposal = _PROPOSAL
    estate_level = True

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look for a check in any pipeline."""
        found = checked(estate, Kind.ESTATE)
        built = next((one for one in estate.resources if one.api_version != "ci"), None)
        if found.by or built is None:
            return
        stands = standing(estate, ESTATE, Drill.CHECKS)
        if stands.proven:
            return
        if found.perhaps and found.place is not None:
            yield self.undecided(found.place, unknown="checks", reason=found.perhaps)
            return
        known = pipelines(estate)
        if not known and estate.part_of_more:
            reason = "this is a part of a repository, and its pipelines lie elsewhere in it"
            yield self.undecided(Place(built.key), unknown="checks", reason=reason)
            return
        listed = ", ".join(sorted({one.name for one in known})[:5])
        said = f"The pipelines of the repository ({listed}) check no change" if known else "No pipeline checks a change"
        more = "" if stands.state is State.NEVER else f", and {since(stands, 'a trial of the checks')}"
        yield self.found(
            Place((known[0] if known else built).key),
            field="checks",
            subject="the estate",
            message=f"{said} of the estate before it is applied{more}.",
            consequence="A typo is found by the cluster, at the moment at which it is applied.",
            related=tuple((Place(one.key), "a pipeline that checks nothing of the estate") for one in known[1:6]),
            fixes=(_CHECK,),
            whole_estate=True,
        )
