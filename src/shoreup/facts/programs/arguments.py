"""The words of a command, told apart into options with their values and plain arguments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from shoreup.formats.shell import Word


class Arguments(Struct, frozen=True):
    """``options`` maps an option as written (``-h``, ``--host``) to its values in order, ``None`` for none.

    ``unclear`` says that some words may hold options which only the run decides (``$OPTIONS``, ``"$@"``).
    """

    options: Mapping[str, tuple[Word | None, ...]]
    plain: tuple[Word, ...]
    unclear: bool
    order: tuple[str, ...] = ()
    """The options in the order in which they stand."""

    def value(self, *names: str) -> Word | None:
        """The last value given to any of these options."""
        found: Word | None = None
        for name in names:
            for value in self.options.get(name, ()):
                found = value if value is not None else found
        return found

    def has(self, *names: str) -> bool:
        """Whether any of these options stands there."""
        return any(name in self.options for name in names)


def read_arguments(words: Sequence[Word], valued: Iterable[str], attached: Iterable[str] = ()) -> Arguments:
    """Read words as GNU tools do. ``valued`` options take a value; ``attached`` ones only when it is joined on."""
    return _Reader(words, frozenset(valued), frozenset(attached)).read()


class _Reader:
    """Takes one word after the other; an option with a value takes the next one too."""

    def __init__(self, words: Sequence[Word], valued: frozenset[str], attached: frozenset[str]) -> None:
        self._words, self._valued, self._attached = words, valued, attached
        self._next = 0
        self._options: dict[str, list[Word | None]] = {}
        self._order: list[str] = []
        self._plain: list[Word] = []
        self._unclear = False

    def read(self) -> Arguments:
        while self._next < len(self._words):
            word = self._words[self._next]
            self._next += 1
            known = word.prefix
            if known == "--" and word.literal == "--":
                self._plain.extend(self._words[self._next :])
                break
            if known.startswith("--"):
                self._long(word)
            elif known.startswith("-") and (len(known) > 1 or word.literal is None):
                self._short(word)
            else:
                self._unclear = self._unclear or _may_hold_options(word)
                self._plain.append(word)
        options = {name: tuple(values) for name, values in self._options.items()}
        return Arguments(options, tuple(self._plain), self._unclear, tuple(self._order))

    def _note(self, name: str, value: Word | None) -> None:
        self._options.setdefault(name, []).append(value)
        self._order.append(name)

    def _follows(self) -> bool:
        return self._next < len(self._words)

    def _note_with_next(self, name: str) -> None:
        self._note(name, self._words[self._next])
        self._next += 1

    def _long(self, word: Word) -> None:
        name, equals, _ = word.prefix.partition("=")
        if equals:
            self._note(name, word.drop(len(name) + 1))
        elif name in self._valued and self._follows():
            self._note_with_next(name)
        else:
            self._note(name, None)

    def _short(self, word: Word) -> None:
        known = word.prefix
        if known in self._valued and word.literal is not None and self._follows():
            # Single-dash long options (``-mtime``) and single letters alike.
            self._note_with_next(known)
            return
        for position, letter in enumerate(known[1:], 1):
            name = f"-{letter}"
            rest = word.drop(position + 1)
            if name in self._valued:
                if rest.parts:
                    self._note(name, rest)
                elif self._follows():
                    self._note_with_next(name)
                return
            if name in self._attached:
                self._note(name, rest if rest.parts else None)
                return
            self._note(name, None)


def _may_hold_options(word: Word) -> bool:
    """Whether a word that stands plain may be options once the shell has put something in for it."""
    first = word.parts[0] if word.parts else None
    if first is None:
        return False
    split = first.kind not in ("literal", "glob") and not first.quoted
    return split or (first.kind == "variable" and first.text in ("@", "*"))
