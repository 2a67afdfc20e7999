"""Names, listing and safe reading of job files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import JobFileError
from engine.jobs.jobfolder import check_job_name, job_name, library_path, read_job_file, scan_jobs

TEXT = b"local job = core.job()\nreturn job\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    jobs = tmp_path / "jobs"
    for below in ("admin", "lib/deep", ".hidden"):
        (jobs / below).mkdir(parents=True)
    for path in (
        "report.lua",
        "admin/cleanup.lua",
        "lib/money.lua",
        "lib/deep/tax.lua",
        ".hidden/x.lua",
        ".y.lua",
    ):
        (jobs / path).write_bytes(TEXT)
    (jobs / "notes.txt").write_text("not a job")
    (tmp_path / "secret.lua").write_bytes(b"return 'secret'")
    return jobs


def refusal(folder: Path, path: str, max_bytes: int = 1000) -> str:
    with pytest.raises(JobFileError) as caught:
        read_job_file(folder, path, max_bytes)
    return str(caught.value)


@contextlib.contextmanager
def not_root(folder: Path) -> Iterator[Path]:
    """Work in a folder, which is given as `.`, without root's right to read everything."""
    folder.chmod(0o755)
    with contextlib.chdir(folder), contextlib.ExitStack() as back:
        if os.geteuid() == 0:
            back.callback(os.seteuid, 0)
            os.seteuid(65_534)
        yield Path()


class TestNames:
    def test_a_job_is_named_after_its_path(self) -> None:
        assert job_name("admin/cleanup.lua") == "admin/cleanup"

    @pytest.mark.parametrize("name", ["a", "A-1_b.c", "x/y/z", "9", "_x", "library", "x/lib"])
    def test_ordinary_names_are_good(self, name: str) -> None:
        assert check_job_name(name) == name

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "/a",
            "a/",
            "a//b",
            "..",
            "../a",
            "a/../b",
            ".a",
            "a/.b",
            "-x",
            "a b",
            "ä",
            "a\n",
            "a\0",
            "x" * 201,
        ],
    )
    def test_others_are_refused(self, name: str) -> None:
        with pytest.raises(JobFileError, match="job name"):
            check_job_name(name)

    @pytest.mark.parametrize("name", ["lib", "lib/money"])
    def test_modules_are_no_jobs(self, name: str) -> None:
        with pytest.raises(JobFileError, match="modules"):
            check_job_name(name)

    def test_a_job_file_ends_in_lua(self) -> None:
        with pytest.raises(JobFileError, match="does not end in"):
            job_name("report.txt")

    def test_a_module_name_is_a_path_below_lib(self) -> None:
        assert library_path("lib.deep.tax") == "lib/deep/tax.lua"

    @pytest.mark.parametrize(
        "module",
        [
            "money",
            "lib",
            "lib.",
            "lib..x",
            "lib/x",
            "lib.x/y",
            "lib.../x",
            "os",
            "",
            "lib.x\n",
            "lib.é",
            "lib.a b",
        ],
    )
    def test_other_modules_are_refused(self, module: str) -> None:
        with pytest.raises(JobFileError, match="cannot be required"):
            library_path(module)

    @settings(deadline=None)
    @given(st.text(alphabet="lib./\\x-\0", max_size=12))
    def test_no_module_name_leads_out_of_lib(self, module: str) -> None:
        try:
            path = library_path(module)
        except JobFileError:
            return
        assert os.path.normpath(path) == path
        assert path.startswith("lib/")


class TestListing:
    def test_jobs_are_found_in_the_folder_and_below(self, folder: Path) -> None:
        assert scan_jobs(folder) == ({"report": "report.lua", "admin/cleanup": "admin/cleanup.lua"}, {})

    def test_a_lib_further_below_holds_jobs(self, folder: Path) -> None:
        (folder / "admin/lib").mkdir()
        (folder / "admin/lib/x.lua").write_bytes(TEXT)
        assert "admin/lib/x" in scan_jobs(folder)[0]

    def test_a_folder_named_like_a_job_is_a_problem(self, folder: Path) -> None:
        (folder / "x.lua").mkdir()
        (folder / "x.lua/inner.lua").write_bytes(TEXT)
        paths, problems = scan_jobs(folder)
        assert problems["x"] == ("x.lua", "is a folder, not a file; rename it")
        assert "x.lua/inner" not in paths

    def test_a_link_to_a_file_is_a_problem(self, folder: Path) -> None:
        (folder / "x.lua").symlink_to("report.lua")
        path, reason = scan_jobs(folder)[1]["x"]
        assert path == "x.lua"
        assert "symbolic link" in reason

    def test_a_link_to_a_folder_is_a_problem_and_not_followed(self, folder: Path) -> None:
        (folder / "loop").symlink_to(folder)
        paths, problems = scan_jobs(folder)
        assert len(paths) == 2
        assert "symbolic link" in problems["loop"][1]

    def test_a_name_that_no_job_may_have_is_a_problem(self, folder: Path) -> None:
        (folder / "my job.lua").write_bytes(TEXT)
        assert "cannot be a job name" in scan_jobs(folder)[1]["my job"][1]

    def test_a_name_that_is_not_utf8_does_not_hide_the_others(self, folder: Path) -> None:
        with open(os.fsencode(folder) + b"/\xff.lua", "wb") as file:
            file.write(TEXT)
        paths, problems = scan_jobs(folder)
        assert len(paths) == 2
        assert list(problems) == ["\\udcff"]
        assert "cannot be a job name" in problems["\\udcff"][1]

    def test_a_name_that_would_upset_a_terminal_is_told_with_escapes(self, folder: Path) -> None:
        (folder / "\x1b[2J.lua").write_bytes(TEXT)
        assert list(scan_jobs(folder)[1]) == ["\\x1b[2J"]

    def test_an_unreadable_folder_is_a_problem(self, folder: Path) -> None:
        (folder / "admin").chmod(0)
        with not_root(folder) as here:
            assert scan_jobs(here)[1]["admin"][1] == "the folder cannot be read: Permission denied"

    def test_a_pipe_is_a_problem(self, folder: Path) -> None:
        os.mkfifo(folder / "x.lua")
        assert scan_jobs(folder)[1]["x"][1] == "is not a regular file"

    def test_a_missing_folder_is_an_error(self, folder: Path) -> None:
        with pytest.raises(JobFileError, match="cannot be read: No such file"):
            scan_jobs(folder / "nowhere")


