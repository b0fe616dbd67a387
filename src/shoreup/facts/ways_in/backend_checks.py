"""Proxies that speak TLS to a backend and do not look at its certificate.

Each proxy says it in its own words. Two kinds matter: an option that switches the check off, and, with nginx, an
``https`` backend without the option that switches it on, for nginx checks nothing by default.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import ConfigEntry, Estate
from shoreup.facts.fields import filled, items, known_text, mapping, text, truth
from shoreup.facts.naming import named
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Value

_NGINX = "nginx.ingress.kubernetes.io/"
_TRANSPORT = "traefik.ingress.kubernetes.io/service.serverstransport"
_SELF = re.compile(r"^(?:127\.0\.0\.1|localhost|\[::1\]|unix:)")
_TOKEN = re.compile(r"#[^\n]*|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[{};]|(?:\$\{[^}\n]*\}|[^\s{};#\"'])+")
_CADDY = re.compile(r"^[ \t]*(?P<words>tls_insecure_skip_verify)\b", re.MULTILINE)
_HAPROXY = re.compile(r"^[ \t]*(?:default-)?server\b[^\n#]*\bssl\b[^\n#]*(?P<words>\bverify[ \t]+none)\b", re.MULTILINE)
_APACHE = re.compile(r"^[ \t]*(?P<words>SSLProxyVerify[ \t]+none)\b", re.MULTILINE | re.IGNORECASE)
_TUNNEL = re.compile(r"^[ \t]*(?P<words>noTLSVerify:[ \t]*true)\b", re.MULTILINE)
_SWITCHES = (
    (_CADDY, "Caddy", "tls_insecure_skip_verify"),
    (_HAPROXY, "HAProxy", "verify"),
    (_APACHE, "Apache", "sslproxyverify"),
    (_TUNNEL, "cloudflared", "ingress:"),
)
"""A switch, whose it is, and what stands in every file with it, in small letters."""
_LONGEST = 400_000


class UncheckedBackend(Struct, frozen=True, eq=False):
    """A backend whose certificate is not checked. ``backend`` names it where that is known, ``how`` is what says so.

    ``undecided`` says why it is not certain.
    """

    place: Place
    who: str
    backend: str
    how: str
    field: str
    undecided: str = ""
    related: tuple[tuple[Place, str], ...] = ()


def unchecked_backends(estate: Estate) -> Iterator[UncheckedBackend]:
    """Every such backend of the estate."""
    for entry in estate.config:
        if entry.kind == "ConfigMap" and not entry.binary:
            yield from _of_text(entry)
    yield from _transports(estate)
    for resource in estate.by_kind.get("Ingress", ()):
        yield from _annotated(resource)
    for resource in estate.by_kind.get("Backend", ()):
        tls = mapping(mapping(resource.body.get("spec")).get("tls"))
        if resource.api_version.startswith("gateway.envoyproxy.io/") and truth(tls.get("insecureSkipVerify")) is True:
            place = Place(resource.key, ("spec", "tls", "insecureSkipVerify"))
            yield UncheckedBackend(place, named(resource), _endpoints(resource), "insecureSkipVerify", "tls")


def _endpoints(resource: Resource) -> str:
    found: list[str] = []
    for endpoint in map(mapping, items(mapping(resource.body.get("spec")).get("endpoints"))):
        held = mapping(endpoint.get("fqdn")) or mapping(endpoint.get("ip"))
        found.append(text(held.get("hostname")) or text(held.get("address")))
    return ", ".join(name for name in found if name)


# ------------------------------------------------------------------------------------- configuration as text


def _of_text(entry: ConfigEntry) -> Iterator[UncheckedBackend]:
    written = _known(entry.value)
    if not written or len(written) > _LONGEST:
        return
    if "proxy_pass" in written and "https://" in written:
        who = f"{named(entry.resource)}, {entry.key}"
        for start, end, backend, how in _nginx(written):
            if "${" in backend or not backend.strip("$"):
                backend = ""
            place = Place(entry.resource.key, entry.route, (start, end))
            yield UncheckedBackend(place, who, backend, how, f"{entry.key} proxy_pass")
    folded = written.casefold()
    for pattern, proxy, beside in _SWITCHES:
        if beside not in folded:
            continue
        for found in pattern.finditer(written):
            place = Place(entry.resource.key, entry.route, found.span("words"))
            who = f"{proxy} in {named(entry.resource)}, {entry.key}"
            yield UncheckedBackend(place, who, "", found["words"], f"{entry.key} {proxy}")


def _known(value: Value) -> str:
    """The text as far as it is known; the places of characters hold, for unknown parts have none."""
    if isinstance(value, PartialText):
        return "".join(part for part in value.parts if isinstance(part, str))
    return value if isinstance(value, str) else ""


class _Block(Struct):
    """A block of nginx's configuration while it is read."""

    check: str | None
    check_at: tuple[int, int] | None
    includes: bool
    passes: list[tuple[int, int, str]]
    children: list[_Block]


