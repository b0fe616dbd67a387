"""The restore drill: a copy is a backup once it came back.

The copy is restored into an empty server of the estate's version, as fast as that can. First a copy of the copy that
lost its end: an experiment that is content with that one would be content with anything. Then the copy itself, whole.
What came back is held against the manifest that was taken with the copy; without one, what can be told is whether the
database is sound in itself and holds anything at all, and the proof says that missing rows would not have been seen.

The recovery time counts from the moment at which the data is lost (nothing runs yet) to the first question that is
answered; looking at every row afterwards is measured apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

from msgspec import Struct
from msgspec.structs import replace

from shoreup.compare.manifest import Manifest, hashes_compare
from shoreup.compare.restored import unlike
from shoreup.drills.copies import Copy, Product, Target, products
from shoreup.drills.proving import Claim, Seen, harness, missing, proof_of
from shoreup.engines.base import EngineTrouble
from shoreup.engines.choosing import Choice, NoProvider, Wanted
from shoreup.engines.jail import fences
from shoreup.engines.packing import BrokenCopy
from shoreup.engines.scratch import Limits, Scratch
from shoreup.facts.proofs import Drill
from shoreup.model.proof import Control, Engine, Proof, ProofSubject
from shoreup.model.track_record import COPY_SIZE, RECOVERY_POINT, RECOVERY_TIME

_PLACE = "restored"
_TOLD = 5
"""Differences that are named; the rest is counted."""


class RestoreSpec(Struct, frozen=True):
    """What to restore, and what to expect.

    ``made`` is when the copy was made, where that is known better than by the file's time. ``manifest`` was taken with
    it. ``most_time`` and ``most_loss`` are the objectives (RTO, RPO), where the owner named some.
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
    seen = Seen(Engine(spec.wanted.product, spec.wanted.version), Control("a copy that lost its end", None))
    with harness(seen):
        _experiment(spec, seen, now, base)
    return proof_of(claim, seen, run=run, taken=now)


def _experiment(spec: RestoreSpec, seen: Seen, now: datetime, base: Path | None) -> None:
    if not spec.copy.path.exists():
        seen.unknown("there is no copy at the path")
        return
    make = products().get(spec.wanted.product)
    if make is None:
        seen.unknown(f"Shoreup cannot restore copies of {spec.wanted.product}")
        return
    product = make()
    choice = product.choose(spec.wanted)
    if isinstance(choice, NoProvider):
        missing(seen, choice)
        return
    seen.engine = choice.engine
    if choice.reason and choice.engine.stands_in_for:
        seen.limits.append(f"the estate's own version: {choice.engine.version} stood in, because {choice.reason}")
    _age(spec, seen, now)
    with Scratch(spec.limits, base) as scratch:
        missed = fences().missing if choice.installation.container is None else ()
        seen.limits += [f"what the engine could reach: {one}" for one in missed]
        attempt = _Attempt(product, spec, seen, scratch, choice)
        try:
            attempt.control()
            attempt.real()
        except Exception as trouble:
            if scratch.trouble():
                raise EngineTrouble(scratch.trouble()) from trouble
            raise


def _age(spec: RestoreSpec, seen: Seen, now: datetime) -> None:
    """The recovery point: everything after the moment that the copy is of would be lost."""
    known = [datetime.fromtimestamp(_newest(spec.copy.path), UTC)]
    known += [spec.made] if spec.made is not None else []
    known += [spec.manifest.taken] if spec.manifest is not None else []
    seen.measure(COPY_SIZE, _size(spec.copy.path), "bytes")
    # A new name or a new date makes no newer copy, so the oldest word counts.
    seen.measure(RECOVERY_POINT, max(0.0, (now - min(known)).total_seconds()), "s")


def _newest(path: Path) -> float:
    if path.is_file():
        return path.stat().st_mtime
    return max((one.lstat().st_mtime for one in path.rglob("*")), default=path.stat().st_mtime)


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file() and not one.is_symlink()]
    return sum(one.stat().st_size for one in files)


