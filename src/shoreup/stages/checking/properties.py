"""What can be asked of every workload, route and grant of an estate, and where the answer is written.

Each answer comes from the facts that the concerns judge by. ``None`` is an answer too: the source leaves it open.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.coverage import copied, keepers, uncovered
from shoreup.facts.estate import Container, Estate, WayIn, Workload
from shoreup.facts.fields import items, mapping, text, why_open
from shoreup.facts.naming import named
from shoreup.facts.ratelimits import LIMIT, READ_CONTROLLERS, elsewhere
from shoreup.facts.selection import selects
from shoreup.model.finding import Place
from shoreup.model.value import Unknown, Value

Holds = bool | None


class Item(Struct, frozen=True, eq=False):
    """Something that is counted. ``names`` are how a person may call it."""

    label: str
    names: tuple[str, ...]
    place: Place
    kind: str
    thing: Workload | WayIn | None = None


class Property(Struct, frozen=True):
    """A property: how it is called after ``has``, the words by which people speak of it, and how the facts are asked.

    ``of`` is the kind of thing that has it: workloads or ways in.
    """

    name: str
    words: str
    holds: Callable[[Estate, Item], Holds]
    of: str = "workload"
    strictly: Callable[[Estate, Item], Holds] | None = None
    """The narrower sense in which people count it too."""
    value: Callable[[Estate, Item], Sequence[str]] | None = None
    """What the property is, for those that have an amount."""
    concerns: tuple[str, ...] = ()
    """The concerns whose findings say that it is missing, or that it is there where it should not be."""


def _workloads(estate: Estate) -> Iterator[Item]:
    for one in estate.workloads:
        if one.enabled and one.kind != "ChartValues":
            yield Item(named(one.resource), (one.name, one.resource.name), Place(one.resource.key), one.kind, one)


def _ways(estate: Estate) -> Iterator[Item]:
    for one in estate.ways_in:
        label = one.hosts[0] if one.hosts else named(one.resource)
        yield Item(label, (one.name, *one.hosts), one.place, one.resource.kind, one)


def things(estate: Estate, of: str) -> tuple[Item, ...]:
    """Everything of a kind: ``workload``, ``container``, ``image`` (each once) or ``way``."""
    if of == "way":
        return tuple(_ways(estate))
    if of == "workload":
        return tuple(_workloads(estate))
    parts = tuple(_parts(estate))
    return parts if of == "container" else tuple({one.label: one for one in parts if one.label}.values())


def _parts(estate: Estate) -> Iterator[Item]:
    """Every container, as a workload of it alone."""
    for item in _workloads(estate):
        if isinstance(item.thing, Workload):
            for one in item.thing.containers:
                alone = replace(item.thing, containers=(replace(one, init=False),))
                yield Item(one.image.text, (one.name,), item.place, item.kind, alone)


def _containers(item: Item) -> Sequence[Container]:
    found = item.thing.containers if isinstance(item.thing, Workload) else ()
    return [one for one in found if not one.init or one.sidecar]


def _any(answers: Iterator[Holds]) -> Holds:
    seen = list(answers)
    return True if True in seen else None if None in seen else False


def _all(answers: Iterator[Holds]) -> Holds:
    seen = list(answers)
    return False if False in seen or not seen else None if None in seen else True


def _field(name: str) -> Callable[[Estate, Item], Holds]:
    def holds(_: Estate, item: Item) -> Holds:
        return _any(_there(one, one.body.get(name)) for one in _containers(item))

    return holds


def _there(container: Container, held: Value) -> Holds:
    if isinstance(held, Unknown) or (not held and container.open):
        return None
    return bool(held)


def _resource(group: str, key: str = "") -> Callable[[Estate, Item], Holds]:
    def one(container: Container) -> Holds:
        held = mapping(container.body.get("resources")).get(group)
        if isinstance(held, Unknown) or container.open:
            return None
        return bool(mapping(held).get(key)) if key else bool(mapping(held))

    return lambda _, item: _all(one(container) for container in _containers(item))


def _both(estate: Estate, item: Item) -> Holds:
    return _all(_resource(group)(estate, item) for group in ("requests", "limits"))


def _latest(_: Estate, item: Item) -> Holds:
    def one(container: Container) -> Holds:
        tag = container.image.tag
        if isinstance(tag, Unknown):
            return None
        return tag == "latest" or (tag is None and container.image.digest is None)

    return _any(one(container) for container in _containers(item))


def _named_latest(_: Estate, item: Item) -> Holds:
    tags = [one.image.tag for one in _containers(item)]
    return _any(None if isinstance(one, Unknown) else one == "latest" for one in tags)


def _single(_: Estate, item: Item) -> Holds:
    workload = item.thing
    if not isinstance(workload, Workload) or workload.replicas is None:
        return False
    return None if isinstance(workload.replicas, Unknown) else workload.replicas == 1


def _budgeted(estate: Estate, item: Item) -> Holds:
    workload = item.thing
    if not isinstance(workload, Workload):
        return False
    return _any(
        selects(mapping(one.body.get("spec")).get("selector"), workload.labels)
        for one in estate.budgets
        if (one.namespace or "default") == workload.namespace
    )


def _privileged(_: Estate, item: Item) -> Holds:
    def one(container: Container) -> Holds:
        held = mapping(container.body.get("securityContext")).get("privileged")
        return None if isinstance(held, Unknown) else held is True

    return _any(one(container) for container in _containers(item))


def _secured(*route: str, needed: Value = True) -> Callable[[Estate, Item], Holds]:
    """A field of the security context of every container, or of the pod where the container leaves it open."""

    def holds(_: Estate, item: Item) -> Holds:
        pod = mapping(item.thing.pod.get("securityContext")) if isinstance(item.thing, Workload) else {}

        def one(container: Container) -> Holds:
            held: Value = container.body.get("securityContext")
            for name in route:
                held = mapping(held).get(name)
            found: Value = held if held is not None else pod.get(route[-1])
            if isinstance(found, Unknown) or (found is None and container.open):
                return None
            return any(each == needed for each in items(found)) if isinstance(found, list) else found == needed

        return _all(one(container) for container in _containers(item))

    return holds


def _as_root(estate: Estate, item: Item) -> Holds:
    if not isinstance(item.thing, Workload):
        return False
    pod = mapping(item.thing.pod.get("securityContext")).get("runAsUser")
    users = [mapping(one.body.get("securityContext")).get("runAsUser", pod) for one in _containers(item)]
    # Without a user the image's own runs, which the source does not tell.
    return _any(None if one is None or isinstance(one, Unknown) else one == 0 for one in users)


def _digested(_: Estate, item: Item) -> Holds:
    digests = [one.image.digest for one in _containers(item)]
    return _all(None if isinstance(one, Unknown) else one is not None for one in digests)


def _deadline(_: Estate, item: Item) -> Holds:
    if not isinstance(item.thing, Workload):
        return False
    held = mapping(item.thing.resource.body.get("spec")).get("startingDeadlineSeconds")
    return None if isinstance(held, Unknown) else held is not None


def _amounts(group: str, key: str) -> Callable[[Estate, Item], Sequence[str]]:
    def told(_: Estate, item: Item) -> Sequence[str]:
        held = (mapping(mapping(one.body.get("resources")).get(group)).get(key) for one in _containers(item))
        return [str(one) for one in held if isinstance(one, str | int | float)]

    return told


def _pod(name: str) -> Callable[[Estate, Item], Holds]:
    def holds(_: Estate, item: Item) -> Holds:
        workload = item.thing
        if not isinstance(workload, Workload):
            return False
        held = workload.pod.get(name)
        return None if why_open(held) or (not held and workload.open) else bool(held)

    return holds


def _volume(kind: str) -> Callable[[Estate, Item], Holds]:
    def holds(_: Estate, item: Item) -> Holds:
        workload = item.thing
        if not isinstance(workload, Workload):
            return False
        return any(one.kind == kind or (kind == "nfs" and bool(one.server)) for one in workload.volumes)

    return holds


def _backed_up(estate: Estate, item: Item) -> Holds:
    key = item.place.resource
    if any(keeper.resource.key == key for keeper, _ in copied(estate)):
        return True
    doubts = {keeper.resource.key: reason for keeper, reason in uncovered(estate)}
    if key in doubts:
        return None if doubts[key] else False
    return None if any(keeper.resource.key == key for keeper in keepers(estate)) else False


def _isolated(estate: Estate, item: Item) -> Holds:
    workload = item.thing
    if not isinstance(workload, Workload):
        return False
    return _any(
        selects(mapping(one.body.get("spec")).get("podSelector"), workload.labels)
        for one in estate.by_kind.get("NetworkPolicy", ())
        if (one.namespace or "default") == workload.namespace
    )


def _rate_limited(estate: Estate, item: Item) -> Holds:
    way = item.thing
    if not isinstance(way, WayIn):
        return False
    if any(LIMIT in piece.kinds for piece in way.middlewares):
        return True
    chain_open = bool(way.undecided or way.missing) or any("plugin" in piece.kinds for piece in way.middlewares)
    read = way.controller in READ_CONTROLLERS and way.controller not in elsewhere(estate)
    return None if chain_open or not read else False


def _spread(estate: Estate, item: Item) -> Holds:
    workload = item.thing
    if not isinstance(workload, Workload):
        return False
    anti = mapping(workload.pod.get("affinity")).get("podAntiAffinity")
    return bool(workload.pod.get("topologySpreadConstraints") or mapping(anti))


def _pinned(_: Estate, item: Item) -> Holds:
    workload = item.thing
    if not isinstance(workload, Workload):
        return False
    selector = mapping(workload.pod.get("nodeSelector"))
    return bool(text(workload.pod.get("nodeName")) or selector or _node_affinity(workload.pod))


def _node_affinity(pod: Mapping[str, Value]) -> bool:
    node = mapping(mapping(pod.get("affinity")).get("nodeAffinity"))
    required = mapping(node.get("requiredDuringSchedulingIgnoredDuringExecution"))
    return bool(items(required.get("nodeSelectorTerms")))


PROPERTIES: tuple[Property, ...] = (
    Property(
        "a readiness probe",
        r"readiness(?:[ -]?(?:probes?|checks?))?",
        _field("readinessProbe"),
        concerns=("probe-readiness-missing",),
    ),
    Property(
        "a liveness probe",
        r"liveness(?:[ -]?(?:probes?|checks?))?",
        _field("livenessProbe"),
        concerns=("probe-liveness-missing",),
    ),
    Property("a startup probe", r"startup[ -]?probes?", _field("startupProbe"), concerns=("probe-startup-missing",)),
    Property(
        "a probe",
        r"(?:health[ -]?checks?|probes?)(?: of any kind)?",
        lambda estate, item: _any(
            _field(name)(estate, item) for name in ("readinessProbe", "livenessProbe", "startupProbe")
        ),
        concerns=("probe-readiness-missing", "probe-liveness-missing"),
    ),
    Property(
        "a rate limit",
        r"(?:a |any )?rate[ -]?limit(?:s|ing|er|ers)?",
        _rate_limited,
        of="way",
        concerns=("rate-limit-missing",),
    ),
    Property(
        "a memory limit",
        r"memory limits?",
        _resource("limits", "memory"),
        value=_amounts("limits", "memory"),
        concerns=("memory-limit-missing",),
    ),
    Property("a processor limit", r"cpu limits?", _resource("limits", "cpu"), value=_amounts("limits", "cpu")),
    Property(
        "a memory request",
        r"memory requests?",
        _resource("requests", "memory"),
        value=_amounts("requests", "memory"),
        concerns=("resources-requests-missing",),
    ),
    Property(
        "a processor request",
        r"cpu requests?",
        _resource("requests", "cpu"),
        value=_amounts("requests", "cpu"),
        concerns=("resources-requests-missing",),
    ),
    Property("requests and limits", r"resource requests (?:and|or|\+) limits|requests/limits", _both),
    Property("requests", r"(?:resources? )?requests", _resource("requests"), concerns=("resources-requests-missing",)),
    Property(
        "limits", r"(?:resources? )?limits|resource limit", _resource("limits"), concerns=("memory-limit-missing",)
    ),
    Property(
        "a root file system that is read-only",
        r"(?:a )?read[-_ ]?only[-_ ]?root[-_ ]?(?:file[-_ ]?systems?|fs)?(?:\s*[=:]\s*true)?",
        _secured("readOnlyRootFilesystem"),
    ),
    Property(
        "all capabilities dropped",
        r"drop(?:s|ping)? all (?:linux )?(?:capabilities|caps)|all capabilities (?:are )?dropped",
        _secured("capabilities", "drop", needed="ALL"),
    ),
    Property(
        "a user that is not root",
        r"run[-_ ]?as[-_ ]?non[-_ ]?root(?:\s*[=:]\s*true)?|as (?:a )?non-?root(?: users?)?",
        _secured("runAsNonRoot"),
    ),
    Property("root as its user", r"as (?:root|uid 0|user 0)", _as_root),
    Property("a digest in its image", r"(?:a |an |by |with )?(?:@?sha256:? ?)?digests?(?:[ -]pinned)?", _digested),
    Property("the host's process ids", r"host ?pid", _pod("hostPID")),
    Property("a deadline for starting", r"(?:a )?starting[-_ ]?deadline(?:[-_ ]?seconds)?", _deadline),
    Property(
        "the tag latest",
        r"(?:the |a |an )?:?latest(?:[ -]tags?|[ -]tagged| images?)?",
        _latest,
        strictly=_named_latest,
        concerns=("image-tag-latest",),
    ),
    Property(
        "one replica",
        r"(?:as |with |only )*(?:a )?(?:single|one|1) (?:replica|instance|pod)|replicas ?[:=] ?1",
        _single,
        concerns=("replica-single",),
    ),
    Property(
        "a budget",
        r"(?:a |any )?(?:pod ?disruption ?budgets?|disruption budgets?|pdbs?)",
        _budgeted,
        concerns=("pdb-missing",),
    ),
    Property(
        "a privileged container",
        r"(?:as )?privileged(?: mode| containers?| pods?)?",
        _privileged,
        concerns=("privileged-workload",),
    ),
    Property("the host's network", r"(?:the )?host ?network(?:ing)?", _pod("hostNetwork")),
    Property("a folder of the node", r"(?:a )?host ?path(?: volumes?| mounts?)?", _volume("host-path")),
    Property("a volume on NFS", r"nfs(?: volumes?| storage| mounts?)?", _volume("nfs")),
    Property(
        "a priority class", r"(?:a )?priority ?class(?:es)?", _pod("priorityClassName"), concerns=("priority-unset",)
    ),
    Property("a backup", r"(?:a |any )?back(?:ed)?[ -]?ups?(?: jobs?)?", _backed_up, concerns=("backup-missing",)),
    Property(
        "a network policy", r"(?:a |any )?network ?polic(?:y|ies)", _isolated, concerns=("network-policy-missing",)
    ),
    Property(
        "a rule that spreads it",
        r"(?:pod )?(?:anti-?affinity|topology spread(?: constraints?)?|spread constraints?)(?: rules?)?",
        _spread,
        concerns=("replicas-colocated",),
    ),
    Property("a node of its own", r"(?:pinned to (?:a|one|a single) node|(?:a )?node ?selectors?)", _pinned),
)
"""The more special before the more general: the first whose words fit is meant."""
PATTERNS: tuple[tuple[Property, re.Pattern[str]], ...] = tuple(
    (one, re.compile(rf"(?<![\w-])(?:{one.words})(?![\w-])", re.IGNORECASE)) for one in PROPERTIES
)
