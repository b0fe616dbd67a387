"""Secrets that lie where everyone may read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from shoreup.concerns.base import Concern, Outcome
from shoreup.concerns.repairs.moving_secrets import moved
from shoreup.concerns.wording.aside import NOT_APPLIED, REMOVE
from shoreup.facts.estate import Aside, ConfigEntry, Estate
from shoreup.facts.naming import named
from shoreup.facts.secrets.recognition import (
    GAP,
    Likeness,
    encoded_key,
    likenesses,
    open_names,
    secret_name,
    secret_path,
)
from shoreup.facts.secrets.written_out import only_fills
from shoreup.model.edit import NoRepair, Repair
from shoreup.model.finding import Category, Confidence, Consequence, Draft, Fix, Place, Safety, Section, Severity
from shoreup.model.page import Source
from shoreup.model.resource import Resource
from shoreup.model.value import PartialText, Unknown

_MOVE = Fix(
    "Move the key into a Secret and change every reference to it",
    Safety.UNSAFE,
    "pods that read it restart; what lay in a ConfigMap and in git counts as known, so it has to be replaced as well",
)

_INSTANCE = re.compile(r"\[[^\]]*\]")
_COST = (
    "the value stays burnt: it is in git's history, and in the repository's files unless they are encrypted "
    "or it comes from elsewhere, so it has to be replaced"
)
_UNREAD = "nothing in the estate reads it"
_OPENS = frozenset({"secret-in-plain-text", "secret-rotation-overdue"})


class SecretInConfigmap(Concern):
    """A ConfigMap holds a key, a token, a password or a private key.

    **What**

    The value has the form of a secret, its name says that it is one, it is random under a name that speaks of keys, or
    it is read from a file that holds keys. References to secrets kept elsewhere and placeholders are left alone, and so
    is a maker's default (`guest`) among settings that are switched off; elsewhere such a default is medium. In a folder
    that nothing applies (`archive/`, `examples/`) it is high, for it lies in the repository alone.

    **Why**

    ConfigMaps are not encrypted, every role that may look at a namespace may read them, and they stand in git, in
    backups and in the output of `kubectl describe`.

    **Example**

    `DB_PASSWORD: hunter2` in a ConfigMap is found; `DB_PASSWORD: ${DB_PASSWORD}` is not.

    **Fix safety**

    Unsafe: the references change, so pods restart. The secret itself is burnt and has to be replaced.
    """

    id = "secret-in-configmap"
    title = "Secret in a ConfigMap"
    severity = Severity.CRITICAL
    consequence_class = Consequence.TAKEOVER
    category = Category.ACCESS
    section = Section.SECURITY
    sources = (
        Source(
            "Kubernetes: ConfigMaps hold nothing confidential",
            "https://kubernetes.io/docs/concepts/configuration/configmap/",
        ),
        Source("CWE-312: a secret kept in cleartext", "https://cwe.mitre.org/data/definitions/312.html"),
    )

    def check(self, estate: Estate) -> Iterator[Outcome]:
        """Look at every key of every ConfigMap."""
        for entry in estate.config:
            if entry.kind == "ConfigMap":
                yield from self._entry(entry)
        aside = estate.aside
        for entry in aside.estate.config if aside else ():
            if aside and entry.kind == "ConfigMap":
                yield from self._committed(entry, aside)

    def _committed(self, entry: ConfigEntry, aside: Aside) -> Iterator[Outcome]:
        """What a ConfigMap holds that nothing applies: a sample's word opens nothing, a hash is not in clear."""
        for one in self._entry(entry, applied=False):
            if isinstance(one, Draft) and one.severity is Severity.CRITICAL:
                yield replace(
                    one,
                    at=aside.find(one.at),
                    related=tuple((aside.find(place), note) for place, note in one.related),
                    severity=Severity.HIGH,
                    message=one.message + NOT_APPLIED,
                    consequence="Whoever has the repository, or had it once, has it; it counts as known.",
                    fixes=(REMOVE,),
                )

    def repair(self, estate: Estate, draft: Draft) -> Repair | NoRepair:
        """Every key that is found in the ConfigMap moves at once, so that those who read several follow once."""
        if draft.at.resource < 0:
            return self.unrepaired(draft)
        config = estate.by_key[draft.at.resource]
        found = [one for entry in _entries(estate, config) for one in self._entry(entry) if isinstance(one, Draft)]
        keys = {str(one.at.route[-1]) for one in found}
        plans = [moved(estate, one, _entries(estate, one), keys) for one in _alike(estate, config)]
        for plan in plans:
            if plan.why_not:
                return self.unrepaired(draft, plan.why_not)
        count = sum(plan.readers for plan in plans)
        what = "the whole ConfigMap becomes a Secret" if plans[0].whole else f"moves {', '.join(sorted(keys))}"
        who = "1 place that reads it follows" if count == 1 else f"{count} places that read it follow"
        who = who if count else _UNREAD
        fix = Fix(_MOVE.title, Safety.UNSAFE, f"{what}; {who}; {_MOVE.reason}")
        opens = _OPENS | ({"ssh-key-unrotated"} if any("private key" in one.message for one in found) else set())
        return Repair(fix, tuple(edit for plan in plans for edit in plan.edits), cost=_COST, opens=opens)

    def _entry(self, entry: ConfigEntry, *, applied: bool = True) -> Iterator[Outcome]:
        place = Place(entry.resource.key, entry.route)
        if secret_path(entry.source_path):
            yield self._found(entry, place, f"is read from {entry.source_path}, a file that holds a key", ())
            return
        if isinstance(entry.value, Unknown):
            if secret_name(entry.key):
                yield self.undecided(place, unknown=f"value of {entry.key}", reason=entry.value.reason)
            return
        text = _text(entry)
        if entry.binary:
            kind = encoded_key(text)
            if kind:
                yield self._found(entry, place, f"holds a {kind}", ())
            return
        found = [
            one
            for one in likenesses(text, entry.key)
            if applied or not only_fills(one, text[one.start : one.end], entry.resource)
        ]
        if found:
            places = [Place(entry.resource.key, entry.route, _chars(text, one.start, one.end)) for one in found]
            more = tuple(
                (where, f"here too: {_described(one)}") for where, one in zip(places[1:9], found[1:9], strict=True)
            )
            yield self._found(entry, places[0], f"holds {_described(found[0])}", more, found)
            return
        reason = entry.value.reason if isinstance(entry.value, PartialText) else ""
        for name, start, end in open_names(text):
            where = Place(entry.resource.key, entry.route, _chars(text, start, end))
            yield self.undecided(where, unknown=f"value of {name} in {entry.key}", reason=reason)
        if GAP in text and "\n" not in text and secret_name(entry.key):
            yield self.undecided(place, unknown=f"value of {entry.key}", reason=reason)

    def _found(
        self,
        entry: ConfigEntry,
        place: Place,
        what: str,
        related: tuple[tuple[Place, str], ...],
        found: list[Likeness] | None = None,
    ) -> Draft:
        subject = named(entry.resource)
        count = f", and {len(found) - 1} more" if found and len(found) > 1 else ""
        hashes_alone = bool(found) and all(one.kind == "password hash" for one in found or ())
        defaults_alone = bool(found) and all(one.default for one in found or ())
        return self.found(
            place,
            field=f"data.{entry.key}",
            subject=subject,
            message=f"The key {entry.key} of {subject} {what}{count}.",
            consequence=(
                "Whoever may look at the namespace, the repository or a backup of either has it; it counts as known."
            ),
            severity=Severity.MEDIUM if defaults_alone else Severity.HIGH if hashes_alone else Severity.CRITICAL,
            confidence=Confidence.CERTAIN if not found or found[0].by == "form" else Confidence.LIKELY,
            related=related,
            fixes=(_MOVE,),
        )


