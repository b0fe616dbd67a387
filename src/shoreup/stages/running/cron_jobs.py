"""Schedules as Kubernetes CronJobs, for those who prefer their cluster's scheduler to ``shoreup serve``.

A backup needs its settings, which are written beside it. A drill needs the whole repository, which is cloned before it
begins, and the storage on which copies lie, mounted where the settings say and for reading alone. A state that outlives
the pod and the passwords that the settings name are called by name, and nothing of a secret is written. They run as
nobody, see no API of the cluster, are reached by no one, and write to their state and to a scratch folder alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import yaml
from msgspec import Struct

from shoreup.model.errors import UserError
from shoreup.operations.places import VARIABLE
from shoreup.stages.running.scheduling import Entry

Object: TypeAlias = "Mapping[str, Object] | Sequence[Object] | str | int | bool"

_LABELS = {"app.kubernetes.io/name": "shoreup"}
_PASSWORD = re.compile(r"://[^/@\s:\"']*:[^/@\s]+@")
_ADDRESS = re.compile(r"(?:https|ssh|git)://[^\s]+|[\w.-]+@[\w.-]+:[^\s]+")
_EXPORT = re.compile(r"(?P<server>\[[0-9A-Fa-f:]+\]|[\w.-]+):(?P<path>/.*)")
_CLAIM = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_OURS = ("/estate", "/state", "/tmp", "/git")  # noqa: S108  # in the pod
_CLONE = "/estate/repository"
"""A folder that its owner has made, or git would not trust it."""
_CONFINED: Object = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
_NOBODY = 65532
_LATE = 3600
"""Seconds after which a run that the cluster could not start is given up until it is due again."""


class Pods(Struct, frozen=True):
    """What the pods are made of. ``secret`` holds the variables that the settings name, ``claim`` keeps the state.

    ``repository`` is what drills clone, empty for no drills; ``git_secret`` may hold a file ``config`` for git.
    ``storage`` is the settings' own table, ``scratch`` the room that a drill has for what it restores.
    """

    image: str
    namespace: str = "shoreup"
    settings: str = "shoreup-settings"
    secret: str = "shoreup"  # noqa: S105  # the name of one
    claim: str = "shoreup-state"
    seconds: int = 6 * 3600
    repository: str = ""
    git_secret: str = "shoreup-git"  # noqa: S105  # the name of one
    storage: Mapping[str, str] = {}
    scratch: str = "20Gi"


class _Work(Struct, frozen=True):
    """What one kind of command needs: its words, where it works, and how much of everything."""

    args: tuple[str, ...]
    volumes: tuple[Mapping[str, Object], ...]
    mounts: tuple[Mapping[str, Object], ...]
    before: tuple[Object, ...]
    memory: tuple[str, str]
    room: str
    final: tuple[int, ...] = ()
    """Exit codes after which nothing is tried again."""


class _Written(yaml.SafeDumper):
    """As people write it: text of several lines stands as it is, and what is the same twice is written twice."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def text(self, data: str) -> yaml.ScalarNode:
        """A text, in lines where it has several."""
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Written.add_representer(str, _Written.text)


def manifests(entries: Sequence[Entry], settings: str, pods: Pods) -> str:
    """All of it as YAML, one document each. ``settings`` is the text of shoreup.toml.

    Raises :class:`UserError` where a password stands in it, or in the repository's address.
    """
    if _PASSWORD.search(settings):
        raise UserError(
            "An address in your settings holds a password, and a ConfigMap is no place for one. Put that of "
            f"[operations] into the Secret {pods.secret} as {VARIABLE}, and leave it out here."
        )
    if _PASSWORD.search(pods.repository):
        raise UserError(
            f"The repository's address holds a password. Leave it out, and put what git needs into the Secret "
            f"{pods.git_secret}, as the file 'config'."
        )
    if pods.repository and not _ADDRESS.fullmatch(pods.repository):
        raise UserError("--repository is an address that git clones: https://..., ssh://... or git@host:path.")
    return "".join(
        f"---\n{yaml.dump(one, Dumper=_Written, sort_keys=False)}" for one in objects(entries, settings, pods)
    )


def objects(entries: Sequence[Entry], settings: str, pods: Pods) -> Iterator[Mapping[str, Object]]:
    """The CronJobs of what a pod can run, the settings of backups, and a policy by which nobody reaches the pods."""
    meta: Mapping[str, Object] = {"namespace": pods.namespace, "labels": _LABELS}
    yield {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": pods.settings, **meta},
        "data": {"shoreup.toml": settings},
    }
    yield {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "shoreup", **meta},
        "spec": {"podSelector": {"matchLabels": _LABELS}, "policyTypes": ["Ingress"]},
    }
    for entry in entries:
        if fits(entry, pods):
            yield _cron_job(entry, pods)


def fits(entry: Entry, pods: Pods) -> bool:
    """Whether a pod can run it. A drill reads the whole repository, which no ConfigMap holds."""
    return bool(pods.repository) or not _is_drill(entry)


def unmounted(entries: Sequence[Entry], pods: Pods) -> tuple[str, ...]:
    """Storage of the settings that drills will not find in their pods: what is no export of NFS and no claim there."""
    if not any(_is_drill(one) and fits(one, pods) for one in entries):
        return ()
    return tuple(name for name, where in sorted(pods.storage.items()) if _volume(name, where, pods) is None)


