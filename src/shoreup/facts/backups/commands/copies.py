"""Commands that copy data away: dumps of an engine, and copies of files.

A dump names its server; a copy of files names paths. Whether a copy of files is a backup at all is not decided here:
``cp`` is also how an init container lays out its configuration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from shoreup.facts.backups.commands.consistency import RULES
from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS, DumpTool
from shoreup.facts.backups.commands.file_tools import FILE_READERS, FILE_TOOLS, REPOSITORIES, uploading
from shoreup.facts.backups.commands.outputs import (
    Expand,
    Target,
    joined,
    output_target,
    varies,
    working_folder,
)
from shoreup.facts.backups.commands.uploads import upload
from shoreup.facts.programs.arguments import Arguments, read_arguments
from shoreup.formats.shell import Command, Program, Word

_URL_HOST = re.compile(r"^[a-z][a-z0-9+]*://(?:[^@/]*@)?(?P<host>\[[^]]*\]|[^:/?,]*)")
_CONNECTION_HOST = re.compile(r"(?:^|\s)host=(\S+)")


class Copy(Struct, frozen=True):
    """One command that copies data away.

    ``products`` are the engines that it speaks to, empty for files. ``host`` is the server as written (``None``: its
    own machine or an environment variable of ``host_variables``). ``sources`` are paths that it reads. ``path`` is
    what it writes to, expanded; ``remote`` is where else it sends the copy. ``new_file`` is whether each run makes a
    new one. ``repository`` says that the tool keeps every run in its own store. ``consistent`` and ``note`` are about
    the command's words alone. ``lost`` says that the output goes into another engine: no backup but a transfer.
    ``outside`` says that the command runs elsewhere (``kubectl exec``) and the machine that started it writes the
    file.
    """

    command: Command
    tool: str
    products: tuple[str, ...] = ()
    host: Word | None = None
    host_variables: tuple[str, ...] = ()
    databases: tuple[Word, ...] = ()
    sources: tuple[Word, ...] = ()
    path: Word | None = None
    remote: str = ""
    new_file: bool | None = None
    repository: bool = False
    consistent: bool | None = None
    note: str = ""
    lost: bool = False
    outside: bool = False


def copies(program: Program, environment: Mapping[str, str]) -> Iterator[Copy]:
    """Every command of the program that copies data away, those that only carry on another's file left out."""
    found: list[Copy] = []
    for command in program.commands:
        if not program.runs(command):
            continue
        fed = [earlier for earlier in found if command in program.downstream(earlier.command)]
        if fed:
            if upload(command):
                found = [_sent(program, item, command, environment) if item in fed else item for item in found]
            continue
        copy = _read(program, command, environment)
        if copy is not None and copy.tool == "mv" and not any(_carries(earlier, copy) for earlier in found):
            continue
        if copy is not None and not any(_carries(earlier, copy) for earlier in found):
            found.append(copy)
        elif copy is not None:
            rest = tuple(word for word in copy.sources if not any(_takes(word, earlier) for earlier in found))
            found = [_carried(earlier, copy) if _carries(earlier, copy) else earlier for earlier in found]
            if rest and (copy.remote or copy.repository):
                found.append(replace(copy, sources=rest))
    yield from found


def _read(program: Program, command: Command, environment: Mapping[str, str]) -> Copy | None:
    def expand(word: Word) -> Word:
        return program.expand(word, environment)

    copy = _dump(program, command, expand) or _sqlite(program, command, expand) or _files(program, command, expand)
    if copy is None:
        return None
    folder = working_folder(program, command, expand)
    path = joined(folder, copy.path) if copy.path is not None else None
    sources = tuple(joined(folder, word) for word in copy.sources)
    new_file = copy.new_file
    if path is not None and path is not copy.path and new_file is False:
        new_file = varies(program, path)
    return replace(copy, path=path, sources=sources, new_file=new_file)


# Engines


def _dump(program: Program, command: Command, expand: Expand) -> Copy | None:
    tool = DUMP_TOOLS.get(command.name)
    if tool is None:
        return None
    arguments = read_arguments(command.arguments, tool.takes_values, tool.attached)
    if any(arguments.has(option) for option in ("--version", "-V", "--help", "-?")):
        return None
    plain = arguments.plain
    if tool.actions:
        spoken = " ".join(word.text for word in plain)
        action = next((item for item in tool.actions if spoken.startswith(item)), None)
        if action is None:
            return None
        plain = plain[len(action.split()) :]
    if tool.requires and not arguments.has(*tool.requires):
        return _saving(command, arguments, tool, expand)
    consistent, note = tool.snapshot, ""
    if tool.reader:
        consistent, note = RULES[tool.reader](arguments)
    target = _dump_target(program, command, tool, arguments, plain, expand)
    host = arguments.value(*tool.host)
    databases = tuple(value for name in tool.database for value in arguments.options.get(name, ()) if value is not None)
    if tool.plain_database and plain:
        databases = (*databases, *(plain[:1] if tool.plain_first and not arguments.has("-B", "--databases") else plain))
    if host is None:
        host = _host_in(arguments, tool, databases)
    return Copy(
        command=command,
        tool=command.name,
        products=tool.products,
        host=expand(host) if host is not None else None,
        host_variables=tool.environment,
        databases=databases,
        sources=(),
        path=target.path if target else None,
        remote=target.remote if target else "",
        new_file=_new_file(program, target),
        repository=False,
        consistent=consistent,
        note=note,
        lost=target.lost if target else False,
        outside=target.outside if target else False,
    )


def _host_in(arguments: Arguments, tool: DumpTool, databases: tuple[Word, ...]) -> Word | None:
    """The server in a connection string; the whole string when its parts are not plain."""
    for word in (arguments.value(*tool.uri), *databases):
        if word is not None and ("://" in word.text or "host=" in word.text):
            return word
    return None