def _entries(estate: Estate, config: Resource) -> list[ConfigEntry]:
    return [entry for entry in estate.config if entry.resource is config]


def _alike(estate: Estate, config: Resource) -> list[Resource]:
    """The ConfigMaps that the same block of code makes: what is written there changes all of them."""
    if config.source != "terraform":
        return [config]
    address = _INSTANCE.sub("", config.address)
    return [
        one
        for one in estate.by_kind.get("ConfigMap", ())
        if one.source == "terraform" and one.root == config.root and _INSTANCE.sub("", one.address) == address
    ]


def _text(entry: ConfigEntry) -> str:
    """The value as text, with a mark for each part that is not known."""
    if isinstance(entry.value, str):
        return entry.value
    if isinstance(entry.value, PartialText):
        return "".join(part if isinstance(part, str) else GAP for part in entry.value.parts)
    return ""


def _chars(text: str, start: int, end: int) -> tuple[int, int]:
    """Characters of the field's string, in which unknown parts take no room."""
    return start - text.count(GAP, 0, start), end - text.count(GAP, 0, end)


def _described(one: Likeness) -> str:
    """A secret without its value."""
    named_so = f" under the name {one.name}" if one.by != "form" and one.name else ""
    article = "an" if one.kind[0] in "aeiouA" else "a"
    known = ", a maker's default that everybody knows" if one.default else f", hash {one.mark}"
    return f"{article} {one.kind}{named_so} ({one.length} characters{known})"
