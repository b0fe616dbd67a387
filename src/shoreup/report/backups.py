"""Backups in a store, what a look at them has shown, and what would be removed: for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from shoreup.report.contract import Json, encode
from shoreup.report.terminal import Ink, plain, sentence, wrap

_STYLES = {"good": "good", "damaged": "critical", "lost": "critical"}


class Row(Struct, frozen=True):
    """One backup. ``size`` and ``content`` are bytes, ``rows`` is ``None`` where nobody counted.

    ``verified`` is how it was last looked at: ``written`` (read back when it was taken), ``read``, ``restored``.
    """

    id: str
    state: str
    moment: datetime | None
    product: str
    version: str
    position: str
    size: int
    content: int
    tables: int | None
    rows: int | None
    encrypted: bool
    verified: str
    looked: datetime | None
    why: str
    remarks: tuple[str, ...] = ()


class Group(Struct, frozen=True):
    """The backups of one name; ``trouble`` says why they are not known."""

    name: str
    store: str
    rows: tuple[Row, ...]
    trouble: str = ""


class Seen(Struct, frozen=True):
    """What a look at a backup has shown.

    ``proof`` is a drill's, as JSON. ``unkept`` says why what was seen could not be written down.
    """

    id: str
    good: bool
    how: str
    why: str
    unkept: str = ""
    proof: Mapping[str, Json] | None = None


class Choice(Struct, frozen=True):
    """Whether a backup stays, and why."""

    id: str
    stays: bool
    reason: str


def listed(groups: Sequence[Group], *, width: int = 100, colour: bool = False) -> str:
    """The backups of each name, the newest first."""
    return _text(_listed(groups, Ink(colour), width))


def listed_json(groups: Sequence[Group]) -> str:
    """The same as JSON: see docs/backups.md."""
    return encode(
        {
            "backups": [
                {"name": one.name, "store": one.store, "error": one.trouble, "kept": [as_json(row) for row in one.rows]}
                for one in groups
            ]
        }
    )


def as_json(row: Row) -> dict[str, Json]:
    """A backup as a program reads it."""
    return {
        "id": row.id,
        "state": row.state,
        "moment": _iso(row.moment),
        "product": row.product,
        "version": row.version,
        "position": row.position,
        "size": row.size,
        "content": row.content,
        "tables": row.tables,
        "rows": row.rows,
        "encrypted": row.encrypted,
        "verified": row.verified,
        "looked": _iso(row.looked),
        "why": row.why,
        "remarks": list(row.remarks),
    }


def looked(seen: Sequence[Seen], *, width: int = 100, colour: bool = False) -> str:
    """What looks have shown, the oldest backup first."""
    return _text(_looked(seen, Ink(colour), width))


def looked_json(name: str, seen: Sequence[Seen]) -> str:
    """The same as JSON: see docs/backups.md."""
    told: list[Json] = [
        {"id": one.id, "good": one.good, "how": one.how, "why": one.why, "unkept": one.unkept, "proof": one.proof}
        for one in seen
    ]
    return encode({"name": name, "verified": told})


def chosen(choices: Sequence[Choice], *, dry_run: bool, width: int = 100, colour: bool = False) -> str:
    """What stays and what goes, with the reasons."""
    return _text(_chosen(choices, dry_run, Ink(colour), width))


def chosen_json(name: str, choices: Sequence[Choice], *, dry_run: bool) -> str:
    """The same as JSON: see docs/backups.md."""
    told: list[Json] = [{"id": one.id, "stays": one.stays, "reason": one.reason} for one in choices]
    return encode({"name": name, "dry_run": dry_run, "decisions": told})


def taken(name: str, store: str, row: Row, *, width: int = 100, colour: bool = False) -> str:
    """A backup that was just taken."""
    ink = Ink(colour)
    lines = [f"{ink('TAKEN', 'good')}  {ink(plain(name), 'strong')}  {row.id}"]
    held = "" if row.rows is None else f", {row.rows} rows in {row.tables} table{'' if row.tables == 1 else 's'}"
    packed = ", encrypted" if row.encrypted else ""
    what = f"{plain(row.product)} {plain(row.version)}".rstrip()
    words = f"{what}{held}: {amount(row.content)} as {amount(row.size)}{packed}"
    lines += _prose(f"{words}, in {plain(store)}, and read back from there.", width)
    for one in row.remarks:
        lines += _prose(f"Note: {one}", width)
    return _text(lines)


def taken_json(name: str, store: str, row: Row) -> str:
    """The same as JSON: see docs/backups.md."""
    return encode({"name": name, "store": store, "taken": as_json(row)})


def restored(name: str, id_: str, place: str, compared: str, *, width: int = 100, colour: bool = False) -> str:
    """A backup that came back."""
    ink = Ink(colour)
    lines = [f"{ink('RESTORED', 'good')}  {ink(plain(name), 'strong')}  {id_}"]
    return _text([*lines, *_prose(f"To {place}.", width), *_prose(compared, width)])


def restored_json(name: str, id_: str, place: str, compared: str) -> str:
    """The same as JSON: see docs/backups.md."""
    return encode({"name": name, "restored": {"id": id_, "place": place, "compared": compared}})


def amount(size: int) -> str:
    """Bytes as people say them."""
    for unit, one in (("GB", 1e9), ("MB", 1e6)):
        if size >= one:
            return f"{size / one:.1f} {unit}"
    return f"{size / 1000:.0f} KB" if size >= 1000 else f"{size} B"


def _listed(groups: Sequence[Group], ink: Ink, width: int) -> Iterator[str]:
    for group in groups:
        yield f"{ink(plain(group.name), 'strong')}  {ink(plain(group.store), 'faint')}"
        if group.trouble:
            yield from _prose(f"Cannot be looked at: {group.trouble}", width)
        elif not group.rows:
            yield from _prose(f"There is no backup. 'shoreup backup run {group.name}' takes one.", width)
        for row in reversed(group.rows):
            yield _line(row, ink)
            if row.why:
                yield from _prose(row.why, width, "    ")
        yield ""


def _looked(seen: Sequence[Seen], ink: Ink, width: int) -> Iterator[str]:
    for one in seen:
        verdict = str(one.proof["verdict"]) if one.proof is not None else ""
        word = ink("GOOD", "good") if one.good else ink("DAMAGED", "critical")
        yield f"{word}  {one.id}"
        if one.why:
            yield from _prose(one.why, width)
        elif one.how == "restored":
            yield from _prose("Every byte is what was written, and it was restored and compared in a drill", width)
        else:
            yield from _prose("Every byte is what was written", width)
        if verdict == "could-not-verify" and one.proof is not None:
            yield from _prose(f"The drill could not verify it: {one.proof['after']}", width)
        if one.unkept:
            yield from _prose(f"This could not be written down beside it: {one.unkept}", width)


def _line(row: Row, ink: Ink) -> str:
    state = ink(f"{row.state:<8}", _STYLES.get(row.state, "medium"))
    when = f"{row.moment:%Y-%m-%d %H:%M}" if row.moment is not None else "?"
    rows = "" if row.rows is None else f"{row.rows} rows"
    looked = f"{row.verified} {row.looked:%Y-%m-%d}" if row.looked is not None else row.verified
    what = f"{row.product} {row.version}".strip()
    return f"  {state} {row.id}  {when}  {amount(row.size):>9}  {plain(what)}  {rows}  {ink(looked, 'faint')}".rstrip()


def _chosen(choices: Sequence[Choice], dry_run: bool, ink: Ink, width: int) -> Iterator[str]:
    gone = "goes" if dry_run else "gone"
    for one in choices:
        word = ink("stays", "good") if one.stays else ink(f"{gone:<5}", "medium")
        yield f"  {word}  {one.id}  {plain(one.reason)}"
    count = sum(1 for one in choices if not one.stays)
    what = "would be removed" if dry_run else ("were removed" if count != 1 else "was removed")
    yield from _prose(f"{count} of {len(choices)} {what}.", width, "")


def _prose(text: str, width: int, indent: str = "  ") -> list[str]:
    return [f"{indent}{line}" for line in wrap(sentence(plain(text)), max(60, min(width, 120)) - len(indent))]


def _text(lines: Sequence[str] | Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _iso(when: datetime | None) -> str | None:
    return when.isoformat() if when is not None else None
