"""Which troubles of the example a scanner names too: the kinds of finding of both, side by side.

`examples/homelab` shows nearly every concern of the catalogue. Checkov reads the same tree with all its frameworks, and
a concern counts as named by it when one check that means the same failed anywhere in the tree: whether on the right
resource is not asked, which is to its advantage. The pairs are ours, from the titles of its checks; the other
direction (hardening that Checkov reports and Shoreup leaves alone) is counted too.

    python bench/peers.py
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from run import PROJECT, CouldNotMeasure, checkov, run, run_shoreup

FRAMEWORKS = (
    *("terraform", "kubernetes", "helm", "kustomize"),
    *("dockerfile", "github_actions", "gitlab_ci", "secrets", "ansible"),
)
SAME = {
    "CKV_K8S_8": "probe-liveness-missing",
    "CKV_K8S_9": "probe-readiness-missing",
    "CKV_K8S_10": "resources-requests-missing",
    "CKV_K8S_12": "memory-limit-missing",
    "CKV_K8S_13": "resources-requests-missing",
    "CKV_K8S_14": "image-tag-latest",
    "CKV_K8S_16": "privileged-workload",
    "CKV_K8S_43": "image-tag-mutable",
    "CKV_K8S_49": "rbac-wildcard",
    "CKV_K8S_155": "rbac-wildcard",
    "CKV_K8S_156": "rbac-wildcard",
    "CKV_K8S_157": "rbac-wildcard",
    "CKV_K8S_158": "rbac-wildcard",
    "CKV_GHA_3": "remote-code-unpinned",
    "CKV_DOCKER_7": "image-tag-latest",
    "CKV2_K8S_6": "network-policy-missing",
    "CKV2_K8S_5": "rbac-wildcard",
}
"""The concern that a check of Checkov's is about; every ``CKV_SECRET_*`` is about secrets in plain text."""


def named_by_checkov(output: bytes) -> Iterator[tuple[str, str]]:
    """The id and the title of each check that failed, once for each place."""
    parsed = json.loads(output)
    for report in parsed if isinstance(parsed, list) else [parsed]:
        for failed in report.get("results", {}).get("failed_checks", ()):
            yield failed["check_id"], failed["check_name"]


def concern_of(check: str) -> str:
    return "secret-in-plain-text" if check.startswith("CKV_SECRET_") else SAME.get(check, "")


def table(findings: list[Mapping[str, str]], failed: Counter[str], titles: Mapping[str, str]) -> Iterator[str]:
    named = {concern_of(check) for check in failed}
    kinds: dict[str, set[str]] = defaultdict(set)
    for finding in findings:
        kinds[finding["category"]].add(finding["concern"])
    yield "| what it is about | kinds of trouble | named by Checkov too |"
    yield "|---|---|---|"
    for category, concerns in sorted(kinds.items()):
        also = sorted(concerns & named)
        yield f"| {category} | {len(concerns)} | {len(also)}{': ' if also else ''}{', '.join(also)} |"
    everything = set().union(*kinds.values())
    yield f"| all | {len(everything)} | {len(everything & named)} |"
    yield ""
    severe = {one["concern"] for one in findings if one["severity"] in ("critical", "high")}
    yield f"Of the {len(severe)} that are critical or high somewhere, Checkov names {len(severe & named)}."
    rest = {check: number for check, number in failed.items() if not concern_of(check)}
    first = ", ".join(f"{titles[check]} ({number})" for check, number in Counter(rest).most_common(5))
    yield (
        f"Of its {failed.total()} findings of {len(failed)} checks, {sum(rest.values())} of {len(rest)} checks are "
        f"of no concern of ours; most of all: {first}."
    )


def main() -> None:
    shoreup = Path(sys.executable).with_name("shoreup")
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(shutil.copytree(PROJECT / "examples" / "homelab", Path(folder) / "estate"))
        account = json.loads(run_shoreup(shoreup, tree).output)
        options = ["--skip-download", "--quiet", "--compact", "-o", "json", "--framework", *FRAMEWORKS]
        found = list(named_by_checkov(run([checkov(), *options, "-d", tree], {"LOG_LEVEL": "CRITICAL"}).output))
    print("\n".join(table(account["findings"], Counter(check for check, _ in found), dict(found))))


if __name__ == "__main__":
    try:
        main()
    except CouldNotMeasure as reason:
        sys.exit(f"could not measure: {reason}")
