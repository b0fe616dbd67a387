"""Code that a program of the estate fetches when it runs, and runs, with nothing that says which code that is.

A version in the address or a checksum beside it pins the code. Data that is fetched is another matter, and so is code
from the estate's own hosts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import Estate, Script
from shoreup.facts.fields import items
from shoreup.facts.naming import named
from shoreup.facts.pipelines.steps import Step, pipeline_jobs, shell_of
from shoreup.facts.programs.scripts import environment, place_in, program
from shoreup.formats.shell import Command, Program, Word, parse
from shoreup.model.finding import Confidence, Place
from shoreup.model.location import Span
from shoreup.model.wording import some
from shoreup.sources.repository import Role

_FETCHING = frozenset({"curl", "wget"})
_RUNNING = re.compile(r"^(?:ba|z|da|a|k)?sh$|^python[0-9.]*$|^perl$|^node$|^ruby$|^source$|^\.$|^eval$")
_CHECKING = re.compile(r"^(?:sha(?:256|512|1|384)sum|shasum|md5sum|gpgv?|cosign|minisign|openssl|b2sum)$")
_URL = re.compile(r"^https?://(?P<host>[^/:?#]+)", re.IGNORECASE)
_OWN = re.compile(
    r"(?:^|\.)(?:localhost|local|lan|home|internal|intern|home\.arpa|cluster\.local|svc|test)$|^[\w-]+$|^(?:10|127|192\.168|"
    r"172\.(?:1[6-9]|2\d|3[01]))\.[\d.]+$|^[\w-]+\.[\w-]+\.svc\b",
    re.IGNORECASE,
)
_VERSIONED = re.compile(
    r"(?<![\w.])v?\d+\.\d+(?:\.\d+)?(?![\d.]*\.(?:\d|com|org|net|io))|[0-9a-f]{12,64}", re.IGNORECASE
)
_MOVING = re.compile(r"/(?:latest|main|master|HEAD|stable|nightly|edge|current)(?:/|$)")
_ARCHIVES = (".tar.gz", ".tgz", ".zip", ".tar.xz", ".bz2", ".gz", ".deb", ".rpm", ".apk", ".whl")
_OUTPUT = ("-o", "--output", "-O", "--output-document")
_PIP_VALUE_OPTIONS = frozenset(
    {"-i", "--index-url", "--extra-index-url", "-t", "--target", "--prefix", "--root", "-f", "--find-links", "--python",
     "-c", "--constraint", "--cache-dir", "--trusted-host", "--proxy", "--timeout", "--retries", "--platform"}
)  # fmt: skip
INSTALLERS = ("pip", "npm", "helm plugin")
"""Fields of what a package manager installs."""
_OVER_SSH = ("pre_commands", "commands", "inline")
_RUN = re.compile(r"(?im)^[ \t]*RUN[ \t]+(?!\[|<<)(?P<program>(?:[^\n]*\\[ \t]*\n)*[^\n]*)")
_LONGEST_BUILD = 100_000
_NO_PLATFORM = re.compile(r"(?:^|/)(?:examples?|tests?|fixtures?|testdata|samples?|vendor|node_modules)(?:/|$)")
_PACKAGE = re.compile(r"^[A-Za-z0-9][\w.-]*(?:\[[\w,.-]*\])?$")


class FetchedCode(Struct, frozen=True, eq=False):
    """Code that is fetched at run time. ``what`` says in words how; ``undecided`` why it is not certain."""

    place: Place
    who: str
    what: str
    field: str
    confidence: Confidence = Confidence.CERTAIN
    undecided: str = ""
    in_pipeline: bool = False
    """A pipeline runs it, not a part of the platform."""
    on_node: bool = False
    """Terraform runs it on a machine, with what its user there may do."""


def fetched_code(estate: Estate) -> Iterator[FetchedCode]:
    """Every such place of the estate, in its containers, ConfigMaps and pipelines."""
    seen: set[tuple[int, object, object]] = set()
    for script in estate.scripts:
        resource = estate.by_key.get(script.place.resource)
        if resource is None or (script.workload is not None and not script.workload.enabled):
            continue
        who = named(script.workload.resource, script.place.container) if script.workload else named(resource)
        for found in _of_program(program(script), script):
            place = place_in(script, *found.span)
            key = (place.resource, place.route, place.chars)
            if key not in seen:
                seen.add(key)
                yield _told(place, who, found)
    yield from _on_machines(estate)
    for job in pipeline_jobs(estate):
        for step in job.steps:
            for found in _of_program(shell_of(step), None):
                if found.field in ("piped", "substituted", *INSTALLERS):
                    who = f"pipeline {job.resource.name}, job {job.name}"
                    place = _in_step(step, found.span)
                    field = f"{job.name} {found.field}"
                    yield FetchedCode(
                        place=place,
                        who=who,
                        what=found.what,
                        field=field,
                        confidence=found.confidence,
                        undecided=found.undecided,
                        in_pipeline=True,
                    )
    yield from _of_builds(estate)


def _told(place: Place, who: str, found: _Seen, *, on_node: bool = False) -> FetchedCode:
    return FetchedCode(
        place=place,
        who=who,
        what=found.what,
        field=found.field,
        confidence=found.confidence,
        undecided=found.undecided,
        on_node=on_node,
    )


def _on_machines(estate: Estate) -> Iterator[FetchedCode]:
    """What Terraform runs over SSH when it sets a machine up."""
    for resource in estate.resources:
        if resource.api_version != "terraform":
            continue
        for field in _OVER_SSH:
            for index, line in enumerate(items(resource.body.get(field))):
                if isinstance(line, str):
                    for found in _of_program(parse(line), None):
                        if found.field in ("piped", "substituted", "fetched") and not found.undecided:
                            place = Place(resource.key, (field, index), found.span)
                            who = f"{resource.kind} {resource.address}"
                            yield _told(place, who, found, on_node=True)


def _of_builds(estate: Estate) -> Iterator[FetchedCode]:
    """What the estate's image builds pipe into a shell."""
    for file in estate.repository:
        if file.role is not Role.IMAGE_BUILD or _NO_PLATFORM.search(file.path):
            continue
        for run in _RUN.finditer(file.text[:_LONGEST_BUILD]):
            for found in _of_program(parse(run["program"]), None):
                if found.field in ("piped", "substituted", "fetched") and not found.undecided:
                    start, end = (run.start("program") + index for index in found.span)
                    place = Place(span=Span(file.path, _bytes(file.text, start), _bytes(file.text, end)))
                    yield FetchedCode(place, f"the image build {file.path}", found.what, found.field, found.confidence)


