"""core.files in real runs: what it does, and that nothing leads out of its folder."""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.errors import PathRefused, PluginError, SettingsError
from engine.extensions.modules import module_settings
from engine.extensions.plugins import Plugins
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings
from engine.states import RunStatus
from moontide.folders import ConfinedFolder, split_path
from tests.lab import Lab, open_lab, open_pool, plugins_with

TOML = '[files]\nmax_file = "2MB"\nmax_total = "3MB"\nmax_files = 40\n'
Run = Callable[[str], Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[tuple[WorkerPool, Plugins]]:
    plugins = plugins_with()
    async with open_pool(plugins) as pool:
        yield pool, plugins


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "moontide.toml").write_text(TOML)
    (tmp_path / "outside.txt").write_text("outside")
    return tmp_path


@pytest_asyncio.fixture(loop_scope="module")
async def lab(workers: tuple[WorkerPool, Plugins], home: Path) -> AsyncIterator[Lab]:
    async with open_lab(*workers, home, home, settings=load_settings(home)) as lab:
        yield lab


pytestmark = pytest.mark.asyncio(loop_scope="module")


async def do(lab: Lab, body: str, data: Any = None) -> Any:
    """Run Lua statements in a job; what they return is the answer, several values as a list."""
    text = (
        "local job = core.job()\nlocal files = core.files\n"
        f"local function body(data)\n{body}\nend\n"
        "function job.run(run)\n  local answer = table.pack(body(run.data))\n"
        "  for i = 1, answer.n do if answer[i] == nil then answer[i] = core.NULL end end\n"
        "  answer.n = nil\n  return job.OK, answer\nend\nreturn job\n"
    )
    outcome = await lab.run("files", text, data)
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    assert outcome.result_note is None
    values = outcome.result or [None]
    return values[0] if len(values) == 1 else values


async def refusal(lab: Lab, body: str) -> tuple[str, int]:
    nothing, message, code = await do(lab, body)
    assert nothing is None
    return message, code


async def test_what_is_written_is_read_again(lab: Lab, home: Path) -> None:
    assert await do(lab, 'return files.write("reports/2025/may.txt", "42 kites\\n")') is True
    assert await do(lab, 'return files.read("reports/2025/may.txt")') == "42 kites\n"
    assert (home / "files/reports/2025/may.txt").read_text() == "42 kites\n"


async def test_bytes_that_are_no_text_survive(lab: Lab, home: Path) -> None:
    assert (
        await do(lab, 'files.write("b", "\\0\\xff\\xfe") return files.read("b") == "\\0\\xff\\xfe"') is True
    )
    assert (home / "files/b").read_bytes() == b"\0\xff\xfe"


async def test_a_write_replaces_the_file_and_leaves_nothing_else(lab: Lab, home: Path) -> None:
    await do(lab, 'files.write("a", "first") files.write("a", "2")')
    assert [(p.name, p.read_text()) for p in (home / "files").iterdir()] == [("a", "2")]


async def test_an_append_adds_to_the_end_and_makes_the_file(lab: Lab) -> None:
    body = 'files.append("log/a", "one ") files.append("log/a", "two") return files.read("log/a")'
    assert await do(lab, body) == "one two"


async def test_a_part_of_a_file_is_read_by_position(lab: Lab) -> None:
    body = (
        'files.write("a", "0123456789") return files.read("a", 4), files.read("a", 2, 3), files.read("a", 50)'
    )
    assert await do(lab, body) == ["3456789", "123", ""]


async def test_a_file_too_large_for_one_call_is_read_in_pieces(lab: Lab, home: Path) -> None:
    (home / "files").mkdir()
    (home / "files/big").write_bytes(b"x" * 17_000_000 + b"end")
    message, code = await refusal(lab, 'return files.read("big")')
    assert (code, "give start and length" in message) == (800, True)
    body = 'return #files.read("big", 1, 2^24), files.read("big", 2^24 + 1):sub(-3)'
    assert await do(lab, body) == [2**24, "end"]


async def test_sixteen_megabytes_are_written_and_read_in_one_call(
    workers: tuple[WorkerPool, Plugins], tmp_path: Path
) -> None:
    body = """
      assert(files.write("large", ("x"):rep(2^24 - 3)))
      assert(files.append("large", "end"))
      local text = assert(files.read("large"))
      return #text, text:sub(-4)"""
    async with open_lab(*workers, tmp_path, tmp_path) as lab:
        assert await do(lab, body) == [2**24, "xend"]


