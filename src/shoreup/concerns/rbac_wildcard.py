"""Roles that allow more than anyone has listed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.learned_rights import learned, narrowed
from shoreup.facts.estate import Estate, Grant
from shoreup.facts.naming import named
from shoreup.facts.rights.deployers import deployer, limits_deployers
from shoreup.facts.rights.needed_rights import needed
from shoreup.facts.rights.permissions import DEPLOY, Power, Weight, open_rules, powers
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.resource import Resource

_ADMIN = "cluster-admin"
_BUILT_IN = frozenset({"view", "edit", "admin", _ADMIN})
_EVERYBODY = ("system:serviceaccounts", "system:authenticated", "system:unauthenticated")
_ACCOUNT_USER = "system:serviceaccount:"
_LEAST = Fix(
    "List the verbs and resources that it uses",
    Safety.SHOWN,
    "which requests it makes stands in the API server's audit log, not in this repository",
)
_SEVERITIES: Mapping[tuple[Weight, bool], Severity] = {
    (Weight.EVERYTHING, True): Severity.CRITICAL,
    (Weight.EVERYTHING, False): Severity.HIGH,
    (Weight.ESCALATION, True): Severity.HIGH,
    (Weight.ESCALATION, False): Severity.MEDIUM,
    (Weight.WILDCARD, True): Severity.MEDIUM,
    (Weight.WILDCARD, False): Severity.MEDIUM,
}


_PROPOSAL = """# what it asks for stands in the API server's audit log; until then, as little as it is known to need
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: <name>, namespace: <the one namespace that it works in>}
rules:
  - apiGroups: [<group, empty for core>]
    resources: [<the resources that it reads or changes>]
    verbs: [get, list, watch]   # and of create, update, patch, delete only what it uses"""