class TestReading:
    def test_the_text_is_given_as_it_is(self, folder: Path) -> None:
        assert read_job_file(folder, "report.lua") == TEXT
        assert read_job_file(folder, "lib/deep/tax.lua") == TEXT

    def test_the_folder_can_be_an_open_descriptor(self, folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            assert read_job_file(descriptor, "admin/cleanup.lua") == TEXT
        finally:
            os.close(descriptor)

    def test_a_byte_order_mark_is_left_out(self, folder: Path) -> None:
        (folder / "report.lua").write_bytes(b"\xef\xbb\xbf" + TEXT)
        assert read_job_file(folder, "report.lua") == TEXT

    def test_the_jobs_folder_itself_may_be_a_link(self, folder: Path) -> None:
        (folder.parent / "linked").symlink_to(folder)
        assert read_job_file(folder.parent / "linked", "report.lua") == TEXT

    @pytest.mark.parametrize(
        "path",
        [
            "../secret.lua",
            "/etc/passwd",
            "admin/../../secret.lua",
            "./report.lua",
            "",
            "admin//cleanup.lua",
            "a\0.lua",
        ],
    )
    def test_no_path_leads_out_of_the_folder(self, folder: Path, path: str) -> None:
        assert "is not a path below the jobs folder" in refusal(folder, path)

    def test_a_link_out_of_the_folder_is_not_followed(self, folder: Path) -> None:
        (folder / "x.lua").symlink_to(folder.parent / "secret.lua")
        assert "symbolic link" in refusal(folder, "x.lua")

    def test_a_link_on_the_way_is_not_followed(self, folder: Path) -> None:
        (folder / "out").symlink_to(folder.parent)
        assert "symbolic link" in refusal(folder, "out/secret.lua")

    def test_a_missing_file_is_told(self, folder: Path) -> None:
        assert refusal(folder, "gone.lua") == "the file is missing"

    def test_a_folder_is_told(self, folder: Path) -> None:
        (folder / "x.lua").mkdir()
        assert refusal(folder, "x.lua") == "is a folder, not a file; rename it"

    def test_a_pipe_is_refused_without_waiting_for_a_writer(self, folder: Path) -> None:
        os.mkfifo(folder / "x.lua")
        assert refusal(folder, "x.lua") == "is not a regular file"

    def test_an_empty_file_is_told(self, folder: Path) -> None:
        (folder / "x.lua").touch()
        assert refusal(folder, "x.lua").startswith("the file is empty")

    def test_a_file_of_ten_megabytes_is_told_with_the_limit(self, folder: Path) -> None:
        (folder / "x.lua").write_bytes(b"-" * 10 * 2**20)
        words = "the file has 10 MB; the limit is 256 KB (limits.source)"
        assert refusal(folder, "x.lua", 256 * 2**10) == words

    def test_a_file_of_just_the_limit_is_read(self, folder: Path) -> None:
        (folder / "x.lua").write_bytes(b"-" * 100)
        assert len(read_job_file(folder, "x.lua", 100)) == 100
        assert "the limit is 99 B" in refusal(folder, "x.lua", 99)

    def test_latin_1_is_told_with_its_place(self, folder: Path) -> None:
        (folder / "x.lua").write_bytes("-- one\n-- two\n-- café\n".encode("latin-1"))
        assert refusal(folder, "x.lua") == "is not UTF-8 text (byte 0xe9 at line 3); save it as UTF-8"

    def test_compiled_lua_is_refused(self, folder: Path) -> None:
        (folder / "x.lua").write_bytes(b"\x1bLua\x55\x00")
        assert "compiled" in refusal(folder, "x.lua")

    def test_an_unreadable_file_is_told(self, folder: Path) -> None:
        (folder / "report.lua").chmod(0)
        with not_root(folder) as here:
            assert "permission denied" in refusal(here, "report.lua")

    def test_no_descriptor_is_left_open(self, folder: Path) -> None:
        before = len(os.listdir("/proc/self/fd"))
        for path in ("report.lua", "admin/cleanup.lua", "gone.lua", "admin/gone.lua", "report.lua/x.lua"):
            try:
                read_job_file(folder, path)
            except JobFileError:
                continue
        assert len(os.listdir("/proc/self/fd")) == before
