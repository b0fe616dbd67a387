"""What a source gives: a resource, and the tracer that finds where its fields are written."""

from __future__ import annotations

from msgspec import Struct

from shoreup.model.resource import Resource, Tracer


class Found(Struct, frozen=True, eq=False):
    """A resource with its tracer. The tracer stays in the process that read the files."""

    resource: Resource
    tracer: Tracer
