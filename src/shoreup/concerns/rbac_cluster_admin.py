"""Programs that may do everything."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.learned_rights import learned, rebound
from shoreup.facts.estate import Estate, Grant, Workload
from shoreup.facts.naming import named
from shoreup.facts.rights.deployers import deployer
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_ROLE = "cluster-admin"
_EVERYBODY = frozenset({"system:serviceaccounts", "system:authenticated", "system:unauthenticated"})
_ACCOUNTS_OF = "system:serviceaccounts:"
_ACCOUNT_USER = "system:serviceaccount:"
_WHOEVER = "Whoever takes over one pod that uses it"
_ANONYMOUS = "system:anonymous"
_OWN_ACCOUNTS = Fix(
    "Let it apply each namespace's objects as an account of that namespace",
    Safety.SHOWN,
    "which objects need rights beyond their namespace is for its owner to say",
)
_LEAST = Fix(
    "Bind a role with only the rules that it uses",
    Safety.SHOWN,
    "which requests it makes stands in the API server's audit log, not in this repository",
)


_PROPOSAL = """# what it asks for stands in the API server's audit log; until then, as little as it is known to need
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: <name>, namespace: <the one namespace that it works in>}
rules:
  - apiGroups: [<group, empty for core>]
    resources: [<the resources that it reads or changes>]
    verbs: [get, list, watch]   # and of create, update, patch, delete only what it uses"""


class RbacClusterAdmin(Concern):
    """A ServiceAccount, or a group that every account is in, is bound to `cluster-admin`.

    **What**

    The binding gives a program, or everyone who can log in, every verb on every resource. Bindings of people and of
    administrators' groups are left alone. What deploys from git (Flux, Argo CD) holds such rights by design and weighs
    less, for the repository is then as powerful as the account.

    **Why**

    Whoever takes over one pod with that account reads every Secret and runs anything on every node: the cluster is
    lost with its weakest web application.

    **Example**

    A `ClusterRoleBinding` of ServiceAccount `agent` to `cluster-admin` is found; a binding to a role with the rules
    that it needs is not.

    **Fix safety**

    Unsafe, and made only by what `shoreup rbac learn` has read from an API audit log: taking rights away may stop what
    uses them. Shown without one.
    """

    id = "rbac-cluster-admin"
    title = "ServiceAccount or everyone bound to cluster-admin"
    severity = Severity.CRITICAL
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source(
            "Kubernetes: good practices for RBAC", "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"
        ),
        Source("Deployers", "facts/data/deployers.json"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every grant."""
        running = _running(estate)
        for grant in estate.grants:
            if grant.role_kind == "*" or "*" in grant.role:
                if grant.subject_kind in {"ServiceAccount", "*"}:
                    reason = "the bound role is not decided"
                    yield self.undecided(grant.place, unknown="roleRef", reason=reason)
            elif grant.role == _ROLE and grant.role_kind in {"ClusterRole", ""}:
                who = _who(grant)
                if who:
                    yield self._admin(grant, who, running)
                elif grant.subject_kind == "*" or (grant.subject_kind == "Group" and "*" in grant.subject):
                    yield self.undecided(grant.subject_place, unknown="subjects", reason="the subject is not decided")

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The role that the account's requests need, where an audit log has shown them."""
        grants = [one for one in estate.grants if one.resource.key == draft.at.resource]
        if len(grants) != 1:
            return self.unrepaired(draft, "the binding is for several subjects, and its role is the role of all")
        grant = grants[0]
        if grant.subject_kind != "ServiceAccount":
            return self.unrepaired(draft)
        if deployer(grant.subject):
            return self.unrepaired(draft)
        found = learned(estate, grant.subject_namespace, grant.subject)
        return found if isinstance(found, NoRepair) else rebound(estate, grant, found)

    def _admin(self, grant: Grant, who: str, running: Mapping[tuple[str, str], Sequence[Workload]]) -> Outcome:
        where = "in the whole cluster" if grant.cluster_wide else f"in the namespace {grant.resource.namespace}"
        users = (
            running.get((grant.subject_namespace, grant.subject), ()) if grant.subject_kind == "ServiceAccount" else ()
        )
        related = [(grant.subject_place, "this is who gets it")]
        related.extend(
            (Place(workload.resource.key), f"{named(workload.resource)} runs as it") for workload in users[:3]
        )
        reach = "owns the cluster: every Secret, every node" if grant.cluster_wide else "owns the namespace"
        deploys = deployer(grant.subject) if grant.subject_kind == "ServiceAccount" else ""
        whoever = f"Whoever may write to what {deploys} applies, or takes over its pod," if deploys else _WHOEVER
        return self.found(
            grant.place,
            field="roleRef",
            subject=named(grant.resource),
            message=f"{named(grant.resource)} makes {who} cluster-admin {where}.",
            consequence=f"{whoever} {reach}.",
            severity=Severity.CRITICAL if grant.cluster_wide and not deploys else Severity.HIGH,
            related=tuple(related),
            dependants=len(users),
            fixes=(_OWN_ACCOUNTS if deploys else _LEAST,),
        )


def _who(grant: Grant) -> str:
    """The subject as a program or as everyone; empty for people and their groups."""
    if grant.subject_kind == "ServiceAccount":
        return f"the ServiceAccount {grant.subject_namespace}/{grant.subject}"
    if grant.subject_kind == "Group":
        if grant.subject in _EVERYBODY:
            return f"everyone in the group {grant.subject}"
        if grant.subject.startswith(_ACCOUNTS_OF) and "*" not in grant.subject:
            return f"every ServiceAccount of the namespace {grant.subject.removeprefix(_ACCOUNTS_OF)}"
    if grant.subject_kind == "User":
        if grant.subject == _ANONYMOUS:
            return "everyone, without logging in,"
        if grant.subject.startswith(_ACCOUNT_USER):
            return f"the ServiceAccount {grant.subject.removeprefix(_ACCOUNT_USER).replace(':', '/', 1)}"
    return ""


def _running(estate: Estate) -> Mapping[tuple[str, str], Sequence[Workload]]:
    """Workloads by the account that they run as."""
    found: dict[tuple[str, str], list[Workload]] = defaultdict(list)
    for workload in estate.workloads:
        if workload.service_account:
            found[(workload.namespace, workload.service_account)].append(workload)
    return found