def _bytes(written: str, index: int) -> int:
    return len(written[:index].encode("utf-8", "surrogateescape"))


class _Seen(Struct, frozen=True):
    span: tuple[int, int]
    what: str
    field: str
    confidence: Confidence = Confidence.CERTAIN
    undecided: str = ""


def _in_step(step: Step, span: tuple[int, int]) -> Place:
    return Place(step.place.resource, step.place.route, span)


def _of_program(whole: Program, script: Script | None) -> Iterator[_Seen]:
    outside: Mapping[str, str] = environment(script) if script is not None else {}
    checked = any(_CHECKING.match(command.name) for command in whole.commands)
    for command in whole.commands:
        if not whole.runs(command) or command.frame("remote"):
            continue
        if command.name in _FETCHING:
            yield from _fetched(whole, command, outside, checked)
        elif command.name == "ssh-keyscan" and _is_trusted(whole, command):
            yield _Seen(
                (command.start, command.end),
                "takes a server's SSH key from the network at each run and trusts it (ssh-keyscan)",
                "ssh-keyscan",
            )
        else:
            yield from _installed(whole, command)


# ------------------------------------------------------------------------------------------- fetched, then run


def _fetched(whole: Program, command: Command, outside: Mapping[str, str], checked: bool) -> Iterator[_Seen]:
    words = [whole.expand(word, outside) for word in command.arguments]
    address = next((word for word in words if _URL.match(word.text)), None)
    runner = _runner(whole, command)
    if address is None:
        unclear = next((word for word in words if word.parts and word.parts[0].kind in ("variable", "unknown")), None)
        if runner and unclear is not None:
            yield _Seen((command.start, command.end), "", "piped", undecided="which address it fetches is not decided")
        return
    url = address.text
    host = _URL.match(url)
    if host is None or _OWN.search(host["host"]) or "*" in host["host"]:
        return
    pinned = _is_pinned(address)
    if runner:
        if not pinned:
            field = "piped" if runner != "substitution" else "substituted"
            yield _Seen((command.start, command.end), f"runs whatever {host['host']} serves at that moment", field)
        return
    target = _target(words, url)
    if target and not pinned and not checked and _executed(whole, command, target):
        yield _Seen(
            (command.start, command.end),
            f"fetches {target.rpartition('/')[2]} from {host['host']} without version or checksum, and runs it",
            "fetched",
            Confidence.LIKELY,
        )


def _is_pinned(address: Word) -> bool:
    """Whether the address says which code it means. A variable in it may be a version."""
    url = address.text
    path = url.partition("://")[2].partition("/")[2]
    if _MOVING.search(f"/{path}") and not re.search(r"[0-9a-f]{40}", path):
        return False
    return bool(_VERSIONED.search(path)) or "*" in path


