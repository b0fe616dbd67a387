"""Ports that are asked for and are not there."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.network.port_checks import Mismatch, mismatches
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Name the port that is there",
    Safety.SHOWN,
    "which of the two is meant is for the owner to say",
)


_PROPOSAL = """ports:
  - name: <name>
    port: <port of the Service>
    targetPort: <a port that the container declares and listens on>"""


class PortMismatch(Concern):
    """A route, a Service or a probe asks for a port that its target does not have.

    **What**

    A Service's `targetPort` by a name that no container of its pods declares, a route to a port that the Service does
    not have, a probe by a name that its container does not declare. A probe's number counts where the container
    declares others, its settings do not speak of it, and another probe or the product itself says which is right. A
    container may listen on ports that it does not declare, so other numbers are left alone.

    **Why**

    Nothing complains when it is applied. The Service has no endpoints, the proxy answers with an error, the pod is
    never ready or is restarted for ever.

    **Example**

    `readinessProbe: {httpGet: {port: 8000}}` beside `containerPort: 8080` and a liveness probe on 8080.

    **Fix safety**

    Shown: which side is wrong is for the owner to say.
    """

    id = "port-mismatch"
    title = "Ports that do not agree"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.PRACTICE
    section = Section.KNOWN_BUGS
    sources = (
        Source(
            "Kubernetes: Services and their types", "https://kubernetes.io/docs/concepts/services-networking/service/"
        ),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every port that something asks for."""
        for mismatch in mismatches(estate):
            if mismatch.undecided:
                yield self.undecided(mismatch.place, unknown=mismatch.wanted, reason=mismatch.undecided)
            else:
                yield self._wrong(mismatch)

    def _wrong(self, mismatch: Mismatch) -> Outcome:
        who = f"{mismatch.who[0].upper()}{mismatch.who[1:]}"
        return self.found(
            mismatch.place,
            field=mismatch.field,
            subject=mismatch.who,
            message=f"{who} asks for {mismatch.wanted}, but {mismatch.there}.",
            consequence=f"{mismatch.effect[0].upper()}{mismatch.effect[1:]}.",
            related=((mismatch.other, "the ports that there are"),),
            fixes=(_FIX,),
            confidence=mismatch.confidence,
        )
