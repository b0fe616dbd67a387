"""Workloads that any pod of the cluster may call."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.network.unselected import OpenNamespace, open_namespaces
from shoreup.facts.network.wired_policies import wired_policies
from shoreup.model.edit import Add, NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.wording import some

_FIX = Fix(
    "Deny by default and allow what the wiring shows",
    Safety.SHOWN,
    "a policy that forgets one client cuts it off; what calls from outside the estate is not in the estate",
)
_SHOWN = 3
_HEAD = (
    "# What the estate shows of who calls whom. Callers from outside the estate, and programs that call out of the\n"
    "# cluster (updates, mail, single sign-on), need an entry of their own before this is applied."
)


_PROPOSAL = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default, namespace: <namespace>}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {}}]
    - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: <namespace of the ingress controller>}}}]
      ports: [{port: <port>}]"""


class NetworkPolicyMissing(Concern):
    """A namespace runs workloads that no network policy selects.

    **What**

    The estate runs workloads in the namespace whose labels no NetworkPolicy, Cilium or Calico policy selects, neither
    one of the namespace nor one for the whole cluster. A policy for one pod covers no other. Reported once a namespace,
    with how many. The control plane's own namespaces and pods on the host's network are left out.

    **Why**

    Without a policy every pod of the cluster may connect to every port in the namespace. Whoever takes over one
    exposed application reaches the databases and admin pages of all the others, past every proxy and log-in.

    **Example**

    A namespace `photos` with a server and its database, and nothing of kind NetworkPolicy. A policy with
    `podSelector: {}` and `policyTypes: [Ingress]` that admits the proxy is enough.

    **Fix safety**

    Shown: a policy that forgets a client cuts it off.
    """

    id = "network-policy-missing"
    title = "Workloads that no network policy selects"
    severity = Severity.MEDIUM
    consequence_class = Consequence.TAKEOVER
    category = Category.NETWORK
    section = Section.SECURITY
    sources = (
        Source(
            "Kubernetes: network policies", "https://kubernetes.io/docs/concepts/services-networking/network-policies/"
        ),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every namespace that runs something."""
        for namespace in open_namespaces(estate):
            if namespace.undecided:
                yield self.undecided(namespace.place, unknown="network policies", reason=namespace.undecided)
            else:
                yield self._open(namespace)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """No edit: the policies that the wiring shows, for a person to complete."""
        found = next((one for one in open_namespaces(estate) if one.place == draft.at and not one.undecided), None)
        if found is None:
            return self.unrepaired(draft)
        sketch = tuple(Add(draft.at.resource, body) for body in wired_policies(estate, found.name))
        return replace(self.unrepaired(draft, text=_HEAD), sketch=sketch)

    def _open(self, namespace: OpenNamespace) -> Outcome:
        count = len(namespace.workloads)
        every = count == namespace.running
        runs = f"{namespace.running} workload{'s' if namespace.running > 1 else ''}"
        names = some([workload.name for workload in namespace.workloads], _SHOWN)
        return self.found(
            namespace.place,
            field="network policy",
            subject=f"Namespace {namespace.name}",
            message=(
                f"Namespace {namespace.name} runs {runs} ({names}), and no network policy in the estate applies "
                f"to {'it' if count == 1 else 'them'}."
                if every
                else f"Of {runs} in namespace {namespace.name} no network policy in the estate selects {count} "
                f"({names})."
            ),
            consequence=(
                "Every pod of the cluster may connect to every port of theirs: who takes over one application reaches "
                "these past their proxy and their log-in."
            ),
            related=tuple(
                (Place(workload.resource.key), f"{named(workload.resource)} runs there")
                for workload in namespace.workloads[:_SHOWN]
                if workload.resource.key != namespace.place.resource
            ),
            fixes=(_FIX,),
            dependants=count,
        )
