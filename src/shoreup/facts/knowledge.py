"""What is known of products, as tables in ``facts/data``: each row with its source and the day that it was looked at.

Code asks a table and knows no product by its name. Whoever reads a table keeps what was made of it, for one is read
from disk each time.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TypeVar

import msgspec

T = TypeVar("T")


def table(name: str, kind: type[T]) -> T:
    """The content of ``facts/data/<name>.json`` as ``kind``, mostly a tuple of structs.

    A field that the struct does not have raises ``msgspec.ValidationError`` where the struct forbids it.
    """
    content = files("shoreup.facts").joinpath("data", f"{name}.json").read_bytes()
    return msgspec.json.decode(content, type=kind)
