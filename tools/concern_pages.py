"""A page for each concern: its own words, and the cases that the tests audit.

Nothing on a page is written for the page. What, why and how safely stand in the concern; the examples are the cases
marked with ``page``, and what is said of them is what the audit says; the limits are the cases that are left open and
those that are not found.
"""

from __future__ import annotations

import difflib
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from command_pages import typeset

from case_files import FILES, HERE, TODAY, Entry, entries, proofs_of
from proving import bring
from shoreup.concerns.base import Concern
from shoreup.concerns.registry import all_concerns, page
from shoreup.drills.registry import experiments
from shoreup.model.finding import Category, Finding, Safety
from shoreup.model.grades import Persona
from shoreup.model.page import Source
from shoreup.report.text import GROUP_NAMES
from shoreup.stages.audit import AuditOptions, audit

FORMATS = {"terraform": "Terraform", "yaml": "YAML"}
LONG = 60
"""Lines of an example that are shown at once; a longer one is folded."""
NEAR = 0.4
"""Up to this share of changed lines the healthy example is shown as a difference."""
NAMED = 12
"""How many cases are listed of a kind."""
LANGUAGES = {".tf": "hcl", ".yaml": "yaml", ".yml": "yaml", ".sh": "sh", ".py": "python", ".json": "json", ".md": "md"}
SAFETIES = {
    Safety.SAFE: "`shoreup fix` does it",
    Safety.UNSAFE: "`shoreup fix --unsafe` does it",
    Safety.SHOWN: "a person does it",
    Safety.OPERATE: "a command does it",
}


def concern_pages() -> dict[str, str]:
    """Every page by its name in ``docs/concerns``, the list of all among them."""
    kinds = all_concerns()
    with tempfile.TemporaryDirectory() as folder:
        made = {f"{kind.id}.md": concern_page(kind, Path(folder, kind.id)) for kind in kinds}
    return {"README.md": concern_list(kinds), **made}


def concern_list(kinds: Sequence[type[Concern]]) -> str:
    """The list of every concern, by group and severity."""
    groups: dict[Category, list[type[Concern]]] = defaultdict(list)
    for kind in kinds:
        groups[kind.category].append(kind)
    parts = [
        "# Everything that can be found\n",
        (
            f"{len(kinds)} concerns. Each page says what is meant and why it matters, shows a sick and a healthy "
            "example, and says how it is mended, what proves it, and what it does not see. "
            "`shoreup explain ID` prints the words on a terminal.\n"
        ),
    ]
    for category in Category:
        rows = [
            f"| [`{kind.id}`]({kind.id}.md) | {kind.title} | {kind.severity}, {kind.consequence_class} |\n"
            for kind in sorted(groups[category], key=lambda one: (one.severity.order, one.id))
        ]
        parts.append(f"## {GROUP_NAMES[category]}\n")
        parts.append(f"| concern | | severity, and what is lost |\n|---|---|---|\n{''.join(rows)}")
    return "\n".join(parts)


def concern_page(kind: type[Concern], scratch: Path) -> str:
    """One concern's page. Its example is written to ``scratch`` and audited there."""
    shown = page(kind)
    opening, parts = sections(shown.text)
    cases = entries(HERE / f"{kind.id}.yaml")
    sick, healthy = marked(cases, "sick", kind.id), marked(cases, "healthy", kind.id)
    told = {form: findings(kind.id, sick, form, scratch / form) for form in forms(sick)}
    facts = f"{shown.severity} · {shown.consequence_class} · {GROUP_NAMES[shown.category].lower()}"
    made = [
        f"# {shown.id}\n",
        f"**{shown.title}** ({facts})\n",
        f"{opening}\n",
        *(f"## {title}\n\n{parts.pop(title)}\n" for title in ("What", "Why")),
        f"## Example\n\n{parts.pop('Example')}\n",
        *example(sick, healthy, told),
        f"## Fix\n\n{parts.pop('Fix safety')}\n",
        *fixes(kind, told),
        f"## Drill\n\n{drill(kind.id, cases)}\n",
        f"## Limits\n\n{limits(parts.pop('Limits', ''), cases, (sick, healthy), shown.id)}\n",
        f"## Sources\n\n{sources(shown.sources)}\n",
        *(f"## {title}\n\n{text}\n" for title, text in parts.items()),
        "[All concerns](README.md)\n",
    ]
    return "\n".join(made)


