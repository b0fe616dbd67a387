"""Workloads that reach out of their container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Container, Estate, Workload
from shoreup.facts.naming import named
from shoreup.facts.rights.host_reach import (
    Depth,
    Hold,
    devices,
    holds_of_container,
    holds_of_pod,
    node_agent,
    root_by_choice,
    undecided_privilege,
)
from shoreup.model.finding import Category, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_PRIVILEGED = "runs privileged"
_JOBS = frozenset({"Job", "CronJob"})
_SEVERITIES: Mapping[Depth, Severity] = {
    Depth.NODE_AT_ONCE: Severity.CRITICAL,
    Depth.NODE: Severity.HIGH,
    Depth.PROCESSES: Severity.MEDIUM,
    Depth.NEIGHBOURS: Severity.LOW,
}
_CONSEQUENCES: Mapping[Depth, str] = {
    Depth.NODE_AT_ONCE: "Whoever takes it over owns the node and every pod on it, by one command.",
    Depth.NODE: "Whoever takes it over can take the node too: its disks, its devices, the Secrets of every pod on it.",
    Depth.PROCESSES: "Whoever takes it over sees and disturbs what runs beside it on the node.",
    Depth.NEIGHBOURS: "Whoever takes it over reaches what others on the node keep there; no NetworkPolicy and no "
    "namespace stands between.",
}
_LESS = Fix(
    "Give it the one device, capability or folder that it uses in place of the whole",
    Safety.SHOWN,
    "what it uses of the node is not in the repository",
)


_PROPOSAL = """securityContext:
  privileged: false
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
    add: [<the one that it uses, such as NET_ADMIN>]
volumes:
  - name: <device or folder>
    hostPath: {path: <the one device or folder>, type: <CharDevice, Directory>}"""


class PrivilegedWorkload(Concern):
    """A workload reaches out of its container into its node.

    **What**

    A container that runs privileged, with capabilities over the kernel, with the node's sockets, keys or folders, or
    in the node's namespaces. It is graded by what it reaches: the container engine's socket, the node's root and
    privileges together with the node's processes are critical, a folder of data is low. Network plugins, storage
    drivers, device plugins and collectors of the node's metrics are made to reach there: only the strict persona sees
    them. So it is with a container that is told to be root and to let its programs gain more, and with one that has a
    device of the node. Clocks and certificates are left alone. Jobs weigh less than servers.

    **Why**

    A hole in such a program is a hole in the node: from there one reads the Secrets of every pod on it and its
    kubelet's key.

    **Example**

    `privileged: true` on a home automation server is found; of the same on a CSI driver, or of `/dev/dri` in a media
    server, the strict persona alone hears.

    **Fix safety**

    Shown: which device or capability the program needs is for its owner to find out.
    """

    id = "privileged-workload"
    title = "Workload that reaches into its node"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source(
            "Kubernetes: pod security standards", "https://kubernetes.io/docs/concepts/security/pod-security-standards/"
        ),
        Source("CWE-250: more privileges than needed", "https://cwe.mitre.org/data/definitions/250.html"),
        Source("Programs made to reach the node", "facts/data/node_agents.json"),
    )
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every container of every workload."""
        for workload in estate.workloads:
            if not workload.pod_route or not workload.enabled or _is_tool(workload):
                continue
            daemon = next(filter(None, (node_agent(workload, one) for one in workload.containers)), "")
            shared = list(holds_of_pod(workload))
            told = False
            for container in workload.containers:
                own = list(holds_of_container(workload, container))
                if own:
                    told = True
                    yield self._found(workload, container, [*own, *shared], daemon)
                elif not daemon:
                    yield from self._little(workload, container)
                    unsure = undecided_privilege(container)
                    if unsure is not None:
                        route, reason = unsure
                        place = Place(workload.resource.key, route, container=container.name)
                        yield self.undecided(place, unknown="privileged", reason=reason)
            if shared and not told:
                yield self._found(workload, None, shared, daemon)

    def _little(self, workload: Workload, container: Container) -> Iterator[Outcome]:
        """What is true and seldom worth a change: root that may gain more, a device."""
        root = root_by_choice(workload, container)
        device = devices(workload, container)
        said = (
            (
                root,
                "allowPrivilegeEscalation",
                "runs as root, and its programs may gain more (allowPrivilegeEscalation: true)",
                "Whoever takes it over is root in it; one fault of the kernel is then enough for the node.",
            ),
            (
                device[1] if device else None,
                "device",
                f"has {device[0] if device else ''} of its node",
                "Whoever takes it over works on that device, and on every fault of its driver.",
            ),
        )
        subject = named(workload.resource, container.name)
        for route, field, what, consequence in said:
            if route is not None:
                yield self.found(
                    Place(workload.resource.key, route, container=container.name),
                    field=field,
                    subject=subject,
                    message=f"{subject} {what}.",
                    consequence=consequence,
                    severity=Severity.LOW,
                    strict=True,
                )

    def _found(self, workload: Workload, container: Container | None, holds: Sequence[Hold], daemon: str) -> Outcome:
        ordered = sorted(holds, key=lambda hold: -hold.depth)
        depth = _depth(ordered)
        name = container.name if container is not None else ""
        subject = named(workload.resource, name)
        made = f", as a {daemon} is made to" if daemon else ""
        places = [Place(workload.resource.key, hold.route, container=name) for hold in ordered]
        return self.found(
            places[0],
            field="securityContext" if container is not None else "hostNetwork",
            subject=subject,
            message=f"{subject} {_joined([hold.what for hold in ordered])}{made}.",
            consequence=_CONSEQUENCES[depth],
            severity=Severity.LOW if daemon else _severity(workload, depth),
            related=tuple((place, f"it {hold.what}") for place, hold in zip(places[1:6], ordered[1:6], strict=True)),
            fixes=() if daemon else (_LESS,),
            strict=bool(daemon),
        )


def _depth(ordered: Sequence[Hold]) -> Depth:
    """How deep all holds together go: privileges and the node's processes give the node at once."""
    deepest = ordered[0].depth
    privileged = any(hold.what == _PRIVILEGED for hold in ordered)
    processes = any(hold.route[-1] == "hostPID" for hold in ordered)
    return Depth.NODE_AT_ONCE if privileged and processes else deepest


def _severity(workload: Workload, depth: Depth) -> Severity:
    """A job that runs for a moment and serves nobody is harder to take over."""
    return _SEVERITIES[min(depth, Depth.PROCESSES) if workload.kind in _JOBS else depth]


def _is_tool(workload: Workload) -> bool:
    """Whether it is a template of a tool that a person starts, in a hidden folder (``.taskfiles``)."""
    return any(part.startswith(".") and len(part) > 1 for part in workload.resource.root.split("/"))


def _joined(words: Sequence[str]) -> str:
    shown = list(words[:4])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
