"""Arguments and blocks that a resource of the ``kubernetes`` provider does not have.

Terraform refuses them, and with them the whole root. Here the object is read without them, which is worth a word: what
they should say is missing in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.formats.hcl.syntax import Attribute, Block, Body
from shoreup.formats.nearest import nearest
from shoreup.sources.provider.table import Shape, table
from shoreup.terraform.configuration import Configurations

_META = frozenset(
    {
        "connection", "count", "depends_on", "for_each", "id", "lifecycle", "locals", "provider", "provisioner",
        "timeouts",
    }
)  # fmt: skip
"""What Terraform itself knows in every resource."""
_NEVER_SENT = frozenset(
    {
        "auto_approve", "binary_data_wo_revision", "data_wo_revision", "local", "namespace", "secret_namespace",
        "target_cpu_utilization_percentage", "target_state", "wait_for_completion", "wait_for_default_service_account",
        "wait_for_load_balancer", "wait_for_rollout", "wait_for_service_account_token", "wait_until_bound",
    }
)  # fmt: skip
"""What the provider takes and no object has, so that its table leaves it out (``tools/provider_table.py``)."""
_KNOWN = _META | _NEVER_SENT
_Part = Attribute | Block


def note_unknown_arguments(configurations: Configurations) -> None:
    """Note each of them, in every directory that has been read."""
    known = table()
    for path in configurations.read_directories:
        module = configurations.module(path)
        for (kind, name), block in module.resources.items() if module else ():
            entry = known.kind(kind)
            if entry is None:
                continue
            for part, written, meant in _unknown(block.body, entry.shape, _KNOWN):
                line = part.source.line(part.start)
                instead = f"it has {meant}" if meant else f"the provider of {known.source['date']} knows none"
                cause = f"{kind} has no {written} here ({instead}), and Terraform refuses it"
                configurations.tree.error(part.source.path, line, cause, f"{written} of {kind}.{name}")


def _unknown(body: Body, shape: Shape, known: frozenset[str]) -> Iterator[tuple[_Part, str, str]]:
    """Each part that is none of ``shape``, with its name and the one that was meant."""
    fields = shape.fields
    for name, attribute in body.attributes.items():
        if name not in fields and name not in known:
            yield attribute, name, _meant(attribute, name, body, shape)
    for block in body.blocks:
        name, inside = block.kind, block.body
        if name == "dynamic" and block.labels:
            name = block.labels[0]
            inside = next((one.body for one in block.body.blocks if one.kind == "content"), inside)
        found = fields.get(name)
        if found is not None:
            if found.block is not None:
                yield from _unknown(inside, found.block, _NEVER_SENT)
        elif name not in known:
            yield block, name, _meant(block, name, body, shape)


def _meant(part: _Part, name: str, body: Body, shape: Shape) -> str:
    """The argument or block that a name surely stands for and that is not there yet; empty where there is none."""
    single = isinstance(part, Attribute)
    there = {*body.attributes, *(block.kind for block in body.blocks if single)}
    return nearest(name, (field for field, found in shape.fields.items() if field not in there))
