"""What stands in for the programs that a sandbox does not have: dump tools, clients, calls to the network.

A stand-in does what matters to the job around it: it leaves a file where the tool would, of the run that made it, or
fails as the tool would. What the day is like it reads from a file that the drill writes before each run. A shell's
program gets them as functions too, which costs no new process and also holds in a BusyBox that runs its own commands
without looking for others. A program that runs anything for which nothing stands in is not run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from shlex import quote
from types import MappingProxyType

from msgspec import Struct

from shoreup.engines.sandbox_ground import STATE, TOOLS
from shoreup.engines.userlands import GNU, Userland
from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS, DumpTool
from shoreup.facts.backups.commands.file_tools import REPOSITORIES
from shoreup.facts.programs.job_runs import JobRun
from shoreup.formats.shell import Command

WHOLE = "-- whole copy of run"
"""What the end of a whole copy says, with the number of the run behind it."""
BEYOND = "beyond"
"""The file in which a stand-in says what it was asked and cannot do."""
DATES = "dates"
"""The file with what ``date`` says that day, for a shell to read in; a form that is not there costs a process."""
_READ = f"read -r number mode now rest <{STATE}/day"
_CONTENT = r"""printf -- '-- copy of run %s\n%03000d\n' "$number" 0"""
_END = f"printf -- '-- PostgreSQL database dump complete\\n-- Dump completed\\n{WHOLE} %s\\n' \"$number\""
_QUIET = frozenset(
    "apk apt apt-get yum dnf microdnf tdnf zypper pip pip3 npm curl wget ssh-keyscan ssh-keygen sendmail mail mailx "
    "msmtp apprise ntfy logger nc telegram-send runitor chown chgrp sync renice pg_isready mysqladmin mariadb-admin "
    "mongosh aws rclone mc mcli gsutil gcloud s3cmd s5cmd scp sftp ssh helm flux velero systemctl umask ulimit "
    "update-ca-certificates sysctl modprobe mount umount hostname vault consul etcdctl influx".split()
)
"""Tools whose doing a sandbox has nothing of; that they succeed is what a good day is."""
_PASSING_ON = {"ionice": "-c -n -p", "gosu": "1", "su-exec": "1", "sudo": "-u -g", "doas": "-u", "chrt": "1"}
_FOLDERS = frozenset({"pg_basebackup", "mariadb-backup", "mariabackup", "xtrabackup", "mydumper", "influx", "influxd"})
_SEALING = frozenset({"gpg", "gpg2", "age", "openssl", "rage"})
_BUILTIN = frozenset(
    "alias bg bind break builtin cd command continue declare dirs echo enable eval exec exit export false fc fg "
    "getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly "
    "return set shift shopt source suspend test times trap true type typeset ulimit umask unalias unset wait "
    ": . [ [[ ((".split()
)
COPIERS = frozenset({"cp", "tar", "rsync", "zip", "7z", "7za", "install", "dd", "cpio"})
"""Tools that really copy the made-up files; on a day of trouble they do not."""
_MIXED_CLOCKS = (
    (
        re.compile(r"-(?:newer[aBcm]?t|ctime|cmin|newer[aBc]\w|used)\b"),
        "it asks find for a time that cannot be made up",
    ),
    (re.compile(r"EPOCH(?:SECONDS|REALTIME)|%\([^)]*\)T"), "it asks the shell itself for the time"),
    (re.compile(r"\btouch\s+[^;|&\n]*-\w*[dtr]"), "it sets the ages of files itself"),
)


NOTHING_BEFORE: Mapping[str, str] = MappingProxyType({})


class Standins(Struct, frozen=True):
    """``programs`` are texts by name, ``functions`` the same as the beginning of a shell's program."""

    programs: Mapping[str, str]
    functions: str
    more: tuple[str, ...] = ()
    """Commands of this machine that are wanted beside the userland's."""


