"""Where credentials cross the network in clear: a mesh that is switched off for a workload, a protocol that says so.

Only what is written out counts: a scheme without TLS together with a credential, or a setting that switches TLS off.
What stays within one pod or one machine crosses no network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import Container, Estate, Workload
from shoreup.facts.fields import filled, items, known_text, mapping, text
from shoreup.facts.naming import named
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.value import Value

_MESHES = (
    # mesh, charts that run it, key, value that switches it off; the meshes' own documentation, 2026-11-23
    ("Istio", ("istiod", "istio", "istio-discovery"), "sidecar.istio.io/inject", "false"),
    ("Linkerd", ("linkerd-control-plane", "linkerd2"), "linkerd.io/inject", "disabled"),
    ("Kuma", ("kuma",), "kuma.io/sidecar-injection", "disabled"),
)
SCHEMES = {
    "ldap": "LDAP",
    "amqp": "AMQP",
    "redis": "Redis",
    "mqtt": "MQTT",
    "smtp": "SMTP",
    "ftp": "FTP",
    "http": "HTTP",
    "nats": "NATS",
}
WITH_CREDENTIAL = re.compile(
    r"(?<![a-z+])(?P<scheme>amqp|redis|mqtt|smtp|ftp|http|nats|ldap)://(?P<user>[^\s/:@'\"]*):(?P<held>[^\s/@'\"]+)@"
    r"(?P<host>[^\s/:?#'\",]+)",
    re.IGNORECASE,
)
_LDAP = re.compile(r"^\s*ldap://(?P<host>[^\s/:?#'\",]+)", re.IGNORECASE)
SSL_OFF = re.compile(r"(?:^|[?&;\s])sslmode=(?:disable|allow)\b", re.IGNORECASE)
_SSL_NAME = re.compile(r"(?:^|_)SSL_?MODE$", re.IGNORECASE)
_OFF = frozenset({"disable", "disabled", "off", "none", "false"})
_PASSWORD = re.compile(r"PASS(?:WORD|WD)?(?:_FILE|__FILE)?$|_PW$|PASSWORD|SECRET$", re.IGNORECASE)
_STARTTLS = re.compile(r"start_?tls", re.IGNORECASE)
NEAR = re.compile(r"^(?:localhost|127\.[\d.]+|\[?::1\]?|\*?$|host\.docker\.internal$)")


class PlainText(Struct, frozen=True, eq=False):
    """Something that goes over the network in clear. ``what`` says it in words; ``undecided`` why it is not certain."""

    place: Place
    who: str
    what: str
    field: str
    consequence: str
    undecided: str = ""


def plain_text(estate: Estate) -> Iterator[PlainText]:
    """Every such place of the estate."""
    charts = {release.chart.rpartition("/")[2] for release in estate.releases}
    for workload in estate.workloads:
        if not workload.enabled:
            continue
        yield from _meshless(workload, charts)
        beside = {container.name for container in workload.containers}
        for container in workload.containers:
            yield from _of_environment(workload, container, beside)


# ------------------------------------------------------------------------------------------------- meshes


def _meshless(workload: Workload, charts: set[str]) -> Iterator[PlainText]:
    if not workload.pod_route or workload.partial:
        return
    template: Value = dict(workload.resource.body)
    for step in workload.pod_route[:-1]:
        template = mapping(template).get(str(step))
    metadata = mapping(mapping(template).get("metadata"))
    for mesh, running, key, off in _MESHES:
        for field in ("annotations", "labels"):
            if known_text(mapping(metadata.get(field)).get(key)) != off:
                continue
            runs = bool(charts & set(running))
            route: Route = (*workload.pod_route[:-1], "metadata", field, key)
            yield PlainText(
                place=Place(workload.resource.key, route),
                who=named(workload.resource),
                what=f"is left out of {mesh} ({key}: {off}), so its connections are not encrypted by the mesh",
                field=key,
                consequence="Whatever it sends and receives, log-ins included, can be read and changed on the "
                "cluster's network.",
                undecided="" if runs else f"whether the cluster runs {mesh} is not in the estate",
            )


# -------------------------------------------------------------------------------------------- environment


def _of_environment(workload: Workload, container: Container, beside: set[str]) -> Iterator[PlainText]:
    names = _all_names(container)
    for name, value in container.env.items():
        written = filled(value)
        if not written:
            continue
        found = _judged(name, written, names, container.env)
        if found is None:
            continue
        what, host = found
        if host and (NEAR.match(host) or (workload.kind != "ComposeService" and host in beside)):
            continue
        yield PlainText(
            _place(workload, container, name),
            named(workload.resource, container.name),
            what,
            name,
            "Whoever can listen on the network between them reads the password.",
        )


def _judged(name: str, written: str, names: frozenset[str], env: Mapping[str, Value]) -> tuple[str, str] | None:
    """What crosses in clear, and the host that it goes to where it is known."""
    for found in WITH_CREDENTIAL.finditer(written):
        scheme = found["scheme"].lower()
        if "host.docker" not in found["host"]:
            return f"sends a password over plain {SCHEMES[scheme]} ({scheme}:// in {name})", found["host"]
    ldap = _LDAP.match(written)
    if ldap and _related(name, names) and not _upgrades(env):
        return f"binds to LDAP with a password over a plain connection (ldap:// in {name})", ldap["host"]
    if SSL_OFF.search(written) and "@" in written:
        host = re.search(r"@([^\s/:?]+)", written)
        return f"switches TLS to its database off (sslmode in {name})", host[1] if host else ""
    if _SSL_NAME.search(name) and written.lower() in _OFF and _related(name, names):
        host_name = next((other for other in env if _same_group(other, name) and other.upper().endswith("HOST")), "")
        host_text = filled(env.get(host_name)).rpartition(":")[0] or filled(env.get(host_name))
        return f"switches TLS to its database off ({name}={written.lower()})", host_text
    return None


def _upgrades(env: Mapping[str, Value]) -> bool:
    return any(
        _STARTTLS.search(name) and text(value).lower() not in ("false", "0", "no", "") for name, value in env.items()
    )


def _related(name: str, names: frozenset[str]) -> bool:
    """Whether a password stands beside a setting: under a name that begins alike."""
    return any(_PASSWORD.search(other) and _same_group(other, name) for other in names)


def _same_group(one: str, other: str) -> bool:
    left, right = re.split(r"__?", one.upper()), re.split(r"__?", other.upper())
    same = 0
    for first, second in zip(left, right, strict=False):
        if first != second:
            break
        same += 1
    return same >= min(2, len(left) - 1, len(right) - 1) and same >= 1


def _all_names(container: Container) -> frozenset[str]:
    declared = {text(mapping(item).get("name")) for item in items(container.body.get("env"))}
    return frozenset(declared | set(container.env)) - {""}


def _place(workload: Workload, container: Container, name: str) -> Place:
    for index, item in enumerate(items(container.body.get("env"))):
        if text(mapping(item).get("name")) == name:
            route: Route = (*container.route, "env", index, "value")
            return Place(workload.resource.key, route, container=container.name)
    field = "environment" if container.body.get("environment") is not None else "env"
    return Place(workload.resource.key, (*container.route, field), container=container.name)
