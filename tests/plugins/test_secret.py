"""core.secret: found in the environment or in files, and never left behind by a run."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from engine.settings import load_settings
from tests.e2e.conftest import Home, home
from tests.engine.conftest import Bench, OpenBench, open_bench
from tests.homebases import Homebase

__all__ = ["home", "open_bench"]

VALUE = "hunter2-correct-horse"

LEAK = """
local job = core.job()
function job.run()
  local token = assert(core.secret("TOKEN"))
  core.log("token", token, { inner = token })
  core.log.warn("Bearer " .. token)
  print(token)
  core.data("box"):save({ _id = "kept", text = "x" .. token .. "y", [token] = { token } })
  core.data(token):save({ fine = true })
  core.jobs.now("other", { token = token })
  core.jobs.after("1h", "other", { "later " .. token })
  core.data("box"):get({ name = { ["$bad"] = token } })
  if #token ~= 21 then error("length " .. #token) end
  return job.OK, { token = token, length = #token }
end
return job
"""

FAIL = """
local job = core.job()
function job.run()
  local token = core.secret("TOKEN")
  error("the answer to " .. token)
end
return job
"""

OTHER = "local job = core.job() function job.run(run) return job.OK, run.data end return job"


def asking(name: str) -> str:
    """Return a job that asks for a secret and tells the answer without the value."""
    return (
        "local job = core.job() function job.run() "
        f'local value, problem, code = core.secret("{name}") '
        "return job.OK, { #(value or ''), problem, code } end return job"
    )


async def ask(bench: Bench, name: str) -> Any:
    bench.write("asking", asking(name))
    await bench.reload()
    return (await bench.run("asking")).result


def stored(base: Homebase) -> bytes:
    """Return all that the database holds."""
    held = base.held()
    assert b"Bearer ***" in held
    return held


async def test_a_secret_reaches_the_job_and_nothing_that_it_leaves(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MOONTIDE_SECRET_TOKEN", VALUE)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("moontide").debug("what follows is heard")
    async with open_bench({"leak": LEAK, "fail": FAIL, "other": OTHER}) as bench:
        leak, fail = await bench.run("leak"), await bench.run("fail")
        shown = [bench.desk.status(), bench.desk.plugins(), bench.desk.jobs(), *await bench.desk.runs()]
        shown += [line for run in (leak, fail) for line in await bench.desk.log(run.id)]
        heard = list(bench.heard)
        texts = [line.text for line in await bench.desk.log(leak.id)]
    assert leak.result == {"token": "***", "length": len(VALUE)}
    assert texts == ['token *** {inner = "***"}', "Bearer ***", "***"]
    assert "***" in (fail.error or "")
    for place in (msgspec.json.encode(shown), repr(heard).encode(), stored(bench.base), caplog.text.encode()):
        assert VALUE.encode() not in place
        assert place


def raw_answers(socket: Path, paths: list[str]) -> list[str]:
    """Return what the API answers as it is on the wire."""
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://engine") as http:
        return [http.get(f"/v1/{path}").raise_for_status().text for path in paths]


def test_an_engine_tells_a_secret_nowhere(home: Home) -> None:
    for name, text in {"leak": LEAK, "fail": FAIL, "other": OTHER}.items():
        home.write(name, text)
    with home.serving(MOONTIDE_SECRET_TOKEN=VALUE) as engine:
        leak, fail = engine.run("leak"), engine.run("fail")
        paths = ["status", "plugins", "jobs", "runs", f"runs/{leak.id}/log", f"runs/{fail.id}/log"]
        answers = raw_answers(home.path / "moontide.sock", [*paths, "runs?status=PLANNED"])
        command = home.moontide("runs", "--json", env={"MOONTIDE_SECRET_TOKEN": VALUE})
        while_serving = stored(home.base)
    assert leak.status == "COMPLETE"
    assert json.loads(answers[3])
    everything = "".join([*answers, command.out, command.err, engine.output, engine.complaints]).encode()
    assert VALUE.encode() not in everything + while_serving + stored(home.base)
    assert b"***" in everything


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
async def test_a_file_holds_a_secret_with_or_without_a_last_line_end(
    open_bench: OpenBench, tmp_path: Path, ending: str
) -> None:
    (tmp_path / "token.txt").write_bytes(b"line one\nline two" + ending.encode())
    toml = '[secret]\nfiles = { SHOP_TOKEN = "token.txt" }'
    async with open_bench(toml=toml) as bench:
        assert await ask(bench, "SHOP_TOKEN") == [len("line one\nline two")]


async def test_a_folder_holds_secrets_in_files_of_their_names(open_bench: OpenBench, tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "TOKEN").write_text("1234567")
    async with open_bench(toml=f'[secret]\nfolder = "{folder}"') as bench:
        assert await ask(bench, "TOKEN") == [7]
        (folder / "TOKEN").write_text("123456789")
        assert await ask(bench, "TOKEN") == [9]
        assert (await ask(bench, "OTHER"))[2] == 804


async def test_the_environment_wins_over_files(
    open_bench: OpenBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token.txt").write_text("from a file")
    monkeypatch.setenv("MOONTIDE_SECRET_TOKEN", "env")
    async with open_bench(toml='[secret]\nfiles = { TOKEN = "token.txt" }') as bench:
        assert await ask(bench, "TOKEN") == [3]


async def test_a_missing_secret_says_what_to_set(open_bench: OpenBench) -> None:
    async with open_bench() as bench:
        length, problem, code = await ask(bench, "SHOP_TOKEN")
    assert (length, code) == (0, 804)
    assert problem == (
        "core.secret: there is no secret SHOP_TOKEN; set the variable MOONTIDE_SECRET_SHOP_TOKEN for the "
        "engine, or name a file in moontide.toml: [secret] files = { SHOP_TOKEN = ... }"
    )


@pytest.mark.parametrize("name", ["", "../x", "_X", "A-B", "A" * 101, "É"])
async def test_a_name_that_no_secret_can_have_is_refused(open_bench: OpenBench, name: str) -> None:
    async with open_bench() as bench:
        assert (await ask(bench, name))[2] == 801


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (64 * 1024 + 1), None])
async def test_a_file_that_cannot_be_a_secret_is_told_without_its_path(
    open_bench: OpenBench, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "token.txt").write_bytes(content)
    async with open_bench(toml='[secret]\nfiles = { TOKEN = "token.txt" }') as bench:
        _, problem, code = await ask(bench, "TOKEN")
    assert code == 820
    assert "token.txt" not in problem


async def test_declared_permissions_name_the_secrets(
    open_bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONTIDE_SECRET_TOKEN", VALUE)
    async with open_bench(toml='permissions = "declared"') as bench:
        bench.write(
            "asking", asking("TOKEN").replace("core.job()", 'core.job { allow = { secret = { "X" } } }')
        )
        await bench.reload()
        assert (await bench.run("asking")).result[1:] == [
            "job asking may not reach TOKEN by core.secret; its allow does not list it",
            801,
        ]


def test_variables_of_secrets_are_no_settings_and_are_not_read_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONTIDE_SECRET_A__B", VALUE)
    monkeypatch.setenv("MOONTIDE_SECRET_TOKEN", VALUE)
    monkeypatch.setenv("MOONTIDE_SECRET__FOLDER", "/run/secrets")
    settings = load_settings(tmp_path)
    assert settings.module_tables == {"secret": {"folder": "/run/secrets"}}
    assert VALUE not in repr(settings)
