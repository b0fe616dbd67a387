"""Annotations that nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.ways_in.controllers import IgnoredAnnotations, ignored_annotations
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.wording import some

_GUARDS = re.compile(
    r"auth|whitelist|allowlist|allow-list|denylist|limit|rate|waf|modsecurity|ssl-redirect|hsts|middlewares",
    re.IGNORECASE,
)
_SHOWN = 3


_PROPOSAL = """# where Traefik runs: what the annotation says becomes a Middleware, which the route names
apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: <name>, namespace: <namespace>}
spec:
  <forwardAuth, rateLimit, redirectScheme, headers ...>: <its settings>
---
metadata:
  annotations:
    traefik.ingress.kubernetes.io/router.middlewares: <namespace>-<name>@kubernetescrd"""


class AnnotationIgnored(Concern):
    """An ingress carries annotations of a controller that the estate does not run.

    **What**

    `nginx.ingress.kubernetes.io/...`, `traefik.ingress.kubernetes.io/...` and the like on an Ingress, or in a chart's
    values for one, while the estate runs other ingress controllers and not that one. Where the estate does not show
    which controller there is, it is undecided.

    **Why**

    A controller passes over what is not its own. What the annotation promises, a log-in, a limit, a list of addresses,
    a redirect to TLS, does not happen, and everything looks as if it did.

    **Example**

    `nginx.ingress.kubernetes.io/auth-url` on an Ingress that Traefik serves.

    **Fix safety**

    Shown: the equivalent for the controller in use, which changes what the route does.
    """

    id = "annotation-ignored"
    title = "Annotations of a controller that is not there"
    severity = Severity.MEDIUM
    consequence_class = Consequence.TAKEOVER
    category = Category.NETWORK
    section = Section.KNOWN_BUGS
    sources = (
        Source("Kubernetes: Ingress", "https://kubernetes.io/docs/concepts/services-networking/ingress/"),
        Source("Ingress controllers", "facts/data/ingress_controllers.json"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every ingress, those in charts' values too."""
        for ignored in ignored_annotations(estate):
            if ignored.undecided:
                yield self.undecided(ignored.place, unknown="ingress controller", reason=ignored.undecided)
            else:
                yield self._ignored(ignored)

    def _ignored(self, ignored: IgnoredAnnotations) -> Outcome:
        short = [name.partition("/")[2] for name in ignored.names]
        guards = [name for name in short if _GUARDS.search(name)]
        names = some(short, _SHOWN)
        runs = " and ".join(ignored.runs)
        happens = (
            f"What {' and '.join(guards[:_SHOWN])} should guard is open: {runs} does not read it."
            if guards
            else f"What they ask for does not happen: {runs} does not read them."
        )
        return self.found(
            ignored.place,
            field=f"annotations of {ignored.controller}",
            subject=ignored.who,
            message=f"{ignored.who} has annotations for {ignored.controller} ({names}), and the estate runs {runs}.",
            consequence=happens,
            fixes=(
                Fix(
                    f"Say the same in the way of {runs}",
                    Safety.SHOWN,
                    "what then begins to apply changes what the route does",
                ),
            ),
            severity=None if guards else Severity.LOW,
            consequence_class=None if guards else Consequence.HYGIENE,
        )