def _runner(whole: Program, command: Command) -> str:
    """What runs the output of the command; empty where nothing does."""
    for other in whole.downstream(command):
        if _RUNNING.match(other.name) and not _has_program(other):
            return other.name
        if other.name in ("sudo", "env") and any(
            _RUNNING.match(word.text.rpartition("/")[2]) for word in other.arguments
        ):
            return other.name
    held = command.frame("substitution", "process")
    if held is None:
        return ""
    for other in whole.commands:
        if other is command or any(frame.id == held.id for frame in other.context):
            continue
        inside = any(command.index in part.commands for word in other.words for part in word.parts)
        if inside and _RUNNING.match(other.name):
            return "substitution"
    return ""


def _has_program(command: Command) -> bool:
    """Whether a shell or interpreter has a program of its own, so that what it reads is data."""
    words = [word.text for word in command.arguments]
    if command.name.startswith("python") and any(word in ("-c", "-m") or word.endswith(".py") for word in words):
        return True
    if command.name in ("perl", "ruby", "node"):
        return any(word.startswith(("-e", "-n", "-p", "-l")) or not word.startswith("-") for word in words)
    return any(word.startswith("-") and not word.startswith("--") and "c" in word for word in words[:1])


def _target(words: list[Word], url: str) -> str:
    """The file that a fetch writes; empty where that is not known."""
    texts = [word.text for word in words]
    for index, word in enumerate(texts[:-1]):
        joined = word.startswith("-") and not word.startswith("--") and word[-1:] in ("o", "O") and len(word) > 2
        if word in _OUTPUT or (joined and word.endswith("o")):
            return texts[index + 1] if not _URL.match(texts[index + 1]) else url.rpartition("/")[2]
        if joined and not _URL.match(texts[index + 1]):
            return texts[index + 1]
    return ""


def _executed(whole: Program, fetch: Command, target: str) -> bool:
    """Whether a later command makes the file executable or runs it."""
    if target in ("-", "/dev/null") or target.endswith(_ARCHIVES):
        return False
    for command in whole.commands[fetch.index + 1 :]:
        words = [word.text for word in command.words]
        if not words:
            continue
        marked = command.name == "chmod" and any(
            "x" in word or word in ("755", "0755", "777", "700") for word in words[1:2]
        )
        run = _RUNNING.match(command.name) is not None and target in words[1:2]
        if words[0] in (target, f"./{target}") or (target in words and (marked or run)):
            return True
    return False


def _is_trusted(whole: Program, command: Command) -> bool:
    """Whether what a key scan gives goes into a list of known hosts, and nothing compares it."""
    after = whole.downstream(command)
    if any(other.name in ("ssh-keygen", "grep", "diff", "cmp", "sha256sum") for other in (*after, *whole.commands)):
        return False
    files = [redirect.target for one in (command, *after) for redirect in one.redirects if redirect.writes]
    files += [word for other in after if other.name == "tee" for word in other.arguments]
    return any("known_hosts" in word.text for word in files if word is not None)


# ------------------------------------------------------------------------------------------------ installed


def _installed(whole: Program, command: Command) -> Iterator[_Seen]:
    words = [word.text for word in command.arguments]
    if command.name.startswith("python") and words[:2] == ["-m", "pip"]:
        words = words[2:]
        name = "pip"
    else:
        name = command.name
    if re.fullmatch(r"pip[0-9.]*|uv", name) and "install" in words:
        after = words[words.index("install") + 1 :]
        loose = _loose_packages(after)
        held = any(word in ("-r", "--requirement", "-c", "--constraint", "--require-hashes") for word in after)
        if loose and not held:
            yield _Seen((command.start, command.end), f"installs {spoken(loose)} with pip in no fixed version", "pip")
    elif name == "npm" and words[:1] in (["install"], ["i"]) and {"-g", "--global"} & set(words):
        loose = [
            word for word in words[1:] if not word.startswith("-") and "@" not in word[1:] and _PACKAGE.match(word)
        ]
        if loose:
            yield _Seen((command.start, command.end), f"installs {spoken(loose)} with npm in no fixed version", "npm")
    elif name == "helm" and words[:2] in (["plugin", "install"], ["plugin", "add"]):
        address = next((word for word in words[2:] if _URL.match(word)), "")
        if address and not any(word.startswith("--version") for word in words) and not _VERSIONED.search(address):
            plugin = address.rstrip("/").rpartition("/")[2].removesuffix(".git")
            what = f"installs the plugin {plugin} of helm in no fixed version"
            yield _Seen((command.start, command.end), what, "helm plugin")


def _loose_packages(words: list[str]) -> list[str]:
    found: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in _PIP_VALUE_OPTIONS:
            skip = True
        elif (
            _PACKAGE.match(word)
            and not word.endswith((".whl", ".gz", ".zip"))
            and word not in ("pip", "setuptools", "wheel")
        ):
            found.append(word)
    return found


def spoken(names: list[str]) -> str:
    """Names as a sentence has them, the first three of many."""
    return some(names, 3)
