"""Workloads that have been told to let anyone in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate, WayIn
from shoreup.facts.naming import named
from shoreup.facts.ways_in.dropped_guards import Dropped, dropped
from shoreup.facts.ways_in.gates import Access, access_to
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_ON = Fix(
    "Switch its authentication on, or put a gate before every way in and a NetworkPolicy around the pod",
    Safety.SHOWN,
    "who may come in is for its owner to say, and what calls it without a name today stops",
)


_PROPOSAL = """# the switch that turns it off goes; the gate before each way in, such as for Traefik
metadata:
  annotations:
    traefik.ingress.kubernetes.io/router.middlewares: <namespace>-<forward-auth middleware>@kubernetescrd"""


class AuthDisabled(Concern):
    """A workload's own configuration turns its authentication off.

    **What**

    A setting of the product (an environment variable, an argument, a line of its configuration) says that nobody is
    asked who they are. Where every way in passes a gate that asks, it weighs less: the pod's port inside the cluster
    stays open. Products that expect such a gate are found only where there is none.

    **Why**

    Every pod of the cluster, and whoever the route lets through, may do what the product can do.

    **Example**

    `--auth=none` on an editor in the browser is found; a product whose settings say nothing of it is not.

    **Fix safety**

    Shown: what calls it without a name today has to get one first.
    """

    id = "auth-disabled"
    title = "Authentication switched off"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source("CWE-306: no authentication for what needs it", "https://cwe.mitre.org/data/definitions/306.html"),
        Source("Settings that switch something off", "facts/data/switches.json"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every setting that switches authentication off."""
        for guard in dropped(estate, self.id):
            if guard.undecided:
                unknown = f"whether {guard.setting} lets anyone in"
                yield self.undecided(guard.place, unknown=unknown, reason=guard.undecided)
                continue
            access = access_to(estate, guard.workload, guard.container)
            if guard.switch.admin and access.from_internet:
                # An open page of administration is dashboard-anonymous's.
                continue
            if not guard.switch.gated or access.open:
                yield self._off(guard, access)
            elif not access.asked:
                reason = "no way in to it is decided, so whether a gate stands before it is not known"
                yield self.undecided(guard.place, unknown="gate before it", reason=reason)

    def _off(self, guard: Dropped, access: Access) -> Outcome:
        workload, container = guard.workload, guard.container
        if workload is None:
            subject = named(guard.resource)
        else:
            subject = named(workload.resource, container.name if container else "")
        open_ways = access.from_internet or access.open
        return self.found(
            guard.place,
            field=guard.switch.id,
            subject=subject,
            message=f"{subject} {guard.switch.says} ({guard.setting}).",
            consequence=_consequence(access),
            severity=_severity(guard, access),
            related=tuple((way.place, f"this leads to it, by {way.controller or 'a route'}") for way in open_ways[:3]),
            fixes=(_ON,),
        )


def _consequence(access: Access) -> str:
    if access.from_internet:
        hosts = _hosts(access.from_internet)
        return f"Anyone on the internet who opens {hosts} is in, and so is every pod of the cluster."
    if access.open:
        return f"Anyone who reaches {_hosts(access.open[:3])} is in, and so is every pod of the cluster."
    if access.behind_gate:
        return "The gate before it is the only lock: every pod of the cluster goes around it."
    return "Whoever reaches its port is in, such as every pod of the cluster."


def _hosts(ways: Sequence[WayIn]) -> str:
    return ", ".join(dict.fromkeys(host for way in ways for host in way.hosts[:1])) or "its route"


def _severity(guard: Dropped, access: Access) -> Severity:
    if access.from_internet:
        return Severity.CRITICAL
    if guard.switch.gated and all(way.internet is False for way in access.open):
        return Severity.LOW
    return Severity.MEDIUM if access.behind_gate or guard.switch.gated else Severity.HIGH
