"""The catalogue's cases: for each concern a file of small estates with the exact findings, in Terraform and in YAML.

A case file is a list. Each case has ``name`` and ``why``, the same estate as ``yaml`` and as ``terraform`` (or
``formats`` with the one that can express it, and ``why`` says so), further ``files`` by path, and what must be found:

- ``findings``: a list, each with ``line`` (a number, or one for each format), and where it matters ``subject`` (a part
  of it), ``severity``, ``confidence``, ``message`` (a part of it) and ``file``;
- ``strict``: the same for what only the strict persona sees;
- ``unproven``: the same for what nobody has seen to work;
- ``undecided``: the same for questions left open, with ``unknown`` (a part of it). All are exact; absent means none;
- ``errors``: what cannot be read, as ``file: cause`` (absent means that everything can).

``page`` marks the two cases that the concern's page shows, one ``sick`` and one ``healthy``.

``proofs`` are what the estate brings to show that something works: each with ``drill``, ``subject`` (as findings call
it; absent for the estate as a whole), ``inputs`` (the texts that were proven, by name; one for each format where they
differ) and, where it matters, ``verdict``, ``taken``, ``days`` for which it counts, ``after`` (what was seen) and
``measured`` (numbers by name).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import yaml
from msgspec.structs import replace

from proving import proof
from shoreup.model.proof import Measurement, Proof, Verdict

HERE = Path(__file__).parent / "concerns"
FILES = {"yaml": "estate.yaml", "terraform": "main.tf"}
TODAY = date(2026, 11, 23)
SAID = ("findings", "strict", "unproven", "undecided", "proofs", "errors")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The cases are long; where PyYAML was built without its library, they are read all the same."""
KEYS = {
    "name", "why", "yaml", "terraform", "files", "formats", "findings", "strict", "unproven", "undecided", "proofs",
    "errors", "page",
}  # fmt: skip


@dataclass(frozen=True)
class Expected:
    """One finding, or one question left open, as a case states it."""

    line: int
    file: str
    parts: Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """One estate in one format."""

    concern: str
    name: str
    files: Mapping[str, str]
    findings: Sequence[Expected]
    strict: Sequence[Expected]
    unproven: Sequence[Expected]
    undecided: Sequence[Expected]
    proofs: Sequence[Proof]
    errors: Sequence[str]


@dataclass(frozen=True)
class Entry:
    """One case as it is written: the same estate in every format that can express it."""

    name: str
    why: str
    texts: Mapping[str, str]
    files: Mapping[str, str]
    page: str
    said: Mapping[str, Sequence[Mapping[str, object]]]
    """What the audit must say, and the proofs that there are, by the keys of :data:`SAID`."""

    @property
    def finds(self) -> bool:
        """Whether something is found in it."""
        return any(self.said[key] for key in ("findings", "strict", "unproven"))

    @property
    def undecided(self) -> bool:
        """Whether a question is left open."""
        return bool(self.said["undecided"])


def entries(path: Path) -> list[Entry]:
    """The cases of a file, in its order."""
    found = []
    for entry in yaml.load(path.read_bytes(), Loader=LOADER):
        unknown = set(entry) - KEYS
        assert not unknown, f"{path.name}: {entry.get('name')}: unknown keys {unknown}"
        found.append(
            Entry(
                entry["name"],
                entry["why"],
                {form: entry[form] for form in entry.get("formats", list(FILES))},
                entry.get("files", {}),
                entry.get("page", ""),
                {
                    key: entry.get(key, ())
                    for key in ("findings", "strict", "unproven", "undecided", "proofs", "errors")
                },
            )
        )
    return found


def cases() -> Iterator[Case]:
    """Every case of the catalogue in every format that it is written in."""
    for path in sorted(HERE.glob("*.yaml")):
        yield from cases_of(path)


def cases_of(path: Path) -> Iterator[Case]:
    """The cases of a file in every format; the file has the name of the concern."""
    for entry in entries(path):
        for form, text in entry.texts.items():
            yield Case(
                path.stem,
                f"{entry.name} ({form})",
                {FILES[form]: text, **entry.files},
                [expected(one, form) for one in entry.said["findings"]],
                [expected(one, form) for one in entry.said["strict"]],
                [expected(one, form) for one in entry.said["unproven"]],
                [expected(one, form) for one in entry.said["undecided"]],
                proofs_of(entry, form),
                [str(one) for one in entry.said["errors"]],
            )


def proofs_of(entry: Entry, form: str) -> list[Proof]:
    """What a case brings to show that something works."""
    return [shown(one, form, number) for number, one in enumerate(entry.said["proofs"])]


def expected(entry: Mapping[str, object], form: str) -> Expected:
    """What a case says of one finding, for one format."""
    said = {key: value[form] if isinstance(value, dict) else value for key, value in entry.items()}
    line = said.pop("line")
    assert isinstance(line, int)
    file = str(said.pop("file", FILES[form]))
    return Expected(line, file, {key: str(value) for key, value in said.items()})


def shown(entry: Mapping[str, object], form: str, number: int) -> Proof:
    """A proof as a case states it."""
    said = {"taken": "2026-11-20", "days": 30, "verdict": "pass", "subject": "", "inputs": {}, **entry}
    inputs, measured = said.pop("inputs"), said.pop("measured", {})
    assert isinstance(inputs, dict) and isinstance(measured, dict)
    texts = {name: str(text[form] if isinstance(text, dict) else text) for name, text in inputs.items()}
    after = str(said.pop("after", "every table matched"))
    plain = proof(
        str(said.pop("drill")),
        str(said.pop("subject")),
        number=number,
        verdict=Verdict(str(said.pop("verdict"))),
        taken=datetime.fromisoformat(str(said.pop("taken"))).replace(tzinfo=UTC),
        days=int(str(said.pop("days"))),
        inputs={name: text.strip() for name, text in texts.items()},
    )
    return replace(plain, after=after, measurements=tuple(Measurement(name, one, "") for name, one in measured.items()))


def by_name(case: Case) -> str:
    """The test's name."""
    return f"{case.concern}: {case.name}"
