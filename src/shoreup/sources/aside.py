"""Files that lie in a repository and are no part of what runs: examples, trials, pages, what was taken out of service.

Their folder says so by its name, or the file by its own. A name alone decides nothing about what a deployer names, or a
kustomization that is applied includes; and an estate of which all lies in such folders is one.
"""

from __future__ import annotations

import re

from shoreup.formats.files import FileTree

SUFFIXES = (".yaml", ".yml", ".json")
_RETIRED = frozenset({"archive", "archived", "attic", "deprecated", "disabled", "graveyard", "retired", "unused"})
_SHOWN = frozenset(
    {"demo", "demos", "example", "examples", "experiment", "experiments", "experimental", "sample", "samples"}
)
_PAGES = frozenset({"docs", "documentation"})
_PAGE = (".md", ".mdx", ".rst", ".adoc")
_TRIALS = frozenset({"test", "tests", "testdata", "fixtures", "hack", "benchmark", "benchmarks"})
_ASIDE = _SHOWN | _RETIRED | _TRIALS
_TRIAL = re.compile(r"(?:^|/)[\w.]+[-_]tests?(?:/|$)", re.IGNORECASE)
_PLACES = frozenset({"overlays", "overlay", "environments", "envs", "clusters", "cluster", "namespaces"})
_STAGES = frozenset({"base", "prod", "production", "staging", "stage", "live", "dev", "development"})
"""Folders below which, or beside which, such a name is that of a place where everything is applied."""
_FILE = re.compile(r"(?:^|[-_.])(?:examples?|sample)(?:[-_.]|$)|[-_.](?:template|tmpl)$", re.IGNORECASE)


def out_of_service(tree: FileTree) -> frozenset[str]:
    """The files in folders of examples, trials, pages and what was retired, beside an estate that lies elsewhere."""
    return _beside(tree)


def set_aside(tree: FileTree) -> frozenset[str]:
    """These, and those that are called examples or trials themselves: what no deployer names is not applied."""
    return _beside(tree, _FILE)


def _beside(tree: FileTree, file: re.Pattern[str] | None = None) -> frozenset[str]:
    pages: set[str] = set()
    stages: set[str] = set()
    for path in tree.files:
        steps = path.split("/")[:-1]
        for number, step in enumerate(steps):
            if step.lower() in _STAGES:
                stages.add("/".join(steps[:number]))
            elif step.lower() in _PAGES and path.endswith(_PAGE):
                pages.add("/".join(steps[: number + 1]))
    documents = [path for path in tree.files if path.endswith(SUFFIXES) and "/." not in f"/{path}"]
    found = [path for path in documents if _is_aside(path, pages, stages) or (file and _named(path, file))]
    return frozenset(found) if len(found) < len(documents) else frozenset()


def _is_aside(path: str, pages: set[str], stages: set[str]) -> bool:
    steps = path.split("/")[:-1]
    for number, step in enumerate(steps):
        if number and steps[number - 1].lower() in _PLACES:
            continue
        if step.lower().strip("_") in _ASIDE and "/".join(steps[:number]) not in stages:
            return True
    return bool(pages) and any(path.startswith(f"{folder}/") for folder in pages)


def _named(path: str, file: re.Pattern[str]) -> bool:
    folder, _, name = path.rpartition("/")
    return file.search(name.rpartition(".")[0]) is not None or _TRIAL.search(folder) is not None
