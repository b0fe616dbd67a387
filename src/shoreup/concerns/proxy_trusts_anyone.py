"""Proxies that believe whatever they are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.proxy_trust import SHOWN, trusting_less
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.ways_in.dropped_guards import Dropped, dropped
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_CONSEQUENCES: Mapping[str, str] = {
    "headers": "Whoever sends a header chooses the address that it comes from: address filters, rate limits and logs "
    "of the applications behind believe it.",
    "backends": "Whoever stands between the proxy and any backend answers in the backend's place and reads what "
    "passes, passwords too.",
    "api": "Whoever reaches the port, such as any pod, reads every route, middleware and backend of the proxy.",
}
_FIXES: Mapping[str, Fix] = {
    "headers": Fix(
        "Name the addresses of the proxies that stand before it",
        Safety.UNSAFE,
        "the proxy restarts, and a proxy that is not named loses its clients' addresses",
    ),
    "backends": Fix(
        "Give each backend that needs it a transport with its own certificate authority",
        Safety.UNSAFE,
        "the proxy restarts, and backends whose certificates nobody signed stop answering through it",
    ),
    "api": Fix(
        "Serve the dashboard through a route of its own with a log-in before it",
        Safety.UNSAFE,
        "the proxy restarts, and what reads the API on the open port stops",
    ),
}


_PROPOSALS = {
    _FIXES["headers"]: """# Traefik; nginx: set_real_ip_from, HAProxy: the proxies' own addresses in an acl
entryPoints:
  <name>:
    forwardedHeaders:
      trustedIPs: [<addresses of the proxies that stand before it>]""",
    _FIXES["backends"]: """# the general switch goes; each backend that needs it gets
apiVersion: traefik.io/v1alpha1
kind: ServersTransport
metadata: {name: <name>, namespace: <namespace>}
spec:
  serverName: <a name in the certificate>
  rootCAsSecrets: [<Secret with ca.crt>]""",
    _FIXES["api"]: """# api.insecure goes; the dashboard gets a route of its own
apiVersion: traefik.io/v1alpha1
kind: IngressRoute
metadata: {name: dashboard, namespace: <namespace>}
spec:
  routes:
    - match: Host(`<name>`)
      kind: Rule
      middlewares: [{name: <one that asks for a log-in>}]
      services: [{name: api@internal, kind: TraefikService}]""",
}


_CURES: Mapping[str, Fix] = {
    "headers": Fix("Believe the addresses that its other entry point names", Safety.UNSAFE, _FIXES["headers"].reason),
    "api": Fix("Close the open port of its API, for a route serves the dashboard", Safety.UNSAFE, _FIXES["api"].reason),
}
_COSTS: Mapping[str, str] = {
    "headers": "a proxy before it that has another address is believed no more",
    "api": "what reads the API on the open port stops",
}


class ProxyTrustsAnyone(Concern):
    """A proxy believes every client, checks no backend, or serves its own API openly.

    **What**

    Forwarded headers or the PROXY protocol are taken from any address, certificate checks are off for all backends at
    once, or the proxy's API answers without a log-in.

    **Why**

    What stands behind a proxy decides by the client's address: who is at home, who has tried too often. A header
    that anyone may set makes that decision worthless.

    **Example**

    `forwardedHeaders.insecure: true` on an entry point is found; `forwardedHeaders.trustedIPs` with the addresses of
    the box before it is not.

    **Fix safety**

    Unsafe: the proxy restarts, and whatever relied on the trust stops working.
    """

    id = "proxy-trusts-anyone"
    title = "Proxy that trusts any client, any backend or any caller of its API"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.NETWORK
    section = Section.SECURITY
    sources = (
        Source(
            "MDN: X-Forwarded-For and whom to trust",
            "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For",
        ),
        Source("CWE-348: trust in a source that anybody can be", "https://cwe.mitre.org/data/definitions/348.html"),
        Source("Settings that switch something off", "facts/data/switches.json"),
    )
    proposal = _PROPOSALS

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every guard that a proxy drops."""
        for guard in dropped(estate, self.id):
            if guard.undecided:
                yield self.undecided(guard.place, unknown=guard.setting, reason=guard.undecided)
            else:
                yield self._trusting(guard, named(estate.by_key.get(guard.resource.parent, guard.resource)))

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The addresses that the same proxy believes elsewhere, or the API closed where a route serves it already."""
        guard = next((one for one in dropped(estate, self.id) if one.place == draft.at and not one.undecided), None)
        edits = trusting_less(estate, guard) if guard is not None else ()
        if guard is None or not edits:
            return self.unrepaired(draft, text=SHOWN[guard.switch.about] if guard is not None else "")
        return Repair(_CURES[guard.switch.about], edits, cost=_COSTS[guard.switch.about])

    def _trusting(self, guard: Dropped, subject: str) -> Outcome:
        switch = guard.switch
        return self.found(
            guard.place,
            field=switch.id,
            subject=subject,
            message=f"{switch.title} by {subject} {switch.says} ({guard.setting}).",
            consequence=_CONSEQUENCES[switch.about],
            severity=Severity.MEDIUM if switch.about == "api" else Severity.HIGH,
            fixes=(_FIXES[switch.about],),
        )
