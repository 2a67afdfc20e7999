"""What bad settings, bad job files and bad arguments get: words that tell what to do, and nothing worse."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Home, Result, Served, job

BAD_SETTINGS = {
    "broken": ("pool.size = = 3\n", ["moontide.toml", "line 1"]),
    "unknown table": ("[pol]\nsize = 3\n", ["moontide.toml", "[pol]", "did you mean [pool]?"]),
    "unknown key": ("pool.sise = 3\n", ["moontide.toml", "unknown key pool.sise", "did you mean pool.size?"]),
    "wrong type": (
        'pool.size = "many"\n',
        ["moontide.toml", 'pool.size = "many"', "a whole number, 0 or more"],
    ),
    "no table": ("pool = 3\n", ["moontide.toml", "pool must be a table"]),
    "bad value": ('limits.timeout = "soon"\n', ["moontide.toml", 'limits.timeout = "soon"', "a duration"]),
    "below zero": ("pool.size = -1\n", ["moontide.toml", "pool.size = -1", "a whole number, 0 or more"]),
    "bad zone": ('timezone = "Mars"\n', ["moontide.toml", 'timezone = "Mars"', "IANA"]),
    "another encoding": ('timezone = "caf\xe9"\n', ["moontide.toml", "UTF-8"]),
}


@pytest.mark.parametrize(("toml", "words"), BAD_SETTINGS.values(), ids=BAD_SETTINGS.keys())
def test_bad_settings_name_the_key_the_value_and_what_is_allowed(
    home: Home, toml: str, words: list[str]
) -> None:
    (home.path / "moontide.toml").write_bytes(toml.encode("latin-1"))
    _refused_in_words(home.moontide("serve"), words)


BAD_VARIABLES = {
    "unknown": ({"MOONTIDE_POOL__SISE": "3"}, ["MOONTIDE_POOL__SISE", "did you mean MOONTIDE_POOL__SIZE?"]),
    "wrong type": ({"MOONTIDE_POOL__SIZE": "many"}, ["MOONTIDE_POOL__SIZE", "many", "a whole number"]),
}


@pytest.mark.parametrize(("env", "words"), BAD_VARIABLES.values(), ids=BAD_VARIABLES.keys())
def test_bad_variables_are_refused_like_bad_settings(
    home: Home, env: dict[str, str], words: list[str]
) -> None:
    _refused_in_words(home.moontide("serve", env=env), words)


def test_every_key_is_a_variable_too(home: Home) -> None:
    home.settings("pool.size = 3\n")
    with home.serving(MOONTIDE_POOL__SIZE="7") as engine:
        assert engine.client.status().pool_size == 7


def test_a_jobs_folder_that_cannot_be_read_is_told_and_does_not_hang(home: Home) -> None:
    _refused_in_words(
        home.moontide("serve", env={"MOONTIDE_JOBS": str(home.path / "moontide.toml")}), ["jobs folder"]
    )


def test_a_newer_database_is_refused(home: Home) -> None:
    with home.serving():
        pass
    home.base.rows("update alembic_version set version_num = '9999'")
    _refused_in_words(home.moontide("serve"), ["newer"])


# The file is the database.
@pytest.mark.sqlite_only
def test_a_file_that_is_no_database_is_refused(home: Home) -> None:
    (home.path / "moontide.db").write_bytes(b"this is no database, but a text " * 100)
    _refused_in_words(home.moontide("serve"), ["database"])


def _refused_in_words(result: Result, words: list[str]) -> None:
    assert result.code == 1
    assert result.out == ""
    assert result.err.startswith("moontide: ")
    assert "Traceback" not in result.err
    assert [word for word in words if word not in result.err] == [], result.err


OK = "function job.run() return job.OK end\nreturn job\n"

#: Text of a file, and what its reason must say.
BAD_FILES: dict[str, tuple[str | bytes, list[str]]] = {
    "empty": (b"", ["empty", "return job"]),
    "huge": (b"-" * (10 * 2**20), ["10", "MB", "limits.source"]),
    "latin_1": (b"-- caf\xe9\n" + job("return job.OK").encode(), ["UTF-8", "line 1"]),
    "zeros": (b"\0" * 100, ["zeros.lua:1"]),
    "bytecode": (b"\x1bLua\x54", ["compiled"]),
    "unknown_setting": (f'local job = core.job {{ evry = "1s" }}\n{OK}', ["evry", "did you mean every?"]),
    "wrong_type": (f"local job = core.job {{ every = true }}\n{OK}", ["every = true", "must be"]),
    "bad_value": (f'local job = core.job {{ every = "0.1s" }}\n{OK}', ["every", "0.1s", "from 1s"]),
    "every_and_cron": (
        f'local job = core.job {{ every = "1h", cron = "@daily" }}\n{OK}',
        ["both every and cron"],
    ),
    "cron_garbage": (f'local job = core.job {{ cron = "61 * * * *" }}\n{OK}', ["cron", "minute"]),
    "cron_never": (f'local job = core.job {{ cron = "0 0 30 2 *" }}\n{OK}', ["cron", "never"]),
    "bad_zone": (
        f'local job = core.job {{ cron = "@daily", timezone = "Mars" }}\n{OK}',
        ["timezone", "Mars"],
    ),
    "raises_the_ceiling": (f'local job = core.job {{ timeout = "2h" }}\n{OK}', ["timeout", "limits.timeout"]),
    "syntax": ("local job = core.job {}\nfunction job.run(\n", ["syntax.lua:3"]),
    "no_run": ("local job = core.job {}\nreturn job\n", ["job.run", "missing"]),
    "no_return": ("local job = core.job {}\nfunction job.run() return job.OK end\n", ["return job"]),
    "loops": ("while true do end\n", ["stopped after"]),
    "eats_memory": ('local s = "x"\nwhile true do s = s .. s end\n', ["memory"]),
    "calls_core": (f'core.log("hi")\nlocal job = core.job {{}}\n{OK}', ["only inside job.run()", ":1"]),
    "calls_data": (
        f'local d = core.data("x"):get({{}})\nlocal job = core.job {{}}\n{OK}',
        ["only inside job.run()"],
    ),
    "misses_module": (
        f'local m = require "lib.nothing"\nlocal job = core.job {{}}\n{OK}',
        ["misses_module.lua:1", "lib/nothing.lua", "missing"],
    ),
    "with space ": (job("return job.OK"), ["cannot be a job name"]),
    "cr\u00e8me": (job("return job.OK"), ["cannot be a job name"]),
}

#: Gives up the right to read all files, as any other user has none, and becomes the engine.
_AS_ORDINARY_USER = """
import ctypes, os, sys
for right in (1, 2):
    ctypes.CDLL(None).prctl(24, right, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An engine on a folder full of what is wrong, and one good job."""
    home = Home(tmp_path_factory.mktemp("messy") / "home")
    for name, (text, _) in BAD_FILES.items():
        home.write(name, text)
    _make_odd_entries(home)
    home.write("good", job("return job.OK", 'every = "1s"'))
    with home.serving(prefix=[sys.executable, "-c", _AS_ORDINARY_USER]) as engine:
        yield engine


def _make_odd_entries(home: Home) -> None:
    outside = home.path / "outside.lua"
    outside.write_text(job("return job.OK, 'outside'"))
    (home.jobs / "folder.lua").mkdir()
    (home.jobs / "link.lua").symlink_to(outside)
    (home.jobs / "dangling.lua").symlink_to(home.path / "nothing")
    (home.jobs / "linked_folder").symlink_to(home.path)
    os.mkfifo(home.jobs / "pipe.lua")
    home.write("unreadable", job("return job.OK")).chmod(0)
    (home.jobs / "closed").mkdir(mode=0)
    (home.jobs / "notes.txt").write_text("not a job")
    (home.jobs / ".hidden.lua").write_text("not a job")
    home.write("lib/helper", "return {}")


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_invalid_with_its_reason(messy: Served, name: str) -> None:
    words = BAD_FILES[name][1]
    view = next(view for view in messy.client.jobs() if view.name == name)
    assert (view.status, view.next_run) == ("INVALID", None)
    assert [word for word in words if word not in view.reason] == [], view.reason


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", "is a folder"),
        ("link", "symbolic link"),
        ("dangling", "symbolic link"),
        ("linked_folder", "symbolic link"),
        ("pipe", "not a regular file"),
        ("unreadable", "permission denied"),
        ("closed", "cannot be read"),
    ],
)
def test_an_entry_that_is_no_readable_file_is_invalid_with_its_reason(
    messy: Served, name: str, words: str
) -> None:
    view = next(view for view in messy.client.jobs() if view.name == name)
    assert view.status == "INVALID"
    assert words in view.reason


def test_what_is_no_job_is_not_listed(messy: Served) -> None:
    listed = {view.name for view in messy.client.jobs() if view.path}
    odd = {"folder", "link", "dangling", "linked_folder", "pipe", "unreadable", "closed"}
    assert listed == {*BAD_FILES, *odd, "good"}


def test_bad_files_do_not_hold_up_a_good_one(messy: Served) -> None:
    assert {run.status for run in messy.ends("good", 1)} == {"COMPLETE"}
    assert messy.client.job("good").status == "WAITING"


def test_an_invalid_job_is_not_run_and_the_refusal_says_why(messy: Served) -> None:
    refused = messy.home.moontide("run", "cron_never")
    assert refused.code == 1
    assert "never" in refused.err
    assert messy.client.runs(job="cron_never") == []


def test_check_tells_all_that_is_wrong(messy: Served) -> None:
    checked = messy.home.moontide("check", "--json")
    assert checked.code == 1
    problems = {problem["path"]: problem for problem in checked.json}
    assert set(problems) >= {f"{name}.lua" for name in BAD_FILES}
    assert "good.lua" not in problems
    assert problems["syntax.lua"]["line"] == 3


def test_check_prints_file_line_and_reason(messy: Served) -> None:
    lines = messy.home.moontide("check").out.splitlines()
    assert any(line.startswith("syntax.lua:3: ") for line in lines)
    assert any(line.startswith("every_and_cron.lua: both every and cron") for line in lines)
    assert any(line.startswith("with space .lua: ") for line in lines)


def test_check_says_the_same_without_an_engine(messy: Served, tmp_path: Path) -> None:
    with_engine = messy.home.moontide("check", "--json").json
    elsewhere = messy.home.moontide(
        "--home", str(tmp_path), "check", env={"MOONTIDE_JOBS": str(messy.home.jobs)}
    )
    told = elsewhere.out.splitlines()
    assert elsewhere.code == 1
    # The tests may have the right to read all files, which this engine gave up.
    readable = [p for p in with_engine if p["path"] not in ("unreadable.lua", "closed")]
    assert [p["path"] for p in readable if not any(line.startswith(p["path"]) for line in told)] == []


@pytest.mark.parametrize("data", ["{x", "", "{'a': 1}", "[1,", "NaN", "1 2", "nil"])
def test_data_that_is_not_json_is_wrong_usage_and_runs_nothing(shared: Served, name: str, data: str) -> None:
    shared.add(name, job("return job.OK"))
    refused = shared.home.moontide("run", name, "--data", data)
    assert refused.code == 2
    assert "--data" in refused.err
    assert "JSON" in refused.err
    assert shared.client.runs(job=name) == []


@pytest.mark.parametrize(
    "command", ["run", "show", "log", "runs", "activate", "deactivate", "reload", "delete"]
)
def test_an_unknown_job_is_answered_with_the_nearest_name(shared: Served, name: str, command: str) -> None:
    shared.add(f"reports/{name}", job("return job.OK"))
    extra = ["--yes"] if command == "delete" else []
    refused = shared.home.moontide(command, f"report/{name}", *extra)
    assert refused.code == 1
    assert refused.out == ""
    assert f"no job named 'report/{name}'; did you mean" in refused.err
    assert f"reports/{name}" in refused.err


RESULTS = {
    "a cycle": "local t = {} t.t = t return job.OK, t",
    "a function": "return job.OK, { f = print or job.run }",
    "a function alone": "return job.OK, job.run",
    "not a number": "return job.OK, 0/0",
    "infinity": "return job.OK, { x = math.huge }",
    "10 MB": 'return job.OK, string.rep("x", 10 * 2^20 // 1)',
    "many values": 'local t = {} for i = 1, 500000 do t[i] = "twenty characters" end return job.OK, t',
    "deep": "local t = {} for i = 1, 10000 do t = { t } end return job.OK, t",
    "a key that is a table": "return job.OK, { [{}] = 1 }",
}


@pytest.mark.parametrize("body", RESULTS.values(), ids=RESULTS.keys())
def test_a_result_that_cannot_be_kept_is_replaced_by_a_note(shared: Served, name: str, body: str) -> None:
    shared.add(name, job(body, 'every = "1h"'))
    run = shared.run(name)
    assert (run.status, run.returned, run.error) == ("COMPLETE", "OK", None)
    assert run.result is None
    assert run.result_note
    assert shared.client.job(name).status == "WAITING"


LOUD = {
    "many lines": 'local line = string.rep("x", 1000) for i = 1, 100000 do core.log(line) end return job.OK',
    "printed lines": 'local line = string.rep("x", 1000) for i = 1, 100000 do print(line) end return job.OK',
    "long lines": 'local line = string.rep("x", 100000) for i = 1, 1000 do core.log(line) end return job.OK',
}


@pytest.mark.parametrize("body", LOUD.values(), ids=LOUD.keys())
def test_the_log_of_a_run_that_prints_100_mb_is_cut_with_a_line_that_says_so(
    shared: Served, name: str, body: str
) -> None:
    shared.add(name, job(body))
    run = shared.run(name, seconds=30)
    lines = shared.log(run.id)
    assert run.status == "COMPLETE", run.error
    assert 2**19 < sum(len(line) + 1 for line in lines) < 2**20 + 200
    assert lines[-1] == "log cut: more than 1 MB, the limit"
    assert run.log_lines == len(lines)


def test_a_line_of_100_mb_is_cut_and_says_so(home: Home) -> None:
    home.settings('limits.memory = "256MB"')
    home.write("loud", job('core.log(string.rep("x", 100 * 2^20 // 1)) return job.OK'))
    with home.serving() as engine:
        run = engine.run("loud", seconds=30)
        assert run.status == "COMPLETE", run.error
        [line] = engine.log(run.id)
    assert 4000 < len(line) < 5000
    assert " ... (cut" in line
