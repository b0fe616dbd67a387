"""Learning what ServiceAccounts need from what they have done: least roles, and what of their present rights is unused.

A log tells what was asked while it was written, and nothing of what is asked once a year; the times that it covers
stand in what is learned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from msgspec import Struct

from shoreup.facts.estate import Estate, Grant
from shoreup.facts.rights.authorizer import allows, rule_of
from shoreup.facts.rights.learned_roles import roles
from shoreup.facts.rights.least_rights import rights
from shoreup.formats import learned_file
from shoreup.formats.hcl.alignment import Change, aligned
from shoreup.formats.hcl.lines import lines_of
from shoreup.formats.hcl.rendering import NewBlock, item_text, plain
from shoreup.formats.hcl.style import Style
from shoreup.formats.yaml.writing import new_document
from shoreup.live.api_audit import Used, read_log
from shoreup.model.access import Learned, LearnedRights, Rule
from shoreup.model.errors import UserError
from shoreup.model.value import Value
from shoreup.sources.provider.table import table
from shoreup.sources.provider.writing import object_items, resource_type
from shoreup.stages.auditing.examination import Asked, understood
from shoreup.stages.auditing.reading import read
from shoreup.stages.opening import opened

Progress = Callable[[str, int, int], None]
_ACCOUNT = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class Lesson(Struct, frozen=True):
    """What a log taught. ``unused`` are, by account, the rules of the estate that allowed nothing that was asked."""

    learned: Learned
    unread: int
    unused: Mapping[tuple[str, str], Sequence[str]]


def learn(log: Path, paths: Sequence[Path], accounts: Collection[str], allow: Collection[str], say: Progress) -> Lesson:
    """Read a log. ``accounts`` (``namespace/name``) are the only ones that are learned, all if there are none.

    With ``paths`` only accounts that the estate grants something are learned, and their rights compared. Raises
    :class:`UserError`.
    """
    for one in accounts:
        if not _ACCOUNT.fullmatch(one):
            raise UserError(f"{one!r} is no account; write it as NAMESPACE/NAME.")
    return _taught(log, _grants(paths, say) if paths else {}, accounts, allow, say, every=not paths)


def learn_for(estate: Estate, log: Path, allow: Collection[str], say: Progress) -> Lesson:
    """The same for the accounts of an estate that has been read."""
    return _taught(log, _by_account(estate), (), allow, say, every=False)


def _taught(
    log: Path,
    grants: Mapping[tuple[str, str], list[Grant]],
    accounts: Collection[str],
    allow: Collection[str],
    say: Progress,
    *,
    every: bool,
) -> Lesson:
    """``every`` says that accounts without a grant count too."""
    for one in allow:
        if not one.partition("/")[2]:
            raise UserError(f"{one!r} is nothing that could be allowed; write it as VERB/RESOURCE.")
    used = read_log(log, say)
    if not used.events:
        raise UserError(f"{log} holds no event of audit.k8s.io: {used.unread} lines are something else.")
    wanted = {
        who: asked
        for who, asked in sorted(used.accounts.items())
        if (f"{who[0]}/{who[1]}" in accounts if accounts else every or who in grants)
    }
    missing = sorted(set(accounts) - {f"{namespace}/{name}" for namespace, name in wanted})
    if missing:
        raise UserError(f"{log} shows no request of {', '.join(missing)}.")
    found = tuple(rights(*who, asked, allow) for who, asked in wanted.items())
    return Lesson(_learned(log, used, found), used.unread, {who: _unused(grants[who], used) for who in grants})


def _learned(log: Path, used: Used, found: tuple[LearnedRights, ...]) -> Learned:
    return Learned(
        version=learned_file.VERSION,
        source=log.name,
        first=used.first,
        last=used.last,
        events=used.events,
        accounts=found,
    )


def _grants(paths: Sequence[Path], say: Progress) -> Mapping[tuple[str, str], list[Grant]]:
    found = opened(paths, empty=True)
    today = date.today()  # noqa: DTZ011  # no finding hangs on it
    estate = understood(read(found.tree, None, say), Asked((), today, given=found.given, whole=found.whole))
    return _by_account(estate)


def _by_account(estate: Estate) -> Mapping[tuple[str, str], list[Grant]]:
    found: dict[tuple[str, str], list[Grant]] = {}
    for grant in estate.grants:
        if grant.subject_kind == "ServiceAccount":
            found.setdefault((grant.subject_namespace, grant.subject), []).append(grant)
    return found


def _unused(grants: Sequence[Grant], used: Used) -> Sequence[str]:
    """Each verb and resource that an account may use and has not."""
    lines: dict[str, None] = {}
    for grant in grants:
        asked = used.accounts.get((grant.subject_namespace, grant.subject), set())
        where = "" if grant.cluster_wide else grant.resource.namespace or "default"
        here = [one for one in asked if not where or one.namespace == where]
        for rule in filter(None, (rule_of(dict(one)) for one in grant.rules)):
            for verb, what, part in _parts(rule):
                if not any(allows(part, one) for one in here):
                    lines[f"{grant.role_kind} {grant.role}: {verb} {what}"] = None
    return list(lines)


def _parts(rule: Rule) -> Iterator[tuple[str, str, Rule]]:
    for verb in rule.verbs:
        for url in rule.urls:
            yield verb, url, Rule((verb,), urls=(url,))
        for group in rule.groups:
            for resource in rule.resources:
                what = f"{resource}.{group}" if group else resource
                yield verb, what, Rule((verb,), (group,), (resource,), rule.names)


def as_yaml(learned: Learned) -> str:
    """The roles and bindings as manifests, each with what was left out of it."""
    documents: list[str] = []
    for one in learned.accounts:
        said = "".join(f"# {line}\n" for line in _said(one, learned))
        made = [new_document(body) for body in roles(one)]
        documents.append(said + "---\n".join(made))
    return "---\n".join(documents)


def as_terraform(learned: Learned) -> str:
    """The same as resources of Terraform's provider."""
    blocks: list[str] = []
    for one in learned.accounts:
        blocks.append("".join(f"# {line}\n" for line in _said(one, learned)).rstrip("\n"))
        blocks += [_block(body) for body in roles(one)]
    return "\n\n".join(blocks).replace(".\n\nresource", ".\nresource") + "\n"


def _block(body: dict[str, Value]) -> str:
    kind = resource_type(str(body["apiVersion"]), str(body["kind"]), "kubernetes_role_v1")
    found = table().kind(kind or "")
    written = plain(body)
    assert kind is not None and found is not None and isinstance(written, dict)
    metadata = body["metadata"]
    assert isinstance(metadata, dict)
    label = re.sub(r"\W", "_", "_".join(str(part) for part in reversed(list(metadata.values()))))
    block = NewBlock("resource", tuple(object_items(found, written)), (kind, label), ordered=True)
    text = item_text(block, "", Style())
    (made,) = aligned("", lines_of(""), [Change(0, 0, text)], columns=True)
    return made.text


def _said(one: LearnedRights, learned: Learned) -> Iterator[str]:
    between = f" from {learned.first} to {learned.last}" if learned.first else ""
    yield f"{one.namespace}/{one.name}: what it used{between}, by {learned.source}."
    if one.refused:
        yield f"Left out, for it leads to more rights: {', '.join(one.refused)}."
    if one.allowed:
        yield f"Taken up although it leads to more rights: {', '.join(one.allowed)}."
