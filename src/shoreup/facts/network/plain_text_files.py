"""Credentials and copies that cross the network in clear, as a file of configuration or an operator's object says.

Files are read line by line, whatever their format: a setting's neighbours are the lines around it that stand as deep or
deeper, within the same section.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from shoreup.facts.estate import Estate, Workload
from shoreup.facts.fields import filled, items, mapping, text
from shoreup.facts.naming import named
from shoreup.facts.network.plain_text import NEAR, SCHEMES, SSL_OFF, WITH_CREDENTIAL, PlainText
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Value, at

_LONGEST = 100_000
_LDAP = re.compile(r"(?<![a-z+])ldap://(?P<host>[^\s/:?#'\",\]]+)", re.IGNORECASE)
_BINDS = re.compile(
    r"(?im)^[\s-]*[\"']?\w*(?:bind_?(?:dn|pw|pass\w*|user\w*)|base_?dn|password|user_?dn)\w*[\"']?\s*[:=]"
)
_STARTTLS = re.compile(r"(?im)^[\s-]*[\"']?\w*start_?tls\w*[\"']?\s*[:=]\s*[\"']?(?:true|yes|on|1|required|always)\b")
_COMMENT = re.compile(r"\s*(?:#|;|//)")
_SECTION = re.compile(r"\s*\[\[?[^\[\]]*\]\]?\s*(?:#.*)?$")
_HOST_OF_URL = re.compile(r"@([^\s/:?#]+)")
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|\{\{.*?\}\}")
_READS = "Whoever can listen on the network between them reads the password."
_COPIES: Mapping[str, tuple[tuple[Route, str], ...]] = {
    # kind: where it names the store that copies go to, and what they hold; the operators' API references, 2026-11-23
    "ObjectStore": ((("spec", "configuration", "endpointURL"), "barmancloud.cnpg.io/"),),
    "Cluster": ((("spec", "backup", "barmanObjectStore", "endpointURL"), "postgresql.cnpg.io/"),),
}
"""Operators' objects whose copies of a database go to a store at that address, as they are."""


class _File(Struct, frozen=True, eq=False):
    """A text that something reads. ``readers`` are the workloads that do, none where that is not in the estate."""

    resource: Resource
    key: str
    value: Value
    route: Route
    readers: Sequence[Workload]


def plain_text_files(estate: Estate) -> Iterator[PlainText]:
    """Every such place in the configuration of the estate and in operators' objects."""
    for file in _files(estate):
        if file.readers and not any(reader.enabled for reader in file.readers):
            continue
        content = _text(file.value)
        if len(content) <= _LONGEST and ("://" in content or "sslmode" in content):
            yield from _of_file(file, content)
    yield from _copies(estate)
    yield from _data_sources(estate)


def _files(estate: Estate) -> Iterator[_File]:
    readers = _readers(estate)
    for entry in estate.config:
        if not entry.binary:
            known = readers.get((entry.kind, entry.namespace, entry.name), ())
            yield _File(entry.resource, entry.key, entry.value, entry.route, known)
    for resource in estate.by_kind.get("ExternalSecret", ()):
        route: Route = ("spec", "target", "template", "data")
        target = text(at(dict(resource.body), "spec", "target", "name")) or resource.name
        known = readers.get(("Secret", resource.namespace or "default", target), ())
        for key, value in mapping(at(dict(resource.body), *route)).items():
            yield _File(resource, key, value, (*route, key), known)


def _readers(estate: Estate) -> Mapping[tuple[str, str, str], list[Workload]]:
    found: dict[tuple[str, str, str], list[Workload]] = defaultdict(list)
    kinds = {"config-map": "ConfigMap", "secret": "Secret"}
    for workload in estate.workloads:
        for volume in workload.volumes:
            if volume.kind in kinds:
                found[(kinds[volume.kind], workload.namespace, volume.source)].append(workload)
        for container in workload.containers:
            for item in map(mapping, items(container.body.get("envFrom"))):
                for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                    name = text(mapping(item.get(field)).get("name"))
                    if name:
                        found[(kind, workload.namespace, name)].append(workload)
            for item in map(mapping, items(container.body.get("env"))):
                source = mapping(item.get("valueFrom"))
                for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                    name = text(mapping(source.get(field)).get("name"))
                    if name:
                        found[(kind, workload.namespace, name)].append(workload)
    return found


# --------------------------------------------------------------------------------------------------- files


def _of_file(file: _File, content: str) -> Iterator[PlainText]:
    seen: set[str] = set()
    for span, what, host in _judged(content, file.key):
        if (
            host in seen
            or NEAR.match(re.sub(r"\*+", "*", host))
            or _is_comment(content, span[0])
            or _is_beside(host, file.readers)
        ):
            continue
        seen.add(host)
        place = Place(file.resource.key, file.route, _known_span(file.value, span))
        who = named(file.readers[0].resource) if file.readers else named(file.resource)
        yield PlainText(place, who, what, f"{file.key} {host}", _READS)


