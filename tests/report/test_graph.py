"""The wiring in all its forms, also where names in the estate would like to be more than names."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from shoreup.model.graph import Graph, Link, Loss, Stopped, Thing
from shoreup.report.graph import render, render_dot, render_json, render_mermaid

HOSTILE = 'a"] ; evil -> x [label="\x1b]0;owned\x07<b>&amp;\\'


def thing(name: str, kind: str = "workload", namespace: str = "web", dependants: int = 0) -> Thing:
    return Thing(f"{kind}/{name}", kind, name, namespace, "a.yaml", 3, dependants)


def link(source: Thing, target: Thing) -> Link:
    return Link(source.id, target.id, "calls", "the variable HOST", "a.yaml", 9)


WIKI, DATABASE, DOOR = thing("wiki"), thing("postgres", dependants=2), thing("wiki.example.org", "way in", "")
GRAPH = Graph((DOOR, DATABASE, WIKI), (link(WIKI, DATABASE), link(DOOR, WIKI)))
LOSS = Loss(
    (DATABASE,), (Stopped(WIKI, (link(WIKI, DATABASE),)), Stopped(DOOR, (link(DOOR, WIKI), link(WIKI, DATABASE))))
)


def test_everything_by_namespace_with_what_it_needs() -> None:
    shown = render(GRAPH, None)
    assert "3 things and 2 links" in shown
    assert "  2  postgres" in shown
    assert "  wiki  a.yaml:3\n    calls postgres (the variable HOST)" in shown


def test_what_stops_and_over_what() -> None:
    assert render(GRAPH, LOSS).splitlines() == [
        "Without postgres",
        "2 others stop: 1 workload, 1 way in",
        "  wiki",
        "  wiki.example.org  over wiki",
    ]


def test_what_nothing_hangs_on_is_said() -> None:
    assert "nothing else stops" in render(GRAPH, Loss((DOOR,), ()))


def test_as_json_it_names_the_links_by_the_things() -> None:
    told = json.loads(render_json(GRAPH, LOSS))
    ids = {one["id"] for one in told["things"]}
    assert {end for one in told["links"] for end in (one["source"], one["target"])} <= ids
    assert [one["thing"] for one in told["loss"]["stopped"]] == [WIKI.id, DOOR.id]
    assert json.loads(render_json(GRAPH, None))["loss"] is None


def test_a_hostile_name_stays_a_name_on_a_terminal_and_for_mermaid() -> None:
    bad = thing(HOSTILE)
    graph = Graph((bad, WIKI), (link(WIKI, bad),))
    assert "\x1b" not in render(graph, None)
    drawn = render_mermaid(graph, None)
    labels = [line for line in drawn.splitlines() if re.match(r" {4}n\d", line)]
    assert len(labels) == 2
    assert all(re.fullmatch(r' {4}n\d\["[\w ./:*#;-]*"\]', line) for line in labels)


@pytest.mark.skipif(shutil.which("dot") is None, reason="NOT RUN: Graphviz is not installed (Debian: graphviz)")
def test_graphviz_reads_it_and_takes_a_hostile_name_for_a_name() -> None:
    bad = thing(HOSTILE)
    graph = Graph((bad, WIKI), (link(WIKI, bad),))
    done = subprocess.run(["dot", "-Tjson"], input=render_dot(graph, LOSS).encode(), capture_output=True, check=True)
    told = json.loads(done.stdout)
    nodes = [one for one in told["objects"] if "nodes" not in one and "subgraphs" not in one]
    assert len(nodes) == 2
    assert len(told["edges"]) == 1
    assert done.stderr == b""
