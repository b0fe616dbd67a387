"""What the catalogue says about one concern, for those who show it and must not know how it is found."""

from __future__ import annotations

from msgspec import Struct

from shoreup.model.finding import Category, Consequence, Section, Severity


class Source(Struct, frozen=True):
    """Where a reader finds what a concern takes for true.

    ``at`` is an address of the web, or a file of the package (``facts/data/support.json``) whose entries carry the
    address that each is from.
    """

    title: str
    at: str


class ConcernPage(Struct, frozen=True):
    """One concern as a reader meets it. ``text`` is Markdown: what, why, example, fix safety."""

    id: str
    title: str
    severity: Severity
    consequence_class: Consequence
    category: Category
    section: Section
    text: str
    sources: tuple[Source, ...] = ()
