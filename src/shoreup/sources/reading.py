"""What a source gives: a resource, and the tracer that finds where its fields are written."""

from __future__ import annotations

from dataclasses import dataclass

from shoreup.model.resource import Resource, Tracer


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A resource with its tracer. The tracer stays in the process that read the files."""

    resource: Resource
    tracer: Tracer