async def test_existence_tells_what_is_there(lab: Lab) -> None:
    body = 'files.write("d/a", "abc") return files.exists("d/a"), files.exists("d"), files.exists("no")'
    assert await do(lab, body) == [True, True, False]
    assert await do(lab, 'return files.exists("d/a")') == [True, "file", 3]
    assert await do(lab, 'return files.exists("d")') == [True, "folder"]


async def test_a_list_holds_files_only_in_order(lab: Lab, home: Path) -> None:
    await do(lab, 'for _, n in ipairs({ "d/b", "d/a", "d/sub/c" }) do files.write(n, "") end')
    (home / "files/d/link").symlink_to(home / "outside.txt")
    assert await do(lab, 'return files.list("d"), files.list("d/"), files.list("d/sub")') == [
        ["a", "b"],
        ["a", "b"],
        ["c"],
    ]


async def test_a_list_of_nothing_is_empty_and_a_missing_folder_is_an_error(lab: Lab) -> None:
    assert await do(lab, "return #files.list(), #files.list('.')") == [0, 0]
    message, code = await refusal(lab, 'return files.list("nowhere")')
    assert (message, code) == ("core.files.list: 'nowhere': there is no such file or folder", 820)


async def test_a_copy_leaves_the_source_and_a_move_does_not(lab: Lab) -> None:
    body = 'files.write("a", "1") return files.copy("a", "x/b"), files.move("a", "y/c"), files.exists("a")'
    assert await do(lab, body) == [True, True, False]
    assert await do(lab, 'return files.read("x/b"), files.read("y/c")') == ["1", "1"]


@pytest.mark.parametrize("function", ["copy", "move"])
async def test_the_destination_is_replaced_only_when_told_so(lab: Lab, function: str) -> None:
    await do(lab, 'files.write("a", "new") files.write("b", "old")')
    message, code = await refusal(lab, f'return files.{function}("a", "b")')
    assert (code, "overwrite" in message) == (820, True)
    assert await do(lab, 'return files.read("a"), files.read("b")') == ["new", "old"]
    assert await do(lab, f'return files.{function}("a", "b", true)') is True
    assert await do(lab, 'return files.read("b")') == "new"


async def test_a_rename_stays_in_the_folder(lab: Lab) -> None:
    await do(lab, 'files.write("d/a", "1") files.write("d/c", "2")')
    assert await do(lab, 'return files.rename("d/a", "elsewhere/b")') is True
    assert await do(lab, 'return files.list("d"), files.exists("elsewhere")') == [["b", "c"], False]
    assert (await refusal(lab, 'return files.rename("d/b", "c")'))[1] == 820


async def test_files_and_empty_folders_are_removed_and_full_ones_are_not(lab: Lab) -> None:
    await do(lab, 'files.write("d/a", "1")')
    assert "not empty" in (await refusal(lab, 'return files.remove("d")'))[0]
    assert await do(lab, 'return files.remove("d/a"), files.remove("d"), files.exists("d")') == [
        True,
        True,
        False,
    ]
    assert (await refusal(lab, 'return files.remove("d")'))[1] == 820


@pytest.mark.parametrize(
    "path", ["..", "../outside.txt", "a/../../outside.txt", "/etc/passwd", "a//b", "./a", "", "a\0b", "a\nb"]
)
@pytest.mark.parametrize("call", ["read(p)", "write(p, 'x')", "append(p, 'x')", "remove(p)", "exists(p)"])
async def test_no_path_leads_out(lab: Lab, home: Path, path: str, call: str) -> None:
    nothing, message, code = await do(
        lab,
        f"local p = run_path(data) return files.{call}".replace("run_path(data)", "data.path"),
        {"path": path},
    )
    assert (nothing, code) == (None, 801), message
    assert not (home / "files").exists()
    assert (home / "outside.txt").read_text() == "outside"


@pytest.mark.parametrize(
    "call",
    [
        'copy("a", "../b")',
        'move("a", "../b")',
        'copy("../outside.txt", "b")',
        'move("../outside.txt", "b")',
        'list("..")',
        'rename("../outside.txt", "b")',
        'rename("a", "..")',
        'write(".moontide-x", "")',
    ],
)
async def test_no_second_path_leads_out_either(lab: Lab, home: Path, call: str) -> None:
    await do(lab, 'files.write("a", "1")')
    assert (await refusal(lab, f"return files.{call}"))[1] == 801
    assert sorted(p.name for p in (home / "files").iterdir()) == ["a"]
    assert not (home / "b").exists()


