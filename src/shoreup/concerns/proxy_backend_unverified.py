"""TLS to a backend that nobody has made sure is the backend."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.ways_in.backend_checks import UncheckedBackend, unchecked_backends
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Give the proxy the backend's own certificate, or the authority that signed it, and switch the check on",
    Safety.SHOWN,
    "the certificate is the backend's; with a wrong one the route answers with an error",
)


_PROPOSAL = """# Traefik; the certificate comes from: openssl s_client -connect <host>:<port> -showcerts
apiVersion: traefik.io/v1alpha1
kind: ServersTransport
metadata: {name: <name>, namespace: <namespace>}
spec:
  serverName: <a name in the certificate>
  rootCAsSecrets: [<Secret with ca.crt>]
# nginx
proxy_ssl_verify on;
proxy_ssl_trusted_certificate <file with the authority>;
proxy_ssl_name <a name in the certificate>;"""


class ProxyBackendUnverified(Concern):
    """A proxy speaks TLS to a backend without checking its certificate.

    **What**

    `proxy_ssl_verify off`, or none at all beside `proxy_pass https://` (nginx checks nothing by default),
    `insecureSkipVerify` on a transport that a route uses, `tls_insecure_skip_verify`, `verify none`, `noTLSVerify`, and
    `backend-protocol: HTTPS` without `proxy-ssl-verify`. A backend on the proxy's own machine is left alone.

    **Why**

    Whoever can answer for the backend's address, by ARP, DNS or a DHCP lease, gets every password and session that
    passes the proxy. To the visitor the connection looks as safe as ever.

    **Example**

    `proxy_pass https://192.168.1.1; proxy_ssl_verify off;` is found; with `proxy_ssl_verify on` and
    `proxy_ssl_trusted_certificate` it is not.

    **Fix safety**

    Shown: the backend's certificate has to be fetched once, by a way that can be trusted.
    """

    id = "proxy-backend-unverified"
    title = "Proxy that does not check its backend's certificate"
    severity = Severity.MEDIUM
    consequence_class = Consequence.TAKEOVER
    category = Category.NETWORK
    section = Section.SECURITY
    sources = (
        Source("nginx: proxy_ssl_verify", "https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ssl_verify"),
        Source("CWE-295: a certificate that nobody checks", "https://cwe.mitre.org/data/definitions/295.html"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every backend that is reached by TLS."""
        for backend in unchecked_backends(estate):
            if backend.undecided:
                yield self.undecided(backend.place, unknown="certificate check", reason=backend.undecided)
            else:
                yield self._unverified(backend)

    def _unverified(self, backend: UncheckedBackend) -> Outcome:
        whose = f"the certificate of {backend.backend}" if backend.backend else "its backend's certificate"
        return self.found(
            backend.place,
            field=backend.field,
            subject=backend.who,
            message=f"{backend.who} does not check {whose}: {backend.how}.",
            consequence=(
                "Whoever answers for the backend's address on the network reads the passwords and sessions that pass "
                "the proxy."
            ),
            related=backend.related,
            fixes=(_FIX,),
        )
