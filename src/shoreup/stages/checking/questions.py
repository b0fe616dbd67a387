"""What can be asked of every workload, route and grant of an estate, and where the answer is written.

Each answer comes from the facts that the concerns judge by. ``None`` is an answer too: the source leaves it open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.backups.coverage import copied, keepers, uncovered
from shoreup.facts.estate import Container, Estate, WayIn, Workload
from shoreup.facts.fields import items, mapping, text, why_open
from shoreup.facts.naming import named
from shoreup.facts.selection import selects
from shoreup.facts.ways_in.rate_limits import LIMIT, READ_CONTROLLERS, elsewhere
from shoreup.model.finding import Place
from shoreup.model.value import Unknown, Value

Holds = bool | None
PARKED = "parked"


class Item(Struct, frozen=True, eq=False):
    """Something that is counted. ``names`` are how a person may call it."""

    label: str
    names: tuple[str, ...]
    place: Place
    kind: str
    thing: Workload | WayIn | None = None


def _workloads(estate: Estate, *, parked: bool = False) -> Iterator[Item]:
    for one in estate.workloads:
        if (one.enabled or parked) and one.kind != "ChartValues":
            yield Item(named(one.resource), (one.name, one.resource.name), Place(one.resource.key), one.kind, one)


def _ways(estate: Estate) -> Iterator[Item]:
    for one in estate.ways_in:
        label = one.hosts[0] if one.hosts else named(one.resource)
        yield Item(label, (one.name, *one.hosts), one.place, one.resource.kind, one)


def things(estate: Estate, of: str) -> tuple[Item, ...]:
    """Everything of a kind: ``workload``, ``container``, ``image`` (each once) or ``way``.

    :data:`PARKED` is the workloads with those that have no replica.
    """
    if of == "way":
        return tuple(_ways(estate))
    if of in ("workload", PARKED):
        return tuple(_workloads(estate, parked=of == PARKED))
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


def any_of(answers: Iterator[Holds]) -> Holds:
    """Yes where one answer is; open where one is open."""
    seen = list(answers)
    return True if True in seen else None if None in seen else False


def all_of(answers: Iterator[Holds]) -> Holds:
    """No where one answer is; open where one is open."""
    seen = list(answers)
    return False if False in seen or not seen else None if None in seen else True


def in_container(name: str) -> Callable[[Estate, Item], Holds]:
    """A field of any container."""

    def holds(_: Estate, item: Item) -> Holds:
        return any_of(_there(one, one.body.get(name)) for one in _containers(item))

    return holds


def _there(container: Container, held: Value) -> Holds:
    if isinstance(held, Unknown) or (not held and container.open):
        return None
    return bool(held)


def resource(group: str, key: str = "") -> Callable[[Estate, Item], Holds]:
    """Requests or limits of every container, or one of their resources."""

    def one(container: Container) -> Holds:
        held = mapping(container.body.get("resources")).get(group)
        if isinstance(held, Unknown) or container.open:
            return None
        return bool(mapping(held).get(key)) if key else bool(mapping(held))

    return lambda _, item: all_of(one(container) for container in _containers(item))


def both(estate: Estate, item: Item) -> Holds:
    """Requests and limits."""
    return all_of(resource(group)(estate, item) for group in ("requests", "limits"))


def latest(_: Estate, item: Item) -> Holds:
    """The tag ``latest``, also by having none."""

    def one(container: Container) -> Holds:
        tag = container.image.tag
        if isinstance(tag, Unknown):
            return None
        return tag == "latest" or (tag is None and container.image.digest is None)

    return any_of(one(container) for container in _containers(item))


def named_latest(_: Estate, item: Item) -> Holds:
    """The tag ``latest``, written so."""
    tags = [one.image.tag for one in _containers(item)]
    return any_of(None if isinstance(one, Unknown) else one == "latest" for one in tags)


def single(_: Estate, item: Item) -> Holds:
    """One replica."""
    workload = item.thing
    if not isinstance(workload, Workload) or workload.replicas is None:
        return False
    return None if isinstance(workload.replicas, Unknown) else workload.replicas == 1


def several(_: Estate, item: Item) -> Holds:
    """More than one replica."""
    workload = item.thing
    if not isinstance(workload, Workload) or workload.replicas is None:
        return False
    return None if isinstance(workload.replicas, Unknown) else workload.replicas > 1


def strategy(kind: str) -> Callable[[Estate, Item], Holds]:
    """How a Deployment is replaced, where its source says it or leaves it at what Kubernetes does by itself."""

    def holds(_: Estate, item: Item) -> Holds:
        if not isinstance(item.thing, Workload) or item.thing.kind != "Deployment":
            return None
        held = mapping(item.thing.resource.body.get("spec"))
        told = mapping(held.get("strategy")).get("type")
        if item.thing.resource.kind != "Deployment" or why_open(held.get("strategy")) or isinstance(told, Unknown):
            return None
        return (told or "RollingUpdate") == kind

    return holds


def in_spec(name: str) -> Callable[[Estate, Item], Holds]:
    """A field of what runs it."""

    def holds(_: Estate, item: Item) -> Holds:
        if not isinstance(item.thing, Workload) or item.thing.resource.kind != item.thing.kind:
            return None
        spec = item.thing.resource.body.get("spec")
        held = mapping(spec).get(name)
        return None if why_open(spec) or isinstance(held, Unknown) else held is not None

    return holds


def in_job(name: str) -> Callable[[Estate, Item], Holds]:
    """A field of the job, also of one that a schedule makes."""

    def holds(_: Estate, item: Item) -> Holds:
        if not isinstance(item.thing, Workload) or item.thing.resource.kind not in ("Job", "CronJob"):
            return None
        spec = mapping(item.thing.resource.body.get("spec"))
        if item.thing.resource.kind == "CronJob":
            spec = mapping(mapping(spec.get("jobTemplate")).get("spec"))
        held = spec.get(name)
        return None if isinstance(held, Unknown) else held is not None

    return holds


def in_either(name: str) -> Callable[[Estate, Item], Holds]:
    """A field of the pod or of any container."""
    return lambda estate, item: any_of(one(estate, item) for one in (in_pod(name), in_container(name)))


def budgeted(estate: Estate, item: Item) -> Holds:
    """A budget whose selector fits."""
    workload = item.thing
    if not isinstance(workload, Workload):
        return False
    return any_of(
        selects(mapping(one.body.get("spec")).get("selector"), workload.labels)
        for one in estate.budgets
        if (one.namespace or "default") == workload.namespace
    )


def privileged(_: Estate, item: Item) -> Holds:
    """Any privileged container."""

    def one(container: Container) -> Holds:
        held = mapping(container.body.get("securityContext")).get("privileged")
        return None if isinstance(held, Unknown) else held is True

    return any_of(one(container) for container in _containers(item))


def secured(*route: str, needed: Value = True) -> Callable[[Estate, Item], Holds]:
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

        return all_of(one(container) for container in _containers(item))

    return holds


def as_root(estate: Estate, item: Item) -> Holds:
    """The user 0."""
    if not isinstance(item.thing, Workload):
        return False
    pod = mapping(item.thing.pod.get("securityContext")).get("runAsUser")
    users = [mapping(one.body.get("securityContext")).get("runAsUser", pod) for one in _containers(item)]
    # Without a user the image's own runs, which the source does not tell.
    return any_of(None if one is None or isinstance(one, Unknown) else one == 0 for one in users)


def digested(_: Estate, item: Item) -> Holds:
    """A digest in every image."""
    digests = [one.image.digest for one in _containers(item)]
    return all_of(None if isinstance(one, Unknown) else one is not None for one in digests)


def deadline(_: Estate, item: Item) -> Holds:
    """A deadline for starting."""
    if not isinstance(item.thing, Workload):
        return False
    held = mapping(item.thing.resource.body.get("spec")).get("startingDeadlineSeconds")
    return None if isinstance(held, Unknown) else held is not None


def amounts(group: str, key: str) -> Callable[[Estate, Item], Sequence[str]]:
    """What the requests or limits are."""

    def told(_: Estate, item: Item) -> Sequence[str]:
        held = (mapping(mapping(one.body.get("resources")).get(group)).get(key) for one in _containers(item))
        return [str(one) for one in held if isinstance(one, str | int | float)]

    return told


def in_pod(name: str) -> Callable[[Estate, Item], Holds]:
    """A field of the pod."""

    def holds(_: Estate, item: Item) -> Holds:
        workload = item.thing
        if not isinstance(workload, Workload):
            return False
        held = workload.pod.get(name)
        return None if why_open(held) or (not held and workload.open) else bool(held)

    return holds


def on_volume(kind: str) -> Callable[[Estate, Item], Holds]:
    """A volume of a kind."""

    def holds(_: Estate, item: Item) -> Holds:
        workload = item.thing
        if not isinstance(workload, Workload):
            return False
        return any(one.kind == kind or (kind == "nfs" and bool(one.server)) for one in workload.volumes)

    return holds


def backed_up(estate: Estate, item: Item) -> Holds:
    """A job that copies what it keeps."""
    key = item.place.resource
    if any(keeper.resource.key == key for keeper, _ in copied(estate)):
        return True
    doubts = {keeper.resource.key: reason for keeper, reason in uncovered(estate)}
    if key in doubts:
        return None if doubts[key] else False
    return None if any(keeper.resource.key == key for keeper in keepers(estate)) else False


def isolated(estate: Estate, item: Item) -> Holds:
    """A network policy whose selector fits."""
    workload = item.thing
    if not isinstance(workload, Workload):
        return False
    return any_of(
        selects(mapping(one.body.get("spec")).get("podSelector"), workload.labels)
        for one in estate.by_kind.get("NetworkPolicy", ())
        if (one.namespace or "default") == workload.namespace
    )


def rate_limited(estate: Estate, item: Item) -> Holds:
    """A limit of its rate."""
    way = item.thing
    if not isinstance(way, WayIn):
        return False
    if any(LIMIT in piece.kinds for piece in way.middlewares):
        return True
    chain_open = bool(way.undecided or way.missing) or any("plugin" in piece.kinds for piece in way.middlewares)
    read = way.controller in READ_CONTROLLERS and way.controller not in elsewhere(estate)
    return None if chain_open or not read else False


def spread(estate: Estate, item: Item) -> Holds:
    """A rule that spreads it."""
    workload = item.thing
    if not isinstance(workload, Workload):
        return False
    anti = mapping(workload.pod.get("affinity")).get("podAntiAffinity")
    return bool(workload.pod.get("topologySpreadConstraints") or mapping(anti))


def pinned(_: Estate, item: Item) -> Holds:
    """A node that it is bound to."""
    workload = item.thing
    if not isinstance(workload, Workload):
        return False
    selector = mapping(workload.pod.get("nodeSelector"))
    return bool(text(workload.pod.get("nodeName")) or selector or _node_affinity(workload.pod))


def _node_affinity(pod: Mapping[str, Value]) -> bool:
    node = mapping(mapping(pod.get("affinity")).get("nodeAffinity"))
    required = mapping(node.get("requiredDuringSchedulingIgnoredDuringExecution"))
    return bool(items(required.get("nodeSelectorTerms")))
