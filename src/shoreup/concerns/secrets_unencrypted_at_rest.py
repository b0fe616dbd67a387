"""Secrets that lie in clear where they are stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shoreup.concerns.base import Concern, Outcome
from shoreup.facts.control_plane import control_planes
from shoreup.facts.estate import Estate
from shoreup.facts.naming import named
from shoreup.facts.secrets.in_state import ClearState, clear_states
from shoreup.model.finding import Category, Confidence, Consequence, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source

_ENCRYPT = Fix(
    "Switch on encryption of Secrets (k3s: `secrets-encryption: true`; elsewhere an EncryptionConfiguration), then "
    "write every Secret anew",
    Safety.SHOWN,
    "the control plane restarts, and the key needs a backup of its own",
)
_ELSEWHERE = Fix(
    "Keep the state in a backend that encrypts it, or the secrets out of it with External Secrets, Sealed Secrets or "
    "SOPS",
    Safety.SHOWN,
    "where the state may lie is for its owner to say, and moving it takes `terraform init -migrate-state`",
)


_PROPOSALS = {
    _ENCRYPT: """# k3s: /etc/rancher/k3s/config.yaml
secrets-encryption: true
# elsewhere: --encryption-provider-config=<file> of the API server, and in the file
apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
  - resources: [secrets]
    providers:
      - secretbox: {keys: [{name: key1, secret: <32 random bytes in Base64>}]}
      - identity: {}
# then every Secret is written anew
kubectl get secrets -A -o json | kubectl replace -f -""",
    _ELSEWHERE: """# OpenTofu encrypts the state itself
terraform {
  encryption {
    key_provider "pbkdf2" "key" { passphrase = var.<passphrase> }
    method "aes_gcm" "state" { keys = key_provider.pbkdf2.key }
    state { method = method.aes_gcm.state }
  }
}
# or the secret stays outside: External Secrets, Sealed Secrets, SOPS""",
}


class SecretsUnencryptedAtRest(Concern):
    """Secrets lie in clear in etcd or in Terraform's state.

    **What**

    The control plane is configured in the repository with no encryption of Secrets, or a root of Terraform keeps
    its state in a local file while its resources generate or hold secrets. RKE2 and Talos encrypt by themselves. Where
    a root names no backend, what its owner gives it at start is not known.

    **Why**

    A Secret is Base64 until it is encrypted. Whoever has a disk of a control-plane node, a snapshot of etcd, or the
    file of the state, has every password in it.

    **Example**

    `backend "local"` beside a `random_password` is found; an S3 backend is not.

    **Fix safety**

    Shown: both move or rewrite what is stored.
    """

    id = "secrets-unencrypted-at-rest"
    title = "Secrets stored in clear"
    severity = Severity.MEDIUM
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source(
            "Kubernetes: encrypting confidential data at rest",
            "https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/",
        ),
        Source("k3s: encryption of Secrets", "https://docs.k3s.io/security/secrets-encryption"),
    )
    proposal = _PROPOSALS

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every control plane and every state."""
        for plane in control_planes(estate):
            if plane.encrypts is None:
                reason = f"parts of what configures {plane.title} are filled in elsewhere"
                yield self.undecided(plane.place, unknown="encryption of Secrets", reason=reason)
            elif not plane.encrypts:
                configures = "is started" if plane.whole else "configures the control plane"
                title = "" if plane.whole else f" of {plane.title}"
                yield self.found(
                    plane.place,
                    field="secrets-encryption",
                    subject=plane.resource.name,
                    message=f"{plane.resource.name} {configures}{title} with no encryption of Secrets.",
                    consequence=(
                        "Whoever has a snapshot of etcd or a disk of a control-plane node reads every Secret of the "
                        "cluster."
                    ),
                    confidence=Confidence.CERTAIN if plane.whole else Confidence.LIKELY,
                    fixes=(_ENCRYPT,),
                )
        states = list(clear_states(estate))
        for state in states:
            if state.named:
                yield self._state(state)
        unnamed = [state for state in states if not state.named]
        if unnamed:
            others = f" and of {len(unnamed) - 1} more" if len(unnamed) > 1 else ""
            reason = (
                f"the state of {_root(unnamed[0])}{others} holds secrets ({_counted(unnamed[0])}) and no backend is "
                "named; one may be given at start"
            )
            yield self.undecided(unnamed[0].backend.place, unknown="where the state lies", reason=reason)

    def _state(self, state: ClearState) -> Outcome:
        root = _root(state)
        return self.found(
            state.backend.place,
            field=f"state of {state.backend.root}",
            subject=f"the state of {root}",
            message=(
                f"The state of {root} lies in a local file in clear and holds the secrets of "
                f"{len(state.resources)} resources ({_counted(state)})."
            ),
            consequence="Whoever has the file, or a copy of the disk that it lies on, has every one of them.",
            related=tuple((Place(resource.key), f"{named(resource)} stands in it") for resource in state.resources[:4]),
            fixes=(_ELSEWHERE,),
        )


def _root(state: ClearState) -> str:
    return "the root folder" if state.backend.root == "." else state.backend.root


def _counted(state: ClearState) -> str:
    counts = Counter(resource.kind for resource in state.resources)
    return ", ".join(f"{number} {kind}" for kind, number in counts.most_common(3))
