"""What the concerns about roles share: the repair that binds what an audit log has shown to be used, and no more."""

from __future__ import annotations

from shoreup.facts.estate import Estate, Grant
from shoreup.facts.rights.authorizer import written
from shoreup.facts.rights.learned_roles import cluster_name, roles
from shoreup.model.access import LearnedRights
from shoreup.model.edit import Add, Edit, NoRepair, Put, Repair
from shoreup.model.finding import Fix, Safety
from shoreup.model.location import Route
from shoreup.model.value import Value, at

_NO_LOG = (
    "what it really asks for is not in the repository: 'shoreup rbac learn AUDIT.log --output shoreup.rbac.json' "
    "writes it down, and 'shoreup fix --audit-log AUDIT.log' reads it at once"
)
_UNSEEN = "the audit log that this was learned from shows no request of {who}"
_COST = "what it does less often than the audit log reaches back is refused from then on"
_ANEW = f"{_COST}; a binding's role cannot be changed, so the binding is made anew"


def learned(estate: Estate, namespace: str, name: str) -> LearnedRights | NoRepair:
    """What an account was seen to use, or why nothing can be made of it."""
    if not estate.learned_rights:
        return NoRepair(_NO_LOG)
    found = estate.learned_rights.get((namespace, name))
    if found is None:
        return NoRepair(_UNSEEN.format(who=f"{namespace}/{name}"))
    if found.refused:
        said = ", ".join(found.refused)
        return NoRepair(
            f"it used what leads to more rights ({said}); learned with --allow {found.refused[0]} it is taken up"
        )
    return found


def rebound(estate: Estate, grant: Grant, rights: LearnedRights) -> Repair:
    """The binding of an account to another role: the one that was learned."""
    name = cluster_name(rights)
    objects = list(roles(rights, bound=False))
    if not grant.cluster_wide:
        own = next((one.rules for one in rights.namespaces if one.namespace == grant.resource.namespace), ())
        objects = [{**objects[0], "rules": [written(rule) for rule in own]}] if own else objects[:1]
    edits: list[Edit] = [
        Add(grant.resource.key, body, _as_bound(grant, body)) for body in objects if not _is_there(estate, body)
    ]
    edits.append(Put(grant.resource.key, ("roleRef", "name"), name))
    fix = Fix(f"Bind {name}, a role with what the audit log shows to be used", Safety.UNSAFE, _ANEW)
    return Repair(fix, tuple(edits), cost=_COST, opens=_opens(rights))


def narrowed(estate: Estate, key: int, grant: Grant, rights: LearnedRights) -> Repair | NoRepair:
    """A role's own rules, cut down to what was learned."""
    if grant.cluster_wide:
        bodies = list(roles(rights, bound=False))
        rules, others = bodies[0]["rules"], bodies[1:]
    else:
        own = next((one.rules for one in rights.namespaces if one.namespace == grant.resource.namespace), ())
        if not own:
            return NoRepair(f"the audit log shows no request of it in {grant.resource.namespace}; the binding can go")
        rules, others = [written(rule) for rule in own], []
    edits: list[Edit] = [Put(key, ("rules",), rules)]
    edits += [Add(key, body) for body in others if not _is_there(estate, body)]
    fix = Fix("Keep the rules that the audit log shows to be used", Safety.UNSAFE, _COST)
    return Repair(fix, tuple(edits), cost=_COST, opens=_opens(rights))


def _as_bound(grant: Grant, body: dict[str, Value]) -> tuple[tuple[Route, Route], ...]:
    """The account and its namespace as the binding beside it writes them."""
    subject = grant.subject_place.route
    like: list[tuple[Route, Route]] = []
    if at(body, "metadata", "namespace") == grant.subject_namespace:
        like.append((("metadata", "namespace"), (*subject, "namespace")))
    if body.get("kind") == "RoleBinding":
        like += [(("subjects", 0, field), (*subject, field)) for field in ("name", "namespace")]
    return tuple(like)


def _opens(rights: LearnedRights) -> frozenset[str]:
    return frozenset({"rbac-wildcard"}) if rights.allowed else frozenset()


def _is_there(estate: Estate, body: dict[str, Value]) -> bool:
    return any(dict(one.body) == body for one in estate.by_kind.get(str(body["kind"]), ()))
