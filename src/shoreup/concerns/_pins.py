"""Pinning, which several concerns about images ask for: from the lock file, or not at all."""

from __future__ import annotations

from shoreup.facts.estate import Estate, Image
from shoreup.facts.pins import LOCK_FIRST, pin_of, pinned
from shoreup.model.edit import Edit, NoRepair, Repair
from shoreup.model.finding import Fix, Safety

_REASON = "the pod template changes, so the pods restart once, with what the lock file says ran"


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
    fix = Fix(f"Pin the image to {pin.tag} (from {pin.source}, {pin.taken.isoformat()})", Safety.UNSAFE, _REASON)
    return Repair(fix, (edit, *more))
