"""VPN endpoints (WireGuard) and what their firewall lets the peers reach.

WireGuard itself decides which addresses a peer may send from, never which it may reach; the list of allowed addresses
in a peer's own file only says what that peer routes into the tunnel. What a peer may reach is decided by the firewall
that the endpoint sets up when the tunnel starts, so that is what is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from msgspec import Struct

from shoreup.facts.estate import Container, Estate, Workload
from shoreup.facts.fields import items, known_text, mapping, text, texts, truth, why_open
from shoreup.facts.knowledge import table
from shoreup.facts.naming import named
from shoreup.facts.patterns import fits
from shoreup.facts.programs.scripts import by_map, mounted_files
from shoreup.facts.selection import selects
from shoreup.formats.shell import parse
from shoreup.model.finding import Confidence, Place
from shoreup.model.location import Route

_FIREWALLS = frozenset({"iptables", "ip6tables", "iptables-legacy", "iptables-nft", "nft", "ufw", "firewall-cmd"})
_HARMLESS = frozenset({"true", ":", "echo", "sysctl", "ip", "wg", "sleep", "printf", "logger", "date", "cat", "tc"})
_INTERFACE = re.compile(r"^[ \t]*\[Interface\]", re.MULTILINE | re.IGNORECASE)
_LISTENS = re.compile(r"^[ \t]*ListenPort[ \t]*=", re.MULTILINE | re.IGNORECASE)
_DIALS = re.compile(r"^[ \t]*Endpoint[ \t]*=", re.MULTILINE | re.IGNORECASE)
_PEER = re.compile(r"^[ \t]*\[Peer\]", re.MULTILINE | re.IGNORECASE)
_HOOK = re.compile(r"^[ \t]*(?:PostUp|PreUp)[ \t]*=[ \t]*(?P<command>[^\r\n]*)$", re.MULTILINE | re.IGNORECASE)


class _Known(Struct, frozen=True, forbid_unknown_fields=True):
    """An image that sets up an endpoint (``data/vpn_endpoints.json``).

    ``hook`` is the variable with the commands that set up the firewall, ``before`` one whose commands run first; from
    the major version ``hooks_until`` on both are kept in the image's own database. ``peers`` is the variable without
    which it is no endpoint, ``templates`` a part of the path at which an own template is mounted. ``default`` says what
    it does when nothing is set.
    """

    images: tuple[str, ...]
    default: str
    source: str
    checked: str
    hook: str = ""
    before: str = ""
    hooks_until: int = 0
    peers: str = ""
    templates: str = ""


@cache
def _known() -> tuple[_Known, ...]:
    return table("vpn_endpoints", tuple[_Known, ...])


class VpnEndpoint(Struct, frozen=True, eq=False):
    """An endpoint. ``limited`` says whether its firewall drops what it does not allow; ``None``: not decided.

    ``firewall`` says in words what the firewall does, ``undecided`` why it is not known. ``place`` is the hook, or the
    endpoint where there is none.
    """

    place: Place
    who: str
    limited: bool | None
    firewall: str
    undecided: str = ""
    confidence: Confidence = Confidence.CERTAIN


class _Rules(Struct, frozen=True):
    """What some hooks do: ``drops`` something by default, ``accepts`` everything from the tunnel."""

    drops: bool = False
    accepts: bool = False
    unclear: str = ""


def vpn_endpoints(estate: Estate) -> Iterator[VpnEndpoint]:
    """Every endpoint of the estate that peers connect to."""
    read: set[int] = set()
    index = by_map(estate.config)
    for workload in estate.workloads:
        if not workload.enabled:
            continue
        for container in workload.containers:
            repository = f"{container.image.registry}/{container.image.repository}"
            known = next((one for one in _known() if any(fits(repository, glob) for glob in one.images)), None)
            found = _of_image(workload, container, known) if known is not None else None
            if found is not None:
                yield _fenced(found, workload, estate)
            for path, entry in mounted_files(workload, container, index):
                if isinstance(entry.value, str) and _serves(entry.value) and id(entry) not in read:
                    read.add(id(entry))
                    who = f"{named(workload.resource)} with {path}"
                    yield _fenced(_of_file(entry.value, Place(entry.resource.key, entry.route), who), workload, estate)
    for entry in estate.config:
        if id(entry) in read or not isinstance(entry.value, str) or not entry.key.endswith(".conf"):
            continue
        if _serves(entry.value):
            yield _of_file(entry.value, Place(entry.resource.key, entry.route), f"{named(entry.resource)}, {entry.key}")
    for file in estate.loose_files:
        if file.kind == "wireguard" and _serves(file.text):
            found = _of_file(file.text, Place(), file.path)
            chars = found.place.chars or (0, max(file.text.find("\n"), 0))
            yield VpnEndpoint(file.place(*chars), file.path, found.limited, found.firewall, found.undecided)


def _fenced(found: VpnEndpoint, workload: Workload, estate: Estate) -> VpnEndpoint:
    """A policy for the pod's own connections holds for what it forwards under its own address too."""
    if found.limited is not False or truth(workload.pod.get("hostNetwork")) is True:
        return found
    for kind in ("NetworkPolicy", "CiliumNetworkPolicy"):
        for policy in estate.by_kind.get(kind, ()):
            spec = mapping(policy.body.get("spec"))
            egress = spec.get("egress") is not None or "Egress" in texts(spec.get("policyTypes"))
            selector = spec.get("podSelector") if kind == "NetworkPolicy" else spec.get("endpointSelector")
            here = (policy.namespace or "default") == workload.namespace
            if egress and here and selects(selector if selector is not None else {}, workload.labels) is not False:
                reason = f"{kind} {policy.name} limits what its pod may reach"
                return VpnEndpoint(found.place, found.who, None, "", reason)
    return found


