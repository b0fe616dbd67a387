"""Dumps made by a client that does not fit its server."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.wording.backups import called, subject
from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS
from shoreup.facts.backups.dump_clients import Client, client_of
from shoreup.facts.backups.recurring import running
from shoreup.facts.estate import Backup, Database, Estate
from shoreup.facts.versions.tags import movement
from shoreup.model.edit import NoRepair, Repair, Substitute
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_REASON = "the job's pods start with another image"


class BackupVersionMismatch(Concern):
    """The dump client is older than the server that it dumps, or moves while the server stands still.

    **What**

    The image of the job names an older major version than the server's image; or it follows a tag that moves with every
    release while the server's version is pinned.

    **Why**

    `pg_dump` refuses a server that is newer than itself: the job has never worked since the server was upgraded. A
    client that moved ahead writes dumps that the older server cannot read back.

    **Example**

    `pg_dump` of `postgres:15-alpine` against a server of `postgres:16.10` is found.

    **Fix safety**

    Unsafe: the job runs another image from then on. It is pinned to the server's version.
    """

    id = "backup-version-mismatch"
    title = "The dump client does not fit the server"
    severity = Severity.HIGH
    consequence_class = Consequence.DATA_LOSS
    category = Category.BACKUPS
    section = Section.KNOWN_BUGS
    sources = (
        Source("PostgreSQL: pg_dump", "https://www.postgresql.org/docs/current/app-pgdump.html"),
        Source("PostgreSQL: dumps and their restore", "https://www.postgresql.org/docs/current/backup-dump.html"),
    )
    slow_facts = "programs"

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Compare each dump's client with the servers that it dumps."""
        seen: set[tuple[int, str, int]] = set()
        for backup in running(estate):
            client = client_of(estate, backup)
            if client is None:
                continue
            servers = [server for server in backup.protects_databases if server.product == client.product]
            outcomes = [self._compare(estate, backup, client, server) for server in servers]
            key = (backup.resource.key, backup.place.container, id(servers[0]) if servers else 0)
            # A name that may mean several servers says something only where it is true of each.
            if outcomes and outcomes[0] is not None and None not in outcomes and key not in seen:
                seen.add(key)
                yield outcomes[0]

    def _compare(self, estate: Estate, backup: Backup, client: Client, server: Database) -> Outcome | None:
        if client.open or not server.version:
            reason = client.open or f"the version of {called(server)} is not decided in the repository"
            return self.undecided(client.image.place, unknown="versions of client and server", reason=reason)
        title = estate.products.title(server.product)
        ours, theirs = _major(client.version), _major(server.version)
        if client.version and ours is not None and theirs is not None and ours < theirs:
            tool = DUMP_TOOLS.get(backup.tool)
            older = f"with the client of {title} {client.version}; the server {called(server)} is {server.version}"
            refuses = (
                "refuses a newer server" if tool is not None and tool.refuses_newer else "does not know a newer server"
            )
            return self._mismatch(backup, client, server, f"dumps {older}", f"{backup.tool} {refuses}: the dumps fail.")
        moves = movement(client.image, estate.products) in ("latest", "branch")
        if moves and server.version.count("."):
            what = f"dumps {called(server)} ({title} {server.version}) with {client.image.text}, a tag that moves"
            lost = (
                "A newer client may write dumps that the server cannot read back, and nobody is told when it changes."
            )
            return self._mismatch(backup, client, server, what, lost)
        return None

    def _mismatch(self, backup: Backup, client: Client, server: Database, what: str, consequence: str) -> Draft:
        who = subject(backup)
        return self.found(
            client.image.tag_place,
            field=f"client of {server.name}",
            subject=who,
            message=f"{who} {what}.",
            consequence=consequence,
            related=((server.place, "the server's version"), (backup.place, "the command that dumps")),
            fixes=(Fix(f"Use the client of version {server.version}", Safety.UNSAFE, _REASON),),
            confidence=Confidence.LIKELY if server.likely else Confidence.CERTAIN,
        )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """The tag of the server's own image, where the client's is the same image."""
        images = {image.place.resource: image for image in estate.images if image.tag_place == draft.at}
        mine = images.get(draft.at.resource)
        place = draft.related[0][0] if draft.related else None
        theirs = next((image for image in estate.images if place is not None and image.place == place), None)
        if mine is None or theirs is None or mine.tag_chars is None or not isinstance(theirs.tag, str):
            return self.unrepaired(draft, "the estate does not say in which image the server's client is")
        if (mine.registry, mine.repository) != (theirs.registry, theirs.repository) or mine.digest or theirs.digest:
            return self.unrepaired(draft, "client and server come from different images, whose tags differ")
        start, end = mine.tag_chars
        return Repair(draft.fixes[0], (Substitute(mine.place.resource, mine.place.route, start, end, theirs.tag),))


def _major(version: str) -> int | None:
    match = re.match(r"\d+", version)
    return int(match.group()) if match else None
