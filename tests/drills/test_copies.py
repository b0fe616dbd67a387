"""Copies that are no dumps: files of servers, repositories, folders and archives; each with one that is not whole."""

from __future__ import annotations

import bz2
import io
import lzma
import os
import shutil
import sqlite3
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from engines_here import chosen
from shoreup.compare.files import take
from shoreup.drills.asking import Question
from shoreup.drills.restoring.copies import FILES, Copy
from shoreup.drills.restoring.sources import RepositorySource
from shoreup.drills.restoring.trial import Part, RestoreSpec, restore
from shoreup.engines.base import EngineTrouble
from shoreup.engines.choosing import Wanted
from shoreup.engines.jail import Jail
from shoreup.engines.mysql.server import Mysql
from shoreup.engines.packing import BrokenCopy, packing_of, unpacked
from shoreup.engines.repositories import Repository
from shoreup.engines.scratch import Limits, Scratch
from shoreup.model.proof import Proof, ProofSubject, Verdict

SUBJECT = ProofSubject("CronJob", "data", "copy")
PASSWORD = "seven small stones"


def drilled(path: Path, wanted: Wanted | None = None, **changes: object) -> Proof:
    """The proof of a restore; of files, where nothing else is said."""
    spec = RestoreSpec(SUBJECT, wanted or Wanted(FILES), Copy(path))
    return restore(msgspec.structs.replace(spec, **changes), run="run-1", now=datetime.now(UTC))


