"""What an estate says of its control plane: whether requests are recorded, and whether Secrets are encrypted in etcd.

The answer stands in the arguments of the API server, in kubeadm's configuration, in k3s's or RKE2's file, or in the
variables from which Ansible writes one. Files of one folder are read as one. Where the control plane is elsewhere,
nothing is said.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.facts.estate import Estate
from shoreup.facts.fields import items, mapping, text, truth
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Value, pattern, unknowns

_AUDIT = ("audit-policy-file", "audit-policy")
_ENCRYPTION = ("encryption-provider-config", "secrets-encryption")
_TITLES = {"k3s-server": "k3s", "rke2-server": "RKE2", "kubeadm-cluster": "kubeadm", "server-variables": "its nodes"}
_ENCRYPTS_ITSELF = frozenset({"rke2-server"})
"""RKE2 encrypts Secrets unless it is told not to (https://docs.rke2.io/security/secrets_encryption, 2026-11-23)."""


_SWITCHED_OFF = re.compile(r"^secrets-encryption:\s*[\"']?false", re.MULTILINE)
_SERVER_FILE = re.compile(r"/etc/rancher/(?P<kind>k3s|rke2)/config\.ya?ml(?:\.d/[^/]+)?$")


class ControlPlane(Struct, frozen=True, eq=False):
    """A control plane as the estate configures it. ``audits`` and ``encrypts`` are ``None`` where it is not decided.

    ``place`` is where the API server's arguments stand or would stand. ``whole`` is false for a file beside which
    others may say more.
    """

    title: str
    resource: Resource
    place: Place
    audits: bool | None
    encrypts: bool | None
    whole: bool = False


def control_planes(estate: Estate) -> Iterator[ControlPlane]:
    """Every control plane whose configuration is in the estate."""
    yield from _api_servers(estate)
    yield from _over_ssh(estate)
    folders: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for kind in _TITLES:
        for resource in estate.by_kind.get(kind, ()):
            if resource.api_version == "node":
                folders[(kind, resource.name.removesuffix(".d").rpartition("/")[0])].append(resource)
    for (kind, _), members in folders.items():
        yield _configured(kind, members)


def _api_servers(estate: Estate) -> Iterator[ControlPlane]:
    for workload in estate.workloads:
        for container in workload.containers:
            if container.image.repository.rpartition("/")[2] == "kube-apiserver":
                words = " ".join(text(word) for word in container.command)
                unsure = any(True for word in container.command for _ in unknowns(word))
                field = "args" if container.body.get("args") is not None else "command"
                place = Place(workload.resource.key, (*container.route, field), container=container.name)
                yield ControlPlane(
                    title="The API server",
                    resource=workload.resource,
                    place=place,
                    audits=_said(words, _AUDIT, unsure),
                    encrypts=_said(words, _ENCRYPTION, unsure),
                    whole=True,
                )


def _over_ssh(estate: Estate) -> Iterator[ControlPlane]:
    """A server's file as Terraform writes it onto the machine."""
    for resource in estate.resources:
        if resource.api_version != "terraform":
            continue
        for index, file in enumerate(items(resource.body.get("file"))):
            held = mapping(file)
            written = _SERVER_FILE.search(text(held.get("destination")))
            content = held.get("content")
            if written is None or not isinstance(content, (str, PartialText)):
                continue
            words = pattern(content)
            unsure = isinstance(content, PartialText) and _may_hold_keys(content)
            encrypts = _said(words, _ENCRYPTION, unsure)
            if _SWITCHED_OFF.search(words):
                encrypts = False
            elif f"{written['kind']}-server" in _ENCRYPTS_ITSELF:
                encrypts = True
            yield ControlPlane(
                _TITLES[f"{written['kind']}-server"], resource, Place(resource.key, ("file", index, "content")),
                _said(words, _AUDIT, unsure), encrypts,
            )  # fmt: skip


def _may_hold_keys(content: PartialText) -> bool:
    """Whether a part that is not known may be lines of its own, and no more than the rest of one."""
    before = ""
    for part in content.parts:
        if isinstance(part, str):
            before = part
        elif ":" not in before.rpartition("\n")[2] and "-" not in before.rpartition("\n")[2]:
            return True
    return False


def _configured(kind: str, members: Sequence[Resource]) -> ControlPlane:
    whole = " ".join(_flat(dict(member.body)) for member in members)
    unsure = "{{" in whole or "{%" in whole or any(True for one in members for _ in unknowns(dict(one.body)))
    first = members[0]
    encrypts = _said(whole, _ENCRYPTION, unsure)
    if kind in _ENCRYPTS_ITSELF:
        encrypts = not any(truth(member.body.get("secrets-encryption")) is False for member in members)
    if any(truth(member.body.get("secrets-encryption")) is False for member in members):
        encrypts = False
    audits = _said(whole, _AUDIT, unsure or (kind == "rke2-server" and "profile" in first.body))
    return ControlPlane(_TITLES[kind], first, Place(first.key, _arguments(kind, first)), audits, encrypts)


def _arguments(kind: str, resource: Resource) -> Route:
    if kind == "kubeadm-cluster":
        return ("apiServer",) if resource.body.get("apiServer") is not None else ()
    if kind == "server-variables":
        return next(((key,) for key in resource.body if "server" in key), ())
    return ("kube-apiserver-arg",) if resource.body.get("kube-apiserver-arg") is not None else ()


def _said(words: str, flags: Sequence[str], unsure: bool) -> bool | None:
    if any(flag in words for flag in flags):
        return True
    return None if unsure else False


def _flat(value: Value) -> str:
    """Keys and values as one text, so that a flag is found whether it is a key, an item or part of a string."""
    if isinstance(value, dict):
        return " ".join(f"{key} {_flat(item)}" for key, item in value.items())
    if isinstance(value, list):
        pairs = [f"{text(mapping(item).get('name'))}" for item in value if isinstance(item, dict)]
        return " ".join([*(_flat(item) for item in items(value)), *pairs])
    return text(value)
