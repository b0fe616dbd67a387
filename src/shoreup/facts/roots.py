"""What the estate's Terraform says of itself as a whole, and small files that are neither Terraform nor YAML."""

from __future__ import annotations

from msgspec import Struct

from shoreup.model.finding import Place
from shoreup.model.location import Span

CONFIGURES_PROVIDERS = "it configures its providers"


class TerraformRoot(Struct, frozen=True, eq=False):
    """A directory that Terraform applies as one.

    ``applied`` says by what it is known to be applied itself and not a module for others, empty where nothing shows it.
    ``managed`` counts resources and module calls as written. ``state_file`` is a state that lies in the repository.
    ``required_version`` is the constraint on Terraform's version.
    """

    directory: str
    applied: str
    managed: int
    state_file: str
    required_version: str
    required_place: Place

    @property
    def by_providers(self) -> bool:
        """Whether only its providers' configuration shows that it is applied, which an old module may have too."""
        return self.applied == CONFIGURES_PROVIDERS


class LooseFile(Struct, frozen=True, eq=False):
    """A small file that pins tools or configures a tunnel, as text. ``kind`` is ``tool-versions``, ``mise``,
    ``version`` or ``wireguard``. ``offset`` is the first byte of the text.
    """

    path: str
    kind: str
    text: str
    offset: int = 0

    def place(self, start: int, end: int) -> Place:
        """The place of characters ``start`` to ``end`` (exclusive)."""
        first = self.offset + len(self.text[:start].encode())
        return Place(span=Span(self.path, first, first + len(self.text[start:end].encode())))
