"""What vouches for a ledger outside of it, and what that finds."""

from __future__ import annotations

import json
import sqlite3
import stat
from base64 import b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._key import SSlibKey

from proving import TAKEN, proof
from shoreup.cli.main import run
from shoreup.ledger.appending import Ledger
from shoreup.ledger.location import Location, locate
from shoreup.ledger.signing import make_key, public_half, usual_key
from shoreup.model.proof import Verdict

URL = "sqlite:///ledger.sqlite"
ATTESTATION = ".shoreup/ledger.intoto.jsonl"


@pytest.fixture
def estate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An estate with five proofs of one backup, one a day."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = tmp_path / "estate"
    folder.mkdir()
    remember(folder, range(5))
    return folder


def where(estate: Path) -> Location:
    found = locate(estate, URL)
    assert found is not None
    return found


def remember(estate: Path, numbers: range, word: str = "r") -> None:
    with Ledger(where(estate)) as ledger:
        for number in numbers:
            ledger.append(proof(number=number), run=f"{word}{number}", step="compare")


def by_hand(estate: Path, statement: str) -> None:
    """What somebody does who owns the file."""
    with sqlite3.connect(estate / "ledger.sqlite") as connection:
        connection.executescript(f"DROP TRIGGER proofs_no_update; DROP TRIGGER proofs_no_delete; {statement}")
    connection.close()


def ledger(verb: str, estate: Path, *more: str) -> int:
    return run(["ledger", verb, str(estate), "--ledger", URL, *more])


def verified(estate: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, object]]:
    capsys.readouterr()
    code = ledger("verify", estate, "--format", "json", *more)
    return code, json.loads(capsys.readouterr().out)


def test_a_ledger_that_nobody_touched_is_whole(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = verified(estate, capsys)
    assert (code, told["whole"], told["proofs"], told["covered"], told["breaks"]) == (0, True, 5, 0, [])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE proofs SET content = CAST(replace(CAST(content AS TEXT), 'matched', 'differs') AS BLOB) WHERE number=2",
        "DELETE FROM proofs WHERE number = 2",
        "UPDATE proofs SET verdict = 'fail' WHERE number = 5",
    ],
)
def test_the_chain_shows_a_change_without_any_witness(
    estate: Path, capsys: pytest.CaptureFixture[str], statement: str
) -> None:
    by_hand(estate, statement)
    code, told = verified(estate, capsys)
    assert (code, told["whole"]) == (4, False)
    assert told["breaks"]


def test_what_was_exported_vouches_for_everything_before_it(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ledger("export", estate) == 0
    remember(estate, range(5, 7))
    assert verified(estate, capsys)[1]["covered"] == 5
    by_hand(estate, "DELETE FROM proofs WHERE number > 6")
    code, told = verified(estate, capsys)
    assert (code, told["proofs"]) == (0, 6), "the control: nobody vouched for the seventh"


@pytest.mark.parametrize("signed", [(), ("--sign",)])
def test_a_chain_written_anew_is_found_by_what_was_taken_out_before(
    estate: Path, capsys: pytest.CaptureFixture[str], signed: tuple[str, ...]
) -> None:
    assert ledger("export", estate, *signed) == 0
    for file in estate.glob("ledger.sqlite*"):
        file.unlink()
    remember(estate, range(10, 15))
    code, told = verified(estate, capsys)
    assert (code, told["whole"], told["breaks"]) == (4, False, [])
    assert ledger("export", estate, *signed) == 2, "nor does it get a new witness"
    assert "was changed" in capsys.readouterr().err


def test_the_attestation_is_what_in_totos_own_library_reads(estate: Path) -> None:
    assert ledger("export", estate, "--sign") == 0
    (line,) = (estate / ATTESTATION).read_text().splitlines()
    public = load_pem_public_key((estate / ".shoreup/ledger.pub").read_bytes())
    document = json.loads(line)
    key = SSlibKey.from_crypto(public, document["signatures"][0]["keyid"])
    Envelope.from_dict(json.loads(line)).verify([key], 1)
    forged = json.loads(line)
    forged["payload"] = forged["payload"].replace("A", "B", 1)
    with pytest.raises(VerificationError):
        Envelope.from_dict(forged).verify([key], 1)
    statement = json.loads(b64decode(document["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert document["payloadType"] == "application/vnd.in-toto+json"
    (subject,) = statement["subject"]
    content = (estate / ".shoreup/proofs" / subject["name"]).read_bytes()
    assert subject["digest"]["sha256"] == sha256(content).hexdigest()


def test_a_signature_of_somebody_else_is_no_witness(
    estate: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert ledger("export", estate, "--sign") == 0
    assert verified(estate, capsys)[0] == 0
    other = tmp_path / "other.pem"
    make_key(other)
    (tmp_path / "other.pub").write_bytes(public_half(other))
    code, told = verified(estate, capsys, "--public-key", str(tmp_path / "other.pub"))
    assert code == 4
    assert "wrong" in json.dumps(told["witnesses"])
    assert verified(estate, capsys, "--public-key", str(estate / ".shoreup/ledger.pub"))[0] == 0


def test_the_key_is_the_owners_alone_and_never_shown(estate: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ledger("export", estate, "--sign") == 0
    said = capsys.readouterr()
    assert stat.S_IMODE(usual_key().stat().st_mode) == 0o600
    secret = usual_key().read_text().splitlines()[1]
    everything = said.out + said.err + "".join(one.read_text() for one in (estate / ".shoreup").rglob("*.*"))
    assert secret not in everything
    usual_key().chmod(0o644)
    assert ledger("export", estate, "--sign") == 2
    assert "chmod 600" in capsys.readouterr().err


def test_an_export_holds_what_decides_and_a_newer_one_takes_its_place(estate: Path) -> None:
    for number, (subject, verdict) in enumerate(
        [("CronJob data/other", Verdict.PASS), ("CronJob data/other", Verdict.COULD_NOT_VERIFY)], 20
    ):
        with Ledger(where(estate)) as memory:
            one = proof(subject=subject, number=number, verdict=verdict, taken=TAKEN.replace(day=number))
            memory.append(one, run=f"o{number}", step="compare")
    assert ledger("export", estate) == 0
    folder = estate / ".shoreup/proofs"
    held = {json.loads(one.read_bytes())["proof"]["id"] for one in folder.iterdir()}
    assert held == {"proof-4", "proof-20"}
    remember(estate, range(30, 31), "s")
    assert ledger("export", estate) == 0
    assert len(list(folder.iterdir())) == 2


def test_an_export_never_leaves_the_repository(
    estate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (estate / ".shoreup").symlink_to(tmp_path / "elsewhere")
    assert ledger("export", estate) == 2
    assert "leads out of the repository" in capsys.readouterr().err
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("line", ["{", '{"payload": "?", "payloadType": "x", "signatures": []}', "[]"])
def test_an_attestation_that_is_none_is_told_and_is_no_verdict(
    estate: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    (estate / ".shoreup").mkdir()
    (estate / ATTESTATION).write_text(line)
    code, told = verified(estate, capsys)
    assert code == 0
    assert ATTESTATION in json.dumps(told["errors"])


def test_without_a_ledger_there_is_nothing_to_verify(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ledger("verify", tmp_path) == 2
    assert "There is no ledger" in capsys.readouterr().err
