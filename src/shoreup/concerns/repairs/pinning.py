"""Pinning, which several concerns about images ask for: from the lock file, or not at all."""

from __future__ import annotations

from shoreup.facts.estate import Estate, Image
from shoreup.facts.versions.pins import LOCK_FIRST, pin_of, pinned
from shoreup.facts.versions.tag_watchers import watched
from shoreup.model.edit import Edit, NoRepair, Repair
from shoreup.model.finding import Fix, Safety

_REASON = "the pod template changes, so the pods restart once, with what the lock file says ran"

_FRESH = 30
"""Days. A tag that moves has moved since an older record was taken, as often as not."""

_SHOWS = frozenset({"version-unsupported", "version-end-near", "backup-version-mismatch", "database-flavours-differ"})
"""What was so before, behind a tag that names no version, and is seen once it does."""


def pin_repair(estate: Estate, image: Image | None, *more: Edit) -> Repair | NoRepair:
    """The image pinned to what the lock file says, with further edits that belong to it."""
    if image is None:
        return NoRepair("where the image is written could not be found again")
    pin = pin_of(estate, image)
    if pin is None:
        return NoRepair(LOCK_FIRST)
    edit = pinned(estate, image, pin)
    if edit is None:
        return NoRepair("the reference is made of parts that are not all known")
    told = watched(estate, image, pin)
    if told.refusal:
        return NoRepair(told.refusal, f"image: {image.registry}/{image.repository}:{pin.tag}@{pin.digest}")
    fix = Fix(f"Pin the image to {pin.tag} (from {pin.source}, {pin.taken.isoformat()})", Safety.UNSAFE, _REASON)
    days = (estate.today - pin.taken).days
    cost = (
        f"the record is {days} days old: what the tag has brought since then goes back to it" if days > _FRESH else ""
    )
    return Repair(fix, (edit, *more), "; ".join(filter(None, (cost, told.cost))), _SHOWS)
