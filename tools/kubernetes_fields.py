"""Makes the table of the fields that Kubernetes' own kinds have.

Kubernetes publishes what each of its types holds. Here the schemas of several releases become one small table: a field
that any of them has is a field, so that what is new and what went away both pass. What a table of names cannot judge
is left free: the status, which nobody writes, and whatever holds an object of any kind.

    python tools/kubernetes_fields.py src/shoreup/facts/data/kubernetes_fields.json

needs the package kubernetes-validate (for the API definitions).
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import resources
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Schema: TypeAlias = Mapping[str, Json]

SCALARS = {"string": "s", "integer": "i", "boolean": "b", "number": "n"}
FREE = "*"
BY_NAME = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "x",
    "io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry": FREE,
}
"""Types that are written in several ways, or by nobody."""

NOT_WRITTEN = re.compile(r"List$|Review$|^(Binding|CertificateSigningRequest|ComponentStatus|CustomResourceDefinition"
                         r"|DeleteOptions|Event|Eviction|Scale|Status|TokenRequest|WatchEvent)$")  # fmt: skip
"""Kinds that no repository keeps, and the one that is a schema itself."""


@dataclass
class Shapes:
    """The shapes so far: a type's name and fields. Types of several releases are one, joined."""

    fields: dict[str, dict[str, str]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def read(self, definitions: Mapping[str, Schema]) -> None:
        """Join the definitions of one release."""
        for name, schema in definitions.items():
            for group, number, kind in _kinds(schema):
                if NOT_WRITTEN.search(kind) or "alpha" in number or "metadata" not in _properties(schema):
                    continue
                self.kinds[f"{group}/{number}/{kind}" if group else f"{number}/{kind}"] = name
        seen: set[str] = set()
        for name in self.kinds.values():
            if name in definitions:
                self._type(name, definitions, seen)

    def _type(self, name: str, definitions: Mapping[str, Schema], seen: set[str]) -> None:
        if name in seen:
            return
        seen.add(name)
        mine = self.fields.setdefault(name, {})
        for key, schema in _properties(definitions[name]).items():
            form = FREE if key == "status" and name in self.kinds.values() else self._form(schema, definitions, seen)
            known = mine.setdefault(key, form)
            if known != form:
                mine[key] = _wider(known, form)

    def _form(self, schema: Schema, definitions: Mapping[str, Schema], seen: set[str]) -> str:
        reference = schema.get("$ref")
        if isinstance(reference, str):
            name = reference.rpartition("/")[2]
            if name in BY_NAME:
                return BY_NAME[name]
            if _properties(definitions[name]):
                self._type(name, definitions, seen)
                return f"<{name}>"
            return self._form(definitions[name], definitions, seen)
        kinds = schema.get("type")
        kind = next((one for one in kinds if one != "null"), "") if isinstance(kinds, list) else kinds
        if kind == "array" and isinstance(schema.get("items"), dict):
            return "[" + self._form(_mapping(schema["items"]), definitions, seen)
        if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            return "{" + self._form(_mapping(schema["additionalProperties"]), definitions, seen)
        return SCALARS.get(str(kind), FREE)


def _wider(one: str, other: str) -> str:
    """What fits both forms."""
    if one and other and one[0] == other[0] and one[0] in "[{":
        return one[0] + _wider(one[1:], other[1:])
    return FREE if one != other else one


def _kinds(schema: Schema) -> Iterator[tuple[str, str, str]]:
    found = schema.get("x-kubernetes-group-version-kind")
    for entry in map(_mapping, found if isinstance(found, list) else []):
        yield str(entry["group"]), str(entry["version"]), str(entry["kind"])


def _properties(schema: Schema) -> Mapping[str, Schema]:
    return {name: _mapping(inner) for name, inner in _mapping(schema.get("properties")).items()}


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def table(releases: list[str], today: date) -> str:
    """The table as text: one kind and one shape a line."""
    shapes = Shapes()
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema"
    for release in releases:
        shapes.read(json.loads((folder / f"v{release}.0-local" / "_definitions.json").read_bytes())["$defs"])
    number = {name: index for index, name in enumerate(sorted(shapes.fields))}
    source = {
        "what": "Kubernetes' published API definitions",
        "package": f"kubernetes-validate {version('kubernetes-validate')}",
        "first": releases[0],
        "last": releases[-1],
        "date": today.isoformat(),
    }
    kinds = [f"{json.dumps(kind)}:{number[name]}" for kind, name in sorted(shapes.kinds.items())]
    lines = []
    for name in number:
        fields = {
            key: re.sub(r"<(.*)>", lambda found: str(number[found[1]]), form)
            for key, form in sorted(shapes.fields[name].items())
        }
        lines.append(json.dumps([name.rpartition(".")[2], fields], separators=(",", ":")))
    head = f'{{"source":{json.dumps(source)},\n"kinds":{{\n'
    return head + ",\n".join(kinds) + '\n},\n"shapes":[\n' + ",\n".join(lines) + "\n]}\n"


def releases_there() -> list[str]:
    """The releases that the package has definitions of, the oldest first."""
    folder = resources.files("kubernetes_validate") / "kubernetes-json-schema"
    found = (re.fullmatch(r"v(1\.\d+)\.0-local", entry.name) for entry in folder.iterdir())
    return sorted((each[1] for each in found if each), key=lambda release: int(release.partition(".")[2]))


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    arguments.target.write_text(table(releases_there(), datetime.now(tz=UTC).date()))


if __name__ == "__main__":
    main()
