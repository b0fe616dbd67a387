"""How far a container reaches into its node: privileges, the node's namespaces, its paths, its kernel.

A system daemon (a network plugin, a storage driver, a device plugin, a collector of the node's metrics) is made to
reach there; which images are such daemons is data (``data/node_agents.json``), and a container that plugs into the
kubelet shows it by its paths. Clocks and certificates of the node give nothing away, and a device little.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from functools import cache, lru_cache

from msgspec import Struct

from shoreup.facts.estate import Container, Mount, Volume, Workload
from shoreup.facts.fields import first, items, known_text, mapping, number, truth, why_open
from shoreup.facts.knowledge import table
from shoreup.facts.patterns import fits
from shoreup.model.location import Route
from shoreup.model.value import Value


class Depth(IntEnum):
    """What whoever takes over the container has."""

    NEIGHBOURS = 1
    """Something of the node that others use: its network, a folder."""
    PROCESSES = 2
    """What runs beside it on the node."""
    NODE = 3
    """The node, with some work."""
    NODE_AT_ONCE = 4
    """The node, by one command."""


class Hold(Struct, frozen=True):
    """One way in which a container holds its node. ``what`` completes "it ..."; ``route`` leads into the resource."""

    what: str
    depth: Depth
    route: Route


_SOCKETS = ("docker.sock", "containerd.sock", "crio.sock", "podman.sock")
_ROOTS = frozenset({"/", "/var", "/var/run", "/run", "/var/lib", "/host"})
_KEYS = ("/etc/kubernetes", "/var/lib/kubelet", "/var/lib/rancher", "/var/lib/etcd", "/root", "/system/secrets")
"""Where a node keeps keys: reading is enough."""
_SYSTEM = ("/etc", "/boot", "/usr", "/bin", "/sbin", "/lib", "/proc", "/var/log/pods", "/var/lib/docker")
_HARMLESS = (
    "/dev/", "/etc/localtime", "/etc/timezone", "/etc/machine-id", "/etc/os-release", "/etc/ssl", "/etc/pki",
    "/etc/ca-certificates", "/usr/share", "/usr/local/share", "/lib/modules", "/usr/src", "/etc/resolv.conf",
    "/etc/hostname", "/run/udev", "/run/dbus", "/var/run/dbus", "/sys", "/run/avahi", "/var/run/avahi", "/run/utmp",
    "/run/log", "/var/log/journal",
)  # fmt: skip
_PLUGS = (
    "/var/lib/kubelet/device-plugins", "/var/lib/kubelet/plugins", "/var/lib/kubelet/plugins_registry",
    "/var/lib/kubelet/pod-resources", "/etc/cni", "/opt/cni", "/var/lib/cni", "/run/cni", "/etc/cdi", "/var/run/cdi",
)  # fmt: skip
"""Folders by which a daemon plugs into the kubelet or the network of pods."""
_KERNEL: Mapping[str, str] = {
    "ALL": "has every capability",
    "SYS_ADMIN": "has SYS_ADMIN, the capability that comes closest to being root",
    "SYS_MODULE": "may load code into the node's kernel (SYS_MODULE)",
    "SYS_RAWIO": "writes to the node's memory and disks directly (SYS_RAWIO)",
    "BPF": "may load programs into the node's kernel (BPF)",
    "SYS_BOOT": "may restart the node (SYS_BOOT)",
}


class _Agent(Struct, frozen=True, forbid_unknown_fields=True):
    what: str
    images: tuple[str, ...]
    source: str
    checked: str
    pods: tuple[str, ...] = ()
    """Names of pods that such a daemon makes from a template in a file."""


@cache
def _agents() -> tuple[_Agent, ...]:
    return table("node_agents", tuple[_Agent, ...])


def node_agent(workload: Workload, container: Container) -> str:
    """What kind of system daemon a container is, which its node's insides are for; empty when it is none."""
    known = _of_image(container.image.repository)
    for agent in _agents():
        if agent is known or (workload.kind == "Pod" and workload.name in agent.pods):
            return agent.what
    if workload.kind == "DaemonSet":
        for volume in _host_paths(workload).values():
            if volume.path.startswith(_PLUGS):
                return "plugin of the node"
    return ""


@lru_cache(maxsize=4096)
def _of_image(repository: str) -> _Agent | None:
    for agent in _agents():
        if any(fits(repository, glob) or fits(f"/{repository}", glob) for glob in agent.images):
            return agent
    return None


def holds_of_pod(workload: Workload) -> Iterator[Hold]:
    """The node's namespaces that the whole pod is in."""
    if truth(workload.pod.get("hostPID")) is True:
        yield Hold("sees every process of its node", Depth.PROCESSES, (*workload.pod_route, "hostPID"))
    if truth(workload.pod.get("hostIPC")) is True:
        yield Hold("shares the memory of its node's processes", Depth.NEIGHBOURS, (*workload.pod_route, "hostIPC"))
    if truth(workload.pod.get("hostNetwork")) is True:
        yield Hold("is in the network of its node", Depth.NEIGHBOURS, (*workload.pod_route, "hostNetwork"))


