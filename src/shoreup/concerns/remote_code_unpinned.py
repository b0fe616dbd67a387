"""Code from somewhere else, whatever it is today."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.pipelines.actions import moving_actions
from shoreup.facts.programs.remote_code import INSTALLERS, FetchedCode, fetched_code
from shoreup.facts.programs.start_installs import installed_at_start
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity
from shoreup.model.page import Source

_FIX = Fix(
    "Build it into the image, or fetch one version and check its checksum before it runs",
    Safety.SHOWN,
    "which version is meant, and its checksum, are not in the estate",
)

_MODEL = "model "
_ACTION = " action"
_SIGNED = frozenset({"ssh-keyscan", "grafana-plugins", "grafana-preinstall", "linuxserver-mods", *INSTALLERS})
"""What comes from a registry that somebody keeps, or is a key."""


_PROPOSAL = """curl -fsSLo <file> https://<address of one version>
echo "<sha256 of that file>  <file>" | sha256sum -c -
sh <file>"""


class RemoteCodeUnpinned(Concern):
    """A program of the estate fetches code when it runs, and nothing says which code.

    **What**

    `curl ... | sh` from an address without a version, a file fetched from a moving address and then executed, `pip
    install`, `npm install -g` and `helm plugin install` without versions when a container starts, plugins and mods that
    a setting has fetched at every start, a model from a branch, `ssh-keyscan` into `known_hosts`, `curl ... | sh` in an
    image build or on a machine that Terraform sets up over SSH. A version or a commit in the address, or a checksum
    that is checked, pins it; the estate's own hosts are left alone. What a package manager installs in a pipeline, and
    a stranger's action by a tag with a token that writes, only the strict persona sees.

    **Why**

    The next restart runs what that server then holds. A new release breaks it at the worst moment, whoever takes the
    server over runs code with the pod's rights, and without the network the pod does not start at all.

    **Example**

    `curl -fsSL https://get.example.com/install.sh | sh` in an init container. With
    `echo "$SHA  tool" | sha256sum -c -` after a fetch of one version it is not found.

    **Fix safety**

    Shown: version and checksum must be looked up.
    """

    id = "remote-code-unpinned"
    title = "Code fetched at run time without version or checksum"
    severity = Severity.HIGH
    consequence_class = Consequence.TAKEOVER
    category = Category.PRACTICE
    section = Section.SECURITY
    sources = (
        Source(
            "CWE-494: code that is run without a check of what it is", "https://cwe.mitre.org/data/definitions/494.html"
        ),
        Source("What containers install when they start", "facts/data/start_installs.json"),
    )
    slow_facts = "programs"
    proposal = _PROPOSAL

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every program, and at settings that have one fetch more."""
        for code in chain(fetched_code(estate), installed_at_start(estate), moving_actions(estate)):
            if code.undecided:
                yield self.undecided(code.place, unknown="fetched code", reason=code.undecided)
            else:
                yield self._unpinned(code)

    def _unpinned(self, code: FetchedCode) -> Outcome:
        installed = code.in_pipeline and code.field.endswith((*INSTALLERS, _ACTION))
        return self.found(
            code.place,
            field=code.field,
            subject=code.who,
            message=f"{code.who} {code.what}.",
            consequence=_consequence(code),
            fixes=(_FIX,),
            confidence=code.confidence,
            severity=_severity(code, installed),
            strict=installed,
        )


def _consequence(code: FetchedCode) -> str:
    if code.field == "ssh-keyscan":
        return "Whoever stands between it and the server at that moment is taken for the server."
    if code.field.startswith(_MODEL):
        return "The next fetch brings what the branch holds then: another model under the same name."
    if code.place.resource < 0:
        return "The next build runs what is served then, and the image carries it into the platform."
    if code.on_node:
        return "The next machine gets what is served then: another version than its neighbours, or a stranger's code."
    if code.in_pipeline:
        return "The next run takes what is served then: a release that breaks it, or a stranger's code with its rights."
    return (
        "The next start runs what is served then: a release that breaks it, or a stranger's code with the pod's rights."
    )


def _severity(code: FetchedCode, installed: bool) -> Severity | None:
    if installed or code.field.startswith(_MODEL):
        return Severity.LOW
    if code.field in _SIGNED or code.place.resource < 0:
        return Severity.MEDIUM
    return None
