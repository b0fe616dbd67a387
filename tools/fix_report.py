"""What ``shoreup fix --unsafe --write`` makes of estates: what holds when they are audited again, and what is left.

    python tools/fix_report.py [--rows] [--keep FOLDER] [--today 2026-11-23] ESTATE...

Each estate is copied, made a git repository, fixed and audited anew from the disk; nothing is believed that the fix
says of itself. Terraform is read by HashiCorp's parser as well (tests/environment/prepare installs it), YAML by PyYAML
and ruamel; ``terraform fmt`` is asked where the command is there. Prints Markdown; exits with 1 where a check fails.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import yaml
from ruamel.yaml import YAML

from shoreup.formats.files import FileTree
from shoreup.model.account import Account
from shoreup.model.amendment import Amendment
from shoreup.sources.git import listed
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.fix import FixOptions, fix, write_out
from shoreup.stages.fixing.remarks import remarks

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from hashicorp_reading import disagreements  # the tests' own oracle

CURABLE = frozenset(
    """
    backup-failure-silent backup-inconsistent backup-inside-live-data backup-result-ignored backup-retention-age-only
    backup-retention-missing backup-version-mismatch chart-unpinned comment-contradicted cpu-limit-throttling
    credential-in-log credential-on-command-line gate-single gpu-pinned gpu-unschedulable image-tag-floating
    image-tag-latest image-tag-mutable image-update-frozen memory-limit-missing pdb-blocks-drain pdb-missing
    priority-unset probe-liveness-missing probe-readiness-missing probe-startup-missing proxy-trusts-anyone
    rate-limit-missing rbac-cluster-admin rbac-wildcard replica-single replicas-colocated reschedule-slow
    resources-requests-missing rollout-shares-volume script-retry-missing script-timeout-fixed secret-in-configmap
    """.split()
)
"""Concerns whose row of the catalogue says safe or unsafe."""

_WHY = (
    (
        "no recorded source",
        r"images lock|rbac learn|audit log|measure|metrics|API server|is installed|version that runs|Pin the",
    ),
    ("the owner decides", r"a person has to decide|a command does it|for its owner|only the owner|advised"),
    ("text shared with others", r"alone|feeds others|makes others|shared"),
    ("not the owner's file", r"generated|encrypted|rendered|chart's own|cannot be read|yet$|stands in no file"),
    ("not known here", r"not known|unknown|is made by|could not be found"),
)

_NOT_OURS = ("no recorded source", "text shared with others", "not the owner's file", "not known here")
"""Reasons that no edit of ours does away with: an input is missing, or the origin is not to be edited for one alone."""


@dataclass
class Row:
    """One concern: findings, and what became of them."""

    found: int = 0
    fixed: int = 0
    left: Counter[str] = field(default_factory=Counter)
    said: Counter[str] = field(default_factory=Counter)


@dataclass
class Result:
    """One estate."""

    name: str
    before: Account
    after: Account
    amendment: Amendment
    seconds: tuple[float, float]
    faults: list[str]
    checked: Counter[str]


def main() -> int:
    """Fix the copies and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("estates", nargs="+", type=Path)
    parser.add_argument("--today", type=date.fromisoformat, default=date(2026, 11, 23))
    parser.add_argument("--keep", type=Path, help="leave the fixed copies there")
    parser.add_argument("--rows", action="store_true", help="name each reason, with how often it was given")
    chosen = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        where = chosen.keep or Path(folder)
        for estate in chosen.estates:
            copy = _copied(estate, where)
            results.append(_result(copy, chosen.today))
            print(f"{copy.name}: {len(results[-1].amendment.applied)} fixed", file=sys.stderr)
    for line in _page(results, chosen.rows):
        print(line)
    return 1 if any(one.faults for one in results) else 0


def _copied(estate: Path, where: Path) -> Path:
    copy = where / estate.resolve().name
    if copy.exists():
        shutil.rmtree(copy)
    shutil.copytree(estate, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["-c", "user.name=Report", "-c", "user.email=report@example.org", "commit", "-qm", "as it was"],
    ):
        subprocess.run(["git", "-C", str(copy), *command], check=True, capture_output=True)
    return copy


