"""Tokens that outlive whoever asked for them."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.secrets.tokens import EndlessToken, endless_tokens
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_PROJECTED = Fix(
    "Use the token that Kubernetes mounts and renews in the pod; outside the cluster ask for one with "
    "`kubectl create token --duration`",
    Safety.SHOWN,
    "who uses the token today is not in the repository",
)
_ENDING = Fix(
    "Give it an end and have the pipeline make the next one",
    Safety.SHOWN,
    "how long it has to live is for its owner to say",
)


_PROPOSALS = {
    _PROJECTED: """# in the pod: Kubernetes mounts it and renews it
volumes:
  - name: token
    projected:
      sources:
        - serviceAccountToken: {path: token, expirationSeconds: 3600, audience: <who checks it>}
# outside of the cluster, for as long as the work takes
kubectl create token <service account> -n <namespace> --duration=<time>
# when nobody uses the old one any more
kubectl delete secret <the token's Secret> -n <namespace>""",
    _ENDING: """# the pipeline makes the next one before the old one ends
<token> expires in <days>; a job replaces it every <fewer days>""",
}


class TokenPermanent(Concern):
    """A token that never expires.

    **What**

    A Secret of the type `kubernetes.io/service-account-token`, which holds a token of the ServiceAccount for as long
    as the Secret exists, or a token of another system that is asked for without an end.

    **Why**

    A copy of it (in a laptop's kubeconfig, a log, a backup, the state of Terraform) works until somebody remembers
    to remove it. The tokens that pods get by themselves are renewed every hour and bound to the pod.

    **Example**

    A Secret of that type with the annotation `kubernetes.io/service-account.name: agent` is found; a pod that uses its
    mounted token is not.

    **Fix safety**

    Shown: removing the Secret ends the token for whoever uses it.
    """

    id = "token-permanent"
    title = "Token that never expires"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source(
            "Kubernetes: service accounts and their tokens",
            "https://kubernetes.io/docs/concepts/security/service-accounts/",
        ),
        Source("Kubernetes: Secrets", "https://kubernetes.io/docs/concepts/configuration/secret/"),
        Source("Tokens that have an end", "facts/data/endless_tokens.json"),
    )
    proposal = _PROPOSALS

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every token that nothing ends."""
        admins = {
            (grant.subject_namespace, grant.subject): grant.subject_place
            for grant in estate.grants
            if grant.subject_kind == "ServiceAccount" and grant.role == "cluster-admin" and grant.cluster_wide
        }
        for token in endless_tokens(estate):
            if token.undecided:
                yield self.undecided(token.place, unknown=f"end of the {token.what}", reason=token.undecided)
                continue
            namespace = token.resource.namespace or "default"
            yield self._endless(token, admins.get((namespace, token.account)) if token.account else None)

    def _endless(self, token: EndlessToken, admin: Place | None) -> Outcome:
        subject = named(token.resource)
        if token.what == "token":
            whose = f" of the ServiceAccount {token.account}" if token.account and token.account != "*" else ""
            message = f"{subject} holds a token{whose} that never expires."
        else:
            message = f"{subject} asks for a {token.what} that never expires."
            if token.what[0] in "AEIOU":
                message = f"{subject} asks for an {token.what} that never expires."
        reach = ", which is cluster-admin," if admin else ""
        return self.found(
            token.place,
            field="type" if token.what == "token" else "expiry",
            subject=subject,
            message=message,
            consequence=f"A copy of it{reach} works until the {token.what} is removed by hand, whoever has it.",
            severity=Severity.CRITICAL if admin else Severity.HIGH if token.what == "token" else Severity.MEDIUM,
            related=((admin, "the account is cluster-admin"),) if admin else (),
            fixes=(_PROJECTED if token.what == "token" else _ENDING,),
        )