def standins(
    run: JobRun,
    userland: Userland,
    copiers: Iterable[str],
    *,
    clock: bool = True,
    before: Mapping[str, str] = NOTHING_BEFORE,
) -> Standins | str:
    """What a run needs, or the first thing for which nothing can stand in. ``copiers`` are the tools that copy.

    Without ``clock`` the time is the real one. ``before`` are texts that stand before this machine's own programs of
    their names.
    """
    for job in run.jobs if clock else ():
        for pattern, why in _MIXED_CLOCKS:
            if pattern.search(job.script.text):
                return why
        if "%T@" in job.script.text and re.search(r"date\s[^;|&\n]*\+%s", job.script.text):
            return "it compares the age of files with the clock by itself"
    bodies: dict[str, str] = {"date": _date(userland), "stat": _stat(userland), "sleep": "exit 0"} if clock else {}
    more = ["bash"] if any(_wants_bash(text) for text in run.files.values()) else []
    for job in run.jobs:
        for command in job.program.commands:
            name = command.name
            if not name or name in job.program.functions or name in _BUILTIN or name in bodies:
                continue
            if job.program.assigns(name):
                continue  # a sum, $(( NAME - 1 )), that was read as a command
            if _is_path(command) and command.words[0].literal in run.files:
                continue
            body = before.get(name) or _body(name, command, userland, frozenset(copiers))
            if name in before:
                more.append(name)
            if body is not None:
                bodies[name] = body
            elif name in userland.commands:
                continue
            elif name in _TAKEN_FROM_HERE:
                more.append(name)
            else:
                return f"it runs {name}, for which nothing stands in"
    if "find" in bodies:
        bodies["removed"] = 'if [ -d "$1" ] && [ ! -L "$1" ]; then exec rmdir "$1"; fi\nexec rm -f "$1"'
    functions = "\n".join(f"{name}() {_function(name, body)}" for name, body in bodies.items() if _plain(name))
    if clock and userland.kind == GNU:
        functions += f"\n{_MKDIR}"
    if run.loops:
        functions += f"\nsleep() {{ {_SLEEP_ENDS}; }}"
    return Standins(bodies, functions, tuple(dict.fromkeys(more)))


def _function(name: str, body: str) -> str:
    """A stand-in inside of a shell's program, whose options and variables it must leave as they are."""
    apart = f"(\nset +eux\n{body}\n)"
    return f"{{\n{_KNOWN_DATE} || {apart}\n}}" if name == "date" else apart


_TAKEN_FROM_HERE = frozenset("rsync zstd unzstd xz pigz lz4 bzip2 pv jq zip 7z 7za cpio gawk perl bash file".split())
"""Commands that are as good from this machine as from the image."""
_MKDIR = 'mkdir() { [ "$#" = 2 ] && [ "$1" = -p ] && [ -d "$2" ] || command mkdir "$@"; }'
"""A folder that is there stays as it is: seeing that takes no process, of which 400 days have too many."""
_KNOWN_DATE = f'{{ [ "$#${{TZ-UTC}}" = 1UTC ] && . {STATE}/{DATES}; }}'
_SLEEP_ENDS = "case $1 in ?|??|[0-9]s|[0-9][0-9]s) : ;; *) exit 0 ;; esac"


def forms(run: JobRun) -> frozenset[str]:
    """The forms in which a job asks for the date, of those that say the same everywhere."""
    asked = (
        job.program.expand(word).literal or ""
        for job in run.jobs
        for command in job.program.commands
        if command.name == "date"
        for word in command.arguments
    )
    return frozenset(form for form in asked if _FORM.fullmatch(form))


def dates(known: Iterable[str], now: datetime) -> str:
    """What ``date`` says at a moment in these forms, as :data:`DATES` holds it."""
    said = (f"{quote(form)}) echo {quote(now.strftime(form[1:]))} ;;" for form in sorted(known))
    return "\n".join(["case $1 in", *said, "*) false ;;", "esac", ""])


_FORM = re.compile(r"\+(?:%[YmdHMSFTjyRuVG]|[^%=\s\\])+")


def _plain(name: str) -> bool:
    """Whether every shell takes it for the name of a function."""
    return re.fullmatch(r"[A-Za-z_]\w*", name) is not None


def _is_path(command: Command) -> bool:
    return bool(command.words) and (command.words[0].literal or "").startswith(("/", "./"))


def _body(name: str, command: Command, userland: Userland, copiers: frozenset[str]) -> str | None:
    if name == "redis-cli" or name == "valkey-cli":
        return _redis()
    if name in DUMP_TOOLS:
        return _dump(name, DUMP_TOOLS[name])
    if name in ("sqlite3", "sqlite"):
        return _SQLITE
    if name in ("psql", "mysql", "mariadb"):
        return _QUERY
    if name == "pg_restore":
        return _RESTORE
    if name == "kubectl":
        return _KUBECTL
    if name in _SEALING:
        return _SEAL
    if name in _PASSING_ON:
        return _passing_on(_PASSING_ON[name])
    if name == "find" and userland.finds_without_delete:
        return _FIND.format(real=_real("find", userland))
    if name in COPIERS & copiers:
        return _copier(name, userland)
    if name in _QUIET or name in REPOSITORIES:
        return "exit 0"
    return None


# --------------------------------------------------------------------------------- dumps and clients, in their words