# ------------------------------------------------------------------------------------------------- images


def _of_image(workload: Workload, container: Container, known: _Known) -> VpnEndpoint | None:
    return _by_hook(workload, container, known) if known.hook else _by_peers(workload, container, known)


def _by_hook(workload: Workload, container: Container, known: _Known) -> VpnEndpoint:
    who = named(workload.resource, container.name)
    whole = Place(workload.resource.key, container.route, container=container.name)
    version = re.match(r"v?(\d+)", container.image.version or text(container.image.tag))
    if version is None or int(version[1]) >= known.hooks_until:
        hooks = [name for name in (known.before, known.hook) if name in container.env]
        if version is not None or not hooks:
            reason = "this version keeps its rules in its own database" if version else "its version is not decided"
            return VpnEndpoint(whole, who, None, "", reason)
    unknown = "" if known.hook in container.env else container.open or _from_elsewhere(container)
    if unknown:
        return VpnEndpoint(whole, who, None, "", unknown)
    hook = container.env.get(known.hook)
    if hook is None:
        return VpnEndpoint(whole, who, False, f"it sets no start hook, and {known.default}")
    place = _env_place(workload, container, known.hook)
    if not isinstance(hook, str):
        return VpnEndpoint(place, who, None, "", why_open(hook) or "its start hook is not decided")
    return _judged(_rules([hook, known_text(container.env.get(known.before))]), place, who)


def _by_peers(workload: Workload, container: Container, known: _Known) -> VpnEndpoint | None:
    """An endpoint where it is told its peers; without them it is a client, or reads a file of its own."""
    peers = container.env.get(known.peers)
    if peers is None or known_text(peers) in ("", "0"):
        return None
    who = named(workload.resource, container.name)
    whole = Place(workload.resource.key, container.route, container=container.name)
    own = [mount for mount in container.mounts if known.templates in mount.path]
    if own:
        return VpnEndpoint(whole, who, None, "", f"its own template is mounted at {own[0].path}")
    return VpnEndpoint(whole, who, False, known.default, confidence=Confidence.LIKELY)