def _result(copy: Path, today: date) -> Result:
    everything = AuditOptions(cache=False, today=today)
    started = time.perf_counter()
    before = audit([copy], everything)
    audited = time.perf_counter() - started
    tree = FileTree(copy, (), listed(copy))
    held = {path: (tree.read(path), (copy / path).stat().st_mtime_ns) for path in tree.files if (copy / path).exists()}
    unformatted = _unformatted(copy)
    started = time.perf_counter()
    fixed = fix([copy], FixOptions(unsafe=True, today=today), lambda *_: None)
    took = time.perf_counter() - started
    amendment = write_out(fixed)
    after = audit([copy], everything)
    again = fix([copy], FixOptions(unsafe=True, today=today), lambda *_: None).amendment
    checked: Counter[str] = Counter()
    faults = [
        *_findings(before, after, amendment),
        *_files(copy, held, amendment, checked),
        *_comments(amendment),
        *(f"{path} is not laid out as terraform fmt does any more" for path in _unformatted(copy) - unformatted),
        *(f"a second run would change {one.path}" for one in again.changes),
        *(f"{one.finding.concern} was dropped ({one.check}): {one.cause}" for one in amendment.dropped),
    ]
    return Result(copy.name, before, after, amendment, (audited, took), faults, checked)


def _findings(before: Account, after: Account, amendment: Amendment) -> Iterator[str]:
    marks = {one.fingerprint for one in after.findings}
    for one in amendment.applied:
        if one.finding.fingerprint in marks:
            yield f"{one.finding.concern} at {one.finding.file}:{one.finding.line} is still there"
    known = {one.fingerprint for one in before.findings}
    opened = {name for one in amendment.applied for name in one.opens}
    counts = Counter(one.concern for one in before.findings)
    counts.subtract(one.finding.concern for one in amendment.applied)
    left = Counter(one.concern for one in after.findings)
    for two in after.findings:
        if two.fingerprint not in known and two.concern not in opened and left[two.concern] > counts[two.concern]:
            yield f"{two.concern} came up at {two.file}:{two.line}"
    came = Counter((one.file, one.cause) for one in after.errors)
    came.subtract((one.file, one.cause) for one in before.errors)
    for (file, cause), count in came.items():
        if count > 0:
            yield f"{file}: {cause}"


def _files(
    copy: Path, held: Mapping[str, tuple[bytes | None, int]], amendment: Amendment, checked: Counter[str]
) -> Iterator[str]:
    changed = {one.path: one for one in amendment.changes}
    for path, (content, moment) in held.items():
        if path not in changed and content is not None:
            checked["files untouched"] += 1
            if (copy / path).read_bytes() != content or (copy / path).stat().st_mtime_ns != moment:
                yield f"{path} was touched without an edit"
    for path, change in changed.items():
        text = change.after.decode("utf-8", "replace")
        if path.endswith((".tf", ".tofu")):
            checked["Terraform files that both parsers read alike"] += 1
            yield from (f"{path}: {why}" for why in disagreements(text))
        elif path.endswith((".yaml", ".yml")):
            if not _yaml(text) == _yaml((change.before or b"").decode("utf-8", "replace")) == "":
                yield f"{path}: {_yaml(text) or 'it was no YAML before'}"
            checked["YAML files that PyYAML and ruamel read alike"] += 1
    if subprocess.run(["git", "-C", str(copy), "status", "--porcelain"], capture_output=True, check=True).stdout.count(
        b"\n"
    ) > len(changed):
        yield "files changed that the run does not name"


def _yaml(text: str) -> str:
    """What is wrong with a text; empty where both libraries read it alike."""
    try:
        one = list(yaml.load_all(text, Loader=_Plain))  # a loader of texts alone
        reader = YAML(typ="safe", pure=True)
        other = list(reader.load_all(text))
    except Exception as problem:
        return f"{type(problem).__name__}: {str(problem).splitlines()[0]}"
    return "" if _texts(one) == _texts(other) else "PyYAML and ruamel read different things"


class _Plain(yaml.SafeLoader):
    """PyYAML, with tags that it does not know read as what they stand on."""


def _any_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Plain.add_multi_constructor("!", _any_tag)