def _nginx(written: str) -> Iterator[tuple[int, int, str, str]]:
    top = _Block(None, None, False, [], [])
    stack = [top]
    words: list[tuple[str, int, int]] = []
    for token in _TOKEN.finditer(written):
        word = token.group()
        if word.startswith("#"):
            continue
        if word == "{":
            block = _Block(None, None, False, [], [])
            stack[-1].children.append(block)
            stack.append(block)
            words = []
        elif word == "}":
            if len(stack) > 1:
                stack.pop()
            words = []
        elif word == ";":
            _directive(words, stack[-1])
            words = []
        else:
            words.append((word, token.start(), token.end()))
    yield from _passes(top, None, None, False)


def _directive(words: list[tuple[str, int, int]], block: _Block) -> None:
    if len(words) < 2:
        return
    name, value = words[0][0], words[1][0].strip("\"'")
    span = (words[0][1], words[-1][2])
    if name == "proxy_ssl_verify":
        block.check, block.check_at = value, span
    elif name == "include":
        block.includes = block.includes or not value.endswith("mime.types")
    elif name == "proxy_pass" and value.startswith("https://"):
        block.passes.append((*span, value.removeprefix("https://").partition("/")[0]))


def _passes(
    block: _Block, check: str | None, check_at: tuple[int, int] | None, includes: bool
) -> Iterator[tuple[int, int, str, str]]:
    if block.check is not None:
        check, check_at = block.check, block.check_at
    includes = includes or block.includes
    for start, end, backend in block.passes:
        if _SELF.match(backend) or check == "on" or (check is None and includes):
            continue
        if check == "off" and check_at is not None:
            yield (*check_at, backend, "proxy_ssl_verify off")
        elif check is None:
            yield start, end, backend, "no proxy_ssl_verify, which nginx takes for off"
    for child in block.children:
        yield from _passes(child, check, check_at, includes)


# ------------------------------------------------------------------------------------------------- Traefik


def _transports(estate: Estate) -> Iterator[UncheckedBackend]:
    users = _users(estate)
    for kind in ("ServersTransport", "ServersTransportTCP"):
        for resource in estate.by_kind.get(kind, ()):
            if not resource.api_version.startswith("traefik."):
                continue
            spec = mapping(resource.body.get("spec"))
            tls = mapping(spec.get("tls"))
            route: Route = ("spec", "tls", "insecureSkipVerify") if tls else ("spec", "insecureSkipVerify")
            if truth((tls or spec).get("insecureSkipVerify")) is not True:
                continue
            place = Place(resource.key, route)
            asking = users.get((resource.namespace or "default", resource.name), [])
            related = tuple((Place(user.key), f"{named(user)} uses it") for user in asking)
            yield UncheckedBackend(
                place=place,
                who=named(resource),
                backend=" and ".join(dict.fromkeys(f"the backend of {named(user)}" for user in asking)),
                how="insecureSkipVerify",
                field="insecureSkipVerify",
                undecided="" if asking else "nothing in the estate uses it",
                related=related,
            )


def _users(estate: Estate) -> Mapping[tuple[str, str], list[Resource]]:
    found: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for kind in ("IngressRoute", "IngressRouteTCP"):
        for resource in estate.by_kind.get(kind, ()):
            where = resource.namespace or "default"
            for route in map(mapping, items(mapping(resource.body.get("spec")).get("routes"))):
                for service in map(mapping, items(route.get("services"))):
                    name = known_text(service.get("serversTransport"))
                    for namespace, plain in _named(name, where):
                        if resource not in found[(namespace, plain)]:
                            found[(namespace, plain)].append(resource)
    for resource in estate.by_kind.get("Service", ()):
        annotations = mapping(mapping(resource.body.get("metadata")).get("annotations"))
        for namespace, plain in _named(known_text(annotations.get(_TRANSPORT)), resource.namespace or "default"):
            found[(namespace, plain)].append(resource)
    return found


def _named(name: str, where: str) -> Iterator[tuple[str, str]]:
    """A transport's name as routes write it: alone, or joined with its namespace before ``@kubernetescrd``."""
    if not name:
        return
    joined, at, _ = name.partition("@")
    if not at:
        yield where, joined
    pieces = joined.split("-")
    for cut in range(1, len(pieces)):
        yield "-".join(pieces[:cut]), "-".join(pieces[cut:])


# -------------------------------------------------------------------------------------------- ingress-nginx


def _annotated(resource: Resource) -> Iterator[UncheckedBackend]:
    annotations = mapping(mapping(resource.body.get("metadata")).get("annotations"))
    if known_text(annotations.get(f"{_NGINX}backend-protocol")).upper() not in ("HTTPS", "GRPCS"):
        return
    check = annotations.get(f"{_NGINX}proxy-ssl-verify")
    chosen = filled(mapping(resource.body.get("spec")).get("ingressClassName"))
    if known_text(check) == "on" or (chosen and "nginx" not in chosen and "*" not in chosen):
        return
    key = f"{_NGINX}proxy-ssl-verify" if check is not None else f"{_NGINX}backend-protocol"
    how = "proxy-ssl-verify off" if known_text(check) else "no proxy-ssl-verify, which ingress-nginx takes for off"
    undecided = "" if check is None or known_text(check) else "whether it checks is not decided"
    place = Place(resource.key, ("metadata", "annotations", key))
    yield UncheckedBackend(
        place=place, who=named(resource), backend="", how=how, field="proxy-ssl-verify", undecided=undecided
    )
