"""The wiring for a terminal, for programs, and for two tools that draw."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from shoreup.model.graph import Graph, Link, Loss, Thing
from shoreup.report.contract import Json, encode
from shoreup.report.terminal import Ink, cells, plain, sentence, wrap

_WEIGHTIEST = 8
NARROWEST = 60
WIDEST = 120
_SHAPES: Mapping[str, tuple[str, str]] = {
    "way in": ("cds", '{{"%s"}}'),
    "middleware": ("diamond", '{"%s"}'),
    "service": ("ellipse", '(["%s"])'),
    "workload": ("box", '["%s"]'),
    "release": ("box3d", '[["%s"]]'),
    "database": ("cylinder", '[("%s")]'),
    "volume": ("folder", '[/"%s"/]'),
    "server": ("house", '[\\"%s"\\]'),
    "config": ("note", '>"%s"]'),
}
"""By kind: Graphviz' shape and Mermaid's."""
_PLAIN_SHAPE = ("box", '["%s"]')


def render(graph: Graph, loss: Loss | None, *, width: int = 100, colour: bool = False) -> str:
    """For a person: what was lost where that was asked, else everything by namespace, with what it needs."""
    ink = Ink(colour)
    lines = _lost(loss, graph, ink, max(NARROWEST, min(width, WIDEST))) if loss else _whole(graph, ink)
    return "".join(f"{line}\n" for line in lines)


def render_json(graph: Graph, loss: Loss | None) -> str:
    """The same as JSON: see docs/graph.md."""
    return encode(
        {
            "things": [thing_json(one) for one in graph.things],
            "links": [link_json(one) for one in graph.links],
            "loss": None
            if loss is None
            else {
                "things": [one.id for one in loss.things],
                "stopped": [
                    {"thing": one.thing.id, "way": [link_json(link) for link in one.way]} for one in loss.stopped
                ],
            },
        }
    )


def thing_json(one: Thing) -> Mapping[str, Json]:
    """A thing as a program reads it."""
    return {
        "id": one.id,
        "kind": one.kind,
        "name": one.name,
        "namespace": one.namespace,
        "file": one.file,
        "line": one.line,
        "dependants": one.dependants,
    }


def link_json(one: Link) -> Mapping[str, Json]:
    """A link as a program reads it."""
    return {
        "source": one.source,
        "target": one.target,
        "how": one.how,
        "note": one.note,
        "file": one.file,
        "line": one.line,
    }


def render_dot(graph: Graph, loss: Loss | None) -> str:
    """For Graphviz, a box for each namespace; what is lost is red."""
    gone = _gone(loss)
    lines = ["digraph wiring {", "  rankdir=LR; newrank=true;", "  node [fontname=Helvetica];"]
    for number, (namespace, things) in enumerate(_by_namespace(graph)):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={_quoted(namespace or 'outside of the namespaces')};")
        for one in things:
            shape = _SHAPES.get(one.kind, _PLAIN_SHAPE)[0]
            red = ", color=red, fontcolor=red" if one.id in gone else ""
            lines.append(f"    {_quoted(one.id)} [label={_quoted(one.name)}, shape={shape}{red}];")
        lines.append("  }")
    lines += [f"  {_quoted(one.source)} -> {_quoted(one.target)} [label={_quoted(one.how)}];" for one in graph.links]
    return "\n".join([*lines, "}", ""])


def render_mermaid(graph: Graph, loss: Loss | None) -> str:
    """For Mermaid, as code hosts draw it."""
    gone = _gone(loss)
    names = {one.id: f"n{number}" for number, one in enumerate(graph.things)}
    lines = ["flowchart LR"]
    for number, (namespace, things) in enumerate(_by_namespace(graph)):
        lines.append(f'  subgraph s{number}["{_mermaid(namespace or "outside of the namespaces")}"]')
        lines += [f"    {names[one.id]}{_SHAPES.get(one.kind, _PLAIN_SHAPE)[1] % _mermaid(one.name)}" for one in things]
        lines.append("  end")
    lines += [f"  {names[one.source]} -->|{_mermaid(one.how)}| {names[one.target]}" for one in graph.links]
    if gone:
        lines += [
            "  classDef gone stroke:#c00,color:#c00;",
            f"  class {','.join(sorted(map(names.__getitem__, gone)))} gone;",
        ]
    return "\n".join([*lines, ""])


def _whole(graph: Graph, ink: Ink) -> Iterator[str]:
    needs: dict[str, list[Link]] = defaultdict(list)
    for link in graph.links:
        needs[link.source].append(link)
    names = {one.id: one for one in graph.things}
    heavy = sorted((one for one in graph.things if one.dependants), key=lambda one: (-one.dependants, one.id))
    yield f"{len(graph.things)} things and {len(graph.links)} links between them"
    if heavy:
        yield ""
        yield ink("What most depends on", "heading")
        width = len(str(heavy[0].dependants))
        for one in heavy[:_WEIGHTIEST]:
            yield f"  {one.dependants:{width}}  {plain(one.name)}"
    for namespace, things in _by_namespace(graph):
        shown = [one for one in things if needs[one.id] or one.dependants]
        if not shown:
            continue
        yield ""
        yield ink(plain(namespace) if namespace else "outside of the namespaces", "heading")
        for one in shown:
            yield f"  {ink(plain(one.name), 'strong')}{_place(one.file, one.line, ink)}"
            for link in needs[one.id]:
                note = f" ({sentence(link.note)})" if link.note else ""
                yield f"    {link.how} {plain(names[link.target].name)}{ink(note, 'faint')}"


def _lost(loss: Loss, graph: Graph, ink: Ink, width: int) -> Iterator[str]:
    names = {one.id: one.name for one in graph.things}
    yield f"Without {', '.join(ink(plain(one.name), 'strong') for one in loss.things)}"
    if not loss.stopped:
        yield "nothing else stops, as far as this repository says."
        return
    kinds = Counter(one.thing.kind for one in loss.stopped)
    verb = "stops" if len(loss.stopped) == 1 else "stop"
    told = ", ".join(_count(number, kind) for kind, number in kinds.most_common())
    yield f"{_count(len(loss.stopped), 'other')} {verb}: {told}"
    for one in loss.stopped:
        steps = " -> ".join(plain(names[link.target]) for link in one.way[:-1])
        name, way = plain(one.thing.name), f"over {steps}" if steps else ""
        if cells(name) + cells(way) + 4 <= width:
            yield f"  {name}{ink(f'  {way}' if way else '', 'faint')}"
            continue
        yield f"  {name}"
        for line in wrap(way, width - 6):
            yield f"      {ink(line, 'faint')}"


def _count(number: int, kind: str) -> str:
    """A number of things: ``1 way in``, ``3 ways in``, ``2 workloads``."""
    if number == 1:
        return f"1 {kind}"
    first, _, rest = kind.partition(" ")
    return f"{number} {first if first.endswith('s') else first + 's'}{' ' + rest if rest else ''}"


def _by_namespace(graph: Graph) -> Iterator[tuple[str, list[Thing]]]:
    found: dict[str, list[Thing]] = defaultdict(list)
    for one in graph.things:
        found[one.namespace].append(one)
    yield from sorted(found.items())


def _gone(loss: Loss | None) -> set[str]:
    return set() if loss is None else {one.id for one in (*loss.things, *(each.thing for each in loss.stopped))}


def _place(file: str, line: int, ink: Ink) -> str:
    return "  " + ink(plain(f"{file}:{line}"), "place") if file else ""


def _quoted(text: str) -> str:
    # Graphviz knows one escape inside quotes that matters here, and reads bytes that are not text as an error.
    return '"' + plain(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _mermaid(text: str) -> str:
    """Text that Mermaid takes as text: everything that could end a label, or begin markup, by its number."""
    return "".join(one if one.isalnum() or one in " ./-_:*" else f"#{ord(one)};" for one in plain(text))
