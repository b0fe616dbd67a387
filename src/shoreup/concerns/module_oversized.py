"""Terraform files that nobody reads whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.splitting import Inseparable, into_modules, split
from shoreup.facts.estate import CodeFile, Estate
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.location import Span
from shoreup.model.page import Source

_HEAD = 1_000
"""Bytes at the top of a file in which a generator says that the file is its own."""
_GENERATED = re.compile(
    r"do not (?:edit|modify|change)|(?:auto-?|\bis )generated|generated (?:by|file|code)", re.IGNORECASE
)
_INTO_MODULES = Fix(
    "Make each subject of the file a module of its own, with a moved block for every address",
    Safety.SAFE,
    "Terraform follows the moved blocks, so its next plan moves addresses and changes nothing; terraform init comes "
    "first, as for any new module",
)
_SPLIT = Fix(
    "Split the file by subject into files of the same folder",
    Safety.SAFE,
    "Terraform reads a folder as one, so no address changes; it is made only for who names this concern",
)


class ModuleOversized(Concern):
    """A Terraform file has more than 450 lines.

    **What**

    Every line counts, also blank ones and comments. Files that say at their top that a generator writes them are left
    alone, as are JSON files. The number is `module-lines` under `[thresholds]` in `shoreup.toml`.

    **Why**

    A change to such a file is reviewed as the few lines around it, and two people who work on different services meet
    in one file. What is related stands far apart, so it drifts apart.

    **Example**

    A `main.tf` of 760 lines that declares the workloads, volumes and routes of six services is found. Split into
    `photos.tf`, `files.tf` and so on, in the same folder, it is not.

    **Fix safety**

    Safe, and made only when it is named (`--select module-oversized`): files of one folder are one module, so that a
    split by subject changes no address and no state. Blocks go with the comments before them to files called after the
    first word of their names, small subjects to a file of their kind; variables, outputs, providers and locals to the
    files where people look for them.

    With `--into-modules` each subject becomes a module of its own below `modules`: what its blocks and the rest say of
    one another goes through variables and outputs, providers are handed on, and a `moved` block for every address keeps
    what exists, instances of `count` and `for_each` among it. The next plan moves addresses and changes nothing. What
    Terraform does not let modules say across (`replace_triggered_by`, waiting for a whole other module) is refused
    by line.

    Workspaces are no cure: they give the same code several states, and make no file smaller.
    """

    id = "module-oversized"
    title = "Terraform file of more than 450 lines"
    severity = Severity.LOW
    consequence_class = Consequence.HYGIENE
    category = Category.PRACTICE
    section = Section.TECH_DEBT
    sources = (
        Source("Terraform: style and how files are split", "https://developer.hashicorp.com/terraform/language/style"),
        Source(
            "Terraform: refactoring with moved blocks",
            "https://developer.hashicorp.com/terraform/language/modules/develop/refactoring",
        ),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every file of Terraform."""
        generated = {
            comment.span.file
            for comment in estate.comments
            if comment.span.start < _HEAD and _GENERATED.search(comment.text)
        }
        most = estate.settings.thresholds.module_lines
        for file in estate.code_files:
            if file.lines > most and not file.path.endswith(".json") and file.path not in generated:
                yield self._oversized(file)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """Move the blocks of every subject but one to files of their own."""
        path = draft.at.span.file if draft.at.span else ""
        file = next((one for one in estate.code_files if one.path == path), None)
        if file is None:
            return self.unrepaired(draft)
        lines = {one.path: one.lines for one in estate.code_files}
        try:
            most = estate.settings.thresholds.module_lines
            if estate.into_modules:
                return Repair(_INTO_MODULES, into_modules(file, lines, most))
            moves = split(file, lines, most)
        except Inseparable as problem:
            return self.unrepaired(draft, f"{problem}; which blocks belong together its owner decides")
        return Repair(_SPLIT, moves)

    def _oversized(self, file: CodeFile) -> Outcome:
        return self.found(
            Place(span=Span(file.path, 0, 0)),
            field="lines",
            subject=file.path,
            message=f"The file has {file.lines:,} lines{_blocks(file.subjects)}.",
            consequence="Nobody reviews a change to it whole, and work on different subjects meets in it.",
            fixes=(_SPLIT,),
        )


def _blocks(subjects: Mapping[str, int]) -> str:
    """What is in the file, the commonest blocks first."""
    count = sum(subjects.values())
    if not count:
        return ""
    common = sorted(subjects.items(), key=lambda entry: (-entry[1], entry[0]))[:3]
    named = ", ".join(f"{number} {subject}" for subject, number in common)
    return f" in {count} blocks, among them {named}" if count > 1 else " in one block"
