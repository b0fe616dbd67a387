"""Commands that run other commands: ``sh -c``, ``xargs``, ``find -exec``, ``timeout``, ``ssh``, ``kubectl exec``.

An option that is not known here is taken for one without a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct

from shoreup.formats.shell.program import Command, Part, Word

SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh"})


class Inner(NamedTuple):
    """A command inside a command: its ``words``, or the ``program`` that a shell reads from a word."""

    name: str
    words: tuple[Word, ...] = ()
    program: Word | None = None
    flags: tuple[str, ...] = ()
    remote: bool = False


class _Wrapper(Struct, frozen=True):
    """``valued`` are the options that take the next word; ``skip`` is how many plain words come before the command."""

    valued: frozenset[str] = frozenset()
    skip: int = 0
    assignments: bool = False


def _options(text: str) -> frozenset[str]:
    return frozenset(text.split())


WRAPPERS: Mapping[str, _Wrapper] = {
    "xargs": _Wrapper(_options("-I -n -P -L -d -a -E -s --max-args --max-procs --delimiter --replace --arg-file")),
    "sudo": _Wrapper(_options("-u -g -h -p -C -T --user --group"), assignments=True),
    "doas": _Wrapper(_options("-u -C")),
    "env": _Wrapper(_options("-u -C --unset --chdir"), assignments=True),
    "nice": _Wrapper(_options("-n --adjustment")),
    "ionice": _Wrapper(_options("-c -n -p --class --classdata")),
    "timeout": _Wrapper(_options("-s -k --signal --kill-after"), skip=1),
    "flock": _Wrapper(_options("-w -E --timeout --wait"), skip=1),
    "chroot": _Wrapper(skip=1),
    "gosu": _Wrapper(skip=1),
    "su-exec": _Wrapper(skip=1),
    "runuser": _Wrapper(_options("-u -g")),
    "chpst": _Wrapper(_options("-u -U -e -n")),
    "nohup": _Wrapper(),
    "setsid": _Wrapper(),
    "exec": _Wrapper(_options("-a")),
    "command": _Wrapper(),
    "builtin": _Wrapper(),
    "time": _Wrapper(_options("-f -o")),
    "stdbuf": _Wrapper(_options("-i -o -e")),
    "tini": _Wrapper(_options("-p -e")),
    "dumb-init": _Wrapper(),
    "busybox": _Wrapper(),
    "chronic": _Wrapper(),
}

_SSH_VALUED = _options("-b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w")
_HEREDOC = ("<<", "<<-", "<<<")


def inner_commands(command: Command) -> Iterator[Inner]:
    """The commands that this one starts."""
    name, arguments = command.name, command.arguments
    if name in SHELLS:
        yield from _shell(command)
    elif name == "su":
        yield from _su(arguments)
    elif name == "find":
        yield from _find(arguments)
    elif name == "ssh":
        yield from _ssh(command)
    elif name in ("kubectl", "oc", "docker", "podman", "nerdctl", "crictl"):
        yield from _exec(name, arguments)
    elif (name == "eval" and len(arguments) == 1) or (
        name == "trap" and arguments and " " in (arguments[0].literal or "")
    ):
        yield Inner(name, program=arguments[0])
    elif name in WRAPPERS:
        words = _after_options(arguments, WRAPPERS[name])
        if words:
            yield Inner(name, words)


def _after_options(words: tuple[Word, ...], wrapper: _Wrapper) -> tuple[Word, ...]:
    index = 0
    skip = wrapper.skip
    while index < len(words):
        text = words[index].text
        if text == "--":
            index += 1
            return words[index + skip :] if skip else words[index:]
        if text in wrapper.valued:
            index += 2
        elif (text.startswith("-") and len(text) > 1) or (wrapper.assignments and re.match(r"[A-Za-z_]\w*=", text)):
            index += 1
        elif skip:
            skip -= 1
            index += 1
        else:
            return words[index:]
    return ()


def _shell(command: Command) -> Iterator[Inner]:
    flags: list[str] = []
    words = command.arguments
    index = 0
    while index < len(words):
        text = words[index].literal
        if text is None or not re.fullmatch(r"[-+][A-Za-z]+|--\w+", text):
            break
        flags.append(text)
        index += 1
        if not text.startswith("--") and "o" in text[1:] and index < len(words):
            flags.append(words[index].text)
            index += 1
        if not text.startswith("--") and "c" in text[1:] and index < len(words):
            yield Inner(command.name, program=words[index], flags=tuple(flags))
            return
    if index == len(words) or "-s" in flags:
        for redirect in command.redirects:
            if redirect.operator in _HEREDOC and redirect.target is not None:
                yield Inner(command.name, program=redirect.target, flags=tuple(flags))


def _su(words: tuple[Word, ...]) -> Iterator[Inner]:
    for index, word in enumerate(words[:-1]):
        if word.literal in ("-c", "--command", "-lc"):
            yield Inner("su", program=words[index + 1])


def _find(words: tuple[Word, ...]) -> Iterator[Inner]:
    index = 0
    while index < len(words):
        if words[index].literal in ("-exec", "-execdir", "-ok"):
            end = index + 1
            while end < len(words) and words[end].literal not in (";", "+"):
                end += 1
            if end > index + 1:
                yield Inner("find", words[index + 1 : end])
            index = end
        index += 1


def _ssh(command: Command) -> Iterator[Inner]:
    words = command.arguments
    index = 0
    while index < len(words) and words[index].text.startswith("-"):
        index += 2 if words[index].text in _SSH_VALUED else 1
    rest = words[index + 1 :]
    if rest:
        yield Inner("ssh", program=_spaced(rest), remote=True)
    if rest and (rest[0].literal or "").rsplit("/", 1)[-1] not in SHELLS:
        return
    for redirect in command.redirects:
        if redirect.operator in _HEREDOC and redirect.target is not None:
            yield Inner("ssh", program=redirect.target, remote=True)


def _spaced(words: tuple[Word, ...]) -> Word:
    """Words joined by blanks, as ``ssh`` hands them on."""
    parts: list[Part] = []
    for word in words:
        if parts:
            parts.append(Part("literal", " ", word.start, word.start, positions=(word.start,)))
        parts.extend(word.parts)
    return Word(tuple(parts), words[0].start, words[-1].end)


def _exec(name: str, words: tuple[Word, ...]) -> Iterator[Inner]:
    """``kubectl exec POD -- command`` and ``docker exec CONTAINER command``."""
    texts = [word.text for word in words]
    if "exec" not in texts:
        return
    if "--" in texts:
        rest = words[texts.index("--") + 1 :]
    elif name in ("kubectl", "oc"):
        return
    else:
        valued = _options("-e --env -u --user -w --workdir --env-file --detach-keys")
        rest = _after_options(words[texts.index("exec") + 1 :], _Wrapper(valued, skip=1))
    if rest:
        yield Inner(name, rest, remote=True)
