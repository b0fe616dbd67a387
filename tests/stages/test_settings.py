"""``shoreup.toml``: what is written is in force, and what cannot be in force is an error with its line."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec.structs import fields

from shoreup.model.errors import UserError
from shoreup.model.finding import Severity
from shoreup.model.grades import FailOn, Persona
from shoreup.model.settings import Cover, Objective, Settings
from shoreup.stages.settings import duration, own_products, parse_settings, read_settings
from shoreup.stages.settings_schema import document

TOP = Path(__file__).parents[2]

WHOLE = """
[selection]
select = ["backup-*"]
ignore = ["pdb-missing"]
min-severity = "medium"
fail-on = "never"
persona = "strict"
baseline = "known.json"

[owner]
images = ["ghcr.io/me/*"]

[exposure.internet]
hosts = ["*.example.org"]
entry-points = ["websecure"]
[exposure.lan]
gateways = ["internal"]
networks = ["203.0.113.7/32", "fd00::/8"]

[objectives.default]
rpo = "7d"
rto = "1d"
[objectives.critical]
rpo = "24h"
[objectives."databases/shop"]
rto = "1h30m"

[tiers.critical]
services = ["databases/*"]
accepted-downtime = "5m"

[thresholds]
module-lines = 800
support-ends-days = 90

[ledger]
url = "sqlite:///ledger.db"

[operations]
url = "sqlite:///operations.db"
slots = 2

[schedule.photos]
run = "backup run photos"
when = "30 2 * * *"
time-zone = "Europe/Berlin"

[backup.photos]
of = "files:/srv/photos"
store = "nas"
[store.nas]
url = "sftp://keeper@nas.home/backups"

[[smoke]]
subject = "databases/shop"
query = "SELECT count(*) FROM orders"
expect = ">= 1"

[prometheus]
url = "https://prometheus.example.org"
window = "14d"

[storage]
"192.0.2.5:/volume1/backups" = "/mnt/backups"

[[protection]]
what = "databases/*"
by = "snapshots of the NAS"
covers = ["backup", "off-site"]
expires = 2027-01-31

[[suppress]]
ids = ["gpu-pinned"]
resource = "models/ollama"
reason = "one card in the house"
until = 2027-06-01

[[product]]
id = "shop"
kind = "app"
images = { "ghcr.io/me/shop" = "" }