def _dump(name: str, tool: DumpTool) -> str:
    cases: list[str] = []
    for option in tool.file:
        if option.startswith("--"):
            cases.append(f"{option}=*) out=${{1#*=}} ;; {option}) [ $# -gt 1 ] && {{ out=$2; shift; }} ;;")
        else:
            cases.append(f"{option}) [ $# -gt 1 ] && {{ out=$2; shift; }} ;; {option}?*) out=${{1#{option}}} ;;")
    valued = [option for option in tool.takes_values if option not in tool.file]
    if valued:
        cases.append(f"{'|'.join(sorted(valued))}) [ $# -gt 1 ] && shift ;;")
    lines = [
        _READ,
        "out= last= folder=",
        "while [ $# -gt 0 ]; do",
        "case $1 in",
        "--version|-V|--help) echo 'a stand-in (made up) 0.0'; exit 0 ;;",
        "-Fd|--format=d*) folder=1 ;;",
        *cases,
        "-*) ;;",
        "*) last=$1 ;;",
        "esac",
        "shift",
        "done",
    ]
    if tool.plain_file:
        lines.append('[ -n "$out" ] || out=$last')
    if name in _FOLDERS:
        lines.append('[ -z "$out" ] || [ "$out" = - ] || folder=1')
    lines += [
        '[ "$out" != - ] || out=',
        f'[ "$mode" != refuses ] || {{ echo "{name}: connection refused" >&2; exit 1; }}',
        'if [ -n "$folder" ] && [ -n "$out" ]; then mkdir -p "$out" || exit 1; out=$out/data; fi',
        f'content() {{ [ "$mode" = empty ] || {_CONTENT}; [ "$mode" != good ] || {_END}; }}',
        'if [ -n "$out" ]; then content >"$out" || exit 1; else content || exit 1; fi',
        f'[ "$mode" != breaks ] || {{ echo "{name}: connection lost" >&2; exit 1; }}',
    ]
    return "\n".join(lines)


def _redis() -> str:
    return f"""{_READ}
out= rdb=
for word in "$@"; do
[ -n "$rdb" ] && [ -z "$out" ] && out=$word
[ "$word" = --rdb ] && rdb=1
done
if [ -z "$rdb" ]; then
case "$*" in
*[Ll][Aa][Ss][Tt][Ss][Aa][Vv][Ee]*) read -r up rest </proc/uptime; echo "${{up%.*}}${{up#*.}}" ;;
*[Ii][Nn][Ff][Oo]*) echo rdb_bgsave_in_progress:0; echo rdb_last_bgsave_status:ok ;;
*) echo OK ;;
esac
exit 0
fi
[ "$mode" != refuses ] || {{ echo 'Could not connect: connection refused' >&2; exit 1; }}
{{ [ "$mode" = empty ] || {_CONTENT}; [ "$mode" != good ] || {_END}; }} >"$out" || exit 1
[ "$mode" != breaks ]"""


_SQLITE = f"""{_READ}
while :; do case ${{1-}} in -cmd|-separator|-newline) shift 2 ;; -*) shift ;; *) break ;; esac; done
base=${{1-}}
[ $# -eq 0 ] || shift
said="$*"
[ -n "$said" ] || said=$(cat)
quote="'"
target=
case $said in
*.backup*) target=${{said#*.backup}} ;;
*.save*) target=${{said#*.save}} ;;
*[Ii][Nn][Tt][Oo]*) target=${{said#*[Ii][Nn][Tt][Oo]}} ;;
*.dump*|*.clone*) [ "$mode" != refuses ] && [ "$mode" != breaks ] || exit 1
[ "$mode" = empty ] || cat "$base"
exit ;;
*integrity_check*|*quick_check*) case $(tail -n 1 "$base" 2>/dev/null) in
*'{WHOLE}'*|'') echo ok ;; *) echo 'row 1 missing from index' ;; esac
exit 0 ;;
*) exit 0 ;;
esac
target=${{target%%;*}}
target=$(printf '%s' "$target" | tr -d "\\"$quote" | head -n 1)
set -- $target
[ "${{1-}}" != main ] || shift
[ $# -gt 0 ] || exit 1
case $mode in
refuses) echo 'Error: unable to open database file' >&2; exit 1 ;;
breaks) [ -s "$1" ] || {_CONTENT} >"$1"; exit 1 ;;
empty) : >"$1" ;;
*) cat "$base" >"$1" ;;
esac"""
_QUERY = """case "$*" in
*[Dd][Aa][Tt][Nn][Aa][Mm][Ee]*|*[Ss][Cc][Hh][Ee][Mm][Aa]_[Nn][Aa][Mm][Ee]*|*[Dd][Aa][Tt][Aa][Bb][Aa][Ss][Ee][Ss]*|*[Ss][Cc][Hh][Ee][Mm][Aa][Tt][Aa]*) echo app; echo shop ;;
*' -l'*|-l*|*--list*) echo 'app|app|UTF8'; echo 'shop|app|UTF8' ;;
*) echo 1 ;;
esac
exit 0"""  # noqa: E501 (one pattern of the shell)
_FIND = """kept= files=
for word in "$@"; do
case $word in -type) kept=1 ;; f) [ -z "$kept" ] || files=1; kept= ;; *) kept= ;; esac
done
count=$#
while [ $count -gt 0 ]; do
case $1 in
-delete)
if [ -n "$files" ]; then set -- "$@" -depth -exec rm -f {{}} +
else set -- "$@" -depth -exec /bin/removed {{}} ";"
fi ;;
*) set -- "$@" "$1" ;;
esac
shift
count=$((count - 1))
done
exec {real} "$@\""""
"""Debian builds BusyBox without ``find -delete``, which Alpine's has."""
_RESTORE = f"""for word in "$@"; do file=$word; done
grep -q -e '{WHOLE}' "$file" || {{ echo 'pg_restore: error: unexpected end of file' >&2; exit 1; }}"""
_KUBECTL = """while [ $# -gt 0 ]; do
if [ "$1" = -- ]; then shift; exec "$@"; fi
shift
done
exit 0"""
_SEAL = """out=
while [ $# -gt 0 ]; do
case $1 in
-o|-out|--output) out=$2; shift ;;
--output=*) out=${1#*=} ;;
-in) exec <"$2"; shift ;;
-r|-R|-i|-k|--recipient|--passphrase|--passphrase-file|-pass|--cipher-algo|-iter) shift ;;
-*|enc) ;;
*) [ ! -f "$1" ] || { exec <"$1"; [ -n "$out" ] || out=$1.gpg; } ;;
esac
shift
done
if [ -n "$out" ]; then cat >"$out"; else cat; fi"""


