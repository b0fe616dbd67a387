"""What becomes of a failure: whether the job fails when the command that copies does.

The status of a program is that of its last command, unless `set -e` or a test ends it before; the status of a
pipeline is that of its last stage, unless `pipefail` is set. Only what is certain is said: a program that looks at
results in a way that is not followed, or that checks the copy afterwards, is left alone.
"""

from __future__ import annotations

import re

from shoreup.facts.backups.commands.copies import Copy
from shoreup.facts.backups.commands.removals import ends_the_run
from shoreup.facts.estate import Reporting
from shoreup.facts.programs.jobs import Job
from shoreup.facts.programs.scripts import place_in
from shoreup.formats.shell import Command, Program

_LOOKS_BACK = re.compile(
    r"\$\?|\$\{\?\}|PIPESTATUS|pipestatus|\btrap\b[^\n]*\bERR\b|-s\s+[\"'$]|\bgzip -t|\bgunzip -t|"
    r"\bpg_restore\s+(?:-l|--list)|\btest -s|\bzstd -t|\brestic check|\bwc -c|\bstat -c"
)
_TELLING = frozenset({"curl", "wget", "http", "https", "xh", "mail", "mailx", "sendmail", "msmtp", "apprise", "ntfy",
                      "telegram-send", "runitor", "nc", "logger"})  # fmt: skip
TELLING_NAMES = re.compile(
    r"NOTIF|WEBHOOK|HEALTH_?CHECK|HEARTBEAT|(?:^|_)HC_|(?:^|_)PING|SMTP|MAIL|ALERT|NTFY|GOTIFY|SLACK|DISCORD|TELEGRAM|"
    r"PUSHOVER|APPRISE|SENTRY|KUMA|PUSHGATEWAY"
)
_PLAIN = frozenset({"pipeline", "wrapped", "remote"})
"""What a command may stand in without another command's status taking the place of its own."""


def reporting(job: Job, copy: Copy) -> Reporting:
    """What becomes of a failure of a job's copy."""
    told = tells(job)
    if job.script.language != "shell" or job.workload.kind not in ("CronJob", "Job") or job.program.broken:
        return Reporting(heartbeat=told)
    program, made = job.program, copy.command
    if _LOOKS_BACK.search(program.text[made.end :]) or "trap" in _before(program, made):
        return Reporting(heartbeat=told)
    swallower = _swallower(program, made)
    decider = _decider(program, made)
    return Reporting(
        swallowed=swallower.name if swallower is not None else "",
        swallowed_at=place_in(job.script, swallower.start, swallower.end) if swallower is not None else None,
        decider=decider.name if decider is not None else "",
        decider_at=place_in(job.script, decider.start, decider.end) if decider is not None else None,
        heartbeat=told,
    )


def tells(job: Job) -> bool:
    """Whether the container tells anyone how a run went; in doubt it does."""
    if any(TELLING_NAMES.search(name.upper()) for name in job.container.env):
        return True
    return any(command.name in _TELLING for command in job.program.commands)


def _before(program: Program, made: Command) -> set[str]:
    """The commands before the copy that change what a failure does."""
    return {
        command.name
        for command in program.commands
        if command.start < made.start
        and command.name == "trap"
        and re.search(r"\bERR\b", " ".join(word.text for word in command.words))
    }


def _swallower(program: Program, made: Command) -> Command | None:
    """The last stage of the pipeline that the copy stands in, when its status is the pipeline's."""
    if made.options.pipefail or any(frame.kind in ("nested", "substitution", "process") for frame in made.context):
        return None
    following = program.downstream(made)
    if not following or not following[-1].name or "pipefail" in program.text:
        return None
    return following[-1]


def _decider(program: Program, made: Command) -> Command | None:
    """The command whose status the program ends with although the copy has failed."""
    tried = [frame for frame in made.context if frame.kind == "tried"]
    # ``set -e`` looks away from what stands before ``&&`` and ``||``.
    if (made.options.errexit and not tried) or ends_the_run(program, made):
        return None
    others = [frame for frame in made.context if frame.kind not in _PLAIN and frame.kind != "tried"]
    if others or len(tried) > 1:
        return None
    chain: set[int] = {frame.id for frame in tried if frame.name == "&&"}
    if tried and not chain:
        return _excuse(program, made, tried[0].id)
    own = {made.index, *(item.index for item in program.downstream(made)), *(i.index for i in program.upstream(made))}
    later = [
        command
        for command in program.commands
        if command.start > made.end
        and command.index not in own
        and command.name
        and command.frame("function", "substitution", "process", "nested") is None
        and not any(frame.kind in ("and", "tried") and frame.id in chain for frame in command.context)
        and program.runs(command)
    ]
    if not later or any(command.name in ("exit", "return", "wait", "exec") for command in later):
        return None
    last = later[-1]
    if any(
        frame.kind in ("if", "else", "case", "while", "for", "and", "or", "not", "background", "condition", "tried")
        for frame in last.context
    ):
        return None
    return last


def _excuse(program: Program, made: Command, chain: int) -> Command | None:
    """`dump || true`, `dump || echo failed`: what stands after ``||`` and always succeeds."""
    after = [
        command
        for command in program.commands
        if any(frame.kind == "or" and frame.id == chain for frame in command.context)
    ]
    if len(after) == 1 and after[0].name in ("true", ":", "echo", "printf"):
        later = [item for item in program.commands if item.start > after[0].end and item.name in ("exit", "return")]
        return None if later else after[0]
    return None
