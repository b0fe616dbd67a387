"""Label selectors: whether what they ask for is there, not there, or not decided."""

from __future__ import annotations

from collections.abc import Mapping

from shoreup.facts.fields import items, mapping
from shoreup.model.value import PartialText, Unknown, Value


def same(wanted: Value, found: Value) -> bool | None:
    """Whether two label values are equal; ``None`` when one of them is not decided and the other does not rule it
    out.
    """
    if isinstance(wanted, (Unknown, PartialText)) or isinstance(found, (Unknown, PartialText)):
        if wanted == found and isinstance(wanted, PartialText):
            return True
        return None if wanted is not None and found is not None else False
    if isinstance(wanted, str) and isinstance(found, str):
        return wanted == found
    return wanted is not None and found is not None and str(wanted) == str(found)


def matches_labels(wanted: Mapping[str, Value], labels: Mapping[str, Value]) -> bool | None:
    """Whether all wanted labels are there. ``None`` when it is not decided."""
    answer: bool | None = True
    for key, value in wanted.items():
        agreed = same(value, labels.get(key))
        if agreed is False:
            return False
        if agreed is None:
            answer = None
    return answer


def selects(selector: Value, labels: Mapping[str, Value]) -> bool | None:
    """Whether a ``LabelSelector`` (``matchLabels``, ``matchExpressions``) selects the labels; an empty one selects
    all.
    """
    if isinstance(selector, (Unknown, PartialText)):
        return None
    whole = mapping(selector)
    wanted = whole.get("matchLabels")
    if isinstance(wanted, (Unknown, PartialText)):
        return None
    answer = matches_labels(mapping(wanted), labels)
    expressions = whole.get("matchExpressions")
    if isinstance(expressions, (Unknown, PartialText)):
        return None if answer is not False else False
    for expression in items(expressions):
        held = _holds(mapping(expression), labels)
        if held is False:
            return False
        if held is None:
            answer = None if answer is not False else False
    return answer


def _holds(expression: Mapping[str, Value], labels: Mapping[str, Value]) -> bool | None:
    key, operator = expression.get("key"), expression.get("operator")
    if not isinstance(key, str) or not isinstance(operator, str):
        return None
    found = labels.get(key)
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    values = expression.get("values")
    if not isinstance(values, list) or operator not in {"In", "NotIn"}:
        return None
    agreed = [same(value, found) for value in values]
    among = True if True in agreed else None if None in agreed else False
    if operator == "In":
        return among
    return None if among is None else not among


def same_namespace(one: str, other: str) -> bool | None:
    """Whether two namespaces are one; ``*`` stands for parts that are not decided."""
    if "*" in one or "*" in other:
        return None
    return one == other