def _passing_on(valued: str) -> str:
    if valued == "1":
        return 'shift\nexec "$@"'
    cases = f"{valued.replace(' ', '|')}) shift 2 ;; -*) shift ;; *) break ;;"
    return f'while [ $# -gt 0 ]; do\ncase $1 in {cases} esac\ndone\nexec "$@"'


# ------------------------------------------------------------------------------------------- commands that need help


def _real(name: str, userland: Userland) -> str:
    if name in userland.inner:
        return name  # its shell becomes that command without looking for a program of the name
    target = userland.commands.get(name, f"{TOOLS}/{name}")
    return f"{target} {name}" if target.endswith("/busybox") else target


def _copier(name: str, userland: Userland) -> str:
    return f"""{_READ}
case $mode in refuses|breaks) echo '{name}: input/output error' >&2; exit 1 ;; esac
exec {_real(name, userland)} "$@\""""


def _date(userland: Userland) -> str:
    """The clock of the simulated day. GNU's reads words like "7 days ago", counted from it."""
    real = _real("date", userland)
    lines = [
        _READ,
        "given= told= form=",
        "while [ $# -gt 0 ]; do",
        "case $1 in",
        "-d|--date) told=1 given=${2-}; [ $# -lt 2 ] || shift ;;",
        "--date=*) told=1 given=${1#*=} ;;",
        "-d?*) told=1 given=${1#-d} ;;",
        f'-r|--reference|--reference=*|-s|--set|-f|--file|-D) echo "date $1" >{STATE}/{BEYOND}; exit 1 ;;',
        "-u|--utc|--universal) TZ=UTC ;;",
        "-*) form=$1 ;;",
        '+*) form=$1 ;;',
        "esac",
        "shift",
        "done",
        'export TZ="${TZ-UTC}"',
        f'[ -n "$told" ] || exec {real} -d "@$now" ${{form:+"$form"}}',
    ]  # fmt: skip
    if userland.kind == "gnu":
        lines += [
            "case $given in",
            "@*|[0-9][0-9][0-9][0-9]-[0-9]*|[0-9][0-9][0-9][0-9][0-9][0-9]*) base= ;;",
            "*[Mm]on|*[Mm]onday*|*[Tt]ue*|*[Ww]ed*|*[Tt]hu*|*[Ff]ri*|*[Ss]at*|*[Ss]unday*|*[Ss]un)",
            f'echo "date -d $given" >{STATE}/{BEYOND}; exit 1 ;;',
            f'*:*) base=$({real} -d "@$now" +%F) ;;',
            f'*) base=$({real} -d "@$now" "+%F %T %:z") ;;',
            "esac",
            'given="$base $given"',
        ]  # fmt: skip
    lines.append(f'exec {real} -d "$given" ${{form:+"$form"}}')
    return "\n".join(lines)


def _stat(userland: Userland) -> str:
    return f"""case "$*" in *%[XYZWxyzw]*) echo "stat $*" >{STATE}/{BEYOND}; exit 1 ;; esac
exec {_real("stat", userland)} "$@\""""


def _wants_bash(text: str) -> bool:
    return re.match(r"#!\s*\S*(?:/|\s)bash\b", text) is not None