def holds_of_container(workload: Workload, container: Container) -> Iterator[Hold]:
    """What the container has of its node by itself."""
    context = mapping(container.body.get("securityContext"))
    route: Route = (*container.route, "securityContext")
    if truth(context.get("privileged")) is True:
        yield Hold("runs privileged", Depth.NODE, (*route, "privileged"))
    added = () if _without_effect(workload, context) else items(mapping(context.get("capabilities")).get("add"))
    for index, value in enumerate(added):
        name = known_text(value).upper().removeprefix("CAP_")
        where: Route = (*route, "capabilities", "add", index)
        if name in _KERNEL:
            yield Hold(_KERNEL[name], Depth.NODE, where)
        elif name == "NET_ADMIN" and truth(workload.pod.get("hostNetwork")) is True:
            yield Hold("may rewrite its node's firewall and routes (NET_ADMIN)", Depth.PROCESSES, where)
        elif name == "SYS_PTRACE" and truth(workload.pod.get("hostPID")) is True:
            yield Hold("may read the memory of its node's processes (SYS_PTRACE)", Depth.NODE, where)
    volumes = _host_paths(workload)
    for mount in container.mounts:
        volume = volumes.get(mount.volume)
        hold = _of_path(volume, mount) if volume is not None else None
        if hold is not None:
            yield hold


def devices(workload: Workload, container: Container) -> tuple[str, Route] | None:
    """The first device of its node that a container has mounted, with where its volume says so."""
    volumes = _host_paths(workload)
    for mount in container.mounts:
        volume = volumes.get(mount.volume)
        if volume is not None and volume.path.startswith("/dev/") and volume.path.split("/")[2] != "shm":
            return volume.path, (*volume.route, "hostPath", "path")
    return None


def root_by_choice(workload: Workload, container: Container) -> Route | None:
    """Where a container is told in writing to be root and to let its programs gain more; ``None`` where it is not."""
    context = mapping(container.body.get("securityContext"))
    pod = mapping(workload.pod.get("securityContext"))
    user = number(first(context.get("runAsUser"), pod.get("runAsUser")))
    if user == 0 and truth(context.get("allowPrivilegeEscalation")) is True:
        return (*container.route, "securityContext", "allowPrivilegeEscalation")
    return None


def undecided_privilege(container: Container) -> tuple[Route, str] | None:
    """Where and why it is not decided whether the container is privileged."""
    context: Value = container.body.get("securityContext")
    reason = why_open(context)
    if reason:
        return (*container.route, "securityContext"), reason
    reason = why_open(mapping(context).get("privileged"))
    return ((*container.route, "securityContext", "privileged"), reason) if reason else None


def _without_effect(workload: Workload, context: Mapping[str, Value]) -> bool:
    """Whether added capabilities stay out of reach: a user that is not root, and no way to become it."""
    pod = mapping(workload.pod.get("securityContext"))
    user = number(first(context.get("runAsUser"), pod.get("runAsUser")))
    other = user not in (None, 0) or truth(first(context.get("runAsNonRoot"), pod.get("runAsNonRoot"))) is True
    return other and truth(context.get("allowPrivilegeEscalation")) is False


def _host_paths(workload: Workload) -> Mapping[str, Volume]:
    return {volume.name: volume for volume in workload.volumes if volume.kind == "host-path" and not volume.claim}


def _of_path(volume: Volume, mount: Mount) -> Hold | None:
    path = volume.path.rstrip("/") or "/"
    route: Route = (*volume.route, "hostPath", "path")
    read_only = mount.read_only or volume.read_only
    if "*" in path or not path.startswith("/"):
        return None
    if path.endswith(_SOCKETS):
        # A socket that is mounted read-only still takes every request.
        return Hold(f"talks to the container engine of its node ({path})", Depth.NODE_AT_ONCE, route)
    if path in _ROOTS:
        done = "reads" if read_only else "writes"
        return Hold(f"{done} {path} of its node", Depth.NODE if read_only else Depth.NODE_AT_ONCE, route)
    if _within(path, _KEYS):
        return Hold(f"{'reads' if read_only else 'writes'} {path} of its node", Depth.NODE, route)
    if any(path == one.rstrip("/") or path.startswith(one.rstrip("/") + "/") for one in _HARMLESS) or read_only:
        return None
    if _within(path, _SYSTEM):
        return Hold(f"writes {path} of its node", Depth.NODE, route)
    return Hold(f"writes {path} of its node", Depth.NEIGHBOURS, route)


def _within(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)