def _is_drill(entry: Entry) -> bool:
    return entry.does.operation == "drill"


def _work(entry: Entry, pods: Pods) -> _Work:
    if not _is_drill(entry):
        return _Work(
            args=(*entry.does.words, "--at", "/estate", "--config", "/estate/shoreup.toml"),
            volumes=({"name": "estate", "configMap": {"name": pods.settings}},),
            mounts=({"name": "estate", "mountPath": "/estate", "readOnly": True},),
            before=(),
            memory=("256Mi", "512Mi"),
            room="4Gi",
        )
    found = {where: _volume(name, where, pods) for name, where in sorted(pods.storage.items())}
    copies = {where: volume for where, volume in found.items() if volume is not None}
    return _Work(
        args=(*entry.does.words, _CLONE, "--config", f"{_CLONE}/shoreup.toml"),
        volumes=(
            {"name": "estate", "emptyDir": {"sizeLimit": "1Gi"}},
            {"name": "git", "secret": {"secretName": pods.git_secret, "optional": True, "defaultMode": 0o440}},
            *({"name": f"copies-{number}", **volume} for number, volume in enumerate(copies.values())),
        ),
        mounts=(
            {"name": "estate", "mountPath": "/estate", "readOnly": True},
            *(
                {"name": f"copies-{number}", "mountPath": where, "readOnly": True}
                for number, where in enumerate(copies)
            ),
        ),
        before=(_clone(pods),),
        memory=("512Mi", "2Gi"),
        room=pods.scratch,
        # What failed or could not be verified is on record, and is so again in a minute.
        final=(4, 5),
    )


def _volume(name: str, where: str, pods: Pods) -> Mapping[str, Object] | None:
    """The volume that a line of [storage] is, where a pod can mount it."""
    if not where.startswith("/") or where.startswith(_OURS):
        return None
    export = _EXPORT.fullmatch(name)
    if export is not None:
        return {"nfs": {"server": export["server"].strip("[]"), "path": export["path"], "readOnly": True}}
    namespace, slash, claim = name.partition("/")
    if slash and namespace == pods.namespace and _CLAIM.fullmatch(claim):
        return {"persistentVolumeClaim": {"claimName": claim, "readOnly": True}}
    return None


def _clone(pods: Pods) -> Object:
    """The container that brings the repository: its last commit, with no program of its own."""
    quiet = ("-c", "core.hooksPath=/dev/null", "clone", "--quiet", "--depth=1", "--single-branch")
    return {
        "name": "clone",
        "image": pods.image,
        "command": ["git", *quiet, "--", pods.repository, _CLONE],
        "env": [
            {"name": "HOME", "value": "/tmp"},  # noqa: S108  # an empty folder of the pod's own
            {"name": "GIT_CONFIG_GLOBAL", "value": "/git/config"},
            {"name": "GIT_TERMINAL_PROMPT", "value": "0"},
        ],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
            "limits": {"memory": "512Mi", "ephemeral-storage": "2Gi"},
        },
        "securityContext": _CONFINED,
        "volumeMounts": [
            {"name": "estate", "mountPath": "/estate"},
            {"name": "git", "mountPath": "/git", "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108
        ],
    }


def _cron_job(entry: Entry, pods: Pods) -> Mapping[str, Object]:
    labels = {**_LABELS, "app.kubernetes.io/component": entry.name}
    work = _work(entry, pods)
    given_up: Object = [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": list(work.final)}}]
    failure: Mapping[str, Object] = {"podFailurePolicy": {"rules": given_up}} if work.final else {}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": f"shoreup-{entry.name}", "namespace": pods.namespace, "labels": labels},
        "spec": {
            "schedule": entry.cron,
            "timeZone": entry.zone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": _LATE,
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "metadata": {"labels": labels},
                "spec": {
                    "backoffLimit": 2,
                    **failure,
                    "activeDeadlineSeconds": pods.seconds,
                    "ttlSecondsAfterFinished": 7 * 24 * 3600,
                    "template": {"metadata": {"labels": labels}, "spec": _pod(work, pods)},
                },
            },
        },
    }


def _pod(work: _Work, pods: Pods) -> Object:
    asked, most = work.memory
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 60,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "fsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **({"initContainers": list(work.before)} if work.before else {}),
        "containers": [
            {
                "name": "shoreup",
                "image": pods.image,
                "args": list(work.args),
                "env": [
                    {"name": "XDG_STATE_HOME", "value": "/state"},
                    {"name": "HOME", "value": "/tmp"},  # noqa: S108  # an empty folder of the pod's own
                    {
                        "name": VARIABLE,
                        "valueFrom": {"secretKeyRef": {"name": pods.secret, "key": VARIABLE, "optional": True}},
                    },
                ],
                "envFrom": [{"secretRef": {"name": pods.secret, "optional": True}}],
                "resources": {
                    "requests": {"cpu": "100m", "memory": asked, "ephemeral-storage": "64Mi"},
                    "limits": {"memory": most, "ephemeral-storage": work.room},
                },
                "securityContext": _CONFINED,
                "volumeMounts": [
                    *work.mounts,
                    {"name": "state", "mountPath": "/state"},
                    {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108
                ],
            }
        ],
        "volumes": [
            *work.volumes,
            {"name": "state", "persistentVolumeClaim": {"claimName": pods.claim}},
            {"name": "scratch", "emptyDir": {"sizeLimit": work.room}},
        ],
    }