@pytest.mark.parametrize(
    "call",
    [
        'read("link")',
        'append("link", "x")',
        'copy("link", "b")',
        'move("link", "b")',
        'read("up/outside.txt")',
        'write("up/new.txt", "x")',
        'list("up")',
        'remove("up/outside.txt")',
        'copy("a", "up/new.txt")',
        'move("a", "up/new.txt")',
        'append("dangling", "x")',
        'exists("up/outside.txt")',
    ],
)
async def test_no_link_leads_out(lab: Lab, home: Path, call: str) -> None:
    await do(lab, 'files.write("a", "1")')
    (home / "files/link").symlink_to(home / "outside.txt")
    (home / "files/up").symlink_to(home)
    (home / "files/dangling").symlink_to(home / "new.txt")
    message, code = await refusal(lab, f"return files.{call}")
    assert (code, "links are not followed" in message) == (820, True), message
    assert not (home / "new.txt").exists()
    assert (home / "outside.txt").read_text() == "outside"


async def test_a_write_over_a_link_replaces_the_link_itself(lab: Lab, home: Path) -> None:
    (home / "files").mkdir()
    (home / "files/link").symlink_to(home / "outside.txt")
    assert await do(lab, 'return files.write("link", "mine"), files.read("link")') == [True, "mine"]
    assert (home / "outside.txt").read_text() == "outside"


async def test_a_pipe_is_refused_and_does_not_hold_the_run(lab: Lab, home: Path) -> None:
    (home / "files").mkdir()
    os.mkfifo(home / "files/pipe")
    assert (await refusal(lab, 'return files.read("pipe")'))[1] == 801
    assert await do(lab, 'return files.exists("pipe")') is not True


async def test_a_file_that_would_be_too_large_is_refused(lab: Lab) -> None:
    body = """
      local mega = ("x"):rep(1000000)
      for _ = 1, 2 do assert(files.append("a", mega)) end
      return files.append("a", mega)"""
    message, code = await refusal(lab, body)
    assert (code, "the limit is 2 MB (files.max_file)" in message) == (801, True)
    assert await do(lab, 'return select(3, files.exists("a"))') == 2_000_000


async def test_the_folder_as_a_whole_is_limited_and_room_comes_back(lab: Lab) -> None:
    await do(lab, 'local m = ("x"):rep(1000000) for i = 1, 3 do assert(files.write("f" .. i, m)) end')
    message, code = await refusal(lab, 'return files.write("more", ("x"):rep(200000))')
    assert (code, "files.max_total" in message) == (820, True)
    assert (await refusal(lab, 'return files.copy("f1", "f4")'))[1] == 820
    assert await do(lab, 'files.remove("f1") return files.write("more", ("x"):rep(200000))') is True


async def test_the_number_of_files_is_limited(lab: Lab) -> None:
    body = """
      for i = 1, 60 do
        local written, problem, code = files.write("f" .. i, "")
        if not written then return i, problem, code end
      end"""
    number, message, code = await do(lab, body)
    assert (number, code, "files.max_files" in message) == (41, 820, True)


async def test_folders_count_as_well_and_none_is_made_without_room(lab: Lab, home: Path) -> None:
    deep = "/".join("d" * 30)
    assert await do(lab, f'return files.write("x/{deep}/a", "1")') is True
    for call in ('write("{}", "")', 'append("{}", "")', 'copy("x/a", "{}")', 'move("x/a", "{}")'):
        await do(lab, 'files.write("x/a", "1")')
        message, code = await refusal(lab, f"return files.{call.format('y/' + deep)}")
        assert (code, "files.max_files" in message) == (820, True), call
    assert not (home / "files/y").exists()


async def test_what_a_killed_process_left_half_written_is_cleared_away(lab: Lab, home: Path) -> None:
    (home / "files").mkdir()
    old, young = home / "files/.moontide-old", home / "files/.moontide-young"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    assert await do(lab, 'files.write("a", "1") return files.list()') == ["a"]
    assert (old.exists(), young.exists()) == (False, True)


async def test_wrong_arguments_are_named(lab: Lab) -> None:
    assert await refusal(lab, 'return files.write("a")') == (
        "core.files.write: content must be a string, got nil",
        804,
    )
    assert (await refusal(lab, "return files.read({})"))[1] == 801
    assert (await refusal(lab, 'return files.read("a", 0)'))[1] == 801


