"""Which version of a dump tool a job brings, as far as its image says.

The image of an engine holds the clients of the same version, and some backup images are tagged by the client's. Of
other images nothing is concluded.
"""

from __future__ import annotations

from msgspec import Struct

from shoreup.facts.backups.commands.dump_tools import DUMP_TOOLS
from shoreup.facts.backups.commands.images import backup_image
from shoreup.facts.estate import Backup, Estate, Image
from shoreup.facts.products import version_of
from shoreup.model.value import Unknown


class Client(Struct, frozen=True):
    """A dump client. ``version`` is empty where the tag names none; ``open`` says why it is not decided."""

    product: str
    version: str
    image: Image
    open: str = ""


def client_of(estate: Estate, backup: Backup) -> Client | None:
    """The client that makes a backup; ``None`` where its image does not say, or where its version does not matter."""
    used = DUMP_TOOLS.get(backup.tool)
    if backup.container is None or (used is not None and used.carries):
        return None
    image = backup.container.image
    known = backup_image(image)
    if known is not None:
        if not known.tag_is_client or len(known.products) != 1:
            return None
        product = known.products[0]
        version = version_of(image.tag) if isinstance(image.tag, str) else ""
    else:
        tool = DUMP_TOOLS.get(backup.tool)
        if tool is None or image.product not in tool.products:
            return None
        product, version = image.product, image.version
    unsure = image.tag.reason if isinstance(image.tag, Unknown) else ""
    if isinstance(image.digest, Unknown):
        unsure = unsure or image.digest.reason
    return Client(product, version, image, unsure)
