"""One estate, one tool, two versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.versions.tool_versions import ToolPin, agree, tool_pins
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Pin the tool once and let everything else read that pin",
    Safety.SHOWN,
    "which of the versions is meant is for the owner to say",
)


_PROPOSAL = """# one file says the version (.tool-versions, mise.toml, a variable of the pipeline); the others read it
<tool> <version>"""


class ToolVersionSkew(Concern):
    """The same tool is pinned to different versions in one estate.

    **What**

    Pipelines, version files (`.tool-versions`, `mise.toml`, `.terraform-version`) and Terraform's `required_version`
    pin one tool to exact versions that differ. Ranges and versions that only differ in how much they say are left
    alone.

    **Why**

    What the check accepts, the apply may refuse, and a newer Terraform writes a state that the older one does not
    read.

    **Example**

    `terraform_version: 1.9.8` in the pipeline that checks and `1.10.5` in the one that applies.

    **Fix safety**

    Shown: which version is meant is for the owner to say.
    """

    id = "tool-version-skew"
    title = "The same tool pinned to different versions"
    severity = Severity.LOW
    consequence_class = Consequence.HYGIENE
    category = Category.PRACTICE
    section = Section.DEPENDENCIES_AT_RISK
    sources = (
        Source("Terraform: constraints on its version", "https://developer.hashicorp.com/terraform/language/terraform"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Hold the pins of each tool against one another."""
        by_tool: dict[str, list[ToolPin]] = defaultdict(list)
        for pin in tool_pins(estate):
            by_tool[pin.tool].append(pin)
        for tool, all_pins in by_tool.items():
            pins = [pin for pin in all_pins if pin.version]
            if not pins:
                continue
            for pin in all_pins:
                if not pin.version:
                    reason = f"the version of {tool} in {pin.where} is decided when it runs"
                    yield self.undecided(pin.place, unknown="version", reason=reason)
            newest = max(pins, key=lambda pin: _number(pin.version))
            others = [pin for pin in pins if not agree(pin.version, newest.version)]
            if others:
                yield self._skewed(tool, newest, others)

    def _skewed(self, tool: str, newest: ToolPin, others: list[ToolPin]) -> Outcome:
        oldest = min(others, key=lambda pin: _number(pin.version))
        more = f" and {len(others) - 1} more places" if len(others) > 2 else " and one more place" if others[1:] else ""
        return self.found(
            oldest.place,
            field=tool,
            subject=tool,
            message=(
                f"{tool} is pinned to {oldest.version} in {oldest.where}{more}, and to {newest.version} in "
                f"{newest.where}."
            ),
            consequence=(
                "What one place accepts, the other may refuse or write differently; a check with another version than "
                "the one that applies proves little."
            ),
            related=tuple(
                (pin.place, f"{pin.version} in {pin.where}") for pin in (newest, *others) if pin is not oldest
            ),
            fixes=(_FIX,),
            whole_estate=True,
        )


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
