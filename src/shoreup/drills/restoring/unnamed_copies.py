"""What a copy is of where the estate does not show the server that it was made from.

Many dump a server that lives elsewhere: on the NAS, in another repository. The copy's own first words tell the product,
then the tool that the job names does. Taken for a file like others, a good dump would be called a broken archive.
"""

from __future__ import annotations

from pathlib import Path

from shoreup.drills.restoring.copies import FILES, products
from shoreup.engines.choosing import Wanted
from shoreup.engines.packing import BrokenCopy, beginning_of, packing_of
from shoreup.engines.sqlite import MAGIC
from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS
from shoreup.facts.estate import Backup

_LOOK = 512
_BEGINS = {MAGIC: "sqlite", b"REDIS": "redis", b"PGDMP": "postgresql"}
_SAYS = {b"-- PostgreSQL database": "postgresql", b"-- MariaDB dump": "mariadb", b"-- MySQL dump": "mysql"}
"""Whose dump it is: a dump in SQL says so within its first lines."""


def engine_of(backup: Backup, copy: Path | None) -> Wanted:
    """What to restore it with; ``copy`` is ``None`` where it is not brought here yet.

    The version is that of the image that the job's tool runs in, if that is one of the product's own.
    """
    tool = DUMP_TOOLS.get(backup.tool)
    possible = () if tool is None else tuple(one for one in tool.products if one in products())
    image = None if backup.container is None else backup.container.image
    by_image = image.product if image is not None and image.product in possible else ""
    said = _by_content(copy)
    if possible and said not in possible:
        said = ""  # Something else under the name of the job's copies: it has to fail as what the job makes.
    product = said or by_image or _by_name(backup.tool, possible)
    if image is None or image.product != product:
        return Wanted(product)
    return Wanted(product, image.version, image="" if "*" in image.text else image.text)


def _by_name(tool: str, possible: tuple[str, ...]) -> str:
    """By the tool alone. Those of MySQL's name come with MariaDB's images too, and write what both of them read."""
    if not possible:
        return FILES
    return possible[0] if len(possible) == 1 or "mariadb" not in possible else "mariadb"


def _by_content(copy: Path | None) -> str:
    if copy is None or not copy.is_file():
        return ""
    try:
        beginning = beginning_of(copy, packing_of(copy), _LOOK)[:_LOOK]
    except BrokenCopy:
        return ""
    begins = next((product for magic, product in _BEGINS.items() if beginning.startswith(magic)), "")
    lines = beginning.splitlines()
    return begins or next((one for says, one in _SAYS.items() if any(line.startswith(says) for line in lines)), "")
