"""Pages of administration that anyone may open."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.ways_in.admin_pages import AdminPage, admin_pages
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_ASK = Fix(
    "Switch anonymous access off, or put a gate that asks for a log-in before the route",
    Safety.SHOWN,
    "who looks at the page without a log-in today is for its owner to say",
)


_PROPOSAL = """# the setting that lets anyone in goes; or a gate stands before the route, such as for Traefik
metadata:
  annotations:
    traefik.ingress.kubernetes.io/router.middlewares: <namespace>-<forward-auth middleware>@kubernetescrd"""


class DashboardAnonymous(Concern):
    """A page of administration that anyone on the internet may open without a log-in.

    **What**

    A product is told to let visitors in without a name, or has no log-in of its own, and a route from the internet
    leads to it with nothing that asks. Where nothing says whether the route is public, the question stays open.

    **Why**

    Such pages show hosts, versions, queries and logs to whoever scans for them, and with a role that may edit they
    are a way in.

    **Example**

    Grafana with `auth.anonymous.enabled: true` on a public host is found; the same behind a filter of home addresses
    or a forward-auth middleware is not.

    **Fix safety**

    Shown: links and screens that show the page without a log-in stop working.
    """

    id = "dashboard-anonymous"
    title = "Administration open to the internet without a log-in"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source("CWE-306: no authentication for what needs it", "https://cwe.mitre.org/data/definitions/306.html"),
        Source("Pages of administration", "facts/data/open_pages.json"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every page of administration that asks nobody."""
        for page in admin_pages(estate):
            if page.internet is None:
                yield self.undecided(page.place, unknown=f"who reaches {page.title}", reason=page.undecided)
            elif page.internet:
                yield self._open(page)

    def _open(self, page: AdminPage) -> Outcome:
        host = page.hosts[0] if page.hosts else "a public route"
        subject = named(page.resource)
        by = "; others behind the same proxy are fenced off and it is not" if page.likely else ""
        done = "and may change what it shows" if page.writes else "and sees hosts, versions and queries"
        return self.found(
            page.place,
            field="anonymous",
            subject=subject,
            message=f"{page.title} of {subject} {page.says}, and {host} leads to it{by}.",
            consequence=f"Anyone who opens {host} is in {done}.",
            severity=Severity.HIGH if page.writes else Severity.MEDIUM,
            confidence=Confidence.LIKELY if page.likely else Confidence.CERTAIN,
            related=((page.way, "this leads to it"),) if page.way is not None else (),
            fixes=(_ASK,),
        )
