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
    takes = frozenset(valued)
    joined = frozenset(attached)
    options: dict[str, list[Word | None]] = {}
    plain: list[Word] = []
    order: list[str] = []
    unclear = False
    index = 0

    def note(name: str, value: Word | None) -> None:
        options.setdefault(name, []).append(value)
        order.append(name)

    while index < len(words):
        word = words[index]
        index += 1
        known = word.prefix
        if known == "--" and word.literal == "--":
            plain.extend(words[index:])
            break
        if known.startswith("--"):
            name, equals, _ = known.partition("=")
            if equals:
                note(name, word.drop(len(name) + 1))
            elif name in takes and index < len(words):
                note(name, words[index])
                index += 1
            else:
                note(name, None)
        elif (known.startswith("-") and len(known) > 1) or (known == "-" and word.literal is None):
            letters = known[1:]
            if known in takes and word.literal is not None and index < len(words):
                # Single-dash long options (``-mtime``) and single letters alike.
                note(known, words[index])
                index += 1
                continue
            for position, letter in enumerate(letters):
                name = f"-{letter}"
                rest = word.drop(position + 2)
                if name in takes:
                    if rest.parts:
                        note(name, rest)
                    elif index < len(words):
                        note(name, words[index])
                        index += 1
                    break
                if name in joined:
                    note(name, rest if rest.parts else None)
                    break
                note(name, None)
        else:
            first = word.parts[0] if word.parts else None
            unclear = unclear or (first is not None and first.kind not in ("literal", "glob") and not first.quoted)
            unclear = unclear or (first is not None and first.kind == "variable" and first.text in ("@", "*"))
            plain.append(word)
    return Arguments({name: tuple(values) for name, values in options.items()}, tuple(plain), unclear, tuple(order))
