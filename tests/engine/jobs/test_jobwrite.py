"""Job files are written whole or not at all, below the folder, never over another's change."""

import hashlib
from pathlib import Path

import pytest

from engine.errors import JobFileError, JobNotFound, Refused
from engine.jobs.jobwrite import TEMPLATE, delete_job_file, write_job_file


def write(folder: Path, name: str, text: str, *, expected: str | None = None, create: bool = True) -> str:
    return write_job_file(folder, name, text, expected_hash=expected, create=create, max_bytes=256 * 1024)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_new_job_is_written_with_its_folders(tmp_path: Path) -> None:
    path = write(tmp_path, "shop/stock", TEMPLATE)
    assert path == "shop/stock.lua"
    assert (tmp_path / path).read_text() == TEMPLATE


def test_creating_refuses_to_write_over_a_file(tmp_path: Path) -> None:
    write(tmp_path, "a", "one")
    with pytest.raises(Refused, match="exists already"):
        write(tmp_path, "a", "two")
    assert (tmp_path / "a.lua").read_text() == "one"


def test_writing_over_needs_the_hash_of_what_was_seen(tmp_path: Path) -> None:
    write(tmp_path, "a", "one")
    write(tmp_path, "a", "two", expected=digest("one"), create=False)
    with pytest.raises(Refused, match="changed by somebody else"):
        write(tmp_path, "a", "three", expected=digest("one"), create=False)
    assert (tmp_path / "a.lua").read_text() == "two"


def test_writing_over_a_file_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobNotFound):
        write(tmp_path, "a", "one", create=False)


@pytest.mark.parametrize("name", ["../a", "/etc/a", "a/../../b", "", ".hidden", "a/.b", "lib/x"])
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(JobFileError):
        write(tmp_path, name, "text")


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "jobs"
    folder.mkdir()
    (folder / "shop").symlink_to(outside)
    with pytest.raises(JobFileError, match="link"):
        write(folder, "shop/a", "text")
    assert list(outside.iterdir()) == []


def test_a_text_above_the_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobFileError, match="the limit is"):
        write(tmp_path, "a", "x" * 300_000)


def test_no_half_written_file_is_left(tmp_path: Path) -> None:
    write(tmp_path, "a", "text")
    assert [file.name for file in tmp_path.iterdir()] == ["a.lua"]


def test_deleting_a_job_that_is_gone_is_no_error(tmp_path: Path) -> None:
    write(tmp_path, "a", "text")
    delete_job_file(tmp_path, "a.lua")
    delete_job_file(tmp_path, "a.lua")
    assert list(tmp_path.iterdir()) == []
