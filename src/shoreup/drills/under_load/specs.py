"""What a drill of a backup under load needs to know: the job, the databases that it names, the engine of the estate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from shoreup.drills.rotating.specs import RetentionSpec, retention_spec
from shoreup.engines.choosing import Wanted
from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS
from shoreup.facts.estate import Backup, Estate

TOOLS = frozenset({"pg_dump", "pg_dumpall", "mysqldump", "mariadb-dump"})
"""What makes dumps whose sum can be told."""
_USUAL = "app"


class LoadSpec(Struct, frozen=True):
    """``job`` is what runs, ``wanted`` the engine, ``tools`` the dump tools and ``databases`` those that it names."""

    job: RetentionSpec
    wanted: Wanted
    tools: tuple[str, ...]
    databases: tuple[str, ...]


def load_spec(estate: Estate, group: Sequence[Backup]) -> LoadSpec | str:
    """What is known of the job that makes these dumps, or why it cannot be run against a server."""
    tools = tuple(dict.fromkeys(backup.tool for backup in group if backup.tool in TOOLS))
    if not tools:
        return f"copies by {group[0].tool or 'this job'} are no dumps of a database with tables"
    job = retention_spec(estate, group, alone=False)
    if isinstance(job, str):
        return job
    products = DUMP_TOOLS[tools[0]].products
    known = [one for backup in group for one in backup.protects_databases if one.product in products]
    product, version = (
        (known[0].product, known[0].version) if known else (products[-1] if len(products) == 1 else "mariadb", "")
    )
    return LoadSpec(job, Wanted(product, version), tools, tuple(dict.fromkeys(_databases(job))) or (_USUAL,))


def _databases(job: RetentionSpec) -> Iterator[str]:
    for one in job.run.jobs:
        for copy in one.copies:
            if copy.tool in TOOLS and copy.tool != "pg_dumpall":
                for word in copy.databases:
                    name = one.program.expand(word).literal or ""
                    if name.isidentifier() and name.isascii():
                        yield name
