"""Smoke checks of a platform, from its wiring: its routes lead to ready pods, its databases answer, its names resolve.

A script asks all of it with kubectl from outside. A Job asks from inside what needs no rights in pods: each database
over the network by a client out of its own image, and, where the owner names an image that has kubectl, the Services,
by the same script. Neither reads a Secret: every question is one that a server answers without a password.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import TypeAlias

import yaml
from msgspec import Struct

from shoreup.facts.estate import Container, Database, Estate, Service, Workload
from shoreup.facts.fields import filled
from shoreup.facts.network.called_services import called_services
from shoreup.facts.network.services import targets
from shoreup.facts.workloads import LONG_RUNNING
from shoreup.model.finding import Place
from shoreup.model.value import Value, at
from shoreup.stages.auditing.places import Places

Object: TypeAlias = "Mapping[str, Object] | Sequence[Object] | str | int | bool"

_NAME = "shoreup-smoke"
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOBODY = 65532
_SERVERS = LONG_RUNNING - {"DaemonSet"}


class Check(Struct, frozen=True):
    """One line of the script: a function of it with its arguments, and the places that it follows from."""

    words: tuple[str, ...]
    places: tuple[Place, ...]


class _Asked(Struct, frozen=True):
    """A database to be asked over the network."""

    service: Service
    name: str
    image: str
    command: tuple[str, ...]


def checks(estate: Estate) -> Iterator[Check]:
    """What can be asked of the platform, each once, in the order of routes, databases, names."""
    seen: set[tuple[str, ...]] = set()
    for one in (*_routes(estate), *_databases(estate), *_names(estate)):
        if one.words not in seen and all("*" not in word for word in one.words[1:4]):
            seen.add(one.words)
            yield one


def script(found: Sequence[Check], places: Places) -> str:
    """The checks as a POSIX shell script; each line says where it comes from."""
    lines: list[str] = []
    for one in found:
        lines.append(f"# {written_at(places, one.places)}")
        lines.append(shlex.join(one.words))
    template = resources.files("shoreup.stages").joinpath("data", "tests", "smoke.sh").read_text(encoding="utf-8")
    return template.replace("@CHECKS@", "\n".join(lines) + "\n")


def job(estate: Estate, found: Sequence[Check], text: str, kubectl: str) -> str:
    """The checks that a Job can make, with the objects that it needs; empty where there are none.

    ``kubectl`` is the image that runs ``text``, the script; without one the databases alone are asked.
    """
    services = sorted({one.words[1:3] for one in found if one.words[0] == "leads"}) if kubectl else []
    asked = list(_over_the_network(estate))
    if not services and not asked:
        return ""
    namespace = asked[0].service.namespace if asked else services[0][0]
    objects = [*_rights(namespace, services, text)] if services else []
    objects.append(_job(namespace, asked, kubectl if services else ""))
    return "".join(f"---\n{yaml.safe_dump(one, sort_keys=False, width=120)}" for one in objects)


def written_at(places: Places, held: Sequence[Place]) -> str:
    """Files and lines, for a comment."""
    found = [places.location(place) for place in held]
    return ", ".join(dict.fromkeys(f"{one.file}:{one.line}" for one in found if one is not None))


def _routes(estate: Estate) -> Iterator[Check]:
    for way in estate.ways_in:
        for service in way.services:
            yield Check(("leads", service.namespace, service.name), (way.place, Place(service.resource.key)))


def _runs(workload: Workload | None) -> bool:
    return workload is not None and workload.kind in _SERVERS and workload.enabled and workload.resource.parent < 0


def _databases(estate: Estate) -> Iterator[Check]:
    for database in estate.databases:
        workload, product = database.workload, estate.products.get(database.product)
        if workload is None or product is None or not _runs(workload) or database.likely:
            continue
        command = [word.replace("{port}", str(product.ports[0])) for word in product.probe.get("exec", [])]
        for container in workload.containers:
            if command and container.image.product == database.product and not container.init:
                words = ("answers", database.namespace, f"{workload.kind.lower()}/{workload.name}", container.name)
                yield Check((*words, *command), (database.place,))


def _names(estate: Estate) -> Iterator[Check]:
    """The names of Services in what workloads are told, where they are used."""
    for workload, service, place in called_services(estate):
        if not _runs(workload):
            continue
        told = filled(at(_body(workload), *place.route))
        host = f"{service.name}.{service.namespace}"
        if host not in told:
            host = service.name
        if host not in told or (host == service.name and service.namespace != workload.namespace):
            continue
        words = ("resolves", workload.namespace, f"{workload.kind.lower()}/{workload.name}", place.container)
        if place.container:
            yield Check((*words, host), (place, Place(service.resource.key)))


def _body(workload: Workload) -> Value:
    return dict(workload.resource.body)


def _over_the_network(estate: Estate) -> Iterator[_Asked]:
    used: set[str] = set()
    for service in estate.services:
        for database in estate.databases:
            product = estate.products.get(database.product)
            if product is None or not _serves(service, database) or "remote" not in product.probe:
                continue
            container = next(
                (one for one in _containers(service, database) if one.image.product == database.product), None
            )
            port = next((one.number for one in service.ports if one.number is not None), None)
            host = f"{service.name}.{service.namespace}.svc"
            if container is None or port is None or "*" in container.image.text or len(service.ports) != 1:
                continue
            if not _SAFE.fullmatch(host) or host in used:
                continue
            used.add(host)
            command = tuple(
                word.replace("{host}", host).replace("{port}", str(port)) for word in product.probe["remote"]
            )
            name = re.sub(r"[^a-z0-9-]", "-", f"{service.namespace}-{service.name}")[:63].strip("-")
            yield _Asked(service, name, container.image.text, command)


def _containers(service: Service, database: Database) -> Sequence[Container]:
    return targets(service, database.workload) if database.workload is not None else ()


def _serves(service: Service, database: Database) -> bool:
    return not database.likely and _runs(database.workload) and database.workload in service.workloads


def _rights(namespace: str, services: Sequence[tuple[str, ...]], text: str) -> Iterator[Object]:
    """The script, and the right to look at the Services that it asks about and at nothing else."""
    yield {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": _NAME, "namespace": namespace, "labels": _labels()},
        "automountServiceAccountToken": False,
    }
    for where in sorted({one[0] for one in services}):
        yield {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": {"name": _NAME, "namespace": where, "labels": _labels()},
            "rules": [
                {
                    "apiGroups": [""],
                    "resources": ["services"],
                    "resourceNames": [name for at_, name in services if at_ == where],
                    "verbs": ["get"],
                },
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list"]},
            ],
        }
        yield {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": _NAME, "namespace": where, "labels": _labels()},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": _NAME},
            "subjects": [{"kind": "ServiceAccount", "name": _NAME, "namespace": namespace}],
        }
    yield {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _NAME, "namespace": namespace, "labels": _labels()},
        "data": {"smoke.sh": text},
    }


def _job(namespace: str, asked: Sequence[_Asked], kubectl: str) -> Object:
    containers: list[Object] = [_container(one.name, one.image, one.command) for one in asked]
    pod: dict[str, Object] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": bool(kubectl),
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    if kubectl:
        pod["serviceAccountName"] = _NAME
        pod["volumes"] = [{"name": "script", "configMap": {"name": _NAME}}]
        containers.append(
            {
                **_container("services", kubectl, ("sh", "/smoke/smoke.sh")),
                "env": [{"name": "DATABASES", "value": "no"}, {"name": "HOME", "value": "/nowhere"}],
                "volumeMounts": [{"name": "script", "mountPath": "/smoke", "readOnly": True}],
            }
        )
    pod["containers"] = containers
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": _NAME, "namespace": namespace, "labels": _labels()},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": 300,
            "ttlSecondsAfterFinished": 3600,
            "template": {"metadata": {"labels": _labels()}, "spec": pod},
        },
    }


def _labels() -> Mapping[str, Object]:
    """Made anew each time: the writer would write one that it meets twice as a reference."""
    return {"app.kubernetes.io/name": _NAME}


def _container(name: str, image: str, command: Sequence[str]) -> Mapping[str, Object]:
    return {
        "name": name,
        "image": image,
        "command": list(command),
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
