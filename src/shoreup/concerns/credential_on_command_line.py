"""Passwords that every process list shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import subject
from shoreup.facts.backups.recurring import once, running
from shoreup.facts.backups.tried_under_load import CLIENTS, TriedBackup, tried_backup
from shoreup.facts.estate import Backup, Estate
from shoreup.facts.naming import named
from shoreup.facts.secrets.credential_variables import handed_over
from shoreup.facts.secrets.on_command_lines import (
    HIDES_ARGUMENTS,
    ExposedCredential,
    exposed_credentials,
    undecided_commands,
)
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Hand it over by an environment variable or file that the program reads itself",
    Safety.UNSAFE,
    "the pod template changes, so the pods restart once",
)


_NO_VARIABLE = (
    "the program reads no variable that Shoreup knows of, or the command does not stand in a shell program by itself; "
    "a file with options or standard input hands a credential over too"
)
_SHOWN = """env:
  - name: PASSWORD   # the variable that the program reads by itself, if it has one
    valueFrom:
      secretKeyRef: {name: credentials, key: password}"""
_CONSEQUENCE = "Whoever can list the processes of the pod or of its node reads it."
_HIDDEN = (
    "{tool} writes its title over its arguments once it runs: the process list shows it for an instant at each start, "
    "and the record of what the container was started with holds it."
)
_ENCODED = "a password that was percent-encoded for the URL has to be stored as it is from now on"


class CredentialOnCommandLine(Concern):
    """A credential is an argument of a command.

    **What**

    A password, token or key stands in the arguments of a container or of a command in its script, written out or put
    in from a variable (`$PASSWORD`, `$(PASSWORD)`). Of backup jobs `shoreup drill backup-under-load` reads the process
    list: what it saw there is a finding, and what it looked for in vain is none, as long as its proof counts.

    **Why**

    Arguments are readable in the process list by whoever can list processes in the pod or on the node, and tools for
    logs and metrics record them. Written out, the credential is in the manifest and in git as well.
    A Redis server hides its arguments once it runs, so there it is low.

    **Example**

    `mysqldump -p$MYSQL_PASSWORD app`. With `MYSQL_PWD` in the environment, or an option file, the command line shows
    nothing.

    **Fix safety**

    Unsafe: the pods restart.
    """

    id = "credential-on-command-line"
    title = "A credential is readable in the process list"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source("CWE-214: a password in the arguments of a process", "https://cwe.mitre.org/data/definitions/214.html"),
        Source("Tools that take a password without an argument", "facts/data/credential_variables.json"),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every command that a container starts."""
        count: Counter[tuple[int, str, str]] = Counter()
        drilled = {
            id(group[0].workload): (group[0], tried)
            for group in once(running(estate))
            if group[0].workload is not None and (tried := tried_backup(estate, group[0])) is not None
        }
        told: set[tuple[int, str]] = set()
        for exposed in exposed_credentials(estate):
            tried = drilled[id(exposed.workload)][1] if id(exposed.workload) in drilled else None
            if tried is not None and tried.passed and exposed.tool in CLIENTS and exposed.variable in tried.hidden:
                continue
            if exposed.workload.enabled:
                told.add((id(exposed.workload), exposed.variable))
                field = " ".join(item for item in (exposed.tool, exposed.option or exposed.variable) if item)
                key = (exposed.workload.resource.key, exposed.container.name, field)
                count[key] += 1
                yield self._readable(exposed, field if count[key] == 1 else f"{field} {count[key]}", tried)
        for workload_id, (backup, seen) in drilled.items():
            for variable in sorted(seen.shown):
                if (workload_id, variable) not in told:
                    yield self._read(backup, variable, seen)
        for workload, container, part, unknown in undecided_commands(estate):
            place = Place(workload.resource.key, (*container.route, part), container=container.name)
            yield self.undecided(place, unknown=part, reason=unknown.reason)

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The variable that the program reads itself, before the command, in place of the option."""
        found = handed_over(estate, draft.at)
        if found is None:
            return self.unrepaired(draft, _NO_VARIABLE, _SHOWN)
        fix = Fix(f"Hand it over as {found.variable} before the command", Safety.UNSAFE, _FIX.reason)
        cost = _ENCODED if found.variable == "PGPASSWORD" else ""
        return Repair(fix, found.edits, cost=cost)

    def _read(self, backup: Backup, variable: str, tried: TriedBackup) -> Outcome:
        who = subject(backup)
        return self.found(
            backup.place,
            field=f"process list {variable}",
            subject=who,
            message=f"The drill of {tried.day} ran {who} and read the credential in ${variable} in the process list.",
            consequence=_CONSEQUENCE,
            fixes=(_FIX,),
        )

    def _readable(self, exposed: ExposedCredential, field: str, tried: TriedBackup | None) -> Outcome:
        who = named(exposed.workload.resource, exposed.container.name)
        if not exposed.certain:
            what = f"the connection string in ${exposed.variable}, a Secret's,"
        elif exposed.variable:
            what = f"the credential in ${exposed.variable}"
        elif exposed.length:
            what = f"a credential of {exposed.length} characters, written out"
        else:
            what = "a credential"
        tool = exposed.tool or "the container's program"
        option = f" under {exposed.option}" if exposed.option.startswith("-") else f" in {exposed.option}"
        seen = tried is not None and exposed.variable in tried.shown
        read = f" The drill of {tried.day} read it in the process list." if tried is not None and seen else ""
        related = ((exposed.declared, "where the variable gets it"),) if exposed.declared is not None else ()
        hidden = exposed.tool in HIDES_ARGUMENTS and bool(exposed.variable) and not read
        return self.found(
            exposed.place,
            field=field,
            subject=who,
            message=f"{who} hands {tool} {what} as an argument{option if exposed.option else ''}.{read}",
            consequence=_HIDDEN.format(tool=exposed.tool) if hidden else _CONSEQUENCE,
            severity=Severity.LOW if hidden else self.severity,
            related=related,
            fixes=(_FIX,),
            confidence=Confidence.CERTAIN if exposed.certain or read else Confidence.LIKELY,
        )
