"""``compare``: the dump of one database into the version and build of another one of the estate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path

from shoreup.drills.base import Experiment, Go, Trial, Wishes
from shoreup.drills.comparing import CompareSpec, compare, sides
from shoreup.drills.restoring.newest_copies import newest_copies
from shoreup.drills.restoring.specs import image_of
from shoreup.engines.choosing import Wanted
from shoreup.facts.databases.flavours import Flavoured, flavours
from shoreup.facts.estate import Database, Estate
from shoreup.facts.fields import items, known_text, text
from shoreup.facts.proofs import Drill, Inputs, database_inputs, subject_of
from shoreup.model.errors import UserError
from shoreup.model.proof import digest_of

_CREATES = re.compile(r"create\s+extension\s+(?:if\s+not\s+exists\s+)?\"?([\w-]+)", re.IGNORECASE)
_SETTING = re.compile(r"(?:-c\s*|--)?([a-z][a-z0-9_.-]*)=", re.IGNORECASE)


class Compare(Experiment):
    """Each database of an older flavour into the newest one of its product."""

    drill = Drill.COMPARE
    title = "a dump of each database into the version and build of another: which extensions, types and settings lack"
    proves = frozenset({"database-flavours-differ", "image-build-untracked"})
    asked_only = True
    nothing = "The estate runs no database product in two flavours, so there is nothing to carry from one into another."

    def trials(self, estate: Estate, wishes: Wishes) -> Iterator[Trial]:
        names = [f"{one.database.namespace}/{one.database.name}" for _, held in flavours(estate) for one in held]
        if wishes.against and not any(
            _called(one.database, wishes.against) for _, all_ in flavours(estate) for one in all_
        ):
            raise UserError(f"No database is called {wishes.against!r}. There are {', '.join(names[:8]) or 'none'}.")
        for product, held in flavours(estate):
            known = [one for one in held if one.line]
            if product.id not in sides() or not known:
                continue
            newest = max(known, key=_age)
            named = [one for one in known if wishes.against and _called(one.database, wishes.against)]
            for one in known:
                others = [other for other in named if other is not one] if wishes.against else [newest]
                other = max(others, key=_age, default=one)
                if other is not one and (wishes.against or (one.line, one.build) != (other.line, other.build)):
                    yield _trial(estate, one.database, other.database, wishes)


def _trial(estate: Estate, one: Database, other: Database, wishes: Wishes) -> Trial:
    return Trial(
        subject=subject_of(one.resource),
        name=f"{one.namespace}/{one.name}",
        prepare=partial(_prepared, estate, one, other, wishes),
        inputs=_inputs(one, other),
    )


def _age(one: Flavoured) -> tuple[list[int], str]:
    return ([int(part) for part in one.line.split(".") if part.isdigit()], one.build)


def _called(database: Database, pattern: str) -> bool:
    return fnmatchcase(f"{database.namespace}/{database.name}", pattern) or fnmatchcase(database.name, pattern)


def _inputs(one: Database, other: Database) -> Inputs:
    own = database_inputs(one)
    against = digest_of(f"{other.namespace}/{other.name} {other.product} {other.version} {image_of(other)}")
    return Inputs({**own.digests, "command": against}, own.undecided or database_inputs(other).undecided)


def _prepared(estate: Estate, one: Database, other: Database, wishes: Wishes) -> Go | str:
    found = wishes.copy or _copy(estate, one)
    if found is not None and found.is_dir() and (found / "PG_VERSION").exists():
        return "its copies are data files, which only their own version opens; name a dump with --from"
    spec = CompareSpec(
        subject=subject_of(one.resource),
        wanted=Wanted(one.product, one.version, image=image_of(one)),
        against=Wanted(other.product, other.version, image=image_of(other)),
        name=f"{other.namespace}/{other.name} ({other.product} {other.version})",
        copy=found,
        extensions=frozenset(_extensions(estate, one)) if found is None else frozenset(),
        settings=tuple(dict.fromkeys(_settings(one))),
        inputs=_inputs(one, other).digests,
    )
    return lambda run, now: compare(spec, run=run, now=now)


def _copy(estate: Estate, database: Database) -> Path | None:
    """The newest copy of a database, where one is mounted here."""
    for backup in estate.backups:
        if any(one.resource is database.resource for one in backup.protects_databases):
            found = newest_copies(estate, backup, None)
            if not isinstance(found, str):
                return max(found, key=lambda one: one.stat().st_mtime)
    return None


def _extensions(estate: Estate, database: Database) -> Iterator[str]:
    """What the estate's own programs and files of that namespace create."""
    for entry in estate.config:
        if entry.namespace == database.namespace:
            yield from (name.lower() for name in _CREATES.findall(text(entry.value)))
    for script in estate.scripts:
        if script.workload is not None and script.workload.namespace == database.namespace:
            yield from (name.lower() for name in _CREATES.findall(script.text))


def _settings(database: Database) -> Iterator[str]:
    """The settings that its server is started with, as its command says them."""
    for container in database.workload.containers if database.workload is not None else ():
        if container.image.product != database.product:
            continue
        for field in ("command", "args"):
            words = [known_text(word) for word in items(container.body.get(field))]
            for before, word in zip(["", *words], words, strict=False):
                found = _SETTING.match(word)
                if found is not None and (before == "-c" or word.startswith(("-c", "--"))):
                    yield found.group(1)
