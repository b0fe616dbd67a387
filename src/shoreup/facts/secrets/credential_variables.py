"""Which variable a program takes its credential from, and how a command of a script would say it that way.

What stands before a command (``NAME="$X" command``) is in its environment alone: no process list shows it. Programs,
options and variables are data with a source and a date (``data/credential_variables.json``).
"""

from __future__ import annotations

from functools import cache

from msgspec import Struct

from shoreup.facts.estate import Estate, Script
from shoreup.facts.knowledge import table
from shoreup.facts.programs.located import substitute
from shoreup.facts.programs.scripts import place_in, program
from shoreup.facts.secrets.on_command_lines import all_scripts, held_words
from shoreup.formats.shell import Command, Program, Word
from shoreup.model.edit import Substitute
from shoreup.model.finding import Place

_NOT_HERE = ("remote", "wrapped", "nested")


class CredentialVariable(Struct, frozen=True):
    """One way to hand over a credential. ``instead`` takes the option's place, where the program wants to be told."""

    tools: frozenset[str]
    options: frozenset[str]
    variable: str
    instead: str
    source: str
    checked: str


class HandOver(Struct, frozen=True):
    """The edits of one command, and the variable that it reads from then on."""

    variable: str
    edits: tuple[Substitute, ...]
    source: str


@cache
def credential_variables() -> tuple[CredentialVariable, ...]:
    """Every program whose variable is known."""
    return table("credential_variables", tuple[CredentialVariable, ...])


def variable_of(tool: str, option: str) -> CredentialVariable | None:
    """The variable that ``tool`` reads in place of ``option``."""
    return next((one for one in credential_variables() if tool in one.tools and option in one.options), None)


def handed_over(estate: Estate, place: Place) -> HandOver | None:
    """How the command at ``place`` would take its credential from its environment; ``None`` where that is not sure."""
    for script in all_scripts(estate):
        if script.place.resource != place.resource:
            continue
        read = program(script)
        for command in read.commands:
            for option, held, word in held_words(command):
                if place_in(script, word.start, word.end) == place:
                    return _handed_over(script, read, command, option, held, word)
    return None


def _handed_over(
    script: Script, read: Program, command: Command, option: str, held: Word, word: Word
) -> HandOver | None:
    known = variable_of(command.name, option)
    if known is None or command.frame(*_NOT_HERE) is not None or not script.place.route:
        return None
    if len(held.parts) != 1 or held.parts[0].kind != "variable":
        return None
    part = held.parts[0]
    written = script.text[part.start : part.end]
    if not written.startswith("$") or written.startswith("$(") or part.operator:
        return None
    if not _alone(script, command):
        return None
    cut = _cut_from_url(script, word, part.start, part.end) if option == "a URL" else _cut(command, option, word)
    if cut is None:
        return None
    start, end = cut
    edits = [substitute(script, start, end, known.instead)]
    if part.text != known.variable or read.assigns(part.text):
        edits.insert(0, substitute(script, command.start, command.start, f'{known.variable}="{written}" '))
    made = tuple(edit for edit in edits if edit is not None)
    return HandOver(known.variable, made, known.source) if len(made) == len(edits) else None


def _alone(script: Script, command: Command) -> bool:
    """Whether the command begins with the program, and nothing that would keep or need its own environment."""
    first = command.words[0]
    begins = min((first.start, *(one.start for one in command.assignments)))
    before = script.text[: command.start].rstrip(" \t")
    # Behind a word of another command it is that one's argument: a wrapper has its own way with assignments.
    return command.start == begins and (not before or before[-1] in "\n;&|({!`" or before.endswith(_KEYWORDS))


_KEYWORDS = ("then", "do", "else", "if", "while", "until", "elif", "time")


def _cut(command: Command, option: str, word: Word) -> tuple[int, int] | None:
    """The option with its credential, and the blank before it."""
    words = command.words
    index = next(number for number, one in enumerate(words) if one is word)
    first = index if words[index].prefix.startswith(option) else index - 1
    if first < 1 or not words[first].prefix.startswith(option):
        return None
    keeps_blank = variable_of(command.name, option)
    start = words[first].start if keeps_blank and keeps_blank.instead else words[first - 1].end
    return start, word.end


def _cut_from_url(script: Script, word: Word, start: int, end: int) -> tuple[int, int] | None:
    text = script.text
    if text[start - 1 : start] != ":" or text[end : end + 1] != "@" or not word.start < start:
        return None
    return start - 1, end