async def test_appends_of_many_threads_do_not_mix(lab: Lab, home: Path) -> None:
    body = 'for _ = 1, 50 do assert(files.append("log", ("%s"):rep(1000) .. "\\n")) end'
    await asyncio.gather(*(do(lab, body % letter) for letter in "abcd"))
    lines = (home / "files/log").read_text().splitlines()
    assert sorted({(line[0], len(line), len(set(line))) for line in lines}) == [
        (letter, 1000, 1) for letter in "abcd"
    ]
    assert len(lines) == 200


async def test_permissions_cover_folders_and_both_paths(workers: Any, home: Path) -> None:
    (home / "moontide.toml").write_text('permissions = "declared"\n')
    text = """
local job = core.job { allow = { files = { "reports/" } } }
function job.run()
  assert(core.files.write("reports/a", "1"))
  local refused = {}
  for _, call in ipairs({
    function() return core.files.read("other") end,
    function() return core.files.copy("reports/a", "other") end,
    function() return core.files.rename("other", "b") end,
    function() return core.files.read("reports/../other") end,
  }) do
    local ok, _, code = call()
    refused[#refused + 1] = ok == nil and code
  end
  return job.OK, refused
end
return job
"""
    async with open_lab(*workers, home, home, settings=load_settings(home)) as lab:
        outcome = await lab.run("permitted", text)
    assert outcome.result == [801, 801, 801, 801], outcome.error


RENAME_EXCHANGE, AT_FDCWD = 2, -100


@contextmanager
def swapping(place: Path, target: Path) -> Iterator[None]:
    """Let a thread exchange what is at a place with a link to the target, back and forth."""
    stop, other = threading.Event(), place.with_name("other")
    other.symlink_to(target)
    exchange = ctypes.CDLL(None, use_errno=True).renameat2

    def swap() -> None:
        while not stop.is_set():
            for _ in range(2):
                exchange(AT_FDCWD, bytes(place), AT_FDCWD, bytes(other), RENAME_EXCHANGE)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def test_a_link_put_in_place_of_a_folder_meanwhile_leads_nowhere(lab: Lab, home: Path) -> None:
    outside = home / "secret"
    outside.mkdir()
    (outside / "a").write_text("secret")
    await do(lab, 'files.write("d/a", "inside")')
    body = """
      local seen, failed = {}, 0
      for i = 1, 300 do
        local text = files.read("d/a")
        if text then seen[text] = true else failed = failed + 1 end
        if not files.write("d/b", "x") then failed = failed + 1 end
        files.append("d/c", "x")
        files.move("d/b", "d/e", true)
      end
      local texts = {}
      for text in pairs(seen) do texts[#texts + 1] = text end
      return texts, failed"""
    with swapping(home / "files/d", outside):
        texts, failed = await do(lab, body)
    assert texts == ["inside"]
    assert failed > 0, "no swap was met"
    assert [p.name for p in outside.iterdir()] == ["a"]


async def test_a_link_put_in_place_of_a_file_meanwhile_is_not_read(home: Path) -> None:
    folder = ConfinedFolder(home / "files")
    folder.path.mkdir()
    place = folder.path / "a"
    place.write_text("inside")
    seen, refused = set(), 0
    with swapping(place, home / "outside.txt"):
        while refused < 20:
            try:
                seen.add(folder.read(split_path("a"), 100))
            except OSError:
                refused += 1
    assert seen <= {b"inside"}


async def test_a_read_with_a_limit_refuses_more(home: Path) -> None:
    with pytest.raises(PathRefused, match="more than 3 bytes"):
        ConfinedFolder(home).read(("outside.txt",), 3)


@pytest.mark.parametrize("folder", [".", "..", "/", "self"])
async def test_a_folder_that_holds_the_home_is_refused(workers: Any, home: Path, folder: str) -> None:
    (home / "self").symlink_to(home)
    (home / "moontide.toml").write_text(f'[files]\nfolder = "{folder}"\n')
    with pytest.raises(PluginError, match="holds the home itself"):
        async with open_lab(*workers, home, home, settings=load_settings(home)):
            pass


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"max_file": "lots"}, r"\[files\] .*is not a size"),
        ({"max_files": 0}, "more than zero"),
        ({"folder": " "}, "must be a path"),
    ],
)
async def test_a_wrong_table_is_refused(table: dict[str, Any], words: str) -> None:
    modules = {"files": plugins_with().modules["files"]}
    with pytest.raises(SettingsError, match=words):
        module_settings(modules, {"files": table})
