"""restic in a drill of retention: the tool itself, on a repository of the sandbox, on the day that it is there.

What is kept is decided by the tool's own program; nothing is computed in its place. Four things are taken from its
hands. The repository and the password that the estate names become a scratch one, whatever the job says. A snapshot
gets the simulated day as its time and the pod's name as its host, which is what it would see. ``forget`` is asked what
it would remove, and the snapshots that it names are removed then: by itself it would wait a fifth of a second for other
locks. And ``prune``, which removes no snapshot, runs once, when the days are over.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from shoreup.drills.rotating.grandfathers import Counting
from shoreup.drills.sandboxed_jobs.repositories import ASKED, AT, DAY, FORGOT, NAMELESS, READ, RepositoryTool
from shoreup.engines.sandbox_ground import STATE, TOOLS

_FOLDERS = ("data", "index", "locks", "snapshots")
_SEED = "/.seed"
SNAPSHOTS = f"{AT}/snapshots"
"""Where each snapshot is a file."""


class _Scratch(Struct):
    password: str
    files: dict[str, str]


@cache
def _scratch() -> _Scratch:
    content = files("shoreup.engines").joinpath("data", "scratch_restic.json").read_bytes()
    return msgspec.json.decode(content, type=_Scratch)


def _seeds() -> Mapping[str, str]:
    """The files of an empty repository, by the path at which a sandbox has them."""
    return {
        f"{_SEED}/{name}": base64.b64decode(content).decode("utf-8", "surrogateescape")
        for name, content in _scratch().files.items()
    }


def _real() -> str:
    environment = (
        f"PATH=/bin HOME=/tmp TMPDIR=/tmp TZ=UTC GOMAXPROCS=1 "
        f"RESTIC_REPOSITORY={AT} RESTIC_PASSWORD={_scratch().password}"
    )
    return f'real() {{ env -i {environment} {TOOLS}/restic --no-cache "$@"; }}'


_VALUED = (
    "-r --repo --repository-file -p --password-file --password-command --cacert --tls-client-cert -o --option "
    "--key-hint --cache-dir --limit-download --limit-upload --retry-lock --pack-size --compression --max-unused "
    "--max-repack-size"
).split()
"""Options of restic 0.18 that say where a repository lies and how to get there; their values go with them."""
_PLAIN = "--no-cache --no-lock --cleanup-cache --insecure-tls --no-extra-verify --prune -q --quiet --json".split()


def _standin(hit: bool) -> str:
    """What the job calls restic. ``hit`` is whether a day of trouble is one for what restic reads."""
    long = "|".join(f"{one}=*" for one in _VALUED if one.startswith("--"))
    trouble = (
        '[ "$mode" != refuses ] || { echo "Fatal: all source directories/files do not exist" >&2; exit 1; }'
        if hit
        else ":"
    )
    half = '[ "$mode" != breaks ] || [ "$code" != 0 ] || code=3' if hit else ":"
    return f"""{DAY}
{_real()}
verb= hosted= timed= policy=
count=$#
while [ "$count" -gt 0 ]; do
one=$1
shift
count=$((count - 1))
case $one in
{"|".join(_VALUED)}) [ "$count" -eq 0 ] || {{ shift; count=$((count - 1)); }}; continue ;;
{long}|-r?*) continue ;;
{"|".join(_PLAIN)}) continue ;;
-H|-H?*|--host|--host=*) hosted=1 policy=1 ;;
--time|--time=*) timed=1 ;;
--keep-*|-[ldwmy]|-[ldwmy][0-9]*) policy=1 ;;
-*) ;;
*) [ -n "$verb" ] || verb=$one ;;
esac
set -- "$@" "$one"
done
[ -n "$hosted" ] || [ -z "${{RESTIC_HOST-}}" ] || {{ hosted=1; set -- --host="$RESTIC_HOST" "$@"; }}
case $verb in
backup)
[ -z "$timed" ] || {{ echo "restic backup --time" >{STATE}/beyond; exit 1; }}
{trouble}
[ -n "$hosted" ] || {{ : >{STATE}/{NAMELESS}; set -- --host="$pod" "$@"; }}
echo "$number $*" >>{STATE}/{READ}
real --time="$date $clock" "$@"
code=$?
{half}
exit "$code" ;;
forget)
echo "$number $*" >>{STATE}/{FORGOT}
[ -n "$policy" ] || {{ real "$@"; exit; }}
said=$(real --no-lock --dry-run=true --json "$@") || exit
printf '%s' "$said" | tr '\\n' ' ' | sed 's/"remove":\\[/\\
&/g' | sed -n 's/^"remove":\\[\\(.*\\)\\],"reasons".*/\\1/p' | grep -o '"id":"[0-9a-f]*"' | while IFS= read -r one; do
one=${{one#??????}}
rm -f "{SNAPSHOTS}/${{one%?}}"
done
exit 0 ;;
snapshots|ls|stats|cat|list|find|diff) real --no-lock "$@"; exit ;;
init|version) real "$@"; exit ;;
check|prune|unlock|cache|copy|self-update|'') exit 0 ;;
*) echo "restic $verb" >{STATE}/beyond; exit 1 ;;
esac"""


def _look() -> str:
    return f'{_real()}\nread -r one <{STATE}/{ASKED}\nreal --no-lock dump --archive=tar "$one" /'


def _check() -> str:
    return f"{_real()}\nreal prune && real check --read-data"


_MADE = f"cp -R {_SEED}/. {AT} && mkdir -p {' '.join(f'{AT}/{name}' for name in _FOLDERS)}"
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
RESTIC = RepositoryTool(
    "restic",
    standin=_standin,
    made=_MADE,
    newest=f'find {SNAPSHOTS} -type f -mmin -5 | while IFS= read -r one; do rm -f -- "$one"; done',
    look=_look,
    check=_check,
    counting=Counting(_UNITS, months={"m": 1, "y": 12}),
    snapshots=SNAPSHOTS,
    seeds=_seeds,
    shortened="restic prune, lock and check as the job calls them: pruned and read was once, at the end",
)
