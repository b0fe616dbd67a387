"""What a restored database lacks of what its copy was of, and what is no lack.

Not everything that differs is wrong: a sequence stands further on because others wrote while the copy was made, an
extension is of the version that this server's package has, and a dump of one database brings no roles.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from shoreup.compare.manifest import Difference, Manifest, differences

_SEQUENCE = re.compile(r"(?P<at>-?\d+) by (?P<step>-?\d+)")


def unlike(manifest: Manifest | None, now: Manifest) -> list[str]:
    """What is not as the manifest says, in words; nothing where there is none.

    A single database is the same under another name. Roles and the like count where ``now`` has any.
    """
    if manifest is None:
        return []
    if len(manifest.contents) == len(now.contents) == 1:
        only = replace(now.contents[0], name=manifest.contents[0].name)
        now = replace(now, contents=(only,))
    # A dump of one database brings no roles, and one of the estate's own is not among those of a new server.
    left_out = () if now.items else {item.kind for item in manifest.items}
    return [str(one) for one in differences(manifest, now, left_out) if not _is_a_stand_ins(one) and not _went_on(one)]


def _is_a_stand_ins(one: Difference) -> bool:
    """Whether it is the version of an extension: the server's package decides that, and no dump says which it was."""
    return one.kind == "extension" and one.is_now != "missing" and one.was != "not there"


def _went_on(one: Difference) -> bool:
    """Whether it is a sequence that stands further on than in the manifest: others wrote while the copy was made."""
    was, now = _SEQUENCE.fullmatch(one.was), _SEQUENCE.fullmatch(one.is_now)
    if one.kind != "sequence" or was is None or now is None or was["step"] != now["step"]:
        return False
    ahead = int(now["at"]) - int(was["at"])
    return ahead > 0 if int(was["step"]) > 0 else ahead < 0
