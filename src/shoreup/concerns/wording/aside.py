"""How findings speak of what is committed and not applied."""

from __future__ import annotations

from shoreup.model.finding import Fix, Safety

NOT_APPLIED = " Nothing applies that file, and it is still committed."
REMOVE = Fix(
    "Take it out of the file, and replace it wherever it is still accepted",
    Safety.SHOWN,
    "what lay in git counts as known; whether something still accepts it is for the owner to say",
)
