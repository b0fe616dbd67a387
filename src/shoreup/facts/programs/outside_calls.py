"""What programs of the estate wait for: other machines and commands that talk to them, how long, and how often.

Two programs are left alone: those that Kubernetes itself starts again with a growing pause (a Job with a backoff, an
init container), and probes, whose time-out stands in the probe.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct

from shoreup.facts.estate import Estate, Script, Workload
from shoreup.facts.fields import mapping, number
from shoreup.facts.naming import named
from shoreup.facts.programs.scripts import place_in, program
from shoreup.formats.python_calls import WaitingCall, waiting_calls
from shoreup.formats.shell import Command, Program
from shoreup.model.finding import Place

SHORT = 10.0
"""Seconds: a time-out up to this long fails while the other side is only slow."""

_TALKING = frozenset(
    {"kubectl", "curl", "wget", "ssh", "scp", "rsync", "helm", "git", "psql", "mysql", "aws", "restic"}
)
"""Commands that wait for another machine."""
_CURL_LIMIT = re.compile(r"^(?:-[A-Za-z]*m[\d.]*|--max-time(?:=.*)?|--speed-time(?:=.*)?|-y|-Y|--speed-limit(?:=.*)?)$")
_NEAR = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\]|\$\{?HOSTNAME)|--unix-socket|file://")
_RETRIES = {
    "curl": re.compile(r"^--retry(?:-[a-z-]+)?(?:=.*)?$"),
    "wget": re.compile(r"^--tries(?:=.*)?$|^-[A-Za-z]*t\d*$"),
}


class OutsideCall(Struct, frozen=True, eq=False):
    """A call. ``name`` is for people; ``timeout`` is in seconds; ``timed`` says whether it has one at all."""

    script: Script
    who: str
    place: Place
    name: str
    timed: bool
    timeout: float | None
    retried: bool
    call: WaitingCall | None = None
    """The call itself, in Python."""
    command: Command | None = None
    """The command itself, in shell."""


def outside_calls(estate: Estate) -> tuple[tuple[OutsideCall, ...], ...]:
    """The calls of each program that makes some; worked out once."""
    return estate.once(_worked_out)


def _worked_out(estate: Estate) -> tuple[tuple[OutsideCall, ...], ...]:
    found: list[tuple[OutsideCall, ...]] = []
    seen: set[tuple[int, object]] = set()
    for script in estate.scripts:
        resource = estate.by_key.get(script.place.resource)
        key = (script.place.resource, script.place.route)
        if resource is None or key in seen or (script.workload is not None and not script.workload.enabled):
            continue
        seen.add(key)
        who = named(script.workload.resource, script.place.container) if script.workload else named(resource)
        calls = tuple(_of_python(script, who) if script.language == "python" else _of_shell(script, who))
        if calls:
            found.append(calls)
    return tuple(found)


def started_again(script: Script) -> bool:
    """Whether Kubernetes starts the program again, with a growing pause, when it fails."""
    workload = script.workload
    if workload is None:
        return False
    if script.container is not None and script.container.init:
        return True
    return workload.kind in ("Job", "CronJob") and _backoff(workload) != 0


def ends_in_time(script: Script) -> bool:
    """Whether Kubernetes ends the program after some time."""
    return script.workload is not None and _job(script.workload).get("activeDeadlineSeconds") is not None


def _job(workload: Workload) -> dict[str, object]:
    spec = mapping(workload.resource.body.get("spec"))
    if workload.kind == "CronJob":
        spec = mapping(mapping(spec.get("jobTemplate")).get("spec"))
    deadline = workload.pod.get("activeDeadlineSeconds")
    return {**spec, **({} if deadline is None else {"activeDeadlineSeconds": deadline})}


def _backoff(workload: Workload) -> int | None:
    spec = mapping(workload.resource.body.get("spec"))
    if workload.kind == "CronJob":
        spec = mapping(mapping(spec.get("jobTemplate")).get("spec"))
    return number(spec.get("backoffLimit"))


def _of_python(script: Script, who: str) -> Iterator[OutsideCall]:
    if not script.complete:
        return
    for call in waiting_calls(script.text):
        if call.kind == "process" and call.command not in _TALKING:
            continue
        place = place_in(script, call.start, call.end)
        yield OutsideCall(
            script=script,
            who=who,
            place=place,
            name=_called(call),
            timed=call.timed,
            timeout=call.timeout,
            retried=call.retried,
            call=call,
        )


def _called(call: WaitingCall) -> str:
    return f"{call.name}({call.command} ...)" if call.command else call.name


def _of_shell(script: Script, who: str) -> Iterator[OutsideCall]:
    whole = program(script)
    for command in whole.commands:
        if command.name not in ("curl", "wget") or not whole.runs(command) or command.frame("remote"):
            continue
        if command.name == "wget" and not _is_busybox(script):
            continue  # GNU's tries twenty times by itself
        words = [whole.expand(word).text for word in command.arguments]
        if any(_NEAR.search(word) for word in words) or not any("://" in word for word in words):
            continue
        wrapped = any(frame.kind == "wrapped" and frame.name == "timeout" for frame in command.context)
        limited = wrapped or any(_CURL_LIMIT.match(word) for word in words)
        limited = limited or command.name == "wget"  # BusyBox's gives up by itself
        place = place_in(script, command.start, command.end)
        again = _is_retried(whole, command, words)
        limit = _limit(words) if command.name == "curl" else None
        yield OutsideCall(
            script=script,
            who=who,
            place=place,
            name=command.name,
            timed=limited,
            timeout=limit,
            retried=again,
            call=None,
            command=command,
        )


def _is_busybox(script: Script) -> bool:
    """Whether the script's commands are BusyBox's: its own image or Alpine's, with nothing put in."""
    repository = script.container.image.repository if script.container is not None else ""
    return repository.rpartition("/")[2] in ("alpine", "busybox") and not re.search(r"\bapk\s+add\b", script.text)


def _limit(words: list[str]) -> float | None:
    for index, word in enumerate(words):
        given = word.partition("=")[2] if word.startswith("--max-time=") else ""
        if word in ("-m", "--max-time") and index + 1 < len(words):
            given = words[index + 1]
        try:
            if given:
                return float(given)
        except ValueError:
            return None
    return None


def _is_retried(whole: Program, command: Command, words: list[str]) -> bool:
    looped = command.frame("while", "for", "condition") is not None
    guarded = any(frame.kind == "tried" and frame.name == "||" for frame in command.context)
    return looped or guarded or any(_RETRIES[command.name].match(word) for word in words)
