"""Pipelines that a repository brings for its CI, as resources: what they run, and whether anything checks a change.

A pipeline's body is its file's own YAML, with ``on``, ``yes`` and ``no`` as text as those systems read them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.formats.files import FileTree
from shoreup.formats.sourcemap import whole
from shoreup.formats.yaml import Document, load, origin_of
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin
from shoreup.model.resource import Resource
from shoreup.model.value import Value, at
from shoreup.sources.reading import Found

_PLACES = (
    (re.compile(r"(?:^|/)\.github/workflows/[^/]+\.ya?ml$"), "github-workflow"),
    (re.compile(r"(?:^|/)\.github/actions/.+/action\.ya?ml$"), "github-action"),
    (re.compile(r"(?:^|/)\.gitea/workflows/[^/]+\.ya?ml$"), "gitea-workflow"),
    (re.compile(r"(?:^|/)\.forgejo/workflows/[^/]+\.ya?ml$"), "forgejo-workflow"),
    (re.compile(r"(?:^|/)\.gitlab-ci\.ya?ml$"), "gitlab-pipeline"),
    (re.compile(r"(?:^|/)\.woodpecker(?:\.ya?ml|/.+\.ya?ml)$"), "woodpecker-pipeline"),
    (re.compile(r"(?:^|/)\.drone\.ya?ml$"), "drone-pipeline"),
    (re.compile(r"(?:^|/)\.circleci/config\.ya?ml$"), "circleci-pipeline"),
    (re.compile(r"(?:^|/)azure-pipelines\.ya?ml$"), "azure-pipeline"),
    (re.compile(r"(?:^|/)bitbucket-pipelines\.ya?ml$"), "bitbucket-pipeline"),
    (re.compile(r"(?:^|/)Jenkinsfile(?:\.[^/]+)?$"), "jenkins-pipeline"),
)


def kind_of(path: str) -> str:
    """The kind of pipeline that a file's place makes it; empty for anything else."""
    return next((kind for place, kind in _PLACES if place.search(path)), "")


def read_pipelines(tree: FileTree) -> Iterator[Found]:
    """Every pipeline of the estate, with ``api_version`` ``ci``. A Jenkinsfile is noted, not read: its body has only
    ``text``.
    """
    for path in tree.files:
        kind = kind_of(path)
        content = tree.read(path) if kind else None
        if content is None:
            continue
        offset = 3 if content.startswith(b"\xef\xbb\xbf") else 0
        try:
            text = content[offset:].decode()
        except UnicodeDecodeError:
            tree.error(path, 0, "not UTF-8", "the pipeline")
            continue
        if kind == "jenkins-pipeline":
            yield _found(path, kind, {"text": text}, _FileTracer(path, text, offset))
            continue
        stream = load(text, words=False)
        for problem in stream.problems:
            tree.error(path, problem.line, problem.cause, problem.skipped)
        for document in stream.documents:
            if isinstance(document.value, dict):
                yield _found(path, kind, document.value, _DocumentTracer(path, text, offset, document))


def _found(path: str, kind: str, body: dict[str, Value], tracer: _FileTracer | _DocumentTracer) -> Found:
    name = at(body, "name")
    resource = Resource(
        api_version="ci",
        kind=kind,
        namespace=None,
        name=name if isinstance(name, str) and name else path.rpartition("/")[2],
        body=body,
        address=f"ci/{kind}/{path}",
        root=".",
        source="manifest",
    )
    return Found(resource, tracer)


class _FileTracer:
    """Everything is the whole file."""

    def __init__(self, path: str, text: str, offset: int) -> None:
        self._path = path
        self._text = text
        self._offset = offset

    def trace(self, route: Route) -> Origin | None:
        """The origin of the file (empty route) or of its ``text``."""
        if route not in ((), ("text",)):
            return None
        span = Span(self._path, self._offset, self._offset + len(self._text.encode()))
        return Origin(span, span, (), whole(self._path, self._text, self._offset) if route else ())


class _DocumentTracer:
    """Fields of one document of a file."""

    def __init__(self, path: str, text: str, offset: int, document: Document) -> None:
        self._path = path
        self._text = text
        self._offset = offset
        self._document = document

    def trace(self, route: Route) -> Origin | None:
        """The origin of a field."""
        trace = self._document.trace(route)
        return None if trace is None else origin_of(trace, whole(self._path, self._text, self._offset))
