"""Schedules as Kubernetes CronJobs, for those who prefer their cluster's scheduler to ``shoreup serve``.

What they run needs its settings, which are written beside them. A state that outlives the pod and the passwords that
the settings name are called by name, and nothing of a secret is written. They run as nobody, see no API of the cluster,
are reached by no one, and write to their state and to a scratch folder alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import yaml
from msgspec import Struct

from shoreup.model.errors import UserError
from shoreup.operations.places import VARIABLE
from shoreup.stages.scheduling import Entry

Object: TypeAlias = "Mapping[str, Object] | Sequence[Object] | str | int | bool"

_LABELS = {"app.kubernetes.io/name": "shoreup"}
_PASSWORD = re.compile(r"://[^/@\s:\"']*:[^/@\s]+@")
_NOBODY = 65532
_LATE = 3600
"""Seconds after which a run that the cluster could not start is given up until it is due again."""


class Pods(Struct, frozen=True):
    """What the pods are made of. ``secret`` holds the variables that the settings name, ``claim`` keeps the state."""

    image: str
    namespace: str = "shoreup"
    settings: str = "shoreup-settings"
    secret: str = "shoreup"  # noqa: S105  # the name of one
    claim: str = "shoreup-state"
    seconds: int = 6 * 3600


def manifests(entries: Sequence[Entry], settings: str, pods: Pods) -> str:
    """All of it as YAML, one document each. ``settings`` is the text of shoreup.toml.

    Raises :class:`UserError` where a password stands in it.
    """
    if _PASSWORD.search(settings):
        raise UserError(
            "An address in your settings holds a password, and a ConfigMap is no place for one. Put that of "
            f"[operations] into the Secret {pods.secret} as {VARIABLE}, and leave it out here."
        )
    return "".join(f"---\n{yaml.safe_dump(one, sort_keys=False)}" for one in objects(entries, settings, pods))


def objects(entries: Sequence[Entry], settings: str, pods: Pods) -> Iterator[Mapping[str, Object]]:
    """The CronJobs of what needs no more than its settings, these, and a policy by which nobody reaches the pods."""
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
        if fits(entry):
            yield _cron_job(entry, pods)


def fits(entry: Entry) -> bool:
    """Whether a pod can run it. A drill reads the whole repository and starts engines, which no ConfigMap holds."""
    return entry.does.operation != "drill"


def _cron_job(entry: Entry, pods: Pods) -> Mapping[str, Object]:
    labels = {**_LABELS, "app.kubernetes.io/component": entry.name}
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
                    "activeDeadlineSeconds": pods.seconds,
                    "ttlSecondsAfterFinished": 7 * 24 * 3600,
                    "template": {"metadata": {"labels": labels}, "spec": _pod(entry, pods)},
                },
            },
        },
    }


def _pod(entry: Entry, pods: Pods) -> Object:
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
        "containers": [
            {
                "name": "shoreup",
                "image": pods.image,
                "args": [*entry.does.words, "--at", "/estate", "--config", "/estate/shoreup.toml"],
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
                    "requests": {"cpu": "100m", "memory": "256Mi", "ephemeral-storage": "64Mi"},
                    "limits": {"memory": "512Mi", "ephemeral-storage": "4Gi"},
                },
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": [
                    {"name": "settings", "mountPath": "/estate", "readOnly": True},
                    {"name": "state", "mountPath": "/state"},
                    {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108
                ],
            }
        ],
        "volumes": [
            {"name": "settings", "configMap": {"name": pods.settings}},
            {"name": "state", "persistentVolumeClaim": {"claimName": pods.claim}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "4Gi"}},
        ],
    }
