"""Passwords in logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.secrets.in_logs import Logged, logged_secrets
from shoreup.facts.secrets.quieter_programs import quieter
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_HOW: Mapping[str, str] = {
    "trace": "prints ${name} by the shell's trace (set -x)",
    "print": "prints ${name}",
    "dump": "prints its whole environment, ${name} among it,",
}
_QUIET = Fix(
    "Take away what prints it",
    Safety.SAFE,
    "nothing but the log changes; what lies in old logs counts as known, so the credential has to be replaced too",
)
_COST = "what lies in logs already counts as known, so the credential has to be replaced too"
_NOT_ALONE = "what prints does not stand on a line of its own, or is switched on where the program is started"


_RESTARTING = Fix(_QUIET.title, Safety.UNSAFE, "the pod's own program changes, so the pods are made anew")


class CredentialInLog(Concern):
    """A program prints a credential where logs keep it.

    **What**

    A script of a container or a step of a pipeline prints a variable that holds a password, token or key: with
    `echo`, with the shell's trace (`set -x`), with `env`. What goes to a file, into a variable or into another
    command is not printed.

    **Why**

    Logs are kept longer than anything, are shipped to other systems, and are read by more people than Secrets are. The
    masking of a pipeline's runner blots out the exact text alone: a part of it, another encoding or a changed line
    passes.

    **Example**

    `echo "logging in with $PASSWORD"` is found; `echo "$PASSWORD" | docker login --password-stdin` is not.

    **Fix safety**

    Safe where a job or a pipeline runs the program: the line or the trace goes. Unsafe in the template of a server,
    whose pods restart. The credential has to be replaced in any case.
    """

    id = "credential-in-log"
    title = "Credential printed into a log"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (Source("CWE-532: a secret in a log", "https://cwe.mitre.org/data/definitions/532.html"),)
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every program that prints."""
        for logged in logged_secrets(estate):
            if logged.printed:
                yield self._prints(logged)
            for place in logged.undecided:
                reason = "what it prints there is decided elsewhere"
                yield self.undecided(place, unknown="what is printed", reason=reason)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """Without the lines that print, and without the shell's trace."""
        logged = next((one for one in logged_secrets(estate) if one.printed and one.printed[0].place == draft.at), None)
        edits = quieter(logged) if logged is not None else None
        if logged is None or not edits:
            return self.unrepaired(draft, _NOT_ALONE)
        return Repair(_QUIET if _at_next_run(logged) else _RESTARTING, edits, cost=_COST)

    def _prints(self, logged: Logged) -> Outcome:
        first = logged.printed[0]
        subject = named(logged.resource, logged.container)
        if logged.resource.api_version == "ci":
            subject = f"The pipeline {logged.resource.name}"
        names = dict.fromkeys(one.name for one in logged.printed[1:] if one.name != first.name)
        more = f", and {', '.join(list(names)[:3])} too" if names else ""
        masked = ", and only the runner's masking keeps it from the log" if logged.masked else ""
        return self.found(
            first.place,
            field=f"log {first.name}",
            subject=subject,
            message=f"{subject} {_HOW[first.by].replace('{name}', first.name)}{more}{masked}.",
            consequence=(
                "Masking blots out the exact text alone; a part of it or another encoding stays in the log for good."
                if logged.masked
                else "Whoever may read the logs, or the system that they are shipped to, has it."
            ),
            severity=Severity.MEDIUM if logged.masked else Severity.HIGH,
            confidence=Confidence.LIKELY if logged.masked else Confidence.CERTAIN,
            related=tuple((one.place, f"here too, by {one.by}") for one in logged.printed[1:6]),
            fixes=(_QUIET,),
        )


def _at_next_run(logged: Logged) -> bool:
    """Whether the program is only taken up by a run that starts anyway."""
    script = logged.script
    workload = script.workload if script is not None else None
    return (
        script is None
        or workload is None
        or workload.kind == "CronJob"
        or (script.place.resource != workload.resource.key)
    )