def _texts(value: object) -> object:
    """The value without what YAML 1.1 and 1.2 read differently: ``on``, ``0o17``, dates."""
    if isinstance(value, dict):
        return [(_texts(key), _texts(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [_texts(item) for item in value]
    return value if isinstance(value, str) and not _LOOSE.fullmatch(value) else None


_LOOSE = re.compile(r"(?i)y|n|yes|no|on|off|[-+0-9.:_oxeTZ ]+|true|false|~|null|")


def _comments(amendment: Amendment) -> Iterator[str]:
    lost = sum(one.loses_comments for one in amendment.applied)
    before = sum(remarks(one.path, one.before or b"") for one in amendment.changes)
    after = sum(remarks(one.path, one.after) for one in amendment.changes)
    if not before - lost <= after:
        yield f"{before} comments in the changed files became {after}, where {lost} were to go"


def _unformatted(copy: Path) -> set[str]:
    if shutil.which("terraform") is None:
        return set()
    command = ["terraform", f"-chdir={copy}", "fmt", "-check", "-recursive", "-no-color"]
    answer = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return set(answer.stdout.split("\n")) - {""}


def _page(results: Sequence[Result], said: bool) -> Iterator[str]:
    yield "| estate | findings | fixed | left | files changed | audit | fix | faults |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in results:
        audited, took = one.seconds
        yield (
            f"| {one.name.replace('+', '/')} | {len(one.before.findings)} | {len(one.amendment.applied)} "
            f"| {len(one.after.findings)} | {len(one.amendment.changes)} | {audited:.1f} s | {took:.1f} s "
            f"| {len(one.faults)} |"
        )
    for one in results:
        yield from (f"\nFault in {one.name}: {fault}" for fault in one.faults)
    checked: Counter[str] = sum((one.checked for one in results), Counter())
    yield "\nChecked: " + ", ".join(f"{count} {what}" for what, count in sorted(checked.items())) + ".\n"
    rows = _rows(results)
    reasons = [why for why, _ in Counter(why for row in rows.values() for why in row.left.elements()).most_common()]
    for title, wanted in (("Rows that say safe or unsafe", True), ("All other rows", False)):
        yield f"\n{title}\n\n| concern | found | fixed | {' | '.join(reasons)} |"
        yield "|---|---|---|" + "---|" * len(reasons)
        total = Row()
        for concern, row in sorted(rows.items()):
            if (concern in CURABLE) is not wanted:
                continue
            total.found, total.fixed, total.left = (
                total.found + row.found,
                total.fixed + row.fixed,
                total.left + row.left,
            )
            left = " | ".join(str(row.left[why] or "") for why in reasons)
            yield f"| {concern} | {row.found} | {row.fixed} | {left} |"
        left = " | ".join(str(total.left[why] or "") for why in reasons)
        yield f"| **together** | {total.found} | {total.fixed} | {left} |"
        ours = total.left.total() - sum(total.left[why] for why in _NOT_OURS)
        if wanted and total.fixed + ours:
            share = 100 * total.fixed / (total.fixed + ours)
            yield f"\nOf those whose inputs are there and whose origin is editable {share:.0f} in 100 are fixed."
    if said:
        yield "\n| concern | reason | findings |\n|---|---|---|"
        for concern, row in sorted(rows.items()):
            yield from (f"| {concern} | {why} | {count} |" for why, count in row.said.most_common())


def _rows(results: Sequence[Result]) -> Mapping[str, Row]:
    rows: dict[str, Row] = defaultdict(Row)
    for one in results:
        for finding in one.before.findings:
            rows[finding.concern].found += 1
        for applied in one.amendment.applied:
            rows[applied.finding.concern].fixed += 1
        for left in one.amendment.not_fixed:
            rows[left.finding.concern].left[_why(left.reason)] += 1
            rows[left.finding.concern].said[left.reason] += 1
        for dropped in one.amendment.dropped:
            rows[dropped.finding.concern].left["dropped"] += 1
    return rows


def _why(reason: str) -> str:
    return next((name for name, pattern in _WHY if re.search(pattern, reason)), "something else")


if __name__ == "__main__":
    raise SystemExit(main())
