"""Pipelines that apply Terraform on a push, with nobody having seen a plan."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.pipelines.applies import Apply, applies_on_push
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Plan in one job, keep the plan file, and apply that file in a job that waits for a person",
    Safety.SHOWN,
    "who approves, and in which environment, is for the owner to say",
)


_PROPOSAL = """# GitHub Actions; the environment has required reviewers
jobs:
  plan:
    steps:
      - run: terraform plan -out=plan.bin
      - uses: actions/upload-artifact@<commit>
        with: {name: plan, path: plan.bin}
  apply:
    needs: plan
    environment: <environment with reviewers>
    steps:
      - uses: actions/download-artifact@<commit>
        with: {name: plan}
      - run: terraform apply plan.bin
# GitLab: plan.bin as an artifact of the job plan, and the job apply with `when: manual`"""


class ApplyUnreviewed(Concern):
    """A pipeline applies infrastructure on a push without a plan that anybody has approved.

    **What**

    A job that runs on a push to a branch calls `terraform apply`, `tofu apply` or `terragrunt apply` with
    `-auto-approve`, on no saved plan, and nothing makes a person approve the job.

    **Why**

    What an apply will do depends on the state, the providers and the world, so no review of the code shows it. A
    renamed resource or a new provider version then deletes a volume or a database before anybody has read the plan.

    **Example**

    `terraform apply -auto-approve` on `push` to `main` is found. `terraform apply tfplan` is not, nor a job with an
    `environment`, whose protection may ask for approval; that is undecided.

    **Fix safety**

    Shown: a pipeline with a plan and an approval.
    """

    id = "apply-unreviewed"
    title = "Infrastructure applied on push without a reviewed plan"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.PRACTICE
    section = Section.FRAGILE_AREAS
    sources = (
        Source("Terraform: applying a saved plan", "https://developer.hashicorp.com/terraform/cli/commands/apply"),
        Source(
            "Terraform: running it in automation",
            "https://developer.hashicorp.com/terraform/tutorials/automation/automate-terraform",
        ),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every job that runs on a push."""
        for apply in applies_on_push(estate):
            if apply.undecided:
                yield self.undecided(apply.place, unknown="approval", reason=apply.undecided)
            else:
                yield self._unreviewed(apply)

    def _unreviewed(self, apply: Apply) -> Outcome:
        pipeline, job = apply.job.resource.name, apply.job.name
        branches = "any branch" if "*" in apply.job.on_push else " or ".join(apply.job.on_push)
        without = "right after a plan that nobody approves" if apply.planned else "with no plan before it"
        return self.found(
            apply.place,
            field=f"{job} {apply.verb}",
            subject=f"pipeline {pipeline}, job {job}",
            message=(
                f"The job {job} of {pipeline} runs {apply.tool} {apply.verb} -auto-approve on every push to "
                f"{branches}, {without}."
            ),
            consequence=(
                "What a change destroys is seen only after it is gone: a push that makes Terraform replace a volume or "
                "a database takes the data with it."
            ),
            fixes=(_FIX,),
        )
