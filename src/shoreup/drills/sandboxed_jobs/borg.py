"""Borg in a drill of retention: this machine's own, on a repository of the sandbox, by the clock of the simulated day.

Borg counts ``--keep-within`` from today and names archives after the clock, so the clock it asks has to be the
simulated one; :mod:`~shoreup.drills.sandboxed_jobs.borg_inside` says how. What the job calls only hands its words over.
"""

from __future__ import annotations

from datetime import timedelta
from importlib.resources import files

from shoreup.drills.rotating.grandfathers import Counting
from shoreup.drills.sandboxed_jobs.repositories import ASKED, AT, DAY, FORGOT, RepositoryTool
from shoreup.engines.sandbox_ground import STATE

_CALLED = f"""borg() {{
pwd >{STATE}/folder
printf '%s\\0' "$@" >{STATE}/words
echo go >{STATE}/ask
read -r code <{STATE}/answer
cat {STATE}/out
cat {STATE}/err >&2
return "$code"
}}"""
_PLAIN = f": >{STATE}/in\n{_CALLED}"


def _standin(hit: bool) -> str:
    trouble = '[ "$mode" != refuses ] || { echo "stat: No such file or directory" >&2; exit 2; }' if hit else ":"
    half = '[ "$mode" != breaks ] || [ "$code" != 0 ] || code=1' if hit else ":"
    return f"""{DAY}
{_CALLED}
verb= timed= piped= skip=
for one in "$@"; do
if [ -n "$skip" ]; then skip=; continue; fi
case $one in
--timestamp|--timestamp=*) timed=1 ;;
--lock-wait|--umask|--remote-path|--rsh|--upload-ratelimit|--upload-buffer|--log-topic|--debug-topic) skip=1 ;;
-) piped=1 ;;
-*) ;;
*) [ -n "$verb" ] || verb=$one ;;
esac
done
if [ -n "$piped" ]; then cat >{STATE}/in; else : >{STATE}/in; fi
case $verb in
create)
[ -z "$timed" ] || {{ echo "borg create --timestamp" >{STATE}/beyond; exit 1; }}
{trouble}
borg "$@"
code=$?
{half}
exit "$code" ;;
prune|delete) echo "$number $*" >>{STATE}/{FORGOT}; borg "$@"; exit ;;
list|info|init|rcreate|diff|config) borg "$@"; exit ;;
compact|check|break-lock|'') exit 0 ;;
*) echo "borg $verb" >{STATE}/beyond; exit 1 ;;
esac"""


def _look() -> str:
    return f'{_PLAIN}\nread -r id one <{STATE}/{ASKED}\nborg extract --stdout "::$one"'


def _check() -> str:
    return f"{_PLAIN}\nborg check --verify-data"


def _driver() -> str:
    return files("shoreup.drills.sandboxed_jobs").joinpath("borg_inside.py").read_text(encoding="utf-8")


_UNITS = {
    "H": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(days=7), "m": timedelta(days=31),
    "y": timedelta(days=365),
}  # fmt: skip
_SMALL = f"sed -i 's/^max_segment_size.*/max_segment_size = 1000000/' {AT}/borg/config"
"""Borg wants room for a whole segment before it writes."""
BORG = RepositoryTool(
    "borg",
    standin=_standin,
    made=f"{_PLAIN}\nmkdir -p {AT}/base && borg init --encryption none && {_SMALL}",
    newest=f"{_PLAIN}\nborg delete --last 1",
    look=_look,
    check=_check,
    counting=Counting(_UNITS, from_today=True, adding=True),
    listing=f"{_PLAIN}\nborg list --format '{{id}} {{archive}}{{NL}}'",
    driver=_driver,
    shortened="borg compact and check as the job calls them: the repository was read once, at the end",
)
