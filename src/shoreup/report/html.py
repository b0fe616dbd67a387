"""The dossier as one HTML file that reaches no network.

The page is built from ``web/`` (``make web``) and lies beside this file. Its own policy names by hash what may run in
it; what an estate contains stands in it as data that cannot end the element that holds it.
"""

from __future__ import annotations

from importlib import resources

import msgspec

from shoreup.model.dossier import Dossier
from shoreup.report.contract import whole
from shoreup.report.dossier import document

_PLACE = "@DOSSIER@"
_ENDS = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}
"""Characters that mean something to HTML or to older readers of scripts; JSON may spell each by its number."""


def render(dossier: Dossier) -> str:
    """The whole page."""
    data = msgspec.json.encode(whole(document(dossier))).decode()
    before, _, after = page().partition(_PLACE)
    return f"{before}{data.translate(_ENDS)}{after}"


def page() -> str:
    """The page without an estate in it."""
    return resources.files("shoreup.report").joinpath("data", "page.html").read_text(encoding="utf-8")
