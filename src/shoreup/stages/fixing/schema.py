"""Kubernetes' own opinion of an object that an edit changed, where its schemas are there (the extra ``schemas``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.util import find_spec
from typing import Protocol, cast

from shoreup.model.value import PartialText, Unknown, Value

_FOLDER = "kubernetes-json-schema/v1.37.0-local-strict"


class _Fault(Protocol):
    """What a validator says of one place; its message is left out, for it repeats values."""

    @property
    def absolute_path(self) -> list[str | int]: ...

    @property
    def validator(self) -> str: ...


class _Validator(Protocol):
    def iter_errors(self, instance: object) -> Iterator[_Fault]: ...


def schema_fault(before: Mapping[str, Value] | None, after: Mapping[str, Value]) -> str:
    """What Kubernetes would refuse of an object and would not have refused before; empty where there is nothing."""
    if not installed():
        return ""
    faults = _faults(after)
    if faults and before is not None:
        faults -= _faults(before)
    return f"Kubernetes would refuse it: {min(faults)}" if faults else ""


@cache
def installed() -> bool:
    """Whether the schemas are there."""
    return find_spec("kubernetes_validate") is not None


def _faults(body: Mapping[str, Value]) -> frozenset[str]:
    version, kind = body.get("apiVersion"), body.get("kind")
    if not isinstance(version, str) or not isinstance(kind, str):
        return frozenset()
    validator = _validator(version, kind)
    if validator is None:
        return frozenset()
    return frozenset(
        f"{'.'.join(map(str, fault.absolute_path)) or 'the object'} ({fault.validator})"
        for fault in validator.iter_errors(_plain(dict(body)))
    )


@cache
def _validator(version: str, kind: str) -> _Validator | None:
    import jsonschema
    from referencing import Registry, Resource

    group, slash, number = version.partition("/")
    short = f"{group.partition('.')[0]}-{number}" if slash else group
    folder = resources.files("kubernetes_validate") / _FOLDER
    file = folder / f"{kind.lower()}-{short}.json"
    if not file.is_file():
        return None
    schema = Resource.from_contents(json.loads(file.read_bytes()))
    registry = schema @ (_definitions() @ Registry())
    return cast(_Validator, jsonschema.Draft202012Validator(schema.contents, registry=registry))


@cache
def _definitions():  # type: ignore[no-untyped-def]  # the type is referencing's own generic
    from referencing import Resource

    folder = resources.files("kubernetes_validate") / _FOLDER
    return Resource.from_contents(json.loads((folder / "_definitions.json").read_bytes()))


def _plain(value: Value) -> Value:
    """The value without what is unknown."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if not isinstance(item, Unknown) and item is not None}
    if isinstance(value, list):
        return [_plain(item) for item in value if not isinstance(item, Unknown)]
    return value.pattern if isinstance(value, PartialText) else value
