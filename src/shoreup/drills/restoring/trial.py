"""The restore drill: a copy is a backup once it came back.

The copy is restored into an empty server of the estate's version, as fast as that can. First a copy of the copy that
lost its end: an experiment that is content with that one would be content with anything. Then the copy itself, whole.
What came back is held against the manifest that was taken with the copy; without one, what can be told is whether the
database is sound in itself and holds anything at all, and the proof says that missing rows would not have been seen.

What one job copies together comes back together: every part has to, and the times add up. The recovery time counts
from the moment at which the data is lost (nothing runs yet) to the first question that is answered; looking at every
row afterwards is measured apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic

from msgspec import Struct
from msgspec.structs import replace

from shoreup.compare.files import as_in_scratch
from shoreup.compare.manifest import Manifest, hashes_compare
from shoreup.compare.restored import unlike
from shoreup.drills.asking import Question, disappointed
from shoreup.drills.judging import blame, merged, some
from shoreup.drills.proving import Claim, Seen, harness, missing, proof_of
from shoreup.drills.restoring.copies import FILES, Copy, Product, Target, products
from shoreup.drills.restoring.sources import Source, moments, size_of
from shoreup.engines.base import EngineTrouble
from shoreup.engines.choosing import Choice, NoProvider, Wanted
from shoreup.engines.jail import fences
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.scratch import Limits, Scratch
from shoreup.facts.proofs import Drill
from shoreup.model.proof import Control, Engine, Proof, ProofSubject
from shoreup.model.track_record import COPY_SIZE, RECOVERY_POINT, RECOVERY_TIME

_PLACE = "restored"
_CONTROL = "a copy that lost its end"


class Part(Struct, frozen=True):
    """One thing that a job copies: a database, or a tree of files.

    ``inside`` is where it lies in what the source brings, as a pattern; empty for all of it. ``name`` is for people.
    """

    wanted: Wanted
    copy: Copy
    manifest: Manifest | None = None
    questions: tuple[Question, ...] = ()
    inside: str = ""
    name: str = ""


class RestoreSpec(Struct, frozen=True):
    """What to restore, and what to expect.

    ``made`` is when the copy was made, where that is known better than by the file's time. ``manifest`` was taken with
    it. ``questions`` are the owner's own. ``source`` is where the copy has to be brought from, if it does not lie at
    its path. ``also`` is what the same job copies beside it. ``most_time`` and ``most_loss`` are the objectives (RTO,
    RPO), where the owner named some.
    """

    subject: ProofSubject
    wanted: Wanted
    copy: Copy
    manifest: Manifest | None = None
    made: datetime | None = None
    most_time: timedelta | None = None
    most_loss: timedelta | None = None
    inputs: dict[str, str] = {}
    fingerprint: str = ""
    lasts: timedelta = timedelta(days=30)
    limits: Limits = Limits()
    questions: tuple[Question, ...] = ()
    source: Source | None = None
    inside: str = ""
    name: str = ""
    also: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Everything that has to come back."""
        first = Part(self.wanted, self.copy, self.manifest, self.questions, self.inside, self.name)
        return (first, *self.also)


def restore(spec: RestoreSpec, *, run: str, now: datetime, base: Path | None = None) -> Proof:
    """Restore a copy and judge it. ``run`` names this run in the ledger, ``now`` is with a zone.

    What breaks on the way ends as a proof that could not verify; nothing of it is raised.
    """
    claim = Claim(
        drill=Drill.RESTORE.value,
        text="The newest copy restores whole into an empty server.",
        subject=spec.subject,
        inputs=spec.inputs,
        fingerprint=spec.fingerprint,
        lasts=spec.lasts,
    )
    seen = Seen(Engine(spec.wanted.product, spec.wanted.version), Control(_CONTROL, None))
    with harness(seen):
        _experiment(spec, seen, now, base)
    return proof_of(claim, seen, run=run, taken=now)