class _Attempt(Struct, frozen=True):
    """One copy and everything that it is tried with."""

    product: Product
    spec: RestoreSpec
    seen: Seen
    scratch: Scratch
    choice: Choice

    def control(self) -> None:
        """Try a copy that lost its end, on a server of its own."""
        spoilt = self.scratch.folder / "spoilt"
        what = self.product.spoil(self.spec.copy.path, spoilt)
        self.seen.control = Control(what, None)
        with self.seen.timed("control"):
            why = self._refusal(spoilt)
        self._within_limits()
        self.seen.control = Control(what, bool(why))
        self.seen.before = f"{what}: {why or 'it was taken for whole'}"

    def real(self) -> None:
        """Try the copy itself."""
        spec, seen = self.spec, self.seen
        start = monotonic()
        try:
            with self.product.serve(self.choice, self.scratch, spec.copy) as target:
                seen.engine = target.engine
                seen.measure("start", monotonic() - start, "s")
                with seen.timed("restore"):
                    errors = target.load(spec.copy.path, _PLACE)
                if errors:
                    self._within_limits()
                    seen.fails(f"it does not restore: {_some(errors)}")
                    return
                with seen.timed("first answer"):
                    answered = target.answers(_PLACE)
                seen.measure(RECOVERY_TIME, seen.seconds("start", "restore", "first answer"), "s")
                self._judge(target, answered=answered)
                seen.limits += target.limits()
        except BrokenCopy as broken:
            self._within_limits()
            seen.fails(f"it does not restore: {broken}")

    def _judge(self, target: Target, *, answered: bool) -> None:
        spec, seen = self.spec, self.seen
        with seen.timed("compare"):
            now = target.holds(_PLACE)
            wrong = unlike(spec.manifest, now)
        with seen.timed("check"):
            unsound = target.unsound(_PLACE)
        rows = sum(one.rows for one in now.contents)
        seen.measure("rows", rows, "rows")
        seen.measure("tables", sum(len(one.tables) for one in now.contents), "tables")
        if spec.manifest is None:
            seen.limits.append("rows that are missing: no manifest was kept with the copy")
        elif not hashes_compare(spec.manifest, now):
            seen.limits.append("what stands in the rows: the manifest hashed them in another way")
        reasons = [
            *([] if answered else ["the restored server does not answer"]),
            *wrong,
            *unsound,
            *(["it restores, and there is not one row in it"] if not rows and spec.manifest is None else []),
            *_late(spec, seen),
        ]
        if reasons:
            seen.fails(_some(reasons))
        elif spec.manifest is None:
            seen.passes(f"it restores, is sound in itself and holds {rows} rows")
        else:
            seen.passes(f"it restores, and every table holds what it held: {rows} rows")

    def _within_limits(self) -> None:
        """What was refused because we ended the server says nothing. Raises :class:`EngineTrouble`."""
        if self.scratch.trouble():
            raise EngineTrouble(self.scratch.trouble())

    def _refusal(self, spoilt: Path) -> str:
        """Why the spoilt copy is no whole one; empty where nothing was wrong with it."""
        try:
            with self.product.serve(self.choice, self.scratch, replace(self.spec.copy, path=spoilt)) as target:
                errors = target.load(spoilt, _PLACE)
                if errors:
                    return f"refused, {errors[0]}"
                now = target.holds(_PLACE)
                wrong = [*unlike(self.spec.manifest, now), *target.unsound(_PLACE)]
                empty = not any(one.rows for one in now.contents)
                return f"refused, {_some(wrong)}" if wrong else "refused, nothing is in it" if empty else ""
        except BrokenCopy as broken:
            return f"refused, {broken}"


def _late(spec: RestoreSpec, seen: Seen) -> list[str]:
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


def _some(reasons: Sequence[str]) -> str:
    """The first of many reasons."""
    more = len(reasons) - _TOLD
    return "; ".join(reasons[:_TOLD]) + (f"; and {more} more" if more > 0 else "")