class RbacWildcard(Concern):
    """A role that a program holds has wildcards, or rights that lead to more rights.

    **What**

    The role is bound to a ServiceAccount or to a group that every account is in, and it has `*` for verbs or
    resources of Kubernetes' own groups, or rights from which others follow: `escalate`, `bind`, `impersonate`, reading
    the Secrets of the whole cluster, `pods/exec`, `nodes/proxy`, tokens of other accounts, writing the objects by
    which Flux is told what to apply. Rules for the objects of an operator's own group, rules that name their objects,
    and what well-known programs need for their work are left alone.

    **Why**

    A wildcard also covers what Kubernetes adds tomorrow. Whoever takes over the pod reads Secrets, runs commands in
    other pods or binds a wider role to itself.

    **Example**

    `verbs: ["*"]` on `resources: ["*"]` in a Role that a pipeline's account holds is found; `get` and `list` on
    `deployments` is not.

    **Fix safety**

    Unsafe, and made only by what `shoreup rbac learn` has read from an API audit log: taking rights away may stop what
    uses them. Shown without one.
    """

    id = "rbac-wildcard"
    title = "Role with wildcards or rights that lead to more"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source(
            "Kubernetes: good practices for RBAC", "https://kubernetes.io/docs/concepts/security/rbac-good-practices/"
        ),
        Source("Programs that need such rights", "facts/data/needed_rights.json"),
        Source("Deployers", "facts/data/deployers.json"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every role that a program holds, once."""
        held: dict[tuple[int, bool], list[Grant]] = defaultdict(list)
        for grant in estate.grants:
            if grant.role == _ADMIN or not _is_program(grant):
                continue
            role = _role(estate, grant)
            if role is not None:
                held[(role.key, grant.cluster_wide)].append(grant)
            elif grant.role not in _BUILT_IN and not grant.role.startswith("system:"):
                reason = (
                    "the bound role is not decided"
                    if "*" in (grant.role_kind, grant.role)
                    else f"the {grant.role_kind or 'role'} {grant.role} is not in the estate"
                )
                yield self.undecided(grant.place, unknown="rules", reason=reason)
        for (key, cluster_wide), grants in held.items():
            yield from self._role(estate, estate.by_key[key], cluster_wide, grants)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The rules that the account's requests need, where an audit log has shown them."""
        role = estate.by_key[draft.at.resource]
        grants = [one for one in estate.grants if _is_program(one) and _role(estate, one) is role]
        if len(grants) != 1 or grants[0].subject_kind != "ServiceAccount":
            return self.unrepaired(draft, "the role is held by several, and only all of them tell what it needs")
        grant = grants[0]
        found = learned(estate, grant.subject_namespace, grant.subject)
        return found if isinstance(found, NoRepair) else narrowed(estate, role.key, grant, found)

    def _role(self, estate: Estate, role: Resource, cluster_wide: bool, grants: Sequence[Grant]) -> Iterator[Outcome]:
        # Well-known programs that hold the role have a right to it; whoever else was bound to it has not.
        grants = [grant for grant in grants if not deployer(grant.subject)]
        every = powers(role.body, cluster_wide)
        grants = [grant for grant in grants if any(power.id not in needed(grant.subject) for power in every)] or grants
        if not grants:
            return
        excused = frozenset.intersection(*(needed(grant.subject) for grant in grants))
        allowed = [power for power in every if power.id not in excused]
        if any(power.id == DEPLOY for power in allowed) and estate.once(limits_deployers):
            allowed = [power for power in allowed if power.id != DEPLOY]
        if allowed:
            yield self._found(role, cluster_wide, grants, allowed)
            return
        reason = open_rules(role.body)
        if reason:
            yield self.undecided(Place(role.key, ("rules",)), unknown="rules", reason=reason)

    def _found(self, role: Resource, cluster_wide: bool, grants: Sequence[Grant], allowed: Sequence[Power]) -> Outcome:
        first = allowed[0]
        who = _listed(list(dict.fromkeys(_who(grant) for grant in grants)))
        where = "in the whole cluster" if cluster_wide else f"in the namespace {grants[0].resource.namespace}"
        may = _listed([power.what for power in allowed[:4]])
        related = [(Place(role.key, power.route), f"it may also {power.what}") for power in allowed[1:6]]
        related.extend((grant.subject_place, "this is who gets it") for grant in grants[:3])
        everything = first.weight is Weight.EVERYTHING
        reach = (
            ("owns the cluster" if cluster_wide else "owns the namespace")
            if everything
            else f"can {first.what} {where}"
        )
        return self.found(
            Place(role.key, first.route),
            field="rules" if cluster_wide else f"rules in {grants[0].resource.namespace}",
            subject=named(role),
            message=f"{named(role)} lets {who} {may} {where}.",
            consequence=f"Whoever takes over one pod that uses it {reach}.",
            severity=_SEVERITIES[(first.weight, cluster_wide)],
            # What rights a deployer has is its default, which an installation elsewhere may have changed.
            confidence=Confidence.LIKELY if all(power.id == DEPLOY for power in allowed) else Confidence.CERTAIN,
            related=tuple(related),
            fixes=(_LEAST,),
        )


def _is_program(grant: Grant) -> bool:
    if grant.subject_kind == "Group":
        return grant.subject.startswith(_EVERYBODY)
    if grant.subject_kind == "User":
        return grant.subject.startswith(_ACCOUNT_USER)
    return grant.subject_kind == "ServiceAccount"


def _who(grant: Grant) -> str:
    if grant.subject_kind == "ServiceAccount":
        return f"the ServiceAccount {grant.subject_namespace}/{grant.subject}"
    if grant.subject_kind == "Group":
        return f"everyone in the group {grant.subject}"
    return f"the ServiceAccount {grant.subject.removeprefix(_ACCOUNT_USER).replace(':', '/', 1)}"


def _role(estate: Estate, grant: Grant) -> Resource | None:
    """The role itself, where the estate has it; one that is applied together with the binding first."""
    everywhere = grant.role_kind == "ClusterRole"
    where = grant.resource.namespace or "default"
    candidates = [
        role
        for role in estate.by_kind.get(grant.role_kind, ())
        if role.name == grant.role and (everywhere or (role.namespace or "default") == where)
    ]
    together = [role for role in candidates if role.root == grant.resource.root]
    return next(iter(together or candidates), None)


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
