"""Passwords in logs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.logged_secrets import Logged, logged_secrets
from shoreup.facts.naming import named
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Safety, Section, Severity

_HOW: Mapping[str, str] = {
    "trace": "prints ${name} by the shell's trace (set -x)",
    "print": "prints ${name}",
    "dump": "prints its whole environment, ${name} among it,",
}
_QUIET = Fix(
    "Print that it is there, not what it is; switch the trace off around it",
    Safety.SHOWN,
    "what lies in logs already counts as known, so the credential has to be replaced too",
)


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

    Shown: the line goes, and the credential has to be replaced.
    """

    id = "credential-in-log"
    title = "Credential printed into a log"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every program that prints."""
        for logged in logged_secrets(estate):
            if logged.printed:
                yield self._prints(logged)
            for place in logged.undecided:
                reason = "what it prints there is decided elsewhere"
                yield self.undecided(place, unknown="what is printed", reason=reason)

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