def _experiment(spec: RestoreSpec, seen: Seen, now: datetime, base: Path | None) -> None:
    if spec.source is None and not all(one.copy.path.exists() for one in spec.parts):
        seen.unknown("there is no copy at the path")
        return
    with Scratch(spec.limits, base) as scratch:
        try:
            parts, made, remarks = _brought(spec, seen, scratch)
            tried: list[Seen] = []
            ages: list[datetime] = []
            for number, part in enumerate(parts):
                tried.append(Seen(Engine(part.wanted.product, part.wanted.version), Control(_CONTROL, None)))
                with harness(tried[-1]):
                    moment = _tried(part, tried[-1], scratch, f"spoilt-{number}")
                    ages.append(moment or _oldest(made, part))
        except Exception as trouble:
            if scratch.trouble():
                raise EngineTrouble(scratch.trouble()) from trouble
            raise
    merged(seen, tried, [one.name for one in parts])
    seen.after = "; ".join([seen.after, *remarks])
    if ages:
        seen.measure(RECOVERY_POINT, max(0.0, (now - min(ages)).total_seconds()), "s")
    late = _late(spec, seen)
    if late:
        seen.fails("; ".join([*([seen.after] if not seen.passed else []), *late]))


def _oldest(made: Sequence[datetime], part: Part) -> datetime:
    """When a copy was made. A new name or a new date makes no newer copy, so the oldest word counts."""
    words = [*made, *([part.manifest.taken] if part.manifest is not None else [])]
    return min([*words, *moments(part.copy.path)])


def _brought(
    spec: RestoreSpec, seen: Seen, scratch: Scratch
) -> tuple[tuple[Part, ...], list[datetime], tuple[str, ...]]:
    """The parts where they lie now, what is known of when they were made, and what else there is to say."""
    made = [spec.made] if spec.made is not None else []
    if spec.source is None:
        seen.measure(COPY_SIZE, sum(size_of(one.copy.path) for one in spec.parts), "bytes")
        return spec.parts, made, ()
    with seen.timed("fetch"):
        brought = spec.source.bring(scratch)
    seen.limits += brought.limits
    found = tuple(replace(one, copy=replace(one.copy, path=brought.find(one.inside))) for one in spec.parts)
    seen.measure(COPY_SIZE, sum(size_of(one.copy.path) for one in found), "bytes")
    return found, [*made, brought.made], brought.remarks


def _tried(part: Part, seen: Seen, scratch: Scratch, spoilt: str) -> datetime | None:
    """Try one part; the moment that its data is of, where the data says so."""
    make = products().get(part.wanted.product)
    if make is None:
        seen.unknown(f"Shoreup cannot restore copies of {part.wanted.product}")
        return None
    product = make()
    choice = product.choose(part.wanted, part.copy)
    if isinstance(choice, NoProvider):
        missing(seen, choice)
        return None
    seen.engine = choice.engine
    if choice.reason and choice.engine.stands_in_for:
        seen.limits.append(f"the estate's own version: {choice.engine.version} stood in, because {choice.reason}")
    missed = fences().missing if choice.installation.container is None else ()
    seen.limits += [f"what the engine could reach: {one}" for one in missed]
    attempt = _Attempt(product, part, seen, scratch, choice)
    beside = scratch.folder / spoilt
    beside.mkdir(mode=0o700)
    attempt.control(beside / part.copy.path.name)
    return attempt.real()


