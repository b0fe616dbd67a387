"""Credentials that a command line shows: to everyone who may list processes or read the manifest.

A credential is taken for one by the option that carries it, by the name of the variable that holds it, or by its
place in a URL. Prefix assignments (``PGPASSWORD=$X pg_dump``), ``export`` and what the shell does itself (``echo``,
``test``) are in no process list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from shoreup.facts.estate import Container, Estate, Script, Workload
from shoreup.facts.fields import items, mapping, text
from shoreup.facts.programs.scripts import argument_script, place_in, program
from shoreup.formats.shell import Command, Part, Program, Word
from shoreup.model.finding import Place
from shoreup.model.value import Unknown

BUILTINS = frozenset(
    {
        "echo",
        "printf",
        "test",
        "[",
        "read",
        "set",
        "unset",
        "cd",
        ":",
        "true",
        "false",
        "exit",
        "return",
        "shift",
        "trap",
        "export",
        "local",
        "declare",
        "readonly",
        "eval",
        "wait",
        "exec",
        "command",
        "builtin",
        "alias",
        "type",
        "let",
    }
)

_MYSQL = ("mysql", "mysqldump", "mysqladmin", "mysqlcheck", "mysqlimport", "mysqlshow", "mysqlpump", "mariadb")
_MARIADB = (
    "mariadb-dump",
    "mariadb-admin",
    "mariadb-check",
    "mariadb-import",
    "mariadb-backup",
    "mariabackup",
    "xtrabackup",
)
_JOINED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys((*_MYSQL, *_MARIADB), ("-p",)),
    "7z": ("-p",),
    "7za": ("-p",),
}
"""Short options with the credential joined on (``-psecret``)."""
_FOLLOWED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("redis-cli", "valkey-cli", "keydb-cli"), ("-a", "--pass")),
    **dict.fromkeys(("redis-server", "valkey-server", "keydb-server"), ("--requirepass", "--masterauth")),
    **dict.fromkeys(("mongodump", "mongorestore", "mongosh", "mongo", "mongoexport", "mongoimport"), ("-p",)),
    **dict.fromkeys(("ldapsearch", "ldapadd", "ldapmodify", "ldapdelete", "ldapwhoami"), ("-w",)),
    "sshpass": ("-p",),
    "zip": ("-P",),
    "sqlcmd": ("-P",),
    "influx": ("-t",),
}
"""Options with the credential in the next word, for each tool beside the long options that all share."""
HIDES_ARGUMENTS = frozenset({"redis-server", "valkey-server", "keydb-server"})
"""Programs that write a title over their arguments once they run (``proc-title-template`` in redis.conf)."""
_USER_AND_PASSWORD: Mapping[str, tuple[str, ...]] = {
    "curl": ("-u", "--user", "--proxy-user", "-U"),
    "etcdctl": ("--user",),
    "smbclient": ("-U", "--user"),
    "lftp": ("-u",),
}
"""Options whose value is a name and a credential, with a separator between them."""

_LONG_OPTION = re.compile(
    r"^--?(?:[a-z0-9]+[-_.])*(?:password|passwd|passphrase|requirepass|masterauth|token|api[-_]?key|auth[-_]?key|"
    r"secret[-_]?key|(?:api|client|app)[-_]?secret|secret[-_]?access[-_]?key|access[-_]?token|pass)(?==|$)",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"pass(?:word|wd|phrase|wort)?(?:_?\d+)?$|(?:^|_)p(?:wd|w|ass)$|pgpassword|secret(?:_?key|_?access_?key)?$|token$|"
    r"(?:api|auth|access|private|encryption|secret|signing|ssh|master)_?key$|credentials?$|_pass_|_password_",
    re.IGNORECASE,
)
_CONNECTION = re.compile(r"(?:^|_)(?:url|uri|dsn|connection_?string)$", re.IGNORECASE)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:(?P<held>[^\s/@'\"]*)@", re.IGNORECASE)
_HEADER = re.compile(r"^(?:authorization|(?:x-)?[a-z-]*(?:token|api-?key|auth))\s*:\s*", re.IGNORECASE)
_NO_CREDENTIAL = re.compile(
    r"^(?:|true|false|yes|no|/.*|\./.*|file:.*|env:.*|@.*|\$\(.*|\$\{?\w*\}?|-|<.*>|\*+|\?)$", re.IGNORECASE
)
_OBJECT = re.compile(r"^secrets?(?:/.*)?$")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")


class ExposedCredential(Struct, frozen=True, eq=False):
    """A credential on a command line.

    ``option`` is what it stands under (``-p``, ``--password``, ``a URL``, ``a header``, or empty for a plain word).
    ``variable`` is the variable that holds it, empty for text that stands there itself (``length`` characters) or is
    decided elsewhere (``length`` is 0). ``declared`` is where the container's environment gets the variable.
    ``certain`` is false for a connection string from a Secret, which need not hold a credential but as a rule does.
    """

    workload: Workload
    container: Container
    place: Place
    tool: str
    option: str
    variable: str
    length: int
    declared: Place | None
    certain: bool = True


def exposed_credentials(estate: Estate) -> Iterator[ExposedCredential]:
    """Every credential that a command of the estate shows, each place once."""
    seen: set[tuple[int, object, object]] = set()
    for script in all_scripts(estate):
        for found in _in_script(script):
            key = (found.place.resource, found.place.route, found.place.chars)
            if key not in seen:
                seen.add(key)
                yield found


def secrets_called(read: Program) -> frozenset[str]:
    """Variables by which a program means a Secret as a whole: they hold its name, not what is in it."""
    found: set[str] = set()
    for command in read.commands:
        if command.name in ("kubectl", "oc") and any(_OBJECT.match(word.text) for word in command.words):
            for word in command.words:
                if len(word.parts) == 1 and word.parts[0].kind == "variable":
                    found.add(word.parts[0].text)
                elif word.text.startswith(("secret/", "secrets/")):
                    found.update(word.variables)
    return frozenset(found)


def undecided_commands(estate: Estate) -> Iterator[tuple[Workload, Container, str, Unknown]]:
    """Containers whose command or arguments as a whole are decided elsewhere, with the field and the reason."""
    for workload in estate.workloads:
        for container in workload.containers:
            for field in ("command", "args"):
                held = container.body.get(field)
                if isinstance(held, Unknown):
                    yield workload, container, field, held


def all_scripts(estate: Estate) -> Iterator[Script]:
    """Every program that a container starts, those of its probes and hooks too."""
    yield from estate.scripts
    for workload in estate.workloads:
        for container in workload.containers:
            for probe in _PROBES:
                if items(mapping(mapping(container.body.get(probe)).get("exec")).get("command")):
                    yield from argument_script(workload, container, (probe, "exec", "command"))
            for hook in ("postStart", "preStop"):
                handler = mapping(mapping(container.body.get("lifecycle")).get(hook))
                if items(mapping(handler.get("exec")).get("command")):
                    yield from argument_script(workload, container, ("lifecycle", hook, "exec", "command"))


def _in_script(script: Script) -> Iterator[ExposedCredential]:
    if script.workload is None or script.container is None or not _may_hold(script):
        return
    read = program(script)
    told: set[tuple[int, int]] = set()
    called = secrets_called(read)
    names = _names_of(script.container)
    for command in read.commands:
        if command.name in BUILTINS or not command.words:
            continue
        for option, held, word in held_words(command):
            if (word.start, word.end) in told or (not option and called and called.issuperset(word.variables or ("",))):
                continue
            if not option and held.literal is not None:
                continue  # a plain word is no credential that anybody could tell
            expanded = read.expand(held)
            found = _credential(option, expanded, names)
            certain = found is not None
            if found is None:
                found = _connection(option, expanded, script.container)
            if found is None:
                continue
            told.add((word.start, word.end))
            variable, length = found
            yield ExposedCredential(
                workload=script.workload,
                container=script.container,
                place=place_in(script, word.start, word.end),
                tool=command.name if not command.name.startswith("-") else "",
                option=option,
                variable=variable,
                length=length,
                declared=_declared(script.workload, script.container, variable),
                certain=certain,
            )


def _may_hold(script: Script) -> bool:
    """A cheap look before the program is parsed."""
    return (
        bool(script.gaps)
        or re.search(
            r"pass|token|secret|key|auth|pwd|_pw|_ur[li]|dsn|://|\s-(?:p|a|u|w|P|U|t)", script.text, re.IGNORECASE
        )
        is not None
    )


def held_words(command: Command) -> Iterator[tuple[str, Word, Word]]:
    """What the words of a command may hold: the option, the value, and the word that is shown."""
    words = command.words if command.name.startswith("-") or not command.name else command.arguments
    joined = _JOINED.get(command.name, ())
    followed = _FOLLOWED.get(command.name, ())
    pairs = _USER_AND_PASSWORD.get(command.name, ())
    previous = ""
    for word in words:
        known = word.prefix
        option = known.partition("=")[0]
        long = _LONG_OPTION.match(known)
        if previous in pairs:
            yield previous, _after_separator(word), word
        elif previous and (previous in followed or _LONG_OPTION.match(previous)) and not known.startswith("-"):
            yield previous, word, word
        elif long and "=" in known:
            yield option, word.drop(len(option) + 1), word
        elif option in pairs and "=" in known:
            yield option, _after_separator(word.drop(len(option) + 1)), word
        elif known.startswith(joined) and known != "--password" and not known.startswith("--"):
            item = next(item for item in joined if known.startswith(item))
            yield item, word.drop(len(item)), word
        elif previous in ("-H", "--header") and (header := _HEADER.match(word.text)):
            yield "a header", word.drop(header.end()), word
        elif (held := _in_url(word)) is not None:
            yield "a URL", held, word
        elif command.name not in ("sh", "bash", "ash", "dash", "ssh", "su", "find", "xargs"):
            yield "", word, word
        previous = known if word.literal is not None and known.startswith("-") and "=" not in known else ""


def _after_separator(word: Word) -> Word:
    for separator in (":", "%", ","):
        position = word.text.find(separator)
        if position >= 0:
            return _from(word, position + 1)
    return Word((), word.end, word.end)


def _in_url(word: Word) -> Word | None:
    written = word.text
    match = _URL.search(written) if "://" in written else None
    if match is None or not match.group("held"):
        return None
    rest = _from(word, match.start("held"))
    length = len(match.group("held"))
    parts: list[Part] = []
    for part in rest.parts:
        size = len(part.text) if part.kind in ("literal", "glob") else 1
        if length <= 0:
            break
        if part.kind in ("literal", "glob") and size > length:
            parts.append(Part("literal", part.text[:length], part.start, part.start + length, part.quoted))
        else:
            parts.append(part)
        length -= size
    return Word(tuple(parts), rest.start, rest.end)


def _from(word: Word, position: int) -> Word:
    """The word from a position of its :attr:`Word.text` on, in which every undecided part is one character."""
    parts: list[Part] = []
    for part in word.parts:
        size = len(part.text) if part.kind in ("literal", "glob") else 1
        if position >= size:
            position -= size
            continue
        parts.append(part if position == 0 else Part(part.kind, part.text[position:], part.start + position, part.end))
        position = 0
    return Word(tuple(parts), parts[0].start if parts else word.end, word.end)


def _credential(option: str, word: Word, names: frozenset[str]) -> tuple[str, int] | None:
    """The variable that holds the credential, or the length of a literal one; ``None`` when it is none."""
    variables = [part for part in word.parts if part.kind == "variable" and not part.operator.startswith("#")]
    telling = next((part.text for part in variables if _NAME.search(part.text) and part.operator != ":+"), None)
    if telling is not None:
        return telling, 0
    if not option:
        return None
    if variables:
        # Under an option for credentials any variable from outside is one.
        return (variables[0].text, 0) if option != "a header" or variables[0].text in names else None
    if any(part.kind == "unknown" for part in word.parts):
        return "", 0
    literal = word.literal
    if literal is None:
        return ("", 0) if any(part.kind == "substitution" for part in word.parts) and option != "a header" else None
    if option == "a header":
        literal = literal.removeprefix("Bearer ").removeprefix("Basic ").strip()
        return ("", len(literal)) if len(literal) >= 16 and not _NO_CREDENTIAL.match(literal) else None
    return None if _NO_CREDENTIAL.match(literal) else ("", len(literal))


def _connection(option: str, word: Word, container: Container) -> tuple[str, int] | None:
    """A variable that holds a whole connection string from a Secret."""
    for part in word.parts:
        if part.kind == "variable" and not part.operator and _CONNECTION.search(part.text):
            for item in map(mapping, items(container.body.get("env"))):
                source = mapping(item.get("valueFrom"))
                if text(item.get("name")) == part.text and source.get("secretKeyRef") is not None and not option:
                    return part.text, 0
    return None


def _names_of(container: Container) -> frozenset[str]:
    return frozenset(text(mapping(item).get("name")) for item in items(container.body.get("env")))


def _declared(workload: Workload, container: Container, variable: str) -> Place | None:
    for index, item in enumerate(items(container.body.get("env"))):
        if variable and text(mapping(item).get("name")) == variable:
            return Place(workload.resource.key, (*container.route, "env", index), container=container.name)
    return None
