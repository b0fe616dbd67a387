"""Text whose characters come from several places: what changes is written where it stands.

An image may be put together from a registry and a tag, a script from the lines of a heredoc. The characters that
differ are found first; they are written into the one part that holds them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from shoreup.formats.edits import CannotWrite
from shoreup.formats.hcl.syntax import Expression, Interpolation, Part, Template, Text
from shoreup.model.origin import Segment
from shoreup.model.value import Value
from shoreup.terraform.expressions import evaluate_or_unknown
from shoreup.terraform.operators import text_of
from shoreup.terraform.scope import EvaluationError, Scope
from shoreup.terraform.trace import Trace


class Run(Struct, frozen=True):
    """A part of a template: neighbouring literal texts, or one interpolation or directive and what it comes to."""

    text: str
    parts: tuple[Text, ...] = ()
    expression: Expression | None = None
    value: Value = None


def runs(node: Template, scope: Scope) -> list[Run]:
    """The parts of a template and what they say. Raises :class:`CannotWrite` where one is not known."""
    made: list[Run] = []
    for part in node.parts:
        if type(part) is Text:
            if made and made[-1].parts:
                last = made.pop()
                made.append(Run(last.text + part.value, (*last.parts, part)))
            else:
                made.append(Run(part.value, (part,)))
        elif type(part) is Interpolation:
            value = evaluate_or_unknown(part.expression, scope)
            text = text_of(value)
            if not isinstance(text, str):
                line = part.source.line(part.start)
                raise CannotWrite(f"a part of the text in line {line} of {part.source.path} is not known")
            made.append(Run(text, expression=part.expression, value=value))
        else:
            made.append(Run(_spelled(part, node, scope)))
    return made


def _spelled(part: Part, node: Template, scope: Scope) -> str:
    segments: list[Segment] = []
    try:
        Trace().spell([part], node, scope, segments)
    except EvaluationError as problem:
        raise CannotWrite(str(problem)) from None
    return "".join(segment.text for segment in segments)


def divided(parts: Sequence[Run], value: str) -> list[str] | None:
    """What each run has to say so that together they say ``value``; ``None`` where that is not clear."""
    old = "".join(run.text for run in parts)
    start, end, new = difference(old, value)
    position = 0
    spans = []
    for run in parts:
        spans.append((position, position + len(run.text)))
        position += len(run.text)
    fitting = [
        index
        for index, (first, last) in enumerate(spans)
        if first <= start and end <= last and (parts[index].parts or parts[index].expression is not None)
    ]
    if fitting:
        # between two parts, new text belongs to the one that it makes longer
        index = fitting[0]
        made = [run.text for run in parts]
        first = spans[index][0]
        made[index] = made[index][: start - first] + new + made[index][end - first :]
        return made
    pattern = "".join(f"({re.escape(run.text)})" if run.expression is None else "(.+)" for run in parts)
    match = re.fullmatch(pattern, value, re.DOTALL)
    return list(match.groups()) if match and len([run for run in parts if run.expression is not None]) < 4 else None


def difference(old: str, new: str) -> tuple[int, int, str]:
    """The characters ``start`` to ``end`` of the old text that differ, and what is there in the new one."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[len(old) - 1 - end] == new[len(new) - 1 - end]:
        end += 1
    return start, len(old) - end, new[start : len(new) - end]
