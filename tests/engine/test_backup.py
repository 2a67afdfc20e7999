"""A home folder in one file, and back."""

from __future__ import annotations

import gzip
import io
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.backup import MANIFEST, restore_backup, write_backup
from engine.errors import HomeInUse, Refused
from engine.settings import load_settings
from engine.store.lock import HomeLock
from tests.engine.conftest import OpenBench

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = "local job = core.job()\nfunction job.run() return job.OK, 7 end\nreturn job\n"


# A backup is made of a file; of a server, its own tools make one.
@pytest.mark.sqlite_only
async def test_a_live_engines_home_is_restored_with_its_runs(open_bench: OpenBench, tmp_path: Path) -> None:
    target, restored = tmp_path / "kept.tar.gz", tmp_path / "restored"
    async with open_bench({"shop/a": JOB}, toml="pool.size = 3") as bench:
        run = await bench.run("shop/a")
        report = write_backup(tmp_path, load_settings(tmp_path), target, now=NOW)
    assert report.files == 2
    restore_backup(target, restored)
    assert (restored / "jobs/shop/a.lua").read_text() == JOB
    assert load_settings(restored).pool.size == 3
    with closing(sqlite3.connect(restored / "moontide.db")) as database:
        rows = database.execute("SELECT id, status, result FROM run").fetchall()
    assert rows == [(run.id, "COMPLETE", 7)]


def home_with(folder: Path) -> Path:
    (folder / "jobs").mkdir(parents=True)
    (folder / "jobs" / "a.lua").write_text(JOB)
    return folder


def test_a_backup_is_for_its_owner_alone(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    write_backup(home, load_settings(home), tmp_path / "kept", now=NOW)
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o600
    assert {file.name for file in tmp_path.iterdir()} == {"home", "kept"}


def test_a_backup_never_writes_over_a_file(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    (tmp_path / "kept").write_text("precious")
    with pytest.raises(Refused, match="exists already"):
        write_backup(home, load_settings(home), tmp_path / "kept", now=NOW)
    assert (tmp_path / "kept").read_text() == "precious"


def test_links_are_not_followed_into_a_backup(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    (tmp_path / "secret").write_text("secret")
    (home / "jobs" / "b.lua").symlink_to(tmp_path / "secret")
    assert write_backup(home, load_settings(home), tmp_path / "kept", now=NOW).files == 1


def test_a_server_is_left_to_its_own_tools(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    (home / "moontide.toml").write_text('database = "postgresql+psycopg://host/name"')
    with pytest.raises(Refused, match="pg_dump"):
        write_backup(home, load_settings(home), tmp_path / "kept", now=NOW)


def test_restoring_into_a_home_that_holds_something_is_refused(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    write_backup(home, load_settings(home), tmp_path / "kept", now=NOW)
    with pytest.raises(Refused, match="holds jobs already"):
        restore_backup(tmp_path / "kept", home)


def test_restoring_where_an_engine_works_is_refused(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    write_backup(home, load_settings(home), tmp_path / "kept", now=NOW)
    (tmp_path / "busy").mkdir()
    lock = HomeLock(tmp_path / "busy")
    lock.acquire()
    with pytest.raises(HomeInUse):
        restore_backup(tmp_path / "kept", tmp_path / "busy")
    lock.release()


def archive(path: Path, *members: tuple[str, bytes, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for name, kind, data in members:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(data), "/etc/passwd"
            made.addfile(member, io.BytesIO(data))
    return path


MANIFEST_MEMBER = (MANIFEST, tarfile.REGTYPE, b'{"made": "x", "moontide": "y"}')


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("jobs/../../escaped", tarfile.REGTYPE),
        ("/etc/escaped", tarfile.REGTYPE),
        ("home", tarfile.REGTYPE),
        ("other/escaped", tarfile.REGTYPE),
        ("jobs/link.lua", tarfile.SYMTYPE),
        ("jobs/device", tarfile.CHRTYPE),
    ],
)
def test_a_backup_cannot_write_outside_of_its_home(tmp_path: Path, name: str, kind: bytes) -> None:
    made = archive(tmp_path / "evil", MANIFEST_MEMBER, (name, kind, b""))
    with pytest.raises(Refused, match="could not be restored"):
        restore_backup(made, tmp_path / "home")
    assert not list(tmp_path.rglob("escaped"))


MANIFESTS = [b"", b"[]", b"{}", b'{"made": 1, "moontide": 2}', b"\xff", b"[" * 100_000]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=range(len(MANIFESTS)))
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, manifest: bytes) -> None:
    made = archive(tmp_path / "evil", (MANIFEST, tarfile.REGTYPE, manifest))
    with pytest.raises(Refused, match="could not be restored"):
        restore_backup(made, tmp_path / "home")


def damages(content: bytes) -> Iterator[bytes]:
    """Yield an archive with each of a few changes that leave it readable in part."""
    plain = gzip.decompress(content)
    yield gzip.compress(plain[: plain.index(b"jobs/a.lua")])  # cut off between two files
    yield gzip.compress(
        plain.replace(b"jobs/a.lua", b"jobs/a.lub", 1)
    )  # a header that no longer fits its sum
    yield content[:-8] + bytes(8)  # another checksum of the whole
    yield content[:-20]
    yield content[:60] + b"\xff\xff\xff" + content[63:]


def test_of_a_damaged_backup_nothing_is_restored(tmp_path: Path) -> None:
    home = home_with(tmp_path / "home")
    (home / "moontide.toml").write_text("pool.size = 3")
    write_backup(home, load_settings(home), tmp_path / "kept", now=NOW)
    for number, content in enumerate(damages((tmp_path / "kept").read_bytes())):
        (tmp_path / "damaged").write_bytes(content)
        restored = tmp_path / f"restored-{number}"
        with pytest.raises(Refused, match="could not be restored"):
            restore_backup(tmp_path / "damaged", restored)
        assert [path.name for path in restored.iterdir()] == ["engine.lock"]


def test_a_backup_from_before_it_had_an_end_is_restored(tmp_path: Path) -> None:
    made = archive(tmp_path / "old", MANIFEST_MEMBER, ("jobs/a.lua", tarfile.REGTYPE, JOB.encode()))
    assert restore_backup(made, tmp_path / "home").files == 1
    assert (tmp_path / "home" / "jobs" / "a.lua").read_text() == JOB


def test_what_lies_in_the_folder_is_not_written_over(tmp_path: Path) -> None:
    made = archive(tmp_path / "kept", MANIFEST_MEMBER, ("home/mine.txt", tarfile.REGTYPE, b"theirs"))
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "mine.txt").write_text("mine")
    with pytest.raises(Refused, match=r"holds mine\.txt already"):
        restore_backup(made, tmp_path / "home")
    assert (tmp_path / "home" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\x1f\x8b\x08\x00"])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(Refused):
        restore_backup(tmp_path / "file", tmp_path / "home")
