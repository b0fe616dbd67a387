"""The edits that give a program's calls second tries and time-outs, in the program's own language.

Only what does no harm when it happens twice is tried again: requests that ask, commands that read. Of anything else a
person knows whether it may be.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from shoreup.facts.estate import Estate, Script
from shoreup.facts.programs.located import substitute
from shoreup.facts.programs.outside_calls import OutsideCall, outside_calls
from shoreup.facts.programs.scripts import program
from shoreup.facts.programs.shell_repeating import retried_in_shell
from shoreup.formats.python_calls import WaitingCall
from shoreup.formats.python_repeating import TRIES, Insertion, with_retries, with_timeouts
from shoreup.formats.shell import Command
from shoreup.model.edit import Edit
from shoreup.model.finding import Place

SECONDS = 60
"""Long enough for a slow day of one answer, short enough that somebody still sees why nothing happens."""

_READING: Mapping[str, frozenset[str]] = {
    "kubectl": frozenset({"get", "describe", "version", "cluster-info", "api-resources", "top"}),
    "helm": frozenset({"list", "ls", "status", "version", "search", "history"}),
    "git": frozenset({"fetch", "ls-remote"}),
    "restic": frozenset({"snapshots", "stats"}),
}
"""Commands that change nothing on the other side and answer within seconds, by their own manuals (2026-11)."""
_TAKES_A_VALUE = frozenset({"-n", "--namespace", "--context", "--kubeconfig", "-C", "-r", "--repo", "--kube-context"})
_SENDS = re.compile(r"-[A-Za-z]*[dFT]|--(?:data|form|json|upload-file|url-query)\b.*|-[dFT].+")
_WGET_SENDS = re.compile(r"--(?:post|body|method)\b")
_METHOD = re.compile(r"-[A-Za-z]*X|--request")
_ASKS = frozenset({"GET", "HEAD", "OPTIONS"})

SHELL_TEXT = f"curl --retry {TRIES} --retry-connrefused --max-time {SECONDS} ...   # only what may happen twice"
PYTHON_TEXT = f"""def retry(call, tries={TRIES}):
    for attempt in range(1, tries + 1):
        try:
            return call()
        except Exception as problem:
            print(f"try {{attempt}} of {{tries}} failed: {{type(problem).__name__}}", flush=True)
            if attempt == tries:
                raise
            time.sleep(2 ** (attempt - 1))


answer = retry(lambda: <the call>)   # only what may happen twice"""


def calls_at(estate: Estate, place: Place) -> tuple[OutsideCall, ...]:
    """The calls of the program that a finding is in."""
    for calls in outside_calls(estate):
        if any(call.place == place for call in calls):
            return calls
    return ()


def retried(calls: Sequence[OutsideCall]) -> tuple[Edit, ...] | str:
    """Second tries for each of the calls of one program, or why not."""
    for call in calls:
        if call.call is not None and not call.call.fails_aloud:
            return (
                f"a failure of {call.name} goes unnoticed, so that nothing would try it again; check=True changes that"
            )
    doubtful = next((call.name for call in calls if not _may_happen_twice(call)), "")
    if doubtful:
        return f"whether {doubtful} may happen twice is not certain"
    script = calls[0].script
    if script.language == "python":
        return _inserted(script, with_retries(script.text, [call.call for call in calls if call.call is not None]))
    return _all([retried_in_shell(script, [call.command for call in calls if call.command is not None])])


def timed(calls: Sequence[OutsideCall]) -> tuple[Edit, ...] | str:
    """A time-out for each of the calls of one program, or why not."""
    for call in calls:
        if call.call is not None and call.call.kind == "process" and not _reads(call.call):
            return f"how long {call.name} may take when all is well is not in the estate"
    script = calls[0].script
    if script.language == "python":
        waiting = [call.call for call in calls if call.call is not None]
        return _inserted(script, with_timeouts(script.text, waiting, SECONDS))
    return _all(_timed_in_shell(script, call.command) for call in calls if call.command is not None)


def _may_happen_twice(call: OutsideCall) -> bool:
    if call.call is not None:
        return call.call.repeatable if call.call.kind == "network" else _reads(call.call)
    return call.command is not None and _asks(call)


def _reads(call: WaitingCall) -> bool:
    words = list(call.words[1:])
    while words and (words[0].startswith("-") or not words[0]):
        words = words[2:] if words[0] in _TAKES_A_VALUE else words[1:]
    return bool(words) and words[0] in _READING.get(call.command, ())


def _asks(call: OutsideCall) -> bool:
    assert call.command is not None
    whole = program(call.script)
    words = [whole.expand(word).text for word in call.command.arguments]
    if call.name == "wget":
        return not any(_WGET_SENDS.match(word) for word in words)
    for index, word in enumerate(words):
        if _METHOD.fullmatch(word):
            if index + 1 >= len(words) or words[index + 1].upper() not in _ASKS:
                return False
        elif word.startswith("--request=") or (word.startswith("-X") and len(word) > 2):
            if word.removeprefix("--request=").removeprefix("-X").upper() not in _ASKS:
                return False
        elif _SENDS.fullmatch(word):
            return False
    return True


def _inserted(script: Script, made: tuple[Insertion, ...] | str) -> tuple[Edit, ...] | str:
    if isinstance(made, str):
        return made
    return _all((substitute(script, one.start, one.end, one.text),) for one in made)


def _all(groups: Iterable[Iterable[Edit | None]]) -> tuple[Edit, ...] | str:
    found: list[Edit] = []
    for one in (edit for group in groups for edit in group):
        if one is None:
            return "the program is not text that can be changed in one place"
        found.append(one)
    return tuple(found)


def _timed_in_shell(script: Script, command: Command) -> Iterator[Edit | None]:
    words = command.words
    for index, word in enumerate(words):
        written = script.text[word.start : word.end]
        if word.text in ("-m", "--max-time") and index + 1 < len(words):
            value = words[index + 1]
            digits = script.text[value.start : value.end]
            plain = digits.replace(".", "", 1).isdecimal()
            yield substitute(script, value.start, value.end, str(SECONDS)) if plain else None
            return
        if written.startswith("--max-time="):
            start = word.start + len("--max-time=")
            plain = written.removeprefix("--max-time=").replace(".", "", 1).isdecimal()
            yield substitute(script, start, word.end, str(SECONDS)) if plain else None
            return
    yield None
