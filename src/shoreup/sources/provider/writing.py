"""The way back: fields of a Kubernetes object as the provider's blocks and arguments.

The table that reading goes by says what each field is called in Terraform and which form it has there. What the
provider has no field for cannot be written, and is said so by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from shoreup.formats.edits import CannotWrite
from shoreup.formats.hcl.rendering import Code, NewAttribute, NewBlock, NewItem, Plain
from shoreup.sources.provider.table import Field, KindTable, Shape, table

ORDER: tuple[tuple[str, ...], ...] = (
    ("metadata",),
    (),
    ("selector", "pod_selector"),
    ("strategy", "update_strategy"),
    ("affinity",),
    ("toleration",),
    ("topology_spread_constraint",),
    ("port",),
    ("env",),
    ("env_from",),
    ("volume_mount", "volume_device"),
    ("resources",),
    ("startup_probe",),
    ("readiness_probe",),
    ("liveness_probe",),
    ("lifecycle",),
    ("security_context",),
    ("init_container",),
    ("container",),
    ("volume",),
    ("spec", "template", "job_template", "rule", "subject", "role_ref", "ingress", "egress"),
    ("volume_claim_template",),
)
"""The order in which people write blocks beside one another; the empty group are the arguments."""

PROBES = ("startup_probe", "readiness_probe", "liveness_probe")
LATE_ARGUMENTS = ("depends_on", "wait_for_rollout")


def groups_behind(kind: str) -> tuple[tuple[str, ...], ...]:
    """The groups of blocks that a new block of this kind stands behind, the nearest first."""
    related = tuple(name for name in PROBES if name != kind) if kind in PROBES else ()
    index = next((place for place, group in enumerate(ORDER) if kind in group), None)
    if index is None:
        return ()
    before = tuple(reversed(ORDER[: index + 1]))
    return ((related,) if related else ()) + before


def resource_type(api_version: str, kind: str, like: str) -> str | None:
    """The provider's type for a kind: versioned in its name if the type ``like`` is."""
    fitting = [name for name, found in table().kinds.items() if (found.api_version, found.kind) == (api_version, kind)]
    usual = [name for name in fitting if "default" not in name] or fitting
    versioned = like.rpartition("_")[2][:1] == "v" and like.rpartition("_")[2][1:2].isdigit()
    return min(usual, key=lambda name: (_versioned(name) != versioned, len(name), name), default=None)


def _versioned(name: str) -> bool:
    last = name.rpartition("_")[2]
    return last[:1] == "v" and last[1:2].isdigit()


def object_items(kind: KindTable, body: Mapping[str, Plain]) -> tuple[NewItem, ...]:
    """The blocks of a whole object."""
    rest = {key: value for key, value in body.items() if key not in ("apiVersion", "kind")}
    return tuple(block_items(kind.resource_type, kind.shape, rest))


def block_items(resource_type: str, shape: Shape, value: Mapping[str, Plain]) -> Iterator[NewItem]:
    """The arguments and blocks of one block. Raises :class:`CannotWrite` for a field that the provider lacks."""
    inline: dict[str, list[NewItem]] = {}
    for name, item in value.items():
        if item is None:
            continue
        path, found = field_named(resource_type, shape, name)
        items = field_items(resource_type, found, item)
        if len(path) == 1:
            yield from items
        else:
            inline.setdefault(str(path[0]), []).extend(items)
    for name, items in inline.items():
        yield NewBlock(name, tuple(items))


def field_named(resource_type: str, shape: Shape, name: str) -> tuple[tuple[str | int, ...], Field]:
    """A field by its name in Kubernetes, and the way to it from the block."""
    candidates = shape.by_kubernetes.get(name)
    if not candidates:
        raise CannotWrite(f"Terraform's {resource_type} has no {name} in this place")
    return candidates[0]


def field_items(resource_type: str, found: Field, value: Plain) -> list[NewItem]:
    """The argument or the blocks that give a field a value."""
    if found.block is None:
        return [NewAttribute(found.terraform, argument(found, value))]
    if isinstance(value, Code):
        raise CannotWrite(f"{found.terraform} is a block in Terraform, which no expression can give")
    if found.form == "object":
        return [one_block(resource_type, found, value)]
    if found.form == "spread" and isinstance(value, Sequence) and not isinstance(value, str):
        # every block inside of an item is an item of its own, so one that holds several would lose their order
        return [one_block(resource_type, found, item) for item in value]
    if found.form == "blocks" and isinstance(value, Sequence) and not isinstance(value, str):
        return [one_block(resource_type, found, item) for item in value]
    raise CannotWrite(f"{found.terraform} of Terraform's {resource_type} cannot be written with this value")


def one_block(resource_type: str, found: Field, value: Plain) -> NewBlock:
    """One block of a block list."""
    if not isinstance(value, Mapping):
        raise CannotWrite(f"{found.terraform} is a block in Terraform, and the value is none")
    return NewBlock(found.terraform, tuple(block_items(resource_type, found.inner, value)))


def argument(found: Field, value: Plain) -> Plain:
    """The value of an argument as Terraform takes it."""
    if isinstance(value, Code):
        return value
    if found.empty_is_unset and value in (0, "") and not isinstance(value, bool):
        raise CannotWrite(f"Terraform's provider takes {value!r} for {found.terraform} as no value at all")
    if found.form == "map" and isinstance(value, Mapping):
        return {key: scalar(found.type, item) for key, item in value.items()}
    if found.form == "list" and isinstance(value, Sequence) and not isinstance(value, str):
        return [scalar(found.type, item) for item in value]
    if found.form == "value" and not isinstance(value, Mapping | list | tuple):
        return scalar(found.type, value)
    raise CannotWrite(f"{found.terraform} cannot have this kind of value in Terraform")


def scalar(kind: str, value: Plain) -> Plain:
    """A scalar of a Kubernetes type as Terraform takes it: a quantity is a string, a file mode one of octal digits."""
    if isinstance(value, Code) or value is None:
        return value
    if kind == "octal" and isinstance(value, int):
        return f"{value:04o}"
    if kind in ("quantity", "string") and isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value