def _from_elsewhere(container: Container) -> str:
    """Why a hook may come from a ConfigMap; Secrets hold no firewalls."""
    for source in items(container.body.get("envFrom")):
        name = text(mapping(mapping(source).get("configMapRef")).get("name"))
        if name:
            return f"the ConfigMap {name} may set its start hook"
    return ""


def _env_place(workload: Workload, container: Container, name: str) -> Place:
    for index, item in enumerate(items(container.body.get("env"))):
        if text(mapping(item).get("name")) == name:
            return Place(workload.resource.key, (*container.route, "env", index), container=container.name)
    route: Route = (*container.route, "environment")
    return Place(workload.resource.key, route, container=container.name)


# ------------------------------------------------------------------------------------------------- files


def _serves(written: str) -> bool:
    """Whether a tunnel's file is an endpoint's: it listens, has peers, and dials none of them."""
    return bool(
        _INTERFACE.search(written) and _LISTENS.search(written) and _PEER.search(written) and not _DIALS.search(written)
    )


def _of_file(written: str, place: Place, who: str) -> VpnEndpoint:
    hooks = list(_HOOK.finditer(written))
    if not hooks:
        return VpnEndpoint(
            place, who, False, "it sets no firewall when the tunnel starts", confidence=Confidence.LIKELY
        )
    chars = (hooks[0].start("command"), hooks[-1].end("command"))
    at = Place(place.resource, place.route, chars, place.span, place.container)
    return _judged(_rules([hook["command"] for hook in hooks]), at, who)


def _judged(rules: _Rules, place: Place, who: str) -> VpnEndpoint:
    if rules.drops:
        return VpnEndpoint(place, who, True, "")
    if rules.unclear:
        return VpnEndpoint(place, who, None, "", rules.unclear)
    if rules.accepts:
        return VpnEndpoint(place, who, False, "its start hook accepts everything from the tunnel and drops nothing")
    return VpnEndpoint(place, who, False, "its start hook drops nothing", confidence=Confidence.LIKELY)


def _rules(hooks: Sequence[str]) -> _Rules:
    drops = accepts = False
    unclear = ""
    for hook in hooks:
        for command in parse(hook.replace("%i", "wg0")).commands:
            if command.name in _FIREWALLS:
                words = [word.text for word in command.arguments]
                drops = drops or _drops(command.name, words)
                accepts = accepts or _accepts(words)
                if command.name == "nft" and "-f" in words:
                    unclear = "the rules are in a file that it loads"
            elif command.name and command.name not in _HARMLESS:
                unclear = f"its start hook runs {command.name}, which may set up a firewall"
            elif not command.name and command.words:
                unclear = "what its start hook runs is not decided"
    return _Rules(drops, accepts, unclear)


def _drops(tool: str, words: Sequence[str]) -> bool:
    verdicts = {"DROP", "REJECT", "drop", "reject", "deny"}
    if tool in ("ufw", "firewall-cmd"):
        return bool({"deny", "reject", "drop"} & {part for word in words for part in re.split(r"[=\s]", word)})
    if tool == "nft":
        return any(verdict in re.split(r"[\s;{}]+", " ".join(words)) for verdict in verdicts)
    if words and ("-P" in words or "--policy" in words):
        return "FORWARD" in words and bool(verdicts & set(words))
    chain = _after(words, ("-A", "-I", "--append", "--insert"))
    return chain not in ("", "INPUT", "OUTPUT") and _after(words, ("-j", "--jump")) in verdicts


def _accepts(words: Sequence[str]) -> bool:
    """Whether a rule lets everything from the tunnel pass."""
    narrowing = {"-d", "--destination", "-s", "--source", "--dport", "--dports", "-m", "-p"}
    return (
        _after(words, ("-A", "-I", "--append", "--insert")) == "FORWARD"
        and _after(words, ("-j", "--jump")) == "ACCEPT"
        and not narrowing & set(words)
    )


def _after(words: Sequence[str], options: Sequence[str]) -> str:
    for option in options:
        if option in words[:-1]:
            return words[words.index(option) + 1]
    return ""
