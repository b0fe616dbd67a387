"""VPN endpoints behind which every peer reaches everything."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.network.vpn import VpnEndpoint, vpn_endpoints
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Drop forwarded packets by default and allow each peer what it needs",
    Safety.SHOWN,
    "which peer needs what is for the owner to say; a rule too few cuts a peer off",
)


_PROPOSAL = """# nftables on the endpoint, before the tunnel comes up
table inet vpn {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "<wg0>" ip saddr <address of the peer> ip daddr <address of the service> tcp dport <port> accept
  }
}"""


class VpnUnrestricted(Concern):
    """A VPN endpoint forwards whatever its peers send.

    **What**

    A WireGuard endpoint whose start hooks set up no firewall, or one that accepts everything from the tunnel and drops
    nothing: no hook, a placeholder, rules that are only comments, or no default drop. The addresses in a peer's own
    file (`AllowedIPs`) limit nothing, for the peer may change them.

    **Why**

    Each peer's key is then a key to the whole network behind the endpoint: the guest's tablet and a stolen phone reach
    the storage, the cluster's API and every admin page.

    **Example**

    `iptables -A FORWARD -i wg0 -j ACCEPT` alone is found; with `iptables -P FORWARD DROP` before it and rules for each
    peer it is not.

    **Fix safety**

    Shown: which peer may reach what is for the owner to say.
    """

    id = "vpn-unrestricted"
    title = "VPN whose peers reach everything"
    severity = Severity.CRITICAL
    consequence_class = Consequence.TAKEOVER
    category = Category.NETWORK
    section = Section.SECURITY
    sources = (
        Source("WireGuard: AllowedIPs and routing", "https://www.wireguard.com/"),
        Source("Endpoints of a VPN", "facts/data/vpn_endpoints.json"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every endpoint."""
        for endpoint in vpn_endpoints(estate):
            if endpoint.limited is None:
                yield self.undecided(endpoint.place, unknown="firewall", reason=endpoint.undecided)
            elif not endpoint.limited:
                yield self._open(endpoint)

    def _open(self, endpoint: VpnEndpoint) -> Outcome:
        return self.found(
            endpoint.place,
            field="firewall",
            subject=endpoint.who,
            message=f"The VPN endpoint {endpoint.who} does not limit what its peers reach: {endpoint.firewall}.",
            consequence="Whoever holds one peer's key, a lost phone included, reaches the whole network behind it.",
            fixes=(_FIX,),
            confidence=endpoint.confidence,
        )
