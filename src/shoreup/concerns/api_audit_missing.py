"""Clusters that remember nothing of who asked for what."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.control_plane import control_planes
from shoreup.facts.estate import Estate
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_POLICY = Fix(
    "Give the API server an audit policy and a log with a limit on its size and age",
    Safety.SHOWN,
    "the policy is a file on the nodes, and what is worth recording is for its owner to say",
)


_PROPOSAL = """# on each node of the control plane, such as /etc/kubernetes/audit.yaml
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    nonResourceURLs: ["/healthz*", "/livez*", "/readyz*", "/metrics"]
  - level: None
    resources: [{group: coordination.k8s.io, resources: [leases]}]
  - level: Metadata   # who asked for what; never the contents, which may be secret
# and the flags of the API server
--audit-policy-file=/etc/kubernetes/audit.yaml
--audit-log-path=/var/log/kubernetes/audit.log
--audit-log-maxage=<days> --audit-log-maxbackup=<files> --audit-log-maxsize=<MiB each>"""


class ApiAuditMissing(Concern):
    """The control plane is configured here and records no requests.

    **What**

    The configuration of k3s, RKE2, kubeadm or the API server itself is in the repository, and nothing in it names an
    audit policy. Where the control plane is configured elsewhere, nothing is said.

    **Why**

    After a break-in nobody can say which Secrets were read and which roles were bound. And without a record of what
    a program asks for, no narrower role can be made for it.

    **Example**

    A k3s `config.yaml` without `audit-policy-file` among its `kube-apiserver-arg` is found.

    **Fix safety**

    Shown: a policy file comes to the nodes, and the control plane restarts.
    """

    id = "api-audit-missing"
    title = "No audit log of the Kubernetes API"
    severity = Severity.MEDIUM
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.MISSING_FEATURES
    sources = (
        Source("Kubernetes: auditing", "https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/"),
        Source("k3s: hardening guide", "https://docs.k3s.io/security/hardening-guide"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every control plane that the estate configures."""
        for plane in control_planes(estate):
            if plane.audits is None:
                reason = f"parts of what configures {plane.title} are filled in elsewhere"
                yield self.undecided(plane.place, unknown="audit policy", reason=reason)
            elif not plane.audits:
                yield self.found(
                    plane.place,
                    field="audit-policy-file",
                    subject=plane.resource.name,
                    message=f"{plane.resource.name} configures the control plane of {plane.title} with no audit policy."
                    if not plane.whole
                    else f"{plane.title} of {plane.resource.name} is started with no audit policy.",
                    consequence="Nobody can say afterwards who read a Secret or bound a role.",
                    confidence=Confidence.CERTAIN if plane.whole else Confidence.LIKELY,
                    fixes=(_POLICY,),
                )