[[support]]
product = "postgresql"
release = "12"
ends = 2028-01-01
"""


def parsed(text: str) -> Settings:
    return parse_settings(text.encode()).settings


def refused(text: str) -> str:
    with pytest.raises(UserError) as caught:
        parsed(text)
    return caught.value.message


def test_every_key_reaches_its_setting() -> None:
    settings = parsed(WHOLE)
    for one in fields(Settings):
        assert getattr(settings, one.name) != getattr(Settings(), one.name), f"{one.name} is not in the example"
    assert settings.selection.min_severity is Severity.MEDIUM
    assert settings.selection.fail_on is FailOn.NEVER
    assert settings.selection.persona is Persona.STRICT
    assert settings.exposure.internet.entry_points == ("websecure",)
    assert settings.tiers["critical"].accepted_downtime == timedelta(minutes=5)
    assert settings.protection[0].expires == date(2027, 1, 31)
    assert settings.suppress[0].until == date(2027, 6, 1)
    assert settings.storage == {"192.0.2.5:/volume1/backups": "/mnt/backups"}


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    given_settings = read_settings(tmp_path)
    assert given_settings.settings == Settings()
    assert given_settings.name == ""
    assert parsed("") == Settings()


def test_objectives_fall_back_from_service_to_tier_to_default() -> None:
    settings = parsed(WHOLE)
    assert settings.objective("databases/shop") == Objective(timedelta(hours=24), timedelta(minutes=90))
    assert settings.objective("databases/wiki") == Objective(timedelta(hours=24), timedelta(days=1))
    assert settings.objective("web/wiki") == Objective(timedelta(days=7), timedelta(days=1))
    assert settings.accepted_downtime("databases/wiki") == timedelta(minutes=5)
    assert settings.accepted_downtime("web/wiki") is None


def test_a_protection_counts_until_it_expires_and_for_what_it_covers() -> None:
    settings = parsed(WHOLE)
    assert settings.protected("databases/shop", Cover.BACKUP, date(2027, 1, 30))
    assert not settings.protected("databases/shop", Cover.BACKUP, date(2027, 1, 31))
    assert not settings.protected("databases/shop", Cover.ALERT, date(2026, 1, 1))
    assert not settings.protected("web/shop", Cover.BACKUP, date(2026, 1, 1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[selection]\n\nfail-no = 1", "shoreup.toml:3: unknown key 'fail-no' in selection. The nearest is 'fail-on'."),
        ("[selection]\nfail_on = 1", "shoreup.toml:2: unknown key 'fail_on' in selection. The nearest is 'fail-on'."),
        ("[selektion]", "shoreup.toml:1: unknown key 'selektion'. The nearest is 'selection'."),
        ("zzz = 1", "shoreup.toml:1: unknown key 'zzz'. There are selection, owner, exposure,"),
        ("[exposure.lan]\nhost = []", "shoreup.toml:2: unknown key 'host' in exposure.lan. The nearest is 'hosts'."),
        ("[tiers.a]\n[tiers.b]\nservice = []", "shoreup.toml:3: unknown key 'service' in tiers.b."),
        ("[[suppress]]\nids=['a']\n[[suppress]]\nwho='b'", "shoreup.toml:4: unknown key 'who' in [[suppress]]"),
        ("[[product]]\nimage = {}", ""),
    ],
)
def test_an_unknown_key_names_the_nearest_and_its_line(text: str, said: str) -> None:
    if said:
        assert said in refused(text)
    else:
        with pytest.raises(UserError, match=r"shoreup.toml:2: unknown key 'image' in .*The nearest is 'images'"):
            own_products(parse_settings(text.encode()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("selection = 1", ":1: selection must be a table, not a number."),
        ("[selection]\nselect = 'backup-*'", ":2: selection.select must be a list, not text."),
        ("[selection]\nselect = [\n  'a',\n  1,\n]", ":4: selection.select must be text in quotes."),
        ("[selection]\nfail-on = 'hi'", ":2: selection.fail-on must be one of critical, high, medium, low, never."),
        ("[thresholds]\nmodule-lines = '450'", ":2: thresholds.module-lines must be a whole number."),
        ("[thresholds]\nmodule-lines = true", ":2: thresholds.module-lines must be a whole number."),
        ("[thresholds]\nmodule-lines = -1", ":2: module-lines must not be negative."),
        ("[tiers.a]\naccepted-downtime = 5", ":2: tiers.a.accepted-downtime must be a time such as '30m', '24h'"),
        ("[objectives.default]\nrpo = '5 hours'", ":2: objectives.default.rpo must be a time"),
        ("[objectives.critcal]\n[tiers.critical]", ":1: 'critcal' is no tier."),
        ("[exposure.lan]\nnetworks = ['10.0.0.0/8', '10.0/99']", ":2: '10.0/99' is no range of addresses"),
        ("[[protection]]\nwhat = 'a'", ":1: [[protection]] lacks the key 'by'."),
        ("[[suppress]]\nids = ['a']\nreason = 'b'", ":1: [[suppress]] needs ids, and a path or a resource."),
        ("[storage]\n'a:/b' = 3", ":2: storage.a:/b must be text in quotes."),
        ("a = \n", "shoreup.toml: Invalid value (at line 1, column 5)."),
        ("a = 1\na = 2", "shoreup.toml: Cannot overwrite a value"),
        (f"a = {'9' * 5000}", "shoreup.toml: "),
        ("a = " + "[" * 20000, "nested too deeply"),
    ],
)
def test_what_is_wrong_names_the_key_what_was_expected_and_the_line(text: str, said: str) -> None:
    assert said in refused(text)


def test_bytes_that_are_no_text_are_an_error_with_a_line() -> None:
    with pytest.raises(UserError, match=r"shoreup.toml:2: not UTF-8"):
        parse_settings(b"a = 1\n\xff\xfe")


@pytest.mark.parametrize("content", [b"x" * (1024 * 1024 + 1), None])
def test_what_is_no_settings_file_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "shoreup.toml"
    path.write_bytes(content) if content else path.mkdir()
    with pytest.raises(UserError):
        read_settings(tmp_path)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no settings file"):
        read_settings(tmp_path, tmp_path / "other.toml")


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        parsed(text)
    except UserError as problem:
        assert problem.message.startswith("shoreup.toml:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30s", timedelta(seconds=30)),
        ("1h30m", timedelta(minutes=90)),
        ("2w", timedelta(weeks=2)),
        ("5", None),
        ("5 h", None),
        ("", None),
        ("h", None),
        ("9" * 30 + "w", None),
    ],
)
def test_a_time_is_a_number_and_a_unit(text: str, expected: timedelta | None) -> None:
    assert duration(text) == expected


def test_a_product_of_the_owner_is_whole_or_changes_what_it_names() -> None:
    (own,) = own_products(parse_settings(b'[[product]]\nid = "shop"\nkind = "app"\nimages = { "a/b" = "" }'))
    assert (own.id, own.title, own.source) == ("shop", "shop", "shoreup.toml")
    (changed,) = own_products(parse_settings(b'[[product]]\nid = "postgresql"\nslow = true'))
    assert changed.slow
    assert changed.support == "postgresql"
    assert len(changed.images) > 5
    with pytest.raises(UserError, match=r"shoreup.toml:1: \[\[product\]\] is not whole"):
        own_products(parse_settings(b'[[product]]\nid = "shop"'))


def test_every_setting_says_what_it_is() -> None:
    """The reference, the schema and the errors are made of these sentences."""

    def look(node: Any, way: str) -> None:
        assert node.get("description") or "product" in way, way
        for key, inner in node.get("properties", {}).items():
            look(inner, f"{way}.{key}")

    look(document(), "")


def test_the_schema_takes_what_the_reader_takes() -> None:
    validator = Draft202012Validator(document())
    Draft202012Validator.check_schema(document())
    written = json.loads(json.dumps(tomllib.loads(WHOLE), default=str))
    validator.validate(written)
    written["selection"]["fail-no"] = 1
    assert not validator.is_valid(written)


def test_the_committed_schema_and_reference_are_what_the_settings_say() -> None:
    spec = importlib.util.spec_from_file_location("settings_reference", TOP / "tools" / "settings_reference.py")
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    again = "run python tools/settings_reference.py"
    assert tool.SCHEMA.read_text(encoding="utf-8") == tool.schema_text(), again
    guide = tool.GUIDE.read_text(encoding="utf-8")
    assert guide == tool.guide_text(guide), again


def test_the_examples_in_the_guide_are_settings() -> None:
    guide = (TOP / "docs" / "configuration.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```toml\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        own_products(parse_settings(example.encode()))
