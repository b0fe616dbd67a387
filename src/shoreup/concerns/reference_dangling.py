"""Names that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.ways_in.certificates import dangling_certificates
from shoreup.facts.wiring.references import Dangling, dangling
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Name what is meant, or add it",
    Safety.SHOWN,
    "whether the name or the missing object is the mistake is for the owner to say",
)


_PROPOSAL = """# name what is there (kubectl get <kind> -n <namespace>), or add the object that is named"""


class ReferenceDangling(Concern):
    """Something is named that does not exist.

    **What**

    A Service whose selector matches no pod, a ConfigMap, account or key that a pod asks for and nobody makes, a role or
    account that a binding names, a middleware in a chain, a route's certificate that is made in another namespace than
    the route's. Only where nothing else could have made it: with a chart or an operator in that namespace it is
    undecided, and so are Secrets and claims, which are made by hand.

    **Why**

    Kubernetes takes the reference without a word. The pod never starts, the Service refuses every connection, the
    binding gives nothing, and the router is left out, at the next restart rather than today.

    **Example**

    A Service with `selector: {app: who-am-i}` beside a Deployment with `app: whoami`.

    **Fix safety**

    Shown: which side is wrong is for the owner to say.
    """

    id = "reference-dangling"
    title = "Reference to something that does not exist"
    severity = Severity.HIGH
    consequence_class = Consequence.OUTAGE
    category = Category.PRACTICE
    section = Section.KNOWN_BUGS
    sources = (
        Source(
            "Kubernetes: Services and their types", "https://kubernetes.io/docs/concepts/services-networking/service/"
        ),
        Source("Kubernetes: kinds of volumes", "https://kubernetes.io/docs/concepts/storage/volumes/"),
        Source("Kubernetes: Ingress", "https://kubernetes.io/docs/concepts/services-networking/ingress/"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every reference."""
        for reference in chain(dangling(estate), dangling_certificates(estate)):
            if reference.undecided:
                yield self.undecided(reference.place, unknown=reference.wanted, reason=reference.undecided)
            else:
                yield self._dangles(reference)

    def _dangles(self, reference: Dangling) -> Outcome:
        return self.found(
            reference.place,
            field=reference.field,
            subject=reference.who,
            message=f"{reference.who} names {reference.wanted}, and there is none in the estate.",
            consequence=f"{reference.effect[0].upper()}{reference.effect[1:]}.",
            related=(reference.near,) if reference.near else (),
            fixes=(_FIX,),
            confidence=reference.confidence,
            severity=reference.severity,
        )
