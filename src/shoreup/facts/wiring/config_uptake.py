"""When pods come to know what a ConfigMap or Secret says anew: by a restart, while they run, or at their next start.

Sources, 2026-11-23: Kubernetes' documentation of ConfigMaps (mounted files follow, environment variables and subPath
mounts do not, immutable ones are made anew) and of Kustomize's generators (a hash in the name); Reloader's annotations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.naming import named
from shoreup.model.resource import Resource
from shoreup.model.value import Value

_RELOADER = "reloader.stakater.com/"
_KINDS = {
    "ConfigMap": ("configMap", "configMapKeyRef", "configMapRef", "configmap", "name"),
    "Secret": ("secret", "secretKeyRef", "secretRef", "secret", "secretName"),
}
"""Of each kind its words in a volume, ``env``, ``envFrom`` and Reloader's annotations, and how a volume names it."""
_AT_THE_NEXT_RUN = frozenset({"CronJob", "Job"})
_OF_A_HASH = ("checksum", "hash", "sha")
_DIGEST = frozenset({32, 40, 44, 56, 64, 88, 96, 128})
"""Characters of a hash as people print it, in base 16 or 64."""


class Uptake(Struct, frozen=True):
    """What pods make of a change. ``restarted`` says why some are replaced, ``anew`` why the object itself is.

    ``follows`` says that somebody reads it while running, ``late`` names those that know it only when they start.
    """

    restarted: str = ""
    anew: str = ""
    follows: bool = False
    late: tuple[str, ...] = ()


def is_checksum(route: tuple[str | int, ...], one: Value, other: Value) -> bool:
    """Whether an annotation of a pod template changed from one hash to another, as charts write them of their files."""
    if len(route) < 2 or route[-2] != "annotations" or "template" not in route:
        return False
    return _is_hash(text(one)) and _is_hash(text(other))


def uptake(estate: Estate, config: Resource, keys: Collection[str]) -> Uptake:
    """How a change of some keys of a ConfigMap or Secret reaches the pods of the estate."""
    anew = f"{named(config)} is immutable" if config.body.get("immutable") is True and not config.hashed else ""
    restarted, follows, late, seen = "", False, [], False
    for workload in estate.workloads:
        if workload.kind in ("ChartValues", "ComposeService") or not _near(config, workload.resource):
            continue
        ways = {*_ways(workload, config, keys)}
        if not ways:
            continue
        seen = True
        if workload.kind in _AT_THE_NEXT_RUN:
            continue
        why = _restarts(workload, config)
        if why:
            restarted = restarted or why
        elif "files" in ways:
            follows = True
        if not why and ways - {"files"}:
            how = "as an environment variable" if "start" in ways else "as a file with subPath"
            late.append(f"{named(workload.resource)} reads it {how}")
    return Uptake(restarted, anew, follows or not seen, tuple(dict.fromkeys(late)))


def _near(config: Resource, other: Resource) -> bool:
    same = (config.namespace or "default") == (other.namespace or "default")
    return same or "*" in f"{config.namespace}{other.namespace}"


def _ways(workload: Workload, config: Resource, changed: Collection[str]) -> Iterator[str]:
    """``files``, ``path`` (a file with subPath) and ``start`` (environment), as the pod reads it."""
    volume_word, key_word, all_word, _, name_word = _KINDS[config.kind]
    volumes = {
        str(volume.get("name"))
        for volume in map(mapping, items(workload.pod.get("volumes")))
        if text(mapping(volume.get(volume_word)).get(name_word)) == config.name
        or any(
            text(mapping(mapping(one).get(volume_word)).get("name")) == config.name
            for one in items(mapping(volume.get("projected")).get("sources"))
        )
    }
    for container in workload.containers:
        body = container.body
        for mount in map(mapping, items(body.get("volumeMounts"))):
            if str(mount.get("name")) in volumes:
                yield "path" if mount.get("subPath") or mount.get("subPathExpr") else "files"
        sources = [mapping(mapping(one).get(all_word)) for one in items(body.get("envFrom"))]
        keys = [mapping(mapping(mapping(one).get("valueFrom")).get(key_word)) for one in items(body.get("env"))]
        keys = [one for one in keys if text(one.get("key")) in changed]
        if any(text(one.get("name")) == config.name for one in (*sources, *keys)):
            yield "start"


def _restarts(workload: Workload, config: Resource) -> str:
    if config.hashed:
        return f"the name of {named(config)} ends in a hash of what it holds, so {named(workload.resource)} restarts"
    template = mapping(mapping(mapping(workload.resource.body.get("spec")).get("template")).get("metadata"))
    own = mapping(mapping(workload.resource.body.get("metadata")).get("annotations"))
    if _reloaded(own, config) or _reloaded(mapping(template.get("annotations")), config):
        return f"Reloader restarts {named(workload.resource)} when it changes"
    if config.parent >= 0 and config.parent == workload.resource.parent:
        return f"the chart of {named(workload.resource)} may put a hash of it on the pods"
    for key, value in mapping(template.get("annotations")).items():
        if config.source == "terraform" and any(word in key.lower() for word in _OF_A_HASH) and _is_hash(text(value)):
            return f"{named(workload.resource)} may have a hash of it in the annotation {key}"
    return ""


def _reloaded(annotations: Mapping[str, Value], config: Resource) -> bool:
    word = _KINDS[config.kind][3]
    if any(_true(annotations.get(f"{prefix}{_RELOADER}auto")) for prefix in ("", f"{word}.")):
        return True
    listed = text(annotations.get(f"{word}.{_RELOADER}reload"))
    if config.name in (name.strip() for name in listed.split(",")):
        return True
    own = mapping(mapping(config.body.get("metadata")).get("annotations"))
    return _true(annotations.get(f"{_RELOADER}search")) and _true(own.get(f"{_RELOADER}match"))


def _true(value: Value) -> bool:
    return value is True or value == "true"


def _is_hash(said: str) -> bool:
    return said == "*" or (len(said) in _DIGEST and all(sign.isalnum() or sign in "+/=" for sign in said))
