"""What the concerns about probes share: how a missing probe is said, which probe would fit, and the edit that adds it.

How long a probe waits follows Kubernetes' documentation: readiness may fail early and often, for all it takes away is
traffic; liveness kills, so it waits at least as long as a slow start takes.
"""

from __future__ import annotations

import re

from msgspec import Struct

from shoreup.facts.fields import items, mapping, text
from shoreup.facts.naming import named
from shoreup.facts.network.serving import Serving
from shoreup.facts.products import ProbeData
from shoreup.model.edit import NoRepair, Put, Repair
from shoreup.model.finding import Fix, Place, Safety
from shoreup.model.location import Route
from shoreup.model.value import Value
from shoreup.model.wording import some

_REASON = "the pod template changes, so the pods restart once"
_CONNECTS = "a connection alone notices a server that is gone and none that hangs: a path or command that answers would"


def container_place(serving: Serving) -> Place:
    """The container, where a probe that is missing should stand."""
    return Place(serving.workload.resource.key, serving.container.route, container=serving.container.name)


def probe_place(serving: Serving, field: str) -> Place:
    """The probe's own place."""
    route: Route = (*serving.container.route, field)
    return Place(serving.workload.resource.key, route, container=serving.container.name)


def subject(serving: Serving) -> str:
    """How the container is called."""
    return named(serving.workload.resource, serving.container.name)


def reached(serving: Serving) -> str:
    """By which way others reach it, as part of a sentence."""
    if serving.services:
        names = sorted({service.name for service in serving.services})
        plural = "Services" if len(names) > 1 else "Service"
        return f"answers for the {plural} {some(names, 2)}"
    ports = ", ".join(str(port.number or port.name) for port in serving.container.ports[:3])
    return f"serves on port {ports}"


def fitting_probe(serving: Serving, kind: str) -> Fix:
    """The probe that fits the product, or the port that traffic comes to. ``kind`` is ``readiness`` or ``liveness``."""
    found = _action(serving, kind)
    if found is None:
        return Fix(
            f"Add a {kind} probe", Safety.SHOWN, "which port or command tells that it works is not in the estate"
        )
    reason = f"{_REASON}; {_CONNECTS}" if "tcpSocket" in found.action else _REASON
    return Fix(f"Add a {kind} probe {found.said}", Safety.UNSAFE, reason)


def repaired_probe(serving: Serving | None, kind: str) -> Repair | NoRepair:
    """The edit that adds the fitting probe."""
    found = _action(serving, kind) if serving is not None else None
    if serving is None or found is None:
        return NoRepair("which port or command tells that it works is not in the estate", _SHOWN.format(kind=kind))
    patience = _READINESS if kind == "readiness" else _SLOW if _slow(serving) else _LIVENESS
    route: Route = (*serving.container.route, f"{kind}Probe")
    key = serving.workload.resource.key
    edits = [Put(key, route, {**found.action, **patience}, found.like)]
    alone = patience is _SLOW and serving.container.body.get("startupProbe") is None
    if alone and serving.workload.resource.parent >= 0:
        # a chart's values say all probes in one place, which one edit can make; so this one probe has all the patience
        edits = [Put(key, route, {**found.action, **_PATIENT}, found.like)]
    elif alone:
        first: Route = (*serving.container.route, "startupProbe")
        ready = _action(serving, "readiness") or found
        edits.append(Put(key, first, {**ready.action, **_STARTUP}, ready.like))
    return Repair(fitting_probe(serving, kind), tuple(edits))


