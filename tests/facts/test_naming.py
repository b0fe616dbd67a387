"""How findings call what they are about."""

from __future__ import annotations

from shoreup.facts.naming import named
from shoreup.model.resource import Resource


def test_what_only_an_apply_names_is_called_as_in_the_code() -> None:
    made = Resource(
        api_version="velero.io/v1",
        kind="Schedule",
        namespace="*",
        name="*",
        body={},
        address="kubernetes_manifest.nightly",
        root=".",
        source="terraform",
    )
    assert named(made) == "Schedule kubernetes_manifest.nightly"
