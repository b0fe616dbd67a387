"""What a moving reference stood for on the day when somebody looked: the entries of ``shoreup.lock``."""

from __future__ import annotations

from datetime import date

from msgspec import Struct


class ImagePin(Struct, frozen=True):
    """An image reference as the estate writes it, and what it came to.

    ``tag`` is the finest tag that names the same image, the reference's own where there is no finer one; ``digest`` is
    that of the manifest (the index, for an image of several architectures). ``source`` says who told it: a registry's
    host, ``cluster``, or the name of a file.
    """

    reference: str
    tag: str
    digest: str
    source: str
    taken: date


class ChartPin(Struct, frozen=True):
    """The chart version that a release has installed. ``namespace`` and ``release`` are the cluster's."""

    namespace: str
    release: str
    version: str
    source: str
    taken: date