def sections(text: str) -> tuple[str, dict[str, str]]:
    """What stands before the first heading, and each part by its heading."""
    head, *rest = re.split(r"^\*\*([A-Z][\w ]*)\*\*$", text, flags=re.MULTILINE)
    return unwrapped(head), {title: unwrapped(part) for title, part in zip(rest[::2], rest[1::2], strict=True)}


def unwrapped(text: str) -> str:
    """Paragraphs in one line each, as the other pages have them; lists and code as they are."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(
        one if re.match(r"[-*`0-9|]|    ", one) and "\n" in one else " ".join(one.split("\n")) for one in paragraphs
    )


def marked(cases: Sequence[Entry], role: str, concern: str) -> Entry:
    """The case that the page shows as this."""
    chosen = [one for one in cases if one.page == role]
    if len(chosen) != 1:
        raise SystemExit(f"tests/concerns/{concern}.yaml: one case has to say 'page: {role}', and {len(chosen)} do")
    return chosen[0]


def forms(case: Entry) -> list[str]:
    """The formats that a case is written in, Terraform first."""
    return [form for form in FORMATS if form in case.texts]


def findings(concern: str, case: Entry, form: str, folder: Path) -> list[Finding]:
    """What the audit says of a case in one format."""
    for name, content in files(case, form).items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    for one in proofs_of(case, form):
        bring(folder, one.id, one)
    options = AuditOptions(select=(concern,), cache=False, today=TODAY, persona=Persona.STRICT)
    account = audit([folder], options)
    return sorted((*account.findings, *account.unproven), key=lambda one: (one.file, one.line))


def files(case: Entry, form: str) -> dict[str, str]:
    """The files of a case in one format, by path."""
    return {FILES[form]: case.texts[form], **case.files}


def example(sick: Entry, healthy: Entry, told: Mapping[str, Sequence[Finding]]) -> Iterator[str]:
    """The sick and the healthy example, in each format."""
    yield f"### Sick: {typeset(sick.name)}\n"
    if len(forms(sick)) == 1:
        (only,) = forms(sick)
        yield f"In {FORMATS[only]} alone: {typeset(sick.why)}.\n"
    for form in forms(sick):
        yield f"**{FORMATS[form]}**\n"
        for name, text in shown_files(sick, form):
            yield listing(name, text)
        for one in told[form]:
            yield f"> `{one.file}:{one.line}` {typeset(one.message)}\n>\n> {typeset(one.consequence)}\n"
    yield f"### Healthy: {typeset(healthy.name)}\n"
    yield f"{typeset(capital(healthy.why))}.\n"
    for form in forms(healthy):
        before, after = files(sick, form) if form in sick.texts else {}, files(healthy, form)
        yield f"**{FORMATS[form]}**\n"
        if before == after:
            yield "The same files.\n"
        elif before and near(before, after):
            yield difference(before, after)
        else:
            for name, text in shown_files(healthy, form):
                yield listing(name, text)
    proofs = proofs_of(healthy, forms(healthy)[0])
    if proofs:
        what = " and ".join(sorted({f"`{one.drill}` taken on {one.taken.date()}" for one in proofs}))
        yield f"With it on record: {what}. A proof lies in `.shoreup/proofs` or in the ledger.\n"


def shown_files(case: Entry, form: str) -> Iterator[tuple[str, str]]:
    """The files to show, those of the estate's own first."""
    yield from files(case, form).items()