def _judged(content: str, key: str) -> Iterator[tuple[tuple[int, int], str, str]]:
    """What a file says that crosses in clear: where, in words, and the host that it goes to."""
    folded = content.casefold()
    for found in WITH_CREDENTIAL.finditer(content) if "@" in content else ():
        scheme = found["scheme"].lower()
        span = found.span("scheme")
        yield span, f"sends a password over plain {SCHEMES[scheme]} ({scheme}:// in {key})", found["host"]
    for found in _LDAP.finditer(content) if "ldap" in folded else ():
        around = _around(content, found.start())
        if _BINDS.search(around) and not _STARTTLS.search(around):
            yield (
                found.span(),
                f"binds to LDAP with a password over a plain connection (ldap:// in {key})",
                found["host"],
            )
    for found in SSL_OFF.finditer(content) if "sslmode" in folded else ():
        line = _line(content, found.start())
        host = _HOST_OF_URL.search(line)
        if "://" in line and host:
            yield found.span(), f"switches TLS to its database off (sslmode in {key})", host[1]


def _text(value: Value) -> str:
    """The text with a star for what is not known; a placeholder gives as many as it is long, so that spans hold."""
    written = text(value)
    if "${" not in written and "{{" not in written:
        return written
    return _PLACEHOLDER.sub(lambda found: "*" * len(found[0]), written)


def _known_span(value: Value, span: tuple[int, int]) -> tuple[int, int] | None:
    """A span of the text among the characters of the value that are known, as places count them."""
    if isinstance(value, str):
        return span
    if not isinstance(value, PartialText):
        return None
    before = at_end = position = 0
    for part in value.parts:
        if isinstance(part, str):
            position += len(part)
        else:
            before += position < span[0]
            at_end += position < span[1]
            position += 1
    return span[0] - before, span[1] - at_end


def _is_beside(host: str, readers: Sequence[Workload]) -> bool:
    """Whether the host is a container of the same pod, as only Compose and pods of old name it."""
    return any(host == container.name for reader in readers for container in reader.containers if "." not in host)


def _line(content: str, index: int) -> str:
    end = content.find("\n", index)
    return content[content.rfind("\n", 0, index) + 1 : end if end >= 0 else len(content)]


def _is_comment(content: str, index: int) -> bool:
    return _COMMENT.match(_line(content, index)) is not None


def _around(content: str, index: int) -> str:
    """The settings beside the one at an index: lines as deep or deeper, up to the next one that is less deep."""
    lines = content.split("\n")
    here = content.count("\n", 0, index)
    depth = _depth(lines[here])
    first = last = here
    while first > 0 and _belongs(lines[first - 1], depth):
        first -= 1
    while last + 1 < len(lines) and _belongs(lines[last + 1], depth):
        last += 1
    return "\n".join(lines[first : last + 1])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _belongs(line: str, depth: int) -> bool:
    if not line.strip() or _COMMENT.match(line):
        return True
    return _depth(line) >= depth and not _SECTION.match(line)


# -------------------------------------------------------------------------------------------------- copies


def _copies(estate: Estate) -> Iterator[PlainText]:
    for kind, fields in _COPIES.items():
        for resource in estate.by_kind.get(kind, ()):
            for route, group in fields:
                address = filled(at(dict(resource.body), *route)).lower()
                host = address.removeprefix("http://").partition("/")[0].partition(":")[0]
                if _is_put_away(resource):
                    continue
                if resource.api_version.startswith(group) and address.startswith("http://") and not NEAR.match(host):
                    yield PlainText(
                        Place(resource.key, route),
                        named(resource),
                        f"sends copies of its databases over plain HTTP ({route[-1]})",
                        str(route[-1]),
                        "Whoever can listen on the network in between reads all that the databases hold.",
                    )


def _is_put_away(resource: Resource) -> bool:
    """Whether an object lies in a hidden folder, where platforms keep what they no longer apply."""
    return any(part.startswith(".") and len(part) > 1 for part in resource.root.split("/"))


def _data_sources(estate: Estate) -> Iterator[PlainText]:
    """Grafana's own objects for databases, which say of TLS what its files say."""
    for resource in estate.by_kind.get("GrafanaDatasource", ()):
        source = mapping(mapping(resource.body.get("spec")).get("datasource"))
        host = filled(source.get("url")).rpartition("://")[2].partition(":")[0]
        if text(mapping(source.get("jsonData")).get("sslmode")) == "disable" and not NEAR.match(host):
            yield PlainText(
                Place(resource.key, ("spec", "datasource", "jsonData", "sslmode")),
                named(resource),
                "switches TLS to its database off (sslmode: disable)",
                "sslmode",
                _READS,
            )
