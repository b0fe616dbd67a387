"""What readers know beside resources, as facts.

Terraform is read first, so that the index of a resource in its reading is the resource's key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date

from msgspec.structs import replace

from shoreup.facts.build import Extras, build
from shoreup.facts.estate import Aside, CodeBlock, CodeFile, Comment, IgnoredChange, StateBackend
from shoreup.facts.roots import LooseFile, TerraformRoot
from shoreup.formats import learned_file
from shoreup.formats.lock_file import NAME, Lock, parse
from shoreup.model.access import LearnedRights
from shoreup.model.finding import Place
from shoreup.model.resource import Resource
from shoreup.sources.git import last_change, origin_url, owner_of
from shoreup.sources.repository import Role, part_of_more
from shoreup.sources.terraform.code import FileShape
from shoreup.sources.terraform.roots import RootShape
from shoreup.stages.auditing.places import Places
from shoreup.stages.auditing.reading import Reading

MOST_DATED = 8
"""Documents about recovery whose age is asked for; git takes a while for each."""


def extras(reading: Reading, given: Extras) -> Extras:
    """Add the releases' merged values, and the code files, comments and ignored changes of the estate's Terraform."""
    terraform = reading.terraform
    lock = read_lock(reading)
    return replace(
        given,
        pins={one.reference: one for one in lock.images},
        chart_pins={(one.namespace, one.release): one for one in lock.charts},
        learned_rights={(one.namespace, one.name): one for one in read_learned(reading)} | dict(given.learned_rights),
        releases=tuple(reading.releases),
        repository=reading.repository,
        part_of_more=part_of_more(reading.tree),
        origin=owner_of(origin_url(reading.tree.root) or ""),
        last_changes=_last_changes(reading),
        code_files=tuple(_code_file(shape) for shape in terraform.shapes),
        comments=tuple(_comments(reading)),
        terraform_roots=tuple(_root(shape) for shape in terraform.root_shapes),
        aside=_aside(reading),
        loose_files=tuple(LooseFile(one.path, one.kind, one.text, one.offset) for one in reading.loose),
        backends=tuple(
            StateBackend(one.root, one.kind, Place(span=one.span), one.encrypted) for one in terraform.backends
        ),
        ignored_changes=tuple(
            IgnoredChange(
                reading.found[key].resource,
                entry.route,
                Place(resource=key, route=entry.route, span=entry.span),
                entry.everything,
            )
            for key, entry in terraform.ignored
        ),
    )


def read_lock(reading: Reading) -> Lock:
    """The lock file at the estate's top."""
    text = reading.tree.text(NAME) if NAME in reading.tree else None
    lock = parse(text) if text is not None else Lock()
    for problem in lock.problems:
        reading.tree.error(NAME, 0, problem, "the entry")
    return lock


def read_learned(reading: Reading) -> tuple[LearnedRights, ...]:
    """What an audit log has told of ServiceAccounts, from the file at the estate's top."""
    content = reading.tree.read(learned_file.NAME)
    if content is None:
        return ()
    found = learned_file.parse(content)
    if isinstance(found, str):
        reading.tree.error(learned_file.NAME, 0, found, "the file")
        return ()
    return found.accounts


def _aside(reading: Reading) -> Aside | None:
    if not reading.aside:
        return None
    resources = [found.resource for found in reading.aside]
    places = Places(resources, lambda key, route: reading.aside[key].tracer.trace(route), reading.tree.read)
    return Aside(build(resources), lambda place: Place(span=places.span(place), container=place.container))


def _comments(reading: Reading) -> Iterator[Comment]:
    for key, comment in reading.terraform.comments:
        yield Comment(comment.span, comment.text, key, lines=comment.lines)
    if not reading.comments:
        return
    objects: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for found in reading.found:
        objects[(found.resource.kind, found.resource.name)].append(found.resource)
    for one in reading.comments:
        same = objects.get((one.kind, one.name), [])
        near = [resource for resource in same if not one.namespace or resource.namespace == one.namespace]
        key = near[0].key if len(near) == 1 else -1
        yield Comment(one.span, " ".join(one.lines), key, lines=one.lines, language="yaml")


def _code_file(shape: FileShape) -> CodeFile:
    blocks = tuple(CodeBlock(*one) for one in shape.blocks)
    return CodeFile(shape.path, shape.lines, shape.subjects, blocks)


def _root(shape: RootShape) -> TerraformRoot:
    required = Place(span=shape.required_span) if shape.required_span else Place()
    return TerraformRoot(
        directory=shape.directory,
        applied=shape.applied,
        managed=shape.managed,
        state_file=shape.state_file,
        required_version=shape.required_version,
        required_place=required,
    )


def _last_changes(reading: Reading) -> Mapping[str, date]:
    plans = [file.path for file in reading.repository if file.role is Role.RECOVERY_PLAN][:MOST_DATED]
    days = {path: last_change(reading.tree.root, path) for path in (*plans, ".")} if plans else {}
    return {path: day for path, day in days.items() if day is not None}
