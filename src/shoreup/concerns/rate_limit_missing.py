"""Ways in from the internet that let any number of requests through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.rate_limits import SHOWN, limited
from shoreup.facts.estate import Estate, Middleware, WayIn
from shoreup.facts.naming import named
from shoreup.facts.ways_in.rate_limits import LIMIT, READ_CONTROLLERS, elsewhere
from shoreup.facts.ways_in.reach import open_by_contrast
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.settings import Cover
from shoreup.model.wording import some

_REASON = "requests over the limit are refused, so the numbers must leave room for the busiest honest client"
_FIXES: Mapping[str, Fix] = {
    "traefik": Fix("Add a Middleware with rateLimit to the route's chain", Safety.UNSAFE, _REASON),
    "nginx": Fix("Add the annotation nginx.ingress.kubernetes.io/limit-rps", Safety.UNSAFE, _REASON),
}
_ANY_FIX = Fix("Put a rate limit into its chain", Safety.UNSAFE, _REASON)


_PROPOSALS = {
    _FIXES["traefik"]: """apiVersion: traefik.io/v1alpha1
kind: Middleware
metadata: {name: rate-limit, namespace: <namespace>}
spec:
  rateLimit: {average: <requests a second>, burst: <requests at once>}
# and among the middlewares of the route: <namespace>-rate-limit@kubernetescrd""",
    _FIXES["nginx"]: """metadata:
  annotations:
    nginx.ingress.kubernetes.io/limit-rps: '<requests a second>'""",
    _ANY_FIX: """# <requests a second> for each client, in the way of the proxy that the route goes through""",
}


class RateLimitMissing(Concern):
    """A route is open to the internet, and nothing in its middleware chain limits the rate of requests.

    **What**

    The whole chain is looked at: the route's own middlewares, chains of chains, what the entry point adds, annotations,
    policies of the gateway, and rate limits of a DNS provider's edge that the same estate declares. A route
    counts as open when the estate says so: a tunnel or a public record for its host, a certificate that is proven
    over HTTP, a class, gateway or entry point called external, or neighbours behind the same proxy that are fenced off
    by private addresses while this one, under a public name, is not.

    **Why**

    One client in a loop, a scraper or somebody who tries passwords takes every worker of the application behind the
    route, and with it the database that it shares with others.

    **Example**

    An `IngressRoute` for `photos.example.org` with `middlewares: [secure-headers]` is found. With a `Middleware` that
    has `rateLimit`, itself or through a chain, it is not. Left open, not found: a route of which nothing says whether
    the internet reaches it, or one whose chain is not wholly known.

    **Fix safety**

    Unsafe: a limit refuses requests. Numbers that are too low break uploads, photo galleries and sync clients.
    """

    id = "rate-limit-missing"
    title = "Open to the internet without a rate limit"
    severity = Severity.MEDIUM
    consequence_class = Consequence.OUTAGE
    category = Category.NETWORK
    section = Section.SECURITY
    sources = (
        Source("CWE-307: attempts to log in that nobody limits", "https://cwe.mitre.org/data/definitions/307.html"),
        Source("Ingress controllers", "facts/data/ingress_controllers.json"),
    )
    proposal = _PROPOSALS

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every way in that leads to a service."""
        by_contrast = open_by_contrast(estate)
        limits = elsewhere(estate)
        for index, way in enumerate(estate.ways_in):
            if way.internet is False or not (way.services or way.service_names) or _limited(way.middlewares):
                continue
            if any(estate.settings.protected(host, Cover.RATE_LIMIT, estate.today) for host in way.hosts):
                continue
            reason = _chain_open(way) or limits.get(way.controller, "")
            if not reason and way.internet is None and index not in by_contrast:
                reason = "nothing in the estate says whether the internet reaches it"
            if reason:
                yield self.undecided(way.place, unknown="rate limit", reason=reason)
            else:
                yield self._open(way, contrast=index in by_contrast)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """A limit in the words of the route's proxy: the estate's own, or a generous one."""
        way = next((one for one in estate.ways_in if one.place == draft.at), None)
        found = limited(estate, way) if way is not None else None
        if way is None or found is None:
            shown = SHOWN.get(way.controller, "") if way is not None else ""
            return self.unrepaired(draft, "how this proxy limits rates is for its owner to write", shown)
        offer = _FIXES.get(way.controller, _ANY_FIX)
        source = "as the estate limits other routes" if found.own else "a generous limit, for the estate has none"
        cost = f"beyond {found.said} an address is refused; clients behind one address count together"
        if found.together:
            cost = f"beyond {found.said} everybody is refused, for all clients count together"
        return Repair(Fix(offer.title, offer.safety, f"{found.said}, {source}; {_REASON}"), found.edits, cost=cost)

    def _open(self, way: WayIn, *, contrast: bool) -> Outcome:
        subject = named(way.resource)
        hosts = some(way.hosts, 3)
        whom = f"{subject} leads {hosts} " if hosts else f"{subject} leads "
        target = way.service_names[0] if way.service_names else way.services[0].name
        why = (
            "others behind the same proxy are fenced off and it is not"
            if contrast
            else "the estate opens it to the internet"
        )
        count = len(way.middlewares)
        chain = f"none of the {count} pieces of its chain limits" if count > 1 else "nothing in its chain limits"
        return self.found(
            way.place,
            field="rateLimit",
            subject=subject,
            message=f"{whom}to {target}; {why}, and {chain} the rate of requests.",
            consequence=f"One client in a loop can take every worker of {target} and what stands behind it.",
            related=tuple(
                (piece.place, f"{piece.name}: {', '.join(piece.kinds)}") for piece in _placed(way.middlewares)[:5]
            ),
            fixes=(_FIXES.get(way.controller, _ANY_FIX),),
            confidence=Confidence.LIKELY,
            dependants=len(way.services),
        )


def _limited(pieces: Sequence[Middleware]) -> bool:
    return any(LIMIT in piece.kinds for piece in pieces)


def _placed(pieces: Sequence[Middleware]) -> list[Middleware]:
    return [piece for piece in pieces if piece.place != Place()]


def _chain_open(way: WayIn) -> str:
    """Why the chain is not wholly known, so that a limit may be in it."""
    if way.undecided:
        return way.undecided
    if way.missing:
        return f"{way.missing[0]} is in its chain and not in the estate"
    if any("plugin" in piece.kinds for piece in way.middlewares):
        return "a plugin in its chain may limit the rate"
    if way.controller not in READ_CONTROLLERS:
        return f"how {way.controller or 'its controller'} limits rates is not read"
    return ""
