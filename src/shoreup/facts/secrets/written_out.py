"""Credentials that are written out in the source: in environments, Secrets, chart values, resources of Terraform.

A ConfigMap's keys are another question, and so are the arguments of commands. References, placeholders and what is
encrypted (sops, sealed) are none. The same credential in several places is one, found by its hash.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.estate import ConfigEntry, Estate
from shoreup.facts.fields import items, known_text, mapping, text
from shoreup.facts.naming import named
from shoreup.facts.secrets.recognition import Likeness, encoded_key, filler, likenesses, mark_of, words_of
from shoreup.facts.secrets.tokens import SERVICE_ACCOUNT_TYPE
from shoreup.model.finding import Place
from shoreup.model.location import Route
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at

_NOT_VALUES = frozenset({
    "name", "names", "ref", "key", "keys", "path", "file", "url", "uri", "host", "user", "username", "policy", "id",
    "type", "length", "enabled", "existing", "mount", "prefix", "field", "header", "store", "issuer", "algorithm",
    "provider", "class", "manager", "engine", "rotation", "size", "version", "namespace", "template", "endpoint",
})  # fmt: skip
"""Last words of a name that make it a name about a secret."""
_WEAK = re.compile(
    r"^(?:admin|root|user|guest|test|example|postgres|mysql|redis|default|value|string|dummy|fake|sample|\d{1,8}|"
    r"[\w.-]+\.(?:svc|local|cluster\.local|com|org|net|io)(?::\d+)?)$",
    re.IGNORECASE,
)
"""Values that may as well be a name; alone under a name they prove nothing. Default passwords are weighed apart."""
_REFERENCES = re.compile(r"<[^>]*>|\bref\+|^arn:|^vault:|^op://|^ENC\[", re.IGNORECASE)
_GENERATED = ("random_", "tls_", "data.")
_SKIPPED_KINDS = frozenset({
    "ExternalSecret", "ClusterExternalSecret", "SecretStore", "ClusterSecretStore", "SealedSecret", "PushSecret",
    "ConfigMap", "Secret", "CustomResourceDefinition", "ReleaseValues", "ChartValues", "HelmRelease", "HelmChart",
    "HelmChartConfig", "Application", "Kustomization", "helm_release",
})  # fmt: skip
_VALUES: tuple[tuple[str, Route], ...] = (
    ("HelmRelease", ("spec", "values")),
    ("HelmChart", ("spec", "valuesContent")),
    ("HelmChartConfig", ("spec", "valuesContent")),
    ("Application", ("spec", "source", "helm")),
    ("Application", ("spec", "sources")),
)
"""Where the objects that install charts hold their values."""


class Written(Struct, frozen=True, eq=False):
    """A credential where it is written. ``where`` says for people under what name it stands."""

    likeness: Likeness
    mark: str
    place: Place
    resource: Resource
    where: str
    encoded: bool = False
    filler: bool = False
    """It has no form, and only shows that a secret stands here."""
    aside: bool = False
    """Nothing applies the file; the place is one in that file."""


def written_secrets(estate: Estate) -> Iterator[Written]:
    """Every credential that is written out, in the order of the resources."""
    yield from _environments(estate)
    for entry in estate.config:
        if entry.kind == "Secret":
            yield from _entry(entry)
    made = {one.parent for one in estate.resources if one.kind not in {"ReleaseValues", "ChartValues"}}
    for resource in estate.by_kind.get("ReleaseValues", ()):
        if resource.parent in made:
            # What the chart makes of its values is there, and has been looked at.
            continue
        owner = estate.by_key.get(resource.parent, resource)
        yield from _leaves(owner, resource, resource.body.get("values"), ("values",))
    for resource in estate.resources:
        skipped = resource.kind in _SKIPPED_KINDS or resource.kind.startswith(_GENERATED)
        if resource.api_version == "terraform" and not skipped:
            yield from _leaves(resource, resource, dict(resource.body), ())


def written_aside(estate: Estate) -> Iterator[Written]:
    """The same in the files that nothing applies: whoever reads the repository has these too.

    A word that fills the place of a secret opens nothing there.
    """
    aside = estate.aside
    if aside is None:
        return
    for written in (*written_secrets(aside.estate), *_values(aside.estate)):
        if not written.filler:
            yield replace(written, place=aside.find(written.place), aside=True)


def _values(estate: Estate) -> Iterator[Written]:
    """Credentials in the values of releases as they are declared: what nothing applies is not followed to its chart."""
    for kind, route in _VALUES:
        for resource in estate.by_kind.get(kind, ()):
            yield from _leaves(resource, resource, at(dict(resource.body), *route), route)


def _environments(estate: Estate) -> Iterator[Written]:
    for workload in estate.workloads:
        key = workload.resource.key
        for container in workload.containers:
            for index, item in enumerate(map(mapping, items(container.body.get("env")))):
                name, value = text(item.get("name")), item.get("value")
                if isinstance(value, str):
                    place = Place(key, (*container.route, "env", index, "value"), container=container.name)
                    yield from _in_text(workload.resource, place, name, value, f"the variable {name}")
            for name, value in mapping(container.body.get("environment")).items():
                if isinstance(value, str):
                    place = Place(key, (*container.route, "environment", name), container=container.name)
                    yield from _in_text(workload.resource, place, name, value, f"the variable {name}")
            for index, line in enumerate(items(container.body.get("environment"))):
                name, equals, written = known_text(line).partition("=")
                if equals:
                    place = Place(key, (*container.route, "environment", index), container=container.name)
                    yield from _in_text(workload.resource, place, name, written, f"the variable {name}", len(name) + 1)


def _entry(entry: ConfigEntry) -> Iterator[Written]:
    if not isinstance(entry.value, str) or text(entry.resource.body.get("type")) == SERVICE_ACCOUNT_TYPE:
        return
    if mapping(entry.resource.body.get("sops")) or entry.value.startswith("ENC["):
        return
    place = Place(entry.resource.key, entry.route)
    where = f"the key {entry.key}"
    if not entry.binary:
        yield from _in_text(entry.resource, place, entry.key, entry.value, where)
        return
    kind = encoded_key(entry.value)
    try:
        content = b64decode(entry.value, validate=True).decode()
    except (Error, ValueError, UnicodeDecodeError):
        content = ""
    for likeness in likenesses(content, entry.key) if content else ():
        secret = content[likeness.start : likeness.end]
        if not _excused(likeness, secret):
            yield Written(
                likeness=likeness,
                mark=likeness.mark,
                place=place,
                resource=entry.resource,
                where=where,
                encoded=True,
                filler=only_fills(likeness, secret, entry.resource),
            )
            return
    if kind:
        mark = mark_of(entry.value)
        yield Written(
            likeness=Likeness(kind=kind, by="form", name=entry.key, start=0, end=len(entry.value), mark=mark),
            mark=mark,
            place=place,
            resource=entry.resource,
            where=where,
            encoded=True,
        )


def _leaves(owner: Resource, resource: Resource, value: Value, route: Route) -> Iterator[Written]:
    if isinstance(value, dict):
        if "valueFrom" in value or "secretKeyRef" in value:
            return
        name, held = value.get("name"), value.get("value")
        if isinstance(name, str) and isinstance(held, str):
            # A list of names with values, as in an environment or in ``set`` blocks.
            place = Place(resource.key, (*route, "value"))
            yield from _in_text(owner, place, name.rpartition(".")[2], held, f"{name}")
            return
        for key, item in value.items():
            yield from _leaves(owner, resource, item, (*route, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(owner, resource, item, (*route, index))
    elif isinstance(value, str):
        last = next((step for step in reversed(route) if isinstance(step, str)), "")
        yield from _in_text(owner, Place(resource.key, route), last, value, last)


def _in_text(
    resource: Resource, place: Place, name: str, content: str, where: str, offset: int = 0
) -> Iterator[Written]:
    words = words_of(name)
    about = bool(words) and words[-1] in _NOT_VALUES
    for likeness in likenesses(content, name):
        secret = content[likeness.start : likeness.end]
        if _excused(likeness, secret) or (about and likeness.by != "form"):
            continue
        chars = (likeness.start + offset, likeness.end + offset)
        inner = likeness.name and likeness.name != name and likeness.by != "form"
        said = f"{where}, {likeness.name}" if inner else where
        whole = Place(place.resource, place.route, chars, container=place.container)
        fills = only_fills(likeness, secret, resource)
        yield Written(likeness, likeness.mark, whole, resource, said, filler=fills)


def only_fills(likeness: Likeness, secret: str, resource: Resource) -> bool:
    """Whether a secret without a form of its own is a word that samples put in its place."""
    if likeness.by == "form" and not likeness.kind.startswith("password"):
        return False
    names = (resource.name, resource.namespace or "", resource.root)
    return filler(secret, {resource.name.lower(), *(word for name in names for word in words_of(name))})


def _excused(likeness: Likeness, secret: str) -> bool:
    """Whether the text is a name, a reference or an empty word after all."""
    if likeness.kind == "password hash":
        # Made to be shown to those who check a password.
        return True
    if likeness.by == "form":
        return secret.lower() in {"password", "pass", "secret"} or "example" in secret.lower()
    return (
        len(secret) < 4
        or _WEAK.match(secret) is not None
        or _REFERENCES.search(secret) is not None
        or secret.startswith(("/", "./", "http://", "https://", "$", "{{"))
        or "${" in secret
        or "$(" in secret
    )


def owner_name(written: Written) -> str:
    """How a finding names what holds the credential."""
    return named(written.resource, written.place.container)
