"""Findings that another finding's edit cures, and findings that are called otherwise once another one is gone."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec.structs import replace

from shoreup.model.amendment import Applied
from shoreup.model.edit import Add, Become, FieldEdit
from shoreup.model.finding import Finding, Place
from shoreup.stages.auditing.examination import Examination
from shoreup.stages.fixing.attempt import Attempt
from shoreup.stages.fixing.checks import kind_of


def cured_with(
    before: Examination, after: Examination, attempts: Sequence[Attempt], asked: Callable[[Finding], bool]
) -> list[Applied]:
    """Findings that were asked for, got no edit of their own, and are gone all the same."""
    own = {one.finding.fingerprint for one in attempts}
    left = Counter(kind_of(one, after) for one in after.account.findings)
    mine: dict[tuple[str, ...], list[Finding]] = defaultdict(list)
    for finding in before.account.findings:
        if finding.fingerprint not in own:
            mine[kind_of(finding, before)].append(finding)
    cured: list[Applied] = []
    for kind, findings in mine.items():
        gone = len(findings) - left[kind]
        last = findings[len(findings) - gone :] if gone > 0 else []
        cured += [_with(one, before, attempts) for one in last if asked(one)]
    return cured


def _with(finding: Finding, before: Examination, attempts: Sequence[Attempt]) -> Applied:
    place = before.drafts[finding.fingerprint].at
    shared = {one: _shared(place, one) for one in attempts}
    most = max(shared.values())
    near = [one for one in attempts if shared[one] == most and (most >= 0 or finding.file in one.files)]
    near = near or list(attempts)
    said = near[0].applied()
    marks = tuple(one.finding.fingerprint for one in near)
    return replace(said, finding=finding, with_=marks, also=0, opens=(), cost="", loses_comments=0, note="")


def _shared(place: Place, attempt: Attempt) -> int:
    """How far an attempt's edits go the way to a place of a resource; -1 where they are of others."""
    far = -1
    for edit in attempt.repair.edits:
        if isinstance(edit, Add) and edit.beside == place.resource >= 0:
            far = max(far, 0)
        elif isinstance(edit, FieldEdit) and edit.resource == place.resource >= 0:
            route = edit.route if not isinstance(edit, Become) else ()
            far = max(far, len(posixpath.commonprefix([route, place.route])))
    return far


def called_as_before(before: Examination, after: Examination, gone: Collection[str]) -> Examination:
    """The examination after edits, where findings that only their order tells apart keep the fingerprints they had."""
    had: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for one in before.account.findings:
        if one.fingerprint not in gone:
            had[kind_of(one, before)].append(one.fingerprint)
    have: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for one in after.account.findings:
        have[kind_of(one, after)].append(one.fingerprint)
    names: dict[str, str] = {}
    for kind, marks in have.items():
        if marks != had[kind] and len(marks) == len(had[kind]):
            names.update(zip(marks, had[kind], strict=True))
    return _renamed(after, names) if names else after


def _renamed(seen: Examination, names: Mapping[str, str]) -> Examination:
    findings = tuple(
        replace(one, fingerprint=names.get(one.fingerprint, one.fingerprint)) for one in seen.account.findings
    )
    drafts = {names.get(mark, mark): draft for mark, draft in seen.drafts.items()}
    return replace(seen, account=replace(seen.account, findings=findings), drafts=drafts)
