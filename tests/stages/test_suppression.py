"""What the owner accepts is kept, counted and explained; what accepts nothing is reported."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from shoreup.model.account import Account
from shoreup.model.errors import UserError
from shoreup.stages.audit import AuditOptions, audit

TODAY = date(2026, 11, 23)

TERRAFORM = """{top}
resource "kubernetes_deployment" "web" {{
  metadata {{
    name      = "web"
    namespace = "shop"
  }}
  spec {{
    template {{
      metadata {{
        labels = {{ app = "web" }}
      }}
      spec {{
        {container}
        container {{
          name  = "web"
          {above}
          image = var.image {beside}
        }}
      }}
    }}
  }}
}}
variable "image" {{
  {default}
  default = "nginx:latest"
}}
"""

YAML = """{top}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    metadata:
      labels: {{app: web}}
    spec:
      containers:
        {container}
        - name: web
          {above}
          image: nginx:latest {beside}
"""


def look(root: Path, **options: object) -> Account:
    """Audit for moving tags alone."""
    chosen = {"select": ("image-tag-latest",), "cache": False, "today": TODAY} | options
    return audit([root], AuditOptions(**chosen))  # type: ignore[arg-type]  # the test names options


def write(root: Path, form: str, **places: str) -> None:
    """An estate with one moving tag and comments in some places."""
    text, name = (TERRAFORM, "main.tf") if form == "terraform" else (YAML, "web.yaml")
    empty = dict.fromkeys(("top", "container", "above", "beside", "default"), "")
    (root / name).write_text(text.format_map(empty | places))


def settings(root: Path, text: str) -> None:
    (root / "shoreup.toml").write_text(text)


@pytest.mark.parametrize("place", ["beside", "above", "container", "top"])
@pytest.mark.parametrize("form", ["terraform", "yaml"])
def test_a_comment_beside_or_above_the_line_or_a_block_around_it_accepts(tmp_path: Path, form: str, place: str) -> None:
    write(tmp_path, form, **{place: "# shoreup: ignore[image-tag-latest] a throw-away"})
    account = look(tmp_path)
    assert account.findings == ()
    (one,) = account.suppressed
    assert (one.finding.concern, one.reason, one.until) == ("image-tag-latest", "a throw-away", None)
    assert one.file in {"main.tf", "web.yaml"}
    assert "ignore" in (tmp_path / one.file).read_text().splitlines()[one.line - 1]
    assert account.notices == ()


def test_a_comment_where_the_value_is_written_accepts_too(tmp_path: Path) -> None:
    write(tmp_path, "terraform", default="// shoreup: ignore[image-tag-latest] a throw-away")
    assert len(look(tmp_path).suppressed) == 1


@pytest.mark.parametrize(
    "comment",
    [
        "# shoreup: ignore[pdb-missing, image-tag-latest] two at once",
        "# shoreup:ignore[image-tag-latest]: two at once",
        "# why: see the wiki\n# shoreup: ignore[image-tag-latest] two at once\n# and more words",
        "# shoreup: ignore[image-tag-*] two at once",
    ],
)
def test_ways_to_write_it(tmp_path: Path, comment: str) -> None:
    write(tmp_path, "yaml", top=comment)
    account = look(tmp_path)
    assert [one.reason for one in account.suppressed] == ["two at once"]


def test_block_comments_of_terraform_end_before_the_reason_does(tmp_path: Path) -> None:
    write(tmp_path, "terraform", beside="/* shoreup: ignore[image-tag-latest] a throw-away */")
    assert [one.reason for one in look(tmp_path).suppressed] == ["a throw-away"]


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("# shoreup: ignore[image-tag-latest]", "has no reason"),
        ("# shoreup: ignore[image-tag-latest] until=2027-01-01", "has no reason"),
        ("# shoreup: ignore[image-tag-latest] soon until=2026-11-22", "ran out on 2026-11-22"),
        ("# shoreup: ignore[image-tag-latest] soon until=tomorrow", "'tomorrow' is no day"),
        ("# shoreup: ignore[image-tag-lates] soon", "no such concern. The nearest is image-tag-latest."),
        ("# shoreup: ignore all of it", "names no concern"),
        ("# shoreup: ignore[] all of it", "names no concern"),
    ],
)
def test_what_does_not_count_is_reported_and_hides_nothing(tmp_path: Path, comment: str, said: str) -> None:
    write(tmp_path, "yaml", above=comment)
    account = look(tmp_path)
    assert len(account.findings) == 1
    assert account.suppressed == ()
    (notice,) = account.notices
    assert said in notice.message
    assert (notice.file, notice.line) == ("web.yaml", 15)


def test_it_holds_on_its_last_day(tmp_path: Path) -> None:
    write(tmp_path, "yaml", above="# shoreup: ignore[image-tag-latest] until=2026-11-23 the move is planned")
    (one,) = look(tmp_path).suppressed
    assert (one.reason, one.until) == ("the move is planned", TODAY)


def test_an_ignore_that_matches_nothing_is_reported(tmp_path: Path) -> None:
    write(tmp_path, "yaml", top="# shoreup: ignore[image-tag-latest] one\n\n# shoreup: ignore[image-tag-latest] two")
    account = look(tmp_path)
    assert [one.reason for one in account.suppressed] == ["two"]
    assert [(one.line, one.message) for one in account.notices] == [
        (1, "This ignore of image-tag-latest matches nothing: take it out.")
    ]


def test_an_ignore_of_a_concern_that_was_not_asked_is_not_idle(tmp_path: Path) -> None:
    write(tmp_path, "yaml", above="# shoreup: ignore[pdb-missing, image-tag-latest] both")
    assert look(tmp_path).notices == ()


def test_another_concern_and_another_line_are_not_covered(tmp_path: Path) -> None:
    write(tmp_path, "yaml", above="# shoreup: ignore[pdb-missing] another")
    assert len(look(tmp_path).findings) == 1
    (tmp_path / "web.yaml").write_text(
        YAML.format(top="", container="", above="", beside="\n          # shoreup: ignore[image-tag-latest] below")
    )
    assert len(look(tmp_path).findings) == 1


def test_a_command_over_several_lines_is_one_statement(tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text("""
apiVersion: batch/v1
kind: CronJob
metadata: {name: dump, namespace: shop}
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: dump
              image: mysql:8.4.2
              command:
                - bash
                - -ec
                - |
                  # shoreup: ignore[credential-on-command-line] nobody else is on the node
                  mysqldump \\
                    --single-transaction \\
                    -u root -p"$PASSWORD" \\
                    shop > /backup/shop.sql
              env:
                - name: PASSWORD
                  valueFrom: {secretKeyRef: {name: db, key: password}}
