"""What a shell program is made of, for those who ask what it does.

All offsets are characters of the text that was given to :func:`shoreup.formats.shell.parse`, 0-based, ends exclusive.
They stay in that text for programs inside programs (``bash -c "..."``), so that every word can be pointed at.
Nothing here leads in a circle, so the garbage collector need not know it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import force_setattr, replace

EXPANSION_DEPTH = 8
"""Variables made of variables made of ...; more than this is a cycle or a riddle."""

_GLOB = re.compile(r"[*?\[{]")
_DEFAULT = re.compile(r"^:?[-=](.*)$", re.DOTALL)


class Part(Struct, frozen=True, gc=False):
    """A piece of a word.

    ``kind`` is ``literal`` (``text`` is what the shell sees, quotes and escapes removed), ``variable`` (``text`` is the
    name, ``operator`` what stands after it in ``${name...}``), ``substitution`` (``$(...)``; ``commands`` are
    the indices of its commands), ``process`` (``<(...)``), ``arithmetic``, ``glob`` (unquoted ``*``, ``?``, ``[``
    or ``{``; ``text`` is the pattern) or ``unknown`` (the estate does not decide this part). ``positions`` gives the
    place of each character of ``text`` where it is not simply ``start + i``; it is empty where the text
    stands elsewhere.
    """

    kind: str
    text: str
    start: int
    end: int
    quoted: bool = False
    operator: str = ""
    commands: tuple[int, ...] = ()
    positions: tuple[int, ...] | None = None

    @property
    def default(self) -> str | None:
        """What ``${name:-default}`` gives when the variable is not set; ``None`` where there is no such default."""
        match = _DEFAULT.match(self.operator)
        return match.group(1).strip("\"'") if match and "$" not in match.group(1) else None


class Word(Struct, frozen=True, gc=False):
    """One word as the command would see it, before expansion."""

    parts: tuple[Part, ...]
    start: int
    end: int
    literal: str | None = None
    """Worked out, never given: the word's text when nothing in it is left to the run; else ``None``."""

    def __post_init__(self) -> None:
        parts = self.parts
        if len(parts) == 1:
            literal = parts[0].text if parts[0].kind == "literal" else None
        else:
            known = all(part.kind == "literal" for part in parts)
            literal = "".join([part.text for part in parts]) if known else None
        force_setattr(self, "literal", literal)

    @property
    def text(self) -> str:
        """The word with ``*`` for each part that only the run decides; globs as they are written."""
        if self.literal is not None:
            return self.literal
        return "".join([part.text if part.kind in ("literal", "glob") else "*" for part in self.parts])

    @property
    def prefix(self) -> str:
        """The literal text before the first part that only the run decides."""
        if self.literal is not None:
            return self.literal
        known = ""
        for part in self.parts:
            if part.kind == "glob":
                return known + _GLOB.split(part.text)[0]
            if part.kind != "literal":
                break
            known += part.text
        return known

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables in the word itself (not in its substitutions)."""
        return tuple(part.text for part in self.parts if part.kind == "variable")

    def drop(self, count: int) -> Word:
        """The word without its first ``count`` literal characters (``--password=x`` without the option)."""
        parts: list[Part] = []
        start = self.end
        for part in self.parts:
            if count and part.kind in ("literal", "glob"):
                taken = min(count, len(part.text))
                count -= taken
                if taken == len(part.text):
                    continue
                if part.positions is None:
                    part = replace(part, text=part.text[taken:], start=part.start + taken)
                else:
                    places = part.positions[taken:]
                    at = places[0] if places else part.start
                    part = replace(part, text=part.text[taken:], start=at, positions=places)
            parts.append(part)
        if parts:
            start = parts[0].start
        return Word(tuple(parts), start, self.end)


class Redirect(Struct, frozen=True, gc=False):
    """``> file``, ``2>&1``, ``<<EOF``. ``operator`` as written; ``descriptor`` is ``None`` for the default one.

    For a heredoc and a here-string ``target`` is the text that is fed in.
    """

    operator: str
    descriptor: int | None
    target: Word | None

    @property
    def writes(self) -> bool:
        """Whether standard output goes to a file by this."""
        return self.operator in (">", ">>", ">|", "&>", "&>>") and self.descriptor in (None, 1)


class Assignment(Struct, frozen=True, gc=False):
    """``name=value``. ``value`` is ``None`` for arrays and ``+=``; ``command`` is the one it stands before, or -1."""

    name: str
    value: Word | None
    start: int
    end: int
    exported: bool = False
    command: int = -1
    function: str = ""


class Frame(Struct, frozen=True, gc=False):
    """One thing that a command stands in, such as a loop, a pipeline's stage or ``sh -c``.

    ``kind`` is ``pipeline`` (``stage`` is 0-based), ``for`` (``name`` is the variable, ``words`` what it runs over),
    ``while``, ``if``, ``else``, ``case``, ``condition``, ``and`` and ``or`` (what stands after ``&&`` and ``||``),
    ``tried`` (what stands before them; ``name`` is the operator and ``id`` that of what stands after), ``not``,
    ``subshell``, ``group``, ``function``, ``substitution``, ``process``, ``background``, ``nested`` (a program in a
    word of the command ``parent``), ``wrapped`` (``xargs``, ``find -exec``, ``timeout`` ...: ``name`` is the wrapper)
    or ``remote`` (it runs elsewhere: ``ssh``, ``kubectl exec``). ``id`` is the same for all commands in the same
    thing.
    """

    kind: str
    id: int
    stage: int = 0
    name: str = ""
    words: tuple[Word, ...] = ()
    parent: int = -1


class Options(Struct, frozen=True, gc=False):
    """The shell's options where a command stands."""

    errexit: bool = False
    pipefail: bool = False
    nounset: bool = False
    xtrace: bool = False


class Command(Struct, frozen=True, gc=False):
    """A simple command. ``words`` includes its name; ``context`` runs from the outermost frame to the innermost."""

    index: int
    words: tuple[Word, ...]
    assignments: tuple[Assignment, ...]
    redirects: tuple[Redirect, ...]
    context: tuple[Frame, ...]
    options: Options
    start: int
    end: int
    name: str = ""
    """Worked out, never given: the command's name without its folder; empty when only the run decides it."""

    def __post_init__(self) -> None:
        literal = self.words[0].literal if self.words else None
        force_setattr(self, "name", "" if literal is None else literal.rsplit("/", 1)[-1])

    @property
    def arguments(self) -> tuple[Word, ...]:
        """The words after the name."""
        return self.words[1:]

    def frame(self, *kinds: str) -> Frame | None:
        """The innermost frame of one of these kinds."""
        for frame in reversed(self.context):
            if frame.kind in kinds:
                return frame
        return None


class Program(Struct, frozen=True, eq=False):
    """A whole program: every command in the order in which the shell would meet them.

    ``broken`` are stretches that are not shell; what stands outside of them is whole.
    """

    text: str
    commands: tuple[Command, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    functions: frozenset[str] = frozenset()
    broken: tuple[tuple[int, int], ...] = ()
    loop_variables: frozenset[str] = frozenset()
    """Names that a loop, ``read`` or the like sets."""
    comments: tuple[tuple[int, int], ...] = ()
    _pipelines: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    _named: dict[int, bool] = field(default_factory=dict)
    """Of functions, by their frame, whether anything outside of them names them; found out when it is asked."""
    _by_name: dict[str, list[Assignment]] = field(default_factory=dict)
    """The assignments of each variable; sorted out when one is asked for."""

    def value(self, name: str) -> Word | None:
        """What a variable holds, when the program sets it exactly once; else ``None``."""
        if name in self.loop_variables:
            return None
        only: Assignment | None = None
        for item in self._set(name):
            if item.command < 0:
                if only is not None:
                    return None
                only = item
        return None if only is None else only.value

    def assigns(self, name: str) -> bool:
        """Whether anything in the program sets this variable."""
        return name in self.loop_variables or bool(self._set(name))

    def _set(self, name: str) -> Sequence[Assignment]:
        if not self._by_name:
            for item in self.assignments:
                self._by_name.setdefault(item.name, []).append(item)
        return self._by_name.get(name, ())

    def expand(self, word: Word, environment: Mapping[str, str] | None = None) -> Word:
        """The word with variables replaced by what they hold, where that is certain.

        ``environment`` gives values from outside. Variables with an operator other than a default stay.
        """
        if word.literal is not None or all(part.kind != "variable" for part in word.parts):
            return word
        parts = tuple(part for held in word.parts for part in self._expand(held, environment or {}, ()))
        return Word(parts, word.start, word.end)

    def _expand(self, part: Part, environment: Mapping[str, str], within: tuple[str, ...]) -> Iterator[Part]:
        """``within`` are the variables being expanded: ``X=${X:-7}`` means the ``X`` from outside."""
        if part.kind != "variable" or len(within) > EXPANSION_DEPTH or (part.operator and part.default is None):
            yield part
        elif part.text not in within and (value := self.value(part.text)) is not None:
            for item in value.parts:
                yield from self._expand(item, environment, (*within, part.text))
        elif part.text not in within and self.assigns(part.text):
            yield part
        elif part.text in environment:
            yield Part("literal", environment[part.text], part.start, part.end, part.quoted, positions=())
        elif part.default is not None:
            yield Part("literal", part.default, part.start, part.end, part.quoted, positions=())
        else:
            yield part

    def upstream(self, command: Command) -> tuple[Command, ...]:
        """The commands whose output reaches this one through pipes, nearest pipeline first."""
        return self._along(command, lambda stage, own: stage < own)

    def downstream(self, command: Command) -> tuple[Command, ...]:
        """The commands that this one's output goes to through pipes, in order."""
        return self._along(command, lambda stage, own: stage > own)

    def _along(self, command: Command, wanted: Callable[[int, int], bool]) -> tuple[Command, ...]:
        found: list[Command] = []
        for frame in reversed(command.context):
            if frame.kind in ("substitution", "process"):
                break
            if frame.kind == "pipeline":
                found.extend(
                    self.commands[index] for stage, index in self._pipelines[frame.id] if wanted(stage, frame.stage)
                )
        return tuple(found)

    def runs(self, command: Command) -> bool:
        """Whether the command can run: false inside a function that nothing names."""
        frame = command.frame("function") if self.functions else None
        if frame is None:
            return True
        if frame.id not in self._named:
            self._named[frame.id] = any(
                frame.name in (word.literal or "").split()
                for other in self.commands
                if all(item.id != frame.id for item in other.context)
                for word in other.words
            )
        return self._named[frame.id]
