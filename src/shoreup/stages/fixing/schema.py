"""Kubernetes' own opinion of an object that an edit changed, where its schemas are there (the extra ``schemas``)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from importlib.util import find_spec
from itertools import zip_longest
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
    alike = before is not None and _schema_of(before) == _schema_of(after)
    faults = _faults(after, before if alike else None)
    if faults and before is not None:
        faults -= _faults(before)
    return f"Kubernetes would refuse it: {min(faults)}" if faults else ""


@cache
def installed() -> bool:
    """Whether the schemas are there."""
    return find_spec("kubernetes_validate") is not None


def _schema_of(body: Mapping[str, Value]) -> tuple[Value, Value]:
    return body.get("apiVersion"), body.get("kind")


def _faults(body: Mapping[str, Value], before: Mapping[str, Value] | None = None) -> frozenset[str]:
    """The faults of an object; what is the same ``before``, and as faulty, is passed over."""
    version, kind = _schema_of(body)
    if not isinstance(version, str) or not isinstance(kind, str):
        return frozenset()
    validator = _validator(version, kind)
    if validator is None:
        return frozenset()
    instance = _plain(dict(body))
    if before is not None:
        instance = _marked(instance, _plain(dict(before)))
    return frozenset(
        f"{'.'.join(map(str, fault.absolute_path)) or 'the object'} ({fault.validator})"
        for fault in validator.iter_errors(instance)
    )


@cache
def _validator(version: str, kind: str) -> _Validator | None:
    from referencing import Registry, Resource

    group, slash, number = version.partition("/")
    short = f"{group.partition('.')[0]}-{number}" if slash else group
    folder = resources.files("kubernetes_validate") / _FOLDER
    file = folder / f"{kind.lower()}-{short}.json"
    if not file.is_file():
        return None
    schema = Resource.from_contents(json.loads(file.read_bytes()))
    registry = schema @ (_definitions() @ Registry())
    return cast(_Validator, _passing_over()(schema.contents, registry=registry))


class _SameMap(dict[str, Value]):
    """A part of an object that is as it was."""


class _SameList(list[Value]):
    """The same of a list."""


def _marked(value: Value, before: Value) -> Value:
    """The value, in which those parts are marked that are the same at the same place of ``before``."""
    if isinstance(value, dict) and isinstance(before, dict):
        if value == before:
            return _SameMap(value)
        return {key: _marked(item, before.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(before, list):
        if value == before:
            return _SameList(value)
        return [_marked(item, old) for item, old in zip_longest(value, before[: len(value)])]
    return value


@cache
def _passing_over():  # type: ignore[no-untyped-def]  # jsonschema makes the type when it runs
    """The validator of Kubernetes' schemas, which does not look into parts that are as they were."""
    from jsonschema import Draft202012Validator, validators

    into_map, into_list = Draft202012Validator.VALIDATORS["properties"], Draft202012Validator.VALIDATORS["items"]

    def properties(validator, named, instance, schema):  # type: ignore[no-untyped-def]  # as jsonschema has it
        if not isinstance(instance, _SameMap):
            yield from into_map(validator, named, instance, schema)

    def items(validator, every, instance, schema):  # type: ignore[no-untyped-def]  # as jsonschema has it
        if not isinstance(instance, _SameList):
            yield from into_list(validator, every, instance, schema)

    return validators.extend(  # type: ignore[no-untyped-call]  # jsonschema says no types
        Draft202012Validator, {"properties": properties, "items": items}
    )


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