""")
    account = look(tmp_path, select=("credential-on-command-line",))
    assert account.findings == ()
    assert len(account.suppressed) == 1


ENTRY = '[[suppress]]\nids = ["image-tag-latest"]\nreason = "old"\n'


@pytest.mark.parametrize(
    "condition",
    [
        'path = "web.yaml"',
        'path = "*.yaml"',
        'resource = "web"',
        'resource = "shop/web"',
        'resource = "Deployment/shop/*"',
        'resource = "apps/v1/Deployment/shop/web"',
        'path = "*.yaml"\nresource = "web"\nuntil = 2026-12-31',
    ],
)
def test_the_settings_accept_by_path_and_resource(tmp_path: Path, condition: str) -> None:
    write(tmp_path, "yaml")
    settings(tmp_path, f"\n{ENTRY}{condition}\n")
    account = look(tmp_path)
    (one,) = account.suppressed
    assert (one.reason, one.file, one.line) == ("old", "shoreup.toml", 2)
    assert account.notices == ()


def test_addresses_of_terraform_with_brackets_are_taken_as_they_stand(tmp_path: Path) -> None:
    write(tmp_path, "terraform")
    text = (tmp_path / "main.tf").read_text().replace("{\n  metadata", '{\n  for_each = toset(["a"])\n  metadata', 1)
    (tmp_path / "main.tf").write_text(text)
    settings(tmp_path, ENTRY + "resource = 'kubernetes_deployment.web[\"a\"]'\n")
    assert len(look(tmp_path).suppressed) == 1


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (ENTRY.replace("old", " ") + 'resource = "web"', "has no reason"),
        (ENTRY + 'resource = "web"\nuntil = 2026-11-22', "ran out"),
        (ENTRY + 'resource = "other"', "matches nothing"),
    ],
)
def test_entries_that_do_not_count_are_reported_with_their_line(tmp_path: Path, entry: str, said: str) -> None:
    write(tmp_path, "yaml")
    settings(tmp_path, f"\n{entry}\n")
    account = look(tmp_path)
    assert len(account.findings) == 1
    (notice,) = account.notices
    assert said in notice.message
    assert (notice.file, notice.line) == ("shoreup.toml", 2)


def test_an_entry_is_not_idle_where_only_a_part_was_read(tmp_path: Path) -> None:
    write(tmp_path, "yaml")
    (tmp_path / "other.yaml").write_text("a: 1\n")
    settings(tmp_path, ENTRY + 'resource = "web"\n')
    account = audit([tmp_path / "other.yaml", tmp_path / "shoreup.toml"], AuditOptions(cache=False, today=TODAY))
    assert account.notices == ()


def test_a_concern_that_does_not_exist_is_an_error_in_the_settings(tmp_path: Path) -> None:
    write(tmp_path, "yaml")
    settings(tmp_path, '[[suppress]]\nids = ["image-tag-lates"]\npath = "*"\nreason = "x"\n')
    with pytest.raises(UserError, match=r"shoreup.toml:2: There is no concern .* The nearest is image-tag-latest"):
        look(tmp_path)


def test_a_changed_comment_and_a_changed_settings_file_ask_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "estate"
    root.mkdir()
    write(root, "yaml")
    assert len(look(root, cache=True).findings) == 1
    settings(root, ENTRY + 'resource = "web"\n')
    assert len(look(root, cache=True).suppressed) == 1
    again = look(root, cache=True)
    assert again.cached
    assert len(again.suppressed) == 1
    settings(root, ENTRY + 'resource = "other"\n')
    assert len(look(root, cache=True).findings) == 1
