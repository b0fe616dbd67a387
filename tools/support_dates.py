"""Extract support dates from a checkout of endoflife.date's repository into the package's data.

    python tools/support_dates.py CHECKOUT COMMIT DATE

Only facts are taken: cycle, release date, end of support, whether it is a long-term release, and the latest
release of the cycle. ``COMMIT`` and ``DATE`` say which state of the data set was read.
"""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

import yaml

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "shoreup" / "facts" / "data"
DATA_SET = "https://github.com/endoflife-date/endoflife.date"


def wanted() -> list[str]:
    """The data set's ids that the product data asks for."""
    products = json.loads((PACKAGE / "products.json").read_text(encoding="utf-8"))["products"]
    return sorted({product["support"] for product in products if product.get("support")})


def date_or_flag(value: object) -> str | bool | None:
    """A date as ISO text, a flag as it is; anything else is not a fact that we use."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value if isinstance(value, bool) else None


def cycles(page: Path) -> list[list[object]]:
    """``[cycle, released, end of support, long-term, latest]`` for each release cycle, newest first as in the data
    set.
    """
    front_matter = page.read_text(encoding="utf-8").split("\n---", 1)[0].removeprefix("---")
    document = yaml.safe_load(front_matter)
    rows: list[list[object]] = []
    for release in document["releases"]:
        long_term = release.get("lts", False)
        rows.append(
            [
                str(release["releaseCycle"]),
                date_or_flag(release.get("releaseDate")),
                date_or_flag(release.get("eol")),
                long_term if isinstance(long_term, bool) else True,
                str(release.get("latest", "")),
            ]
        )
    return rows


def main(checkout: Path, commit: str, date: str) -> None:
    """Write ``support.json``."""
    found: dict[str, list[list[object]]] = {}
    for product in wanted():
        page = checkout / "products" / f"{product}.md"
        if not page.is_file():
            raise SystemExit(f"{product}: the data set has no such product; correct its entry in products.json")
        found[product] = cycles(page)
    head = {"source": DATA_SET, "licence": "MIT", "commit": commit, "date": date}
    lines = [f'"{key}": {json.dumps(rows, separators=(",", ":"))}' for key, rows in found.items()]
    body = ",\n".join(lines)
    text = json.dumps(head)[:-1] + ', "products": {\n' + body + "\n}}\n"
    json.loads(text)
    (PACKAGE / "support.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