class _Attempt(Struct, frozen=True):
    """One copy and everything that it is tried with."""

    product: Product
    part: Part
    seen: Seen
    scratch: Scratch
    choice: Choice

    def control(self, spoilt: Path) -> None:
        """Try a copy that lost its end, on a server of its own."""
        what = self.product.spoil(self.part.copy.path, spoilt)
        self.seen.control = Control(what, None)
        with self.seen.timed("control"):
            why = self._refusal(spoilt)
        self._within_limits()
        self.seen.control = Control(what, bool(why))
        self.seen.before = f"{what}: {why or 'it was taken for whole'}"

    def real(self) -> datetime | None:
        """Try the copy itself; the moment that its data is of, where the data says so."""
        copy, seen = self.part.copy, self.seen
        start = monotonic()
        try:
            with self.product.serve(self.choice, self.scratch, copy) as target:
                seen.engine = target.engine
                seen.measure("start", monotonic() - start, "s")
                with seen.timed("restore"):
                    errors = target.load(copy.path, _PLACE)
                seen.engine = target.engine
                if errors:
                    self._about_the_copy(errors)
                    seen.fails(f"it does not restore: {some(errors)}")
                    return None
                with seen.timed("first answer"):
                    answered = target.answers(_PLACE)
                seen.measure(RECOVERY_TIME, seen.seconds("start", "restore", "first answer"), "s")
                self._judge(target, answered=answered)
                seen.limits += target.limits()
                return target.moment
        except BrokenCopy as broken:
            self._within_limits()
            seen.fails(f"it does not restore: {broken}")
        return None

    @property
    def _manifest(self) -> Manifest | None:
        known = self.part.manifest
        return as_in_scratch(known) if known is not None and known.product == FILES else known

    def _judge(self, target: Target, *, answered: bool) -> None:
        manifest, seen = self._manifest, self.seen
        with seen.timed("compare"):
            now = self._read(target)
            wrong = unlike(manifest, now)
        with seen.timed("check"):
            unsound = target.unsound(_PLACE)
        if self.part.questions:
            with seen.timed("questions"):
                unsound += self._disappointments(target)
            seen.measure("asked", len(self.part.questions), "questions")
        rows = sum(one.rows for one in now.contents)
        seen.measure("rows", rows, "rows")
        seen.measure("tables", sum(len(one.tables) for one in now.contents), "tables")
        unit = "files" if self.part.wanted.product == FILES else "rows"
        if manifest is None:
            seen.limits.append(f"{unit} that are missing: no manifest was kept with the copy")
        elif not hashes_compare(manifest, now):
            seen.limits.append(f"what stands in the {unit}: the manifest has no hashes to compare with")
        reasons = [
            *([] if answered else ["the restored server does not answer"]),
            *wrong,
            *unsound,
            *([f"it restores, and there is not one {unit[:-1]} in it"] if not rows and manifest is None else []),
        ]
        moment = f" of {target.moment:%Y-%m-%d %H:%M:%S %Z}" if target.moment is not None else ""
        if reasons:
            seen.fails(some(reasons))
        elif manifest is None:
            seen.passes(f"it restores, is sound in itself and holds {rows} {unit}{moment}")
        else:
            place = "file" if self.part.wanted.product == FILES else "table"
            seen.passes(f"it restores, and every {place} holds what it held: {rows} {unit}{moment}")

    def _read(self, target: Target) -> Manifest:
        """Everything that came back. Raises :class:`BrokenCopy` where a server that works does not read it."""
        try:
            return target.holds(_PLACE)
        except (EngineTrouble, BrokenCopy, OSError):
            raise
        except Exception as problem:
            # Drivers have errors of many classes, whose words may hold rows.
            if self.scratch.trouble() or not target.answers(_PLACE):
                raise
            code = next((one for one in problem.args if isinstance(one, int)), "")
            raise BrokenCopy(f"the server does not read it: {type(problem).__name__} {code}".rstrip()) from None

    def _disappointments(self, target: Target) -> tuple[str, ...]:
        """What the owner's questions were answered wrongly."""
        found = [disappointed(one, target.ask(one.query, _PLACE, one.database)) for one in self.part.questions]
        return tuple(one for one in found if one)

    def _about_the_copy(self, errors: Sequence[str]) -> None:
        """See that what a tool complained of is the copy and not this machine. Raises :class:`EngineTrouble`."""
        self._within_limits()
        ours = blame(errors)
        if ours:
            raise EngineTrouble(f"the restore broke off, which says nothing about the copy: {ours}")

    def _within_limits(self) -> None:
        """What was refused because we ended the server says nothing. Raises :class:`EngineTrouble`."""
        if self.scratch.trouble():
            raise EngineTrouble(self.scratch.trouble())

    def _refusal(self, spoilt: Path) -> str:
        """Why the spoilt copy is no whole one; empty where nothing was wrong with it."""
        try:
            copy = replace(self.part.copy, path=spoilt)
            with self.product.serve(self.choice, self.scratch, copy) as target:
                errors = target.load(spoilt, _PLACE)
                if errors:
                    self._about_the_copy(errors)
                    return f"refused, {errors[0]}"
                now = self._read(target)
                wrong = [*unlike(self._manifest, now), *target.unsound(_PLACE)]
                wrong += self._disappointments(target) if not wrong else []
                empty = not any(one.rows for one in now.contents)
                return f"refused, {some(wrong)}" if wrong else "refused, nothing is in it" if empty else ""
        except BrokenCopy as broken:
            return f"refused, {broken}"


def _late(spec: RestoreSpec, seen: Seen) -> Sequence[str]:
    """Objectives that were missed."""
    missed: list[str] = []
    for words, phase, most in (
        ("it took {} until the first answer, and {} were allowed", RECOVERY_TIME, spec.most_time),
        ("what happened in the last {} would be lost, and {} were allowed", RECOVERY_POINT, spec.most_loss),
    ):
        took = timedelta(seconds=round(seen.seconds(phase)))
        if most is not None and took > most:
            missed.append(words.format(took, most))
    return missed