def words(proof: Proof) -> str:
    """What a proof says."""
    return f"{proof.verdict} {proof.before} | {proof.after} | {proof.limits}"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Files as an application keeps them: a database and what belongs to it, with a link."""
    root = tmp_path / "vault"
    (root / "attachments").mkdir(parents=True)
    with closing(sqlite3.connect(root / "db.sqlite3")) as connection:
        connection.execute("CREATE TABLE secret (id INTEGER PRIMARY KEY, text TEXT)")
        connection.executemany("INSERT INTO secret (text) VALUES (?)", [(f"hunter {n}",) for n in range(4000)])
        connection.commit()
    (root / "attachments" / "one.bin").write_bytes(os.urandom(5000))
    (root / "newest").symlink_to("attachments/one.bin")
    return root


def tarred(tree: Path, target: Path) -> Path:
    """The tree in a tar."""
    with tarfile.open(target, "w:gz") as archive:
        archive.add(tree, arcname=".")
    return target


@pytest.mark.parametrize("kind", ["folder", "tar", "zip"])
def test_files_come_back_as_they_were(tree: Path, tmp_path: Path, kind: str) -> None:
    copy = tree
    if kind == "tar":
        copy = tarred(tree, tmp_path / "vault.tgz")
    if kind == "zip":
        (tree / "newest").unlink()
        copy = Path(shutil.make_archive(str(tmp_path / "vault"), "zip", tree))
    known = None if kind == "zip" else take(tree)
    proof = drilled(copy, manifest=known, questions=(Question("attachments/*.bin", "1"),))
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True), words(proof)


def test_files_that_differ_from_their_manifest_fail(tree: Path) -> None:
    known = take(tree)
    (tree / "attachments" / "one.bin").write_bytes(b"")
    (tree / "newest").unlink()
    proof = drilled(tree, manifest=known)
    assert proof.verdict is Verdict.FAIL
    assert "file attachments/one.bin" in proof.after
    assert "link newest: to attachments/one.bin, now missing" in proof.after


def test_a_database_among_files_is_looked_into(tree: Path) -> None:
    path = tree / "db.sqlite3"
    content = bytearray(path.read_bytes())
    content[8192:12288] = bytes(4096)
    path.write_bytes(content)
    proof = drilled(tree)
    assert proof.verdict is Verdict.FAIL
    assert "db.sqlite3: " in proof.after
    assert "hunter" not in words(proof)


def test_a_folder_of_what_says_nothing_of_itself_is_no_proof_without_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").write_bytes(os.urandom(3000))
    proof = drilled(tmp_path / "photos")
    assert (proof.verdict, proof.control.refused) == (Verdict.COULD_NOT_VERIFY, False)
    assert drilled(tmp_path / "photos", manifest=take(tmp_path / "photos")).verdict is Verdict.PASS


def evil(tmp_path: Path, name: str, kind: bytes, link: str = "") -> Path:
    """A tar with one entry that means no good, and one that does."""
    path = tmp_path / "evil.tar"
    with tarfile.open(path, "w") as archive:
        one = tarfile.TarInfo(name)
        one.type, one.linkname = kind, link
        archive.addfile(one)
        through = tarfile.TarInfo(f"{name}/through")
        through.size = 3
        archive.addfile(through, io.BytesIO(b"abc"))
    return path


def test_a_path_that_climbs_out_is_refused_by_name(tmp_path: Path) -> None:
    proof = drilled(evil(tmp_path, "a/../../../climbed", tarfile.DIRTYPE))
    assert proof.verdict is not Verdict.PASS
    assert "climbs out of its folder: a/../../../climbed" in words(proof)


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    proof = drilled(evil(tmp_path, "link", tarfile.SYMTYPE, str(outside)))
    assert proof.verdict is not Verdict.PASS
    assert list(outside.iterdir()) == []


def test_a_hard_link_reaches_nothing_that_is_not_in_the_archive(tmp_path: Path) -> None:
    proof = drilled(evil(tmp_path, "passwords", tarfile.LNKTYPE, "/etc/passwd"))
    assert proof.verdict is not Verdict.PASS
    assert "leads to what is not in it" in words(proof)


def test_a_device_is_left_out_and_told(tmp_path: Path, tree: Path) -> None:
    path = tarred(tree, tmp_path / "vault.tgz")
    with tarfile.open(tmp_path / "device.tar", "w") as archive:
        archive.add(tree, arcname=".")
        device = tarfile.TarInfo("disk")
        device.type, device.devmajor, device.devminor = tarfile.BLKTYPE, 8, 0
        archive.addfile(device)
    known = take(tree)
    assert drilled(path, manifest=known).verdict is Verdict.PASS
    proof = drilled(tmp_path / "device.tar", manifest=known)
    assert proof.verdict is Verdict.PASS, words(proof)
    assert any("1 devices" in one for one in proof.limits)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_what_swells_is_stopped_and_says_nothing_of_the_copy(tmp_path: Path, kind: str) -> None:
    bomb, zeros = tmp_path / f"bomb.{kind}", bytes(20 << 20)
    if kind == "zip":
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr("zeros", zeros)
    else:
        with tarfile.open(bomb, "w:gz") as archive:
            one = tarfile.TarInfo("zeros")
            one.size = len(zeros)
            archive.addfile(one, io.BytesIO(zeros))
    proof = drilled(bomb, limits=Limits(room=16 << 20))
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert "more than the 16 MiB of disk" in proof.after
    left = [one for one in Path("/tmp").glob("shoreup-scratch-*") if (one / "ended-because").exists()]
    assert left == []


@pytest.mark.parametrize(("pack", "ending"), [(bz2.compress, b"BZh"), (lzma.compress, b"\xfd7zXZ")])
def test_how_it_is_packed_is_seen_in_the_content_and_a_missing_end_is_missed(
    tmp_path: Path, pack: object, ending: bytes
) -> None:
    assert callable(pack)
    path, text = tmp_path / "copy", os.urandom(50_000)
    path.write_bytes(pack(text))
    assert path.read_bytes().startswith(ending)
    assert b"".join(unpacked(path, packing_of(path))) == text
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BrokenCopy):
        b"".join(unpacked(path, packing_of(path)))


@pytest.mark.parametrize("tool", ["zstd", "lz4"])
def test_what_python_does_not_unpack_is_unpacked_by_its_own_tool(tmp_path: Path, tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"not run: {tool} is not installed (Debian: {tool})")
    path, text = tmp_path / "copy", os.urandom(50_000)
    packed = subprocess.run([tool, "-c"], input=text, capture_output=True, check=True).stdout
    path.write_bytes(packed)
    assert b"".join(unpacked(path, packing_of(path))) == text
    path.write_bytes(packed[:-5000])
    with pytest.raises(BrokenCopy):
        b"".join(unpacked(path, packing_of(path)))


def test_snappy_is_unpacked_or_says_what_would(tmp_path: Path) -> None:
    packed = tmp_path / "piece.gz"  # its name says something else
    frame = b"\x00,\x00\x00\xedF\x91\xfeFPten small stones and \x01\x15\x0cmore2\x1a\x00\x00,f\x1b\x00\x00\n"
    packed.write_bytes(b"\xff\x06\x00\x00sNaPpY" + frame)
    try:
        pieces = list(unpacked(packed, packing_of(packed)))
    except EngineTrouble as trouble:
        assert "install cramjam" in str(trouble)
    else:
        assert all(pieces), "whoever reads takes an empty piece for the end"
        assert b"".join(pieces) == b"ten small stones and ten more small stones, and ten more small stones\n"
        packed.write_bytes(packed.read_bytes()[:-1])
        with pytest.raises(BrokenCopy, match="ends too early"):
            b"".join(unpacked(packed, packing_of(packed)))


@pytest.fixture
def repository(request: pytest.FixtureRequest, tree: Path, tmp_path: Path) -> Iterator[Repository]:
    """A repository with one snapshot of the tree."""
    tool = str(request.param)
    if shutil.which(tool) is None:
        pytest.skip(f"not run: {tool} is not installed (Debian: {'borgbackup' if tool == 'borg' else tool})")
    place = tmp_path / "repository"
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C"}
    if tool == "restic":
        environment |= {"RESTIC_REPOSITORY": str(place), "RESTIC_PASSWORD": PASSWORD}
        commands = [["init"], ["backup", "--quiet", str(tree)]]
    else:
        environment |= {"BORG_REPO": str(place), "BORG_PASSPHRASE": PASSWORD}
        commands = [["init", "--encryption=repokey"], ["create", "::first", str(tree)]]
    for command in commands:
        subprocess.run([tool, *command], env=environment, check=True, capture_output=True)
    yield Repository(tool, str(place), lambda: PASSWORD)


@pytest.mark.parametrize("repository", ["restic", "borg"], indirect=True)
def test_the_newest_snapshot_of_a_repository_comes_back_with_all_its_parts(repository: Repository, tree: Path) -> None:
    known = take(tree / "attachments")
    proof = drilled(
        Path(),
        Wanted("sqlite"),
        source=RepositorySource(repository),
        inside="**/db.sqlite3",
        name="the database",
        questions=(Question("SELECT count(*) FROM secret", "4000"),),
        also=(Part(Wanted(FILES), Copy(Path()), known, inside="**/attachments", name="files"),),
    )
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True), words(proof)
    assert proof.after.startswith("the database: ")
    measured = {one.name: one.value for one in proof.measurements}
    assert measured["rto"] == pytest.approx(
        sum(measured[one] for one in ("fetch", "start", "restore", "first answer")), abs=0.02
    )
    assert 0 < measured["rpo"] < 600
    lost = known.contents[0].items[0]
    changed = msgspec.structs.replace(lost, name="gone.bin")
    content = msgspec.structs.replace(known.contents[0], items=(*known.contents[0].items, changed))
    other = msgspec.structs.replace(known, contents=(content,))
    failed = drilled(
        Path(),
        Wanted("sqlite"),
        source=RepositorySource(repository),
        inside="**/db.sqlite3",
        name="the database",
        also=(Part(Wanted(FILES), Copy(Path()), other, inside="**/attachments", name="files"),),
    )
    assert failed.verdict is Verdict.FAIL, "one part that does not come back is enough"
    assert "gone.bin" in failed.after


@pytest.mark.parametrize("repository", ["restic", "borg"], indirect=True)
def test_a_wrong_password_is_no_verdict_and_is_not_told(repository: Repository) -> None:
    wrong = Repository(repository.tool, repository.at, lambda: "wrong one of mine")
    proof = drilled(Path(), source=RepositorySource(wrong))
    assert proof.verdict is Verdict.COULD_NOT_VERIFY
    assert "does not open it" in proof.after
    assert "wrong one" not in words(proof)


@pytest.mark.parametrize("repository", ["restic"], indirect=True)
def test_a_damaged_repository_does_not_pass(repository: Repository) -> None:
    packs = [one for one in (Path(repository.at) / "data").rglob("*") if one.is_file()]
    for one in packs:
        one.chmod(0o600)
        content = bytearray(one.read_bytes())
        content[100:400] = bytes(300)
        one.write_bytes(content)
    proof = drilled(Path(), source=RepositorySource(repository))
    assert proof.verdict is not Verdict.PASS
    assert "the snapshot is not whole" in proof.after, (
        "restic passes over a folder that it cannot read, with exit code 0"
    )


def test_files_of_mariadb_are_made_whole_and_tried(tmp_path: Path) -> None:
    choice = chosen("mariadb")
    wanted = Wanted("mariadb", choice.engine.version)
    with Scratch() as scratch, Mysql(choice, scratch).start() as server:
        server.create("bank")
        with server.connect("bank") as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE account (id INT PRIMARY KEY, owner VARCHAR(40))")
            cursor.execute("INSERT INTO account SELECT seq, CONCAT('hunter ', seq) FROM seq_1_to_2000")
        if shutil.which("mariadb-backup") is None:
            pytest.skip("not run: mariadb-backup is not installed (Debian: mariadb-backup)")
        place = scratch.make("out") / "base"
        command = ["mariadb-backup", "--no-defaults", "--backup", f"--target-dir={place}", f"--socket={server.socket}"]
        program = shutil.which(command[0]) or ""
        done = Jail(scratch).run([program, *command[1:], "--user=root"], seconds=60)
        assert done.well, done.said
        shutil.copytree(place, tmp_path / "base")
    question = Question("SELECT count(*) FROM account", "2000")
    proof = drilled(tmp_path / "base", wanted, questions=(question,))
    assert (proof.verdict, proof.control.refused) == (Verdict.PASS, True), words(proof)
    for file in (tmp_path / "base" / "bank").glob("account.[in]*"):
        file.unlink()
    assert drilled(tmp_path / "base", wanted, questions=(question,)).verdict is Verdict.FAIL
