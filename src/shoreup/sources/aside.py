"""Files that lie in a repository and are no part of what runs: examples, trials, pages, what was taken out of service.

Their folder says so by its name, or the file by its own. A name alone decides nothing about what a deployer names, or a
kustomization that is applied includes; and an estate of which all lies in such folders is one.
"""

from __future__ import annotations

import re

from shoreup.formats.files import FileTree

SUFFIXES = (".yaml", ".yml", ".json")
_RETIRED = frozenset({"archive", "archived", "attic", "deprecated", "disabled", "graveyard", "retired", "unused"})
_SHOWN = frozenset({"demo", "demos", "example", "examples", "experiment", "experiments", "experimental", "sample"})
_PAGES = frozenset({"docs", "documentation"})
_PAGE = (".md", ".mdx", ".rst", ".adoc")
_TRIALS = frozenset({"test", "tests", "testdata", "fixtures", "hack", "benchmark", "benchmarks"})
_PLACES = frozenset({"overlays", "overlay", "environments", "envs", "clusters", "cluster", "namespaces"})
"""Folders below which such a name is that of a place where everything is applied."""
_FILE = re.compile(r"(?:^|[-_.])(?:examples?|sample)(?:[-_.]|$)|[-_.](?:template|tmpl)$", re.IGNORECASE)


def out_of_service(tree: FileTree) -> frozenset[str]:
    """The files in folders of examples, pages and what was retired, beside an estate that lies elsewhere."""
    return _beside(tree, _SHOWN | {"samples"} | _RETIRED)


def set_aside(tree: FileTree) -> frozenset[str]:
    """These, and those for trials or called examples: what lies there and no deployer names is not applied."""
    return _beside(tree, _SHOWN | {"samples"} | _RETIRED | _TRIALS, _FILE)


def _beside(tree: FileTree, names: frozenset[str], file: re.Pattern[str] | None = None) -> frozenset[str]:
    pages = {
        "/".join(steps[: number + 1])
        for path in tree.files
        if path.endswith(_PAGE)
        for steps in [path.split("/")]
        for number, step in enumerate(steps[:-1])
        if step.lower() in _PAGES
    }
    documents = [path for path in tree.files if path.endswith(SUFFIXES) and "/." not in f"/{path}"]
    found = [path for path in documents if _is_aside(path, names, pages) or (file and _named(path, file))]
    return frozenset(found) if len(found) < len(documents) else frozenset()


def _is_aside(path: str, names: frozenset[str], pages: set[str]) -> bool:
    steps = path.lower().split("/")[:-1]
    for number, step in enumerate(steps):
        if number and steps[number - 1] in _PLACES:
            continue
        if step.strip("_") in names:
            return True
    return bool(pages) and any(path.startswith(f"{folder}/") for folder in pages)


def _named(path: str, file: re.Pattern[str]) -> bool:
    name, _, _ = path.rpartition("/")[2].rpartition(".")
    return file.search(name) is not None
