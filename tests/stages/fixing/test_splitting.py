"""A long file becomes several: nothing but the place of blocks changes, and what they make stays the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hashicorp import needs_hashicorp
from hashicorp_reading import disagreements
from shoreup.formats.files import FileTree
from shoreup.model.amendment import Amendment
from shoreup.stages.audit import AuditOptions, audit
from shoreup.stages.auditing.reading import read
from shoreup.stages.fix import FixOptions, fix, write_out
from shoreup.stages.fixing.remarks import remarks

TODAY = date(2026, 11, 23)
HEAD = '# The house.\n\nvariable "domain" {\n  type    = string\n  default = "example.org"\n}\n\n'


def subject(name: str, records: int = 12) -> str:
    """Blocks about one thing, with a heading and remarks."""
    lines = "\n".join(f'    key_{number} = "{name}.${{var.domain}}"' for number in range(records * 4))
    return f"""\
# ---- {name} ----

# Settings of {name}.
resource "kubernetes_config_map_v1" "{name}_settings" {{
  metadata {{
    name      = "{name}"
    namespace = "home" # shared
  }}
  data = {{
{lines}
  }}
}}

resource "kubernetes_config_map_v1" "{name}" {{
  metadata {{
    name = kubernetes_config_map_v1.{name}_settings.metadata[0].name
  }}
  data = {{
{lines}
  }}
}} # the end of {name}

"""


def written(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode())


def split(root: Path, *concerns: str) -> Amendment:
    fixed = fix([root], FixOptions(select=concerns, unsafe=True, today=TODAY), lambda *_: None)
    assert fixed.amendment.dropped == ()
    return write_out(fixed)


def bodies(root: Path) -> dict[str, object]:
    tree = FileTree(root)
    found = read(tree, None, lambda *_: None, alone=True).resources
    assert not tree.errors
    return {f"{one.root} {one.address}": dict(one.body) for one in found}


LONG = HEAD + "".join(map(subject, ("mail", "wiki", "photos", "music"))).rstrip("\n") + "\n"


@needs_hashicorp
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_blocks_go_by_subject_with_their_comments(newline: str, tmp_path: Path) -> None:
    written(tmp_path, {"home.tf": LONG.replace("\n", newline), "mail.tf": "# Mail, as far as it was."})
    before = bodies(tmp_path)
    amendment = split(tmp_path, "module-oversized")
    assert [one.finding.file for one in amendment.applied] == ["home.tf"]
    assert amendment.applied[0].impact.value == "none"
    assert bodies(tmp_path) == before
    files = {path.name: path.read_bytes() for path in tmp_path.glob("*.tf")}
    assert {*files} == {"home.tf", "mail.tf", "wiki.tf", "photos.tf", "music.tf", "variables.tf"} - {_kept(files)}
    assert sum(remarks(name, content) for name, content in files.items()) == LONG.count("# ") + 1
    for name, content in files.items():
        text = content.decode()
        assert [*disagreements(text)] == []
        assert text.count("\n") <= 450
        assert text.endswith(newline) and not text.endswith(newline * 2)
        assert ("\r\n" in text) == (newline == "\r\n")
        assert f"{newline * 3}" not in text
        assert not name.startswith("wiki") or text.startswith(f"# ---- wiki ----{newline}{newline}# Settings of wiki.")
    assert files["home.tf"].startswith(b"# The house.")
    assert not audit([tmp_path], AuditOptions(select=("module-oversized",), cache=False, today=TODAY)).findings
    assert split(tmp_path, "module-oversized").changes == ()


def _kept(files: dict[str, bytes]) -> str:
    """The subject that stays in the file that is split."""
    return next(
        f"{name}.tf" for name in ("mail", "wiki", "photos", "music") if f'"{name}"'.encode() in files["home.tf"]
    )


def test_it_is_made_only_for_who_names_it(tmp_path: Path) -> None:
    written(tmp_path, {"home.tf": LONG})
    assert split(tmp_path).changes == ()


def test_what_is_of_one_subject_stays(tmp_path: Path) -> None:
    written(tmp_path, {"home.tf": "# Long.\n" * 451 + subject("mail", 1)})
    (left,) = split(tmp_path, "module-oversized").not_fixed
    assert "of one subject" in left.reason


def test_a_file_of_overrides_stays(tmp_path: Path) -> None:
    written(tmp_path, {"home_override.tf": LONG})
    (left,) = split(tmp_path, "module-oversized").not_fixed
    assert "overrides" in left.reason
