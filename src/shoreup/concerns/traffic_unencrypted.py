"""Credentials that cross the network in clear."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.network.plain_text import PlainText, plain_text
from shoreup.facts.network.plain_text_files import plain_text_files
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Switch TLS on at both ends",
    Safety.SHOWN,
    "the other end must offer TLS first, with a certificate that this one trusts",
)


_PROPOSAL = """# the server first: a certificate from a Secret, and TLS beside plain text; then the clients, with
<scheme>s://<host>:<port>   # and the authority that signed: <ca.crt>
# at last the server refuses plain text"""


class TrafficUnencrypted(Concern):
    """A workload talks to another in clear, with a credential, or is left out of the mesh that would encrypt it.

    **What**

    A mesh's injection switched off where the estate runs that mesh; `ldap://` with a bind password and no STARTTLS;
    `amqp://`, `redis://`, `smtp://`, `http://` and the like with a password in the address; `sslmode=disable` and an
    `SSL_MODE` that switches TLS off beside a database's password: in variables, and in the configuration that
    ConfigMaps, Secrets and the templates of external ones hold. A database operator's copies that go to a store at an
    `http://` address count too. What stays within one pod is left alone.

    **Why**

    Pods of all namespaces share the cluster's network, and most clusters carry it between nodes as it is. Who gets
    onto one node or one switch reads the passwords.

    **Example**

    `DB__SSL_MODE=disable` beside `DB__PASSWD`. `rediss://` and `ldaps://` are not found.

    **Fix safety**

    Shown: the other end has to offer TLS first.
    """

    id = "traffic-unencrypted"
    title = "Credentials sent in clear between workloads"
    severity = Severity.LOW
    consequence_class = Consequence.TAKEOVER
    category = Category.NETWORK
    section = Section.SECURITY
    sources = (
        Source("PostgreSQL: what sslmode protects from", "https://www.postgresql.org/docs/current/libpq-ssl.html"),
        Source("CWE-319: cleartext on the wire", "https://cwe.mitre.org/data/definitions/319.html"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every workload and every file of configuration."""
        for found in chain(plain_text(estate), plain_text_files(estate)):
            if found.undecided:
                yield self.undecided(found.place, unknown="mesh", reason=found.undecided)
            else:
                yield self._plain(found)

    def _plain(self, plain: PlainText) -> Outcome:
        return self.found(
            plain.place,
            field=plain.field,
            subject=plain.who,
            message=f"{plain.who} {plain.what}.",
            consequence=plain.consequence,
            fixes=(_FIX,),
        )