def listing(name: str, text: str) -> str:
    """A file in a fence that nothing in it ends; folded where it is long."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    code = f"{fence}{LANGUAGES.get(Path(name).suffix, 'text')}\n{text.rstrip()}\n{fence}"
    lines = text.rstrip().count("\n") + 1
    if lines <= LONG:
        return f"`{name}`\n\n{code}\n"
    return f'<details markdown="1">\n<summary><code>{name}</code>, {lines} lines</summary>\n\n{code}\n\n</details>\n'


def near(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether little enough differs that the difference says more than the whole."""
    changed = sum(line[:1] in "+-" for line in compared(before, after, around=0))
    return changed <= NEAR * sum(text.count("\n") for text in after.values())


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """The healthy example as what differs from the sick."""
    lines = "\n".join(line.rstrip() for line in compared(before, after, around=4))
    return f"```diff\n{lines}\n```\n"


def compared(before: Mapping[str, str], after: Mapping[str, str], around: int) -> Iterator[str]:
    """The lines of a difference; the head of each file is its name."""
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name, "").splitlines(), after.get(name, "").splitlines()
        lines = list(difflib.unified_diff(old, new, n=around, lineterm=""))[2:]
        if lines and around:
            yield f"# {name}"
        yield from lines


def fixes(kind: type[Concern], told: Mapping[str, Sequence[Finding]]) -> Iterator[str]:
    """What the findings of the example offer, and what a person completes."""
    offers = dict.fromkeys(fix for found in told.values() for one in found for fix in one.fixes)
    if offers:
        yield "For the example:\n"
        yield "".join(
            f"- {typeset(one.title)}: **{one.safety}** ({SAFETIES[one.safety]}); {typeset(one.reason)}.\n"
            for one in offers
        )
    said = kind.proposal
    for text in dict.fromkeys([said] if isinstance(said, str) else said.values()):
        if text:
            yield f"To complete and paste; what is yours to say stands in angle brackets:\n\n```text\n{text}\n```\n"


def drill(concern: str, cases: Sequence[Entry]) -> str:
    """What proves it: drills that say so themselves, then those of which a case brings a proof."""
    every = {one.drill.value: one for one in experiments()}
    counting = {one.drill for case in cases for form in forms(case) for one in proofs_of(case, form)}
    proving = [name for name, one in every.items() if concern in one.proves]
    lines = [
        f"[`shoreup drill {name}`](../commands/drill.md): {every[name].title} ([drills](../drills.md))."
        for name in (*proving, *sorted(counting.intersection(every).difference(proving)))
    ]
    lines += [
        f"`{name}`: no command of Shoreup's runs this one; its proof counts where it lies in [the "
        "ledger](../ledger.md) or in the estate."
        for name in sorted(counting.difference(every))
    ]
    if not lines:
        return "None: reading decides it, and the next audit says whether it is gone."
    return "\n".join(f"- {line}" for line in lines)


def limits(said: str, cases: Sequence[Entry], shown: tuple[Entry, Entry], concern: str) -> str:
    """What the concern leaves open or does not call a finding, by the cases that hold it to that."""
    left = [one for one in cases if one not in shown]
    unsure = [one for one in left if one.undecided]
    silent = [one for one in left if not one.undecided and not one.finds]
    parts = [said] if said else []
    if unsure:
        parts.append(f"Left undecided, and listed as such:\n\n{bullets(unsure)}")
    if silent:
        parts.append(f"Not a finding:\n\n{bullets(silent)}")
    parts.append(f"Every case is in [`tests/concerns/{concern}.yaml`](../../tests/concerns/{concern}.yaml).")
    return "\n\n".join(parts)


def bullets(cases: Sequence[Entry]) -> str:
    """Cases as a list."""
    return "\n".join(f"- {typeset(one.name)}: {typeset(one.why)}" for one in cases[:NAMED])


def sources(given: Iterable[Source]) -> str:
    """Where it can be read."""
    return "\n".join(f"- [{one.title}]({address(one.at)})" for one in given)


def address(at: str) -> str:
    """An address of the web as it is; a table of the package by its place in the repository."""
    return at if "://" in at else f"../../src/shoreup/{at}"


def capital(text: str) -> str:
    """With a capital, and without the full stop that follows."""
    return text[:1].upper() + text[1:].rstrip(".")