_READINESS: dict[str, Value] = {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 3}
_LIVENESS: dict[str, Value] = {
    "initialDelaySeconds": 30,
    "periodSeconds": 20,
    "timeoutSeconds": 5,
    "failureThreshold": 6,
}
_SLOW: dict[str, Value] = {**_LIVENESS, "initialDelaySeconds": 60}
_PATIENT: dict[str, Value] = {**_LIVENESS, "initialDelaySeconds": 60, "failureThreshold": 30}
_STARTUP: dict[str, Value] = {"periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 60}
"""Ten minutes: a recovery after a crash, or a migration, is not to be killed in the middle."""
_SHOWN = """{kind}Probe:
  httpGet:
    path: /   # a path that answers once it works
    port: 0   # the port that it serves on
  periodSeconds: 10
  timeoutSeconds: 5"""


class _Action(Struct, frozen=True):
    """What a probe does. ``like`` leads from its port to the field of the container that says it."""

    said: str
    action: dict[str, Value]
    like: tuple[tuple[Route, Route], ...] = ()


def _action(serving: Serving, kind: str) -> _Action | None:
    probe = serving.product.probe if serving.product is not None else {}
    command = _command(serving, probe, kind)
    if command:
        said = command[2] if command[:2] == ["sh", "-c"] else " ".join(command)
        return _Action(f"that runs {said}", {"exec": {"command": [*command]}})
    port = serving.port
    if "http" in probe:
        usual = probe.get("port")
        asked = usual if usual in {entry.number for entry in serving.container.ports} or port is None else port
        if asked is None:
            return None
        secure = "443" in str(asked) or "https" in str(asked)
        action: dict[str, Value] = {"path": probe["http"], "port": asked}
        if secure:
            action["scheme"] = "HTTPS"
        said = f"that asks {probe['http']} on port {asked}{' over HTTPS' if secure else ''}"
        return _Action(said, {"httpGet": action}, _written(serving, asked, "httpGet"))
    if port is not None:
        return _Action(f"on port {port}", {"tcpSocket": {"port": port}}, _written(serving, port, "tcpSocket"))
    return None


def _command(serving: Serving, probe: ProbeData, kind: str) -> list[str]:
    """The command that asks, as the image has it; none where it has not, or would ask in the wrong place."""
    command = probe.get("exec", [])
    if kind == "liveness":
        command = probe.get("alive", command)
    image = serving.container.image
    only, since = probe.get("only", []), probe.get("since", "")
    if not command or (only and f"{image.registry}/{image.repository}" not in only):
        return []
    if since and image.version and _parts(image.version) < _parts(since):
        return []
    if "{port}" in command:
        port = _number(serving)
        return [word.replace("{port}", str(port)) for word in command] if port is not None else []
    return command if not _elsewhere(serving) else []


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _number(serving: Serving) -> int | None:
    """The port that traffic comes to, by its number."""
    port = serving.port
    named = (one.number for one in serving.container.ports if one.name == port)
    return port if isinstance(port, int) else next((one for one in named if isinstance(one, int)), None)


_PORT_OR_TLS = re.compile(
    r"-p\d*|--(?:tls-)?port(?:=.*)?|--tls(?:=.*)?|--ssl-mode=.*|port=\d+|unix_socket_directories=.*"
)
_PORT_NAMES = re.compile(r"(?:PGPORT|MYSQL_TCP_PORT|.*_(?:TLS_)?PORT_NUMBER|.*_TLS_ENABLED|.*_ENABLE_TLS)")


def _elsewhere(serving: Serving) -> bool:
    """Whether the server is told another port or TLS, so that its tool without options would not reach it."""
    body, product = serving.container.body, serving.product
    words = [text(word) for field in ("command", "args") for word in items(body.get(field))]
    if any(_PORT_OR_TLS.fullmatch(part) for word in words for part in word.split()):
        return True
    if any(_PORT_NAMES.fullmatch(text(mapping(one).get("name"))) for one in items(body.get("env"))):
        return True
    port = serving.port
    return product is not None and isinstance(port, int) and bool(product.ports) and port not in product.ports


def _written(serving: Serving, asked: int | str, action: str) -> tuple[tuple[Route, Route], ...]:
    """The container's own port, where it is the one that is asked: so that a module writes its variable again."""
    ports = serving.container.body.get("ports")
    for index, port in enumerate(ports if isinstance(ports, list) else []):
        if isinstance(port, dict):
            for field in ("containerPort", "name"):
                if port.get(field) == asked:
                    return (((action, "port"), (*serving.container.route, "ports", index, field)),)
    return ()


def _slow(serving: Serving) -> bool:
    return serving.product is not None and serving.product.slow
