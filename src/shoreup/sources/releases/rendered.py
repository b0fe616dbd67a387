"""Charts that lie in the repository, rendered by Helm where Helm is at hand.

``helm template`` evaluates Go templates and nothing else; still it gets a copy of the chart's files (no links,
nothing from outside the estate), an empty home, no plugins, no network to speak of, and limits of time and size.
Without Helm, or where the values are not all known, or a dependency is missing, the release stays with what its values
state. A chart that has reached a limit is not tried again, and after a few of them no other is.
"""

from __future__ import annotations

import json
import posixpath
import re
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from shoreup.formats.files import FileTree
from shoreup.formats.yaml import load
from shoreup.model.location import Route, Span
from shoreup.model.origin import Origin, Segment
from shoreup.model.value import Value, at, unknowns
from shoreup.sources.releases.reading import ReleaseReading

SECONDS = 10
MAX_MEMORY = 4 * 1024 * 1024 * 1024
MAX_OUTPUT = 16 * 1024 * 1024
MAX_LIMITS = 3
"""So many charts may reach a limit before the rest is left as it is."""
TOO_MUCH = "Helm came to a limit"
_SOURCE = re.compile(r"^# Source: [^/\n]+/(.+)$", re.MULTILINE)


def render(release: ReleaseReading, tree: FileTree, helm: str) -> list[tuple[dict[str, Value], str]] | str:
    """The objects of a chart in the estate, each with the path of its template; or the reason why there are none."""
    if release.stack.open_reason:
        return release.stack.open_reason
    undecided = next(unknowns(release.values), None)
    if undecided is not None:
        return undecided.reason
    missing = _missing_dependency(release.chart_path, tree)
    if missing:
        return f"the chart's dependency {missing} is not in the repository"
    limited = [one.file for one in tree.errors if one.cause.startswith(TOO_MUCH)]
    if f"{release.chart_path}/Chart.yaml" in limited or len(limited) >= MAX_LIMITS:
        return "charts took too much of Helm"
    with tempfile.TemporaryDirectory(prefix="shoreup-helm-") as folder:
        home = Path(folder)
        _copy(release.chart_path, tree, home / "chart")
        (home / "values.json").write_text(json.dumps(release.values), encoding="utf-8")
        output = _run(release, helm, home)
    return output if isinstance(output, Refused) else list(_objects(output, release.chart_path))


class Refused(str):
    """Why Helm gave nothing."""

    __slots__ = ()


def _run(release: ReleaseReading, helm: str, home: Path) -> str:
    namespace = release.namespace if isinstance(release.namespace, str) else "default"
    command = [helm, "template", "--namespace", namespace, "--values", str(home / "values.json"), "--", release.name]
    folders = ("HOME", "HELM_PLUGINS", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")
    environment = {key: str(home / key.lower()) for key in folders}
    environment |= {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", "KUBECONFIG": "/dev/null"}
    output, complaints = home / "output", home / "complaints"
    try:
        with output.open("wb") as out, complaints.open("wb") as err:
            done = subprocess.run(  # noqa: S603 - the program is the user's own, no shell takes part
                [*command, str(home / "chart")],
                env=environment,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                timeout=SECONDS,
                check=False,
                preexec_fn=_limit,
            )
    except subprocess.TimeoutExpired:
        return Refused(f"{TOO_MUCH}: {SECONDS} s")
    except (OSError, subprocess.SubprocessError) as problem:
        return Refused(f"Helm could not be started: {getattr(problem, 'strerror', None) or problem}")
    if done.returncode < 0 or output.stat().st_size >= MAX_OUTPUT:
        return Refused(f"{TOO_MUCH}: of memory or of {MAX_OUTPUT // 1024 // 1024} MiB of objects")
    if done.returncode != 0:
        with complaints.open("rb") as file:
            said = file.read(10_000).decode(errors="replace").strip().splitlines() or ["no reason given"]
        if any("out of memory" in line or "cannot allocate memory" in line for line in said):
            return Refused(f"{TOO_MUCH}: {MAX_MEMORY // 1024 // 1024 // 1024} GiB of memory")
        return Refused(f"Helm refused the chart: {said[0].replace(str(home), '')[:300]}")
    return output.read_text(encoding="utf-8", errors="replace")


def _limit() -> None:
    """Limits of the process that Helm becomes."""
    for kind, most in (
        (resource.RLIMIT_FSIZE, MAX_OUTPUT),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, MAX_MEMORY),
    ):
        with suppress(OSError, ValueError):  # not every system knows every limit
            resource.setrlimit(kind, (most, most))


def _copy(chart: str, tree: FileTree, target: Path) -> None:
    for path in tree.files:
        if path.startswith(f"{chart}/"):
            content = tree.read(path)
            if content is not None:
                file = target / path[len(chart) + 1 :]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)


def _missing_dependency(chart: str, tree: FileTree) -> str:
    content = tree.read(f"{chart}/Chart.yaml") or b""
    documents = load(content.decode(errors="replace")).documents
    needed = at(documents[0].value, "dependencies") if documents else None
    for item in needed if isinstance(needed, list) else []:
        name = at(item, "name")
        if isinstance(name, str) and not any(
            path.startswith((f"{chart}/charts/{name}/", f"{chart}/charts/{name}-")) for path in tree.files
        ):
            return name
    return ""


def _objects(output: str, chart: str) -> Iterator[tuple[dict[str, Value], str]]:
    template = ""
    for part in re.split(r"^---\s*$", output, flags=re.MULTILINE):
        source = _SOURCE.search(part)
        template = source[1] if source else template
        for document in load(part).documents:
            if isinstance(document.value, dict) and "kind" in document.value:
                yield document.value, posixpath.join(chart, template)


class TemplateTracer:
    """Traces a rendered field to its template: to the line that writes the field's key, where only one does."""

    def __init__(self, body: Value, path: str, tree: FileTree) -> None:
        self._body = body
        self._path = path
        self._tree = tree

    def trace(self, route: Route) -> Origin | None:
        """The origin of a field; the whole template where its line is not certain."""
        content = self._tree.read(self._path)
        value = at(self._body, *route)
        if content is None or (route and value is None):
            return None
        span = Span(self._path, 0, len(content))
        key = next((step for step in reversed(route) if isinstance(step, str)), "")
        lines = list(re.finditer(rb"^[ \t]*(?:- )?[\"']?%s[\"']?:.*$" % re.escape(key.encode()), content, re.MULTILINE))
        if key and len(lines) == 1:
            span = Span(self._path, *lines[0].span())
        made = (Segment(value, None, verbatim=False, derived="helm template"),) if isinstance(value, str) else ()
        return Origin(span, span, (), made)
