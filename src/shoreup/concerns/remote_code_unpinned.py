"""Code from somewhere else, whatever it is today."""

from __future__ import annotations

from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.estate import Estate
from shoreup.facts.remote_code import FetchedCode, fetched_code
from shoreup.model.finding import Category, Consequence, Fix, Safety, Section, Severity

_FIX = Fix(
    "Build it into the image, or fetch one version and check its checksum before it runs",
    Safety.SHOWN,
    "which version is meant, and its checksum, are not in the estate",
)


class RemoteCodeUnpinned(Concern):
    """A program of the estate fetches code when it runs, and nothing says which code.

    **What**

    `curl ... | sh` from an address without a version, a file fetched from a moving address and then executed, `pip
    install` and `npm install -g` without versions when a container starts, `ssh-keyscan` into `known_hosts`. A version
    or a commit in the address, or a checksum that is checked, pins it; the estate's own hosts are left alone.

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

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every program."""
        for code in fetched_code(estate):
            if code.undecided:
                yield self.undecided(code.place, unknown="fetched code", reason=code.undecided)
            else:
                yield self._unpinned(code)

    def _unpinned(self, code: FetchedCode) -> Outcome:
        keys = code.field == "ssh-keyscan"
        return self.found(
            code.place,
            field=code.field,
            subject=code.who,
            message=f"{code.who} {code.what}.",
            consequence=(
                "Whoever stands between it and the server at that moment is taken for the server."
                if keys
                else "The next start runs what is served then: a release that breaks it, or a stranger's code with the "
                "pod's rights."
            ),
            fixes=(_FIX,),
            confidence=code.confidence,
            severity=Severity.MEDIUM if keys or code.field in ("pip", "npm") else None,
        )
