"""What ``terraform show -json`` says of a plan: values that Terraform itself has computed.

A plan knows more than the source (data sources, provider functions, variables given on the command line), so its values
win. What it leaves for the apply stays unknown. Origins still come from the source.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from shoreup.model.value import Unknown, Value
from shoreup.terraform.configuration import Module
from shoreup.terraform.scope import ResourceObject


class PlanError(ValueError):
    """The file is not a plan in JSON. The message says what to do."""


class PlannedResource(Struct, frozen=True):
    """One resource instance of a plan; ``unknown`` marks the values that only the apply gives."""

    address: str
    type: str
    name: str
    key: str | int | None
    values: Mapping[str, Value]
    unknown: Value


class Plan(Struct, frozen=True):
    """The resource instances of a plan, by address without the instance key and by full address."""

    resources: Mapping[str, PlannedResource]
    keys: Mapping[str, list[str | int]] = field(default_factory=dict)
    """The instance keys of each resource and module call, by address without the last key."""

    def fits(self, module: Module) -> int:
        """How many of the plan's own resources and calls a root declares."""
        tops = {address.split(".")[1] for address in self.keys if address.startswith("module.")}
        own = {(one.type, one.name) for one in self.resources.values() if not one.address.startswith("module.")}
        return len(own & set(module.resources)) + len(tops & set(module.calls))

    def overlay(self, address: str, result: ResourceObject) -> None:
        """Put the plan's values of one instance over what the source says."""
        planned = self.resources.get(address)
        if planned is not None:
            _overlay(result, planned.values, planned.unknown, address)


def read_plan(content: bytes) -> Plan:
    """Read the JSON of a plan. Raises :class:`PlanError`."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise PlanError("The plan is not JSON. Write it with: terraform show -json PLANFILE > plan.json") from None
    planned = document.get("planned_values") if isinstance(document, dict) else None
    if not isinstance(planned, dict) or not isinstance(planned.get("root_module"), dict):
        raise PlanError("The JSON holds no planned_values. Write it with: terraform show -json PLANFILE > plan.json")
    unknown = {
        change.get("address"): change["change"].get("after_unknown")
        for change in _listed(document.get("resource_changes"))
        if isinstance(change, dict)
        and isinstance(change.get("address"), str)
        and isinstance(change.get("change"), dict)
    }
    try:
        resources = {one.address: one for one in _resources(planned["root_module"], unknown)}
    except RecursionError:
        raise PlanError("The plan's modules nest too deeply. Write it with: terraform show -json PLANFILE") from None
    keys: dict[str, list[str | int]] = {}
    for address in resources:
        for base, key in _steps(address):
            if key not in keys.setdefault(base, []):
                keys[base].append(key)
    return Plan(resources, keys)


def _resources(module: object, unknown: Mapping[object, Value]) -> Iterator[PlannedResource]:
    if not isinstance(module, dict):
        return
    for one in _listed(module.get("resources")):
        if isinstance(one, dict) and one.get("mode", "managed") == "managed" and isinstance(one.get("values"), dict):
            address = str(one.get("address"))
            key = one.get("index")
            yield PlannedResource(
                address,
                str(one.get("type")),
                str(one.get("name")),
                key if isinstance(key, str | int) else None,
                one["values"],
                unknown.get(address),
            )
    for child in _listed(module.get("child_modules")):
        yield from _resources(child, unknown)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _steps(address: str) -> Iterator[tuple[str, str | int]]:
    """Every indexed step of an address: what stands before the key, and the key."""
    depth = 0
    quoted = False
    start = 0
    for position, character in enumerate(address):
        if character == '"' and address[position - 1] != "\\":
            quoted = not quoted
        elif character == "[" and not quoted:
            depth, start = depth + 1, position
        elif character == "]" and not quoted and depth:
            depth -= 1
            inner = address[start + 1 : position]
            key: str | int = int(inner) if inner.isdecimal() else inner
            if inner.startswith('"'):
                try:
                    key = str(json.loads(inner))
                except ValueError:
                    continue
            yield address[:start], key


def _overlay(result: dict[str, Value], values: Mapping[str, Value], unknown: Value, label: str) -> None:
    for name, value in values.items():
        doubt = unknown.get(name) if isinstance(unknown, dict) else None
        if doubt is True:
            result[name] = Unknown(f"{label}.{name} is known only after apply")
        elif value is None and name not in result:
            continue
        else:
            result[name] = _laid_over(result.get(name), value, doubt, f"{label}.{name}")


def _laid_over(known: Value, value: Value, unknown: Value, label: str) -> Value:
    if isinstance(value, list):
        doubts = unknown if isinstance(unknown, list) else []
        items = known if isinstance(known, list) else []
        return [
            _laid_over(
                items[index] if index < len(items) else None,
                item,
                doubts[index] if index < len(doubts) else None,
                label,
            )
            for index, item in enumerate(value)
        ]
    if isinstance(value, dict):
        inner: dict[str, Value]
        if isinstance(known, ResourceObject):
            inner = ResourceObject(known.label)
            inner.update(known)
        else:
            inner = {}
        _overlay(inner, value, unknown, label)
        if isinstance(unknown, dict):
            for name, doubt in unknown.items():
                if doubt is True:
                    inner[name] = Unknown(f"{label}.{name} is known only after apply")
        return inner
    return value
