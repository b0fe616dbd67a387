"""Lists and maps: picking, merging, reshaping. Maps are walked in the order of their keys, as Terraform does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shoreup.model.value import PartialText, Unknown, Value
from shoreup.terraform.functions import graphemes
from shoreup.terraform.functions.conversion import (
    as_bools,
    as_list,
    as_number,
    as_text,
    as_texts,
    parse_number,
    unify,
)
from shoreup.terraform.functions.kinds import (
    Number,
    Refused,
    TerraformSet,
    binary,
    equal,
    exact,
    first_unknown,
    kind,
    rounded,
)
from shoreup.terraform.functions.signature import Function, Parameter

MAX_RANGE = 1024


def length(value: Value) -> Value:
    if isinstance(value, Unknown):
        return value
    if isinstance(value, PartialText):
        return Unknown(value.reason)
    if isinstance(value, str):
        return graphemes.length(value)
    if isinstance(value, TerraformSet) and len(value) > 1:
        return next((item for item in map(_undecided, value) if item is not None), len(value))
    if isinstance(value, (list, dict)):
        return len(value)
    raise Refused("argument must be a string, a collection type, or a structural type")


def _undecided(value: Value) -> Unknown | None:
    return first_unknown(value)


def alltrue(values: Sequence[Value]) -> Value:
    if any(value is None or value is False for value in values):
        return False
    return next((value for value in values if isinstance(value, Unknown)), True)


def anytrue(values: Sequence[Value]) -> Value:
    if any(value is True for value in values):
        return True
    return next((value for value in values if isinstance(value, Unknown)), False)


def coalesce(*values: Value) -> Value:
    if not values:
        raise Refused("no non-null, non-empty-string arguments")
    for value in _one_type(values):
        if isinstance(value, Unknown):
            return value
        if value is not None and value != "":
            known = not isinstance(value, PartialText) or any(isinstance(part, str) for part in value.parts)
            return value if known else first_unknown(value)
    raise Refused("no non-null, non-empty-string arguments")


def _one_type(values: Sequence[Value]) -> list[Value]:
    try:
        return unify(values)
    except Refused:
        raise Refused("all arguments must have the same type") from None


def coalescelist(*lists: Value) -> Value:
    if not lists:
        raise Refused("at least one argument is required")
    for items in lists:
        if isinstance(items, TerraformSet) or not (items is None or isinstance(items, (list, Unknown))):
            raise Refused("coalescelist arguments must be lists or tuples")
    for items in lists:
        if isinstance(items, Unknown) or items:
            return items
    raise Refused("no non-null arguments")


def compact(values: Sequence[Value]) -> Value:
    kept: list[Value] = []
    for value in values:
        if isinstance(value, Unknown):
            return value
        if isinstance(value, PartialText) and not any(isinstance(part, str) for part in value.parts):
            return Unknown(value.reason)
        if value is not None and value != "":
            kept.append(value)
    return kept


def concat(*lists: Value) -> Value:
    if not lists:
        raise Refused("at least one argument is required")
    joined: list[Value] = []
    for position, items in enumerate(lists):
        if not isinstance(items, list) or isinstance(items, TerraformSet):
            raise Refused(f"all arguments must be lists or tuples; got {kind(items)}", position)
        joined.extend(items)
    return joined


def contains(items: Value, value: Value) -> Value:
    if not isinstance(items, list):
        raise Refused("argument must be list, tuple, or set")
    answers = [equal(value, item) for item in items]
    if True in answers:
        return True
    return first_unknown([value, items]) if None in answers else False


def distinct(items: list[Value]) -> Value:
    kept: list[Value] = []
    for item in items:
        answers = [equal(item, other) for other in kept]
        if True in answers:
            continue
        if None in answers:
            return first_unknown([item, kept])
        kept.append(item)
    return kept


def chunklist(items: list[Value], size: Number) -> Value:
    if not isinstance(size, int):
        raise Refused("invalid size: value must be a whole number")
    if size < 0:
        raise Refused("the size argument must be positive")
    if not items:
        return []
    step = size or len(items)
    return [items[start : start + step] for start in range(0, len(items), step)]


def element(items: Value, index: Number) -> Value:
    if not isinstance(items, list) or isinstance(items, TerraformSet):
        raise Refused(f"cannot read elements from {kind(items)}")
    if not isinstance(index, int):
        raise Refused("invalid index: value must be a whole number")
    if not items:
        raise Refused("cannot use element function with an empty list")
    return items[index % len(items)]


def flatten(items: Value) -> Value:
    if not isinstance(items, list):
        raise Refused("can only flatten lists, sets and tuples")
    flat: list[Value] = []
    unknown = _flatten_into(flat, items)
    return flat if unknown is None else unknown


def _flatten_into(flat: list[Value], items: list[Value]) -> Unknown | None:
    for item in items:
        if isinstance(item, Unknown):
            return item
        if isinstance(item, list):
            if (unknown := _flatten_into(flat, item)) is not None:
                return unknown
        else:
            flat.append(item)
    return None


def index_of(items: Value, value: Value) -> Value:
    if not isinstance(items, list) or isinstance(items, TerraformSet):
        raise Refused("argument must be a list or tuple")
    if not items:
        raise Refused("cannot search an empty list")
    for index, item in enumerate(items):
        answer = equal(item, value)
        if answer is None:
            return first_unknown([item, value])
        if answer:
            return index
    raise Refused("item not found")


def keys(mapping: Value) -> Value:
    if isinstance(mapping, Unknown):
        return mapping
    if not isinstance(mapping, dict):
        raise Refused("must have map or object type", 0)
    return [*sorted(mapping)]


def values(mapping: Value) -> Value:
    if not isinstance(mapping, dict):
        raise Refused("values() requires a map as the first argument")
    return [mapping[key] for key in sorted(mapping)]


def lookup(mapping: Value, key: str, *default: Value) -> Value:
    if len(default) > 1:
        raise Refused(f"lookup() takes two or three arguments, got {len(default) + 2}")
    if not isinstance(mapping, dict):
        raise Refused("lookup() requires a map as the first argument", 0)
    if key in mapping:
        return mapping[key]
    if default:
        return default[0]
    raise Refused("the given object has no such attribute", 0)


def matchkeys(values: list[Value], keys: list[Value], wanted: list[Value]) -> Value:
    if len(values) != len(keys):
        raise Refused("length of keys and values should be equal")
    try:
        typed = unify([*keys, *wanted])
    except Refused:
        raise Refused("keys and searchset must be of the same type") from None
    searched = typed[len(keys) :]
    matched: list[Value] = []
    for value, key in zip(values, typed[: len(keys)], strict=True):
        answers = [equal(key, other) for other in searched]
        if True in answers:
            matched.append(value)
        elif None in answers:
            return first_unknown([key, searched])
    return matched


def merge(*maps: Value) -> Value:
    merged: dict[str, Value] = {}
    for mapping in maps:
        if isinstance(mapping, dict):
            merged.update(mapping)
        elif mapping is not None:
            raise Refused(f'arguments must be maps or objects, got "{kind(mapping)}"')
    return merged


def one(items: Value) -> Value:
    if isinstance(items, list) and len(items) < 2:
        return items[0] if items else None
    raise Refused("must be a list, set, or tuple value with either zero or one elements", 0)


def numbers_between(*limits: Number) -> Value:
    if not 1 <= len(limits) <= 3:
        raise Refused("must have one, two, or three arguments")
    if len(limits) < 3 and all(type(limit) is int and abs(limit) < MAX_RANGE for limit in limits):
        first, last = (0, limits[0]) if len(limits) == 1 else limits
        whole = range(int(first), int(last), 1 if last >= first else -1)
        if len(whole) <= MAX_RANGE:
            return list(whole)
    start = exact(limits[0] if len(limits) > 1 else 0)
    end = exact(limits[1] if len(limits) > 1 else limits[0])
    step = binary(exact(limits[2])) if len(limits) == 3 else exact(1 if end >= start else -1)
    start, end = binary(start), binary(end)
    if (end > start) if step < 0 else (end < start):
        direction = "less than start when step is negative" if step < 0 else "greater than start when step is positive"
        raise Refused(f"end must be {direction}", 1)
    spread: list[Value] = []
    number = start
    while (number > end) if step < 0 else (number < end):
        if len(spread) >= MAX_RANGE:
            advice = "either decrease the difference between start and end or use a smaller step"
            raise Refused(f"more than {MAX_RANGE} values were generated; {advice}")
        spread.append(rounded(number))
        number = binary(number + step)
    return spread


def reverse(items: Value) -> Value:
    if not isinstance(items, list):
        raise Refused(f"can only reverse list or tuple values, not {kind(items)}", 0)
    return list(reversed(items))


def slice_of(items: Value, start: Number, end: Number) -> Value:
    if isinstance(items, TerraformSet):
        advice = "explicitly convert to a list if the ordering of the result is not important"
        raise Refused(f"cannot slice a set, because its elements do not have indices; {advice}", 0)
    if not isinstance(items, list):
        raise Refused("must be a list or tuple value", 0)
    for position, (name, index) in enumerate((("start", start), ("end", end)), 1):
        if not isinstance(index, int):
            raise Refused(f"invalid {name} index: value must be a whole number", position)
        if index < 0:
            raise Refused(f"{name} index must not be less than zero", position)
        if index > len(items):
            raise Refused(f"{name} index must not be greater than the length of the list", position)
    if start > end:
        raise Refused("start index must not be greater than end index", 1)
    return items[int(start) : int(end)]


def sort(items: list[Value]) -> Value:
    if (unknown := first_unknown(items)) is not None:
        return unknown
    texts: list[str] = []
    for index, item in enumerate(items):
        if not isinstance(item, str):
            raise Refused(f"given list element {index} is null; a null string cannot be sorted")
        texts.append(item)
    return [*sorted(texts)]


def total(items: Value) -> Value:
    if not isinstance(items, (list, dict)):
        raise Refused("cannot sum noniterable", 0)
    if not items:
        raise Refused("cannot sum an empty list", 0)
    if isinstance(items, dict):
        raise Refused(f"argument must be list, set, or tuple. Received {kind(items)}", 0)
    if (unknown := first_unknown(items)) is not None:
        return unknown
    added = exact(0)
    for item in items:
        added = binary(added + binary(exact(_addend(item))))
    return rounded(added)


def _addend(value: Value) -> Number:
    if isinstance(value, str):
        try:
            return parse_number(value)
        except Refused:
            value = None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise Refused("argument must be list, set, or tuple of number values", 0)


def transpose(mapping: Value) -> Value:
    if not isinstance(mapping, dict):
        raise Refused("map of list of string required", 0)
    turned: dict[str, list[Value]] = {}
    if (unknown := first_unknown(mapping)) is not None:
        return unknown
    for key in sorted(mapping):
        row = as_texts(mapping[key])
        if not isinstance(row, list):
            raise Refused("input must not contain null list")
        for item in row:
            if not isinstance(item, str):
                raise Refused("input list must not contain null string")
            turned.setdefault(item, []).append(key)
    return {key: turned[key] for key in sorted(turned)}


def zipmap(keys: list[Value], values: Value) -> Value:
    if not isinstance(values, list) or isinstance(values, TerraformSet):
        raise Refused("values argument must be a list or tuple value")
    if (unknown := first_unknown(keys)) is not None:
        return unknown
    if len(keys) != len(values):
        raise Refused(f"number of keys ({len(keys)}) does not match number of values ({len(values)})")
    zipped: dict[str, Value] = {}
    for index, (key, value) in enumerate(zip(keys, values, strict=True)):
        if not isinstance(key, str):
            raise Refused(f"keys list has null value at index {index}")
        zipped[key] = value
    return zipped


_ANY_LIST = Parameter("list")
_LIST = Parameter("list", as_list)
_MAP = Parameter("inputMap")
_ITEMS = Parameter("vals", null=True, unknown=True)

FUNCTIONS: Mapping[str, Function] = {
    "alltrue": Function(alltrue, (Parameter("list", as_bools),)),
    "anytrue": Function(anytrue, (Parameter("list", as_bools),)),
    "chunklist": Function(chunklist, (_LIST, Parameter("size", as_number))),
    "coalesce": Function(coalesce, rest=_ITEMS),
    "coalescelist": Function(coalescelist, rest=_ITEMS),
    "compact": Function(compact, (Parameter("list", as_texts),)),
    "concat": Function(concat, rest=Parameter("seqs")),
    "contains": Function(contains, (_ANY_LIST, Parameter("value", null=True, unknown=True))),
    "distinct": Function(distinct, (_LIST,)),
    "element": Function(element, (_ANY_LIST, Parameter("index", as_number))),
    "flatten": Function(flatten, (_ANY_LIST,)),
    "index": Function(index_of, (_ANY_LIST, Parameter("value", unknown=True))),
    "keys": Function(keys, (Parameter("inputMap", unknown=True),)),
    "length": Function(length, (Parameter("value", unknown=True),)),
    "lookup": Function(lookup, (_MAP, Parameter("key", as_text)), Parameter("default", null=True, unknown=True)),
    "matchkeys": Function(
        matchkeys, (Parameter("values", as_list), Parameter("keys", as_list), Parameter("searchset", as_list))
    ),
    "merge": Function(merge, rest=Parameter("maps", null=True)),
    "one": Function(one, (_ANY_LIST,)),
    "range": Function(numbers_between, rest=Parameter("params", as_number)),
    "reverse": Function(reverse, (_ANY_LIST,)),
    "slice": Function(slice_of, (_ANY_LIST, Parameter("start_index", as_number), Parameter("end_index", as_number))),
    "sort": Function(sort, (Parameter("list", as_texts),)),
    "sum": Function(total, (_ANY_LIST,)),
    "transpose": Function(transpose, (Parameter("values"),)),
    "values": Function(values, (Parameter("mapping"),)),
    "zipmap": Function(zipmap, (Parameter("keys", as_texts), Parameter("values"))),
}
