"""Fields that Kubernetes does not have, and values that it does not take."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.kubernetes_fields import released
from shoreup.facts.misfits import Misfit, held_by, misfits
from shoreup.facts.naming import named
from shoreup.model.edit import ANYTHING, NoRepair, Rename, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_REFUSED = "kubectl, Flux and Argo CD refuse the whole object"
_DROPPED = f"{_REFUSED}; applied in another way, the field is dropped without a word."


class FieldUnknown(Concern):
    """An object has a field that Kubernetes does not know, or a value of a type that it does not take.

    **What**

    An object of one of Kubernetes' own kinds, in YAML, a kustomization, `kubernetes_manifest` or `kubectl_manifest`,
    holds a field that its type does not have: misspelt (`replcas`), in the wrong place (`tolerations` in a container),
    made up; or a value that the API server cannot read, such as a number where it takes text (`value: 8080` in a
    variable), text where it takes a number, a map where it takes a list.

    **Why**

    What is applied strictly is refused as a whole, and nothing of the change happens. Elsewhere the field is dropped,
    everything looks applied, and the probe, the limit or the count that it says is not there.

    **Example**

    `livenesProbe` in a container is found, with the name that was meant; `livenessProbe` is not.

    **Fix safety**

    Unsafe: the key is renamed where one name alone can be meant and that field is not there yet; what it says begins
    to count. A field in the wrong place and a value of a wrong type are shown.

    **Limits**

    Kinds of operators are judged only by a CustomResourceDefinition in the estate: as likely, and one severity lower,
    for the cluster may have another. Not judged is what is not decided, and texts that are filled in later
    (`${REPLICAS}`). Of charts, app-template's objects are judged, and those of charts in the repository where Helm is
    at hand. A field that any release of the table has passes, whichever the cluster runs. An unknown argument of
    Terraform's `kubernetes_*` resources is Terraform's own error, and is listed with what could not be read.
    """

    id = "field-unknown"
    title = "Field that Kubernetes does not have"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.PRACTICE
    section = Section.KNOWN_BUGS
    sources = (
        Source("Kubernetes' fields", "facts/data/kubernetes_fields.json"),
        Source(
            "Kubernetes: validation of fields",
            "https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation",
        ),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every object that is written as Kubernetes takes it."""
        for misfit in estate.once(misfits):
            yield self._wrong_value(misfit) if misfit.wanted else self._stranger(misfit)

    def _stranger(self, misfit: Misfit) -> Draft:
        subject = named(misfit.resource, held_by(misfit))
        message = f"{subject} says {misfit.name}, which {misfit.type} does not have"
        if misfit.meant:
            message += f"; it has {misfit.meant}."
        elif misfit.belongs:
            message += f"; {f'its {misfit.belongs}' if misfit.beneath else f'the {misfit.belongs} around it'} has."
        else:
            here = f"by the definition of {misfit.resource.kind} that is here"
            message += (
                f" {here if misfit.is_defined_here else f'in Kubernetes {released().first} to {released().last}'}."
            )
        return self.found(
            Place(misfit.resource.key, misfit.route, container=held_by(misfit)),
            field=_path(misfit),
            subject=subject,
            message=message,
            consequence=f"What it says does not happen: {_DROPPED}",
            fixes=(_fix(misfit),),
            severity=Severity.MEDIUM if misfit.is_defined_here else None,
            confidence=Confidence.LIKELY if misfit.is_defined_here else Confidence.CERTAIN,
        )

    def _wrong_value(self, misfit: Misfit) -> Draft:
        subject = named(misfit.resource, held_by(misfit))
        return self.found(
            Place(misfit.resource.key, misfit.route, container=held_by(misfit)),
            field=_path(misfit),
            subject=subject,
            message=f"{subject} gives {misfit.name} {misfit.given}, and Kubernetes takes {misfit.wanted}.",
            consequence="The API server refuses the whole object, and nothing of it is applied.",
            fixes=(_fix(misfit),),
            severity=Severity.MEDIUM if misfit.is_defined_here else None,
            confidence=Confidence.LIKELY if misfit.is_defined_here else Confidence.CERTAIN,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The key is called what it is meant to be."""
        for misfit in estate.once(misfits):
            if misfit.resource.key == draft.at.resource and misfit.route == draft.at.route and misfit.meant:
                edit = Rename(misfit.resource.key, misfit.route, misfit.meant)
                return Repair(_fix(misfit), (edit,), opens=frozenset({ANYTHING}))
        return self.unrepaired(draft)


def _path(misfit: Misfit) -> str:
    """The field without the numbers of items."""
    return ".".join(step for step in misfit.route if isinstance(step, str))


def _fix(misfit: Misfit) -> Fix:
    if misfit.meant:
        return Fix(f"Rename it to {misfit.meant}", Safety.UNSAFE, "what it says begins to count")
    if misfit.belongs:
        return Fix(f"Move it into {misfit.belongs}", Safety.SHOWN, "there may be such a field already")
    if misfit.wanted:
        return Fix(f"Write {misfit.wanted}", Safety.SHOWN, "what was meant is its owner's to say")
    return Fix("Take it away, or say what was meant", Safety.SHOWN, "what was meant is its owner's to say")
