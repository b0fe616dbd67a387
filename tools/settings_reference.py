"""Write the schema of shoreup.toml and the reference in docs/configuration.md anew.

    python tools/settings_reference.py

A test fails while either differs from what the settings' fields say.
"""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

from shoreup.stages.settings_schema import document, reference

TOP = Path(__file__).parents[1]
SCHEMA = TOP / "src" / "shoreup" / "stages" / "settings.schema.json"
GUIDE = TOP / "docs" / "configuration.md"
START, END = "<!-- reference: made by tools/settings_reference.py -->\n", "<!-- end of the reference -->\n"


def schema_text() -> str:
    """The schema as it is committed."""
    return json.dumps(document(), indent=2) + "\n"


def guide_text(before: str) -> str:
    """The guide with its reference made anew."""
    head, _, rest = before.partition(START)
    _, _, tail = rest.partition(END)
    return head + START + reference_text() + END + tail


def reference_text() -> str:
    """The reference as Markdown: one table for each table of the file."""
    parts: list[str] = []
    for table, settings in groupby(reference(), key=lambda one: one.table):
        rows = [f"| `{one.key}` | {one.kind} | {one.default} | {one.text} |\n" for one in settings]
        title = f"`[{table}]`" if table else "At the top"
        parts.append(f"\n### {title}\n\n| key | value | default | |\n|---|---|---|---|\n{''.join(rows)}")
    return "".join(parts) + "\n"


def main() -> None:
    """Write both files."""
    SCHEMA.write_text(schema_text(), encoding="utf-8")
    GUIDE.write_text(guide_text(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