def host_of(text: str) -> str:
    """The host's name in what a command was given: a name, a name with a port, a URL, a connection string."""
    match = _URL_HOST.match(text) or None
    if match:
        return match.group("host")
    match = _CONNECTION_HOST.search(text)
    if match:
        return match.group(1)
    return text.split(",")[0].rpartition("/")[2].partition(":")[0]


def _saving(command: Command, arguments: Arguments, tool: DumpTool, expand: Expand) -> Copy | None:
    """``redis-cli BGSAVE``: the server writes its own file."""
    if not any(word.text.upper() in ("BGSAVE", "SAVE") for word in arguments.plain):
        return None
    host = arguments.value(*tool.host)
    return Copy(command, command.name, tool.products, expand(host) if host else None, new_file=False, consistent=True)


def _dump_target(
    program: Program, command: Command, tool: DumpTool, arguments: Arguments, plain: tuple[Word, ...], expand: Expand
) -> Target | None:
    file = arguments.value(*tool.file)
    if file is not None and file.literal != "-":
        return Target(expand(file))
    if tool.plain_file and plain:
        return Target(expand(plain[-1]))
    if tool.standard_output or arguments.has(*tool.stream) or (file is not None and file.literal == "-"):
        return output_target(program, command, expand)
    return None


def _new_file(program: Program, target: Target | None) -> bool | None:
    if target is None:
        return None
    if target.path is not None:
        return varies(program, target.path, target.append)
    return None if target.remote else False


def _sqlite(program: Program, command: Command, expand: Expand) -> Copy | None:
    if command.name not in ("sqlite3", "sqlite"):
        return None
    plain = [word for word in command.arguments if not word.prefix.startswith("-")]
    spoken = [
        *plain[1:],
        *(item.target for item in command.redirects if item.operator.startswith("<<") and item.target),
    ]
    for word in spoken:
        match = re.search(r"\.backup\s+(?:main\s+)?['\"]?|vacuum\s+into\s+['\"]?|\.clone\s+", word.text, re.IGNORECASE)
        if match:
            target = expand(_until_quote(word, match.end()))
            return Copy(
                command,
                "sqlite3",
                ("sqlite",),
                sources=(expand(plain[0]),),
                path=target,
                new_file=varies(program, target),
                consistent=True,
            )
        if re.match(r"\s*\.dump\b", word.text):
            found = output_target(program, command, expand)
            return Copy(
                command,
                "sqlite3",
                ("sqlite",),
                sources=(expand(plain[0]),),
                path=found.path if found else None,
                remote=found.remote if found else "",
                new_file=_new_file(program, found),
                consistent=True,
            )
    return None


def _until_quote(word: Word, start: int) -> Word:
    rest = word.drop(start)
    parts = []
    for part in rest.parts:
        if part.kind == "literal":
            cut = re.split(r"['\";\n]", part.text, maxsplit=1)
            parts.append(
                replace(part, text=cut[0], positions=part.positions[: len(cut[0])] if part.positions else None)
            )
            if len(cut) > 1:
                break
        else:
            parts.append(part)
    return Word(tuple(parts), rest.start, rest.end)


# Files


def _files(program: Program, command: Command, expand: Expand) -> Copy | None:
    name = command.name
    if name not in FILE_TOOLS:
        return None
    read = FILE_READERS.get(name, uploading)
    found = read(command)
    if found is None:
        return None
    sources, target = found
    remote = upload(command)
    if remote:
        target = None
    kept: Target | None = Target(expand(target)) if target is not None else None
    if target is None and not remote:
        kept = output_target(program, command, expand)
        if kept is None or kept.lost:
            return None
    path = kept.path if kept is not None else None
    repository = name in REPOSITORIES
    new_file: bool | None = True if repository else None
    if not repository and path is not None:
        new_file = varies(program, path)
    elif not repository and remote:
        new_file = _remote_varies(program, command, expand)
    return Copy(
        command,
        name,
        sources=tuple(expand(word) for word in sources),
        path=path,
        remote=remote or (kept.remote if kept is not None else ""),
        new_file=new_file,
        repository=repository,
        outside=kept is not None and kept.outside,
    )


def _remote_varies(program: Program, command: Command, expand: Expand) -> bool | None:
    return varies(program, expand(command.words[-1]))


# Carrying on


def _carries(earlier: Copy, later: Copy) -> bool:
    """Whether the later command only takes on what the earlier one wrote."""
    if earlier.path is None or not later.sources or later.command.index == earlier.command.index:
        return False
    written = earlier.path.text
    return any(_covers(source.text, written) for source in later.sources)


def _takes(source: Word, earlier: Copy) -> bool:
    return earlier.path is not None and _covers(source.text, earlier.path.text)


def _covers(source: str, written: str) -> bool:
    source = source.rstrip("/").removesuffix("/.").removesuffix("/*")
    stem = re.sub(r"\.(gz|zst|xz|bz2|gpg|age|enc|zip)$", "", source)
    return bool(source) and (source == written or stem == written or written.startswith(f"{source}/"))


def _sent(program: Program, copy: Copy, command: Command, environment: Mapping[str, str]) -> Copy:
    """The copy, fed into a command that stores it elsewhere."""
    named = varies(program, program.expand(command.words[-1], environment))
    return replace(
        copy, remote=copy.remote or upload(command), new_file=named if copy.new_file is None else copy.new_file
    )


def _carried(earlier: Copy, later: Copy) -> Copy:
    if later.remote:
        return replace(earlier, remote=later.remote)
    moved = later.path if later.path is not None and later.path.text else earlier.path
    return replace(earlier, path=moved, new_file=earlier.new_file or later.new_file)
