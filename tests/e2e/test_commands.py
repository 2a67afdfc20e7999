"""Every command with a real engine, and the ones that need none."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.api.address import socket_in
from engine.events import RunFinished, RunLogged, RunStarted
from engine.views import EngineView, JobView, LogLineView, PluginView, ReloadView, RunView
from tests.e2e.conftest import MOONTIDE, Home, Served, environment, job
from tests.e2e.processes import until

pytestmark = pytest.mark.long

COMMANDS = [
    *["init", "up", "serve", "status", "jobs", "show", "new", "delete", "run", "activate", "deactivate"],
    *["reload", "cancel", "runs", "log", "check", "plugins", "group", "pause", "resume"],
]

JOB_KEYS = {
    *["name", "path", "status", "reason", "active", "activity", "schedule", "next_run", "last_run"],
    "last_status",
}
RUN_KEYS = {
    *["id", "job", "status", "returned", "trigger", "attempt", "due", "started", "finished", "duration_ms"],
    *["error", "result", "info"],
}


def fields_of(view: type) -> set[str]:
    """Return the names of a view's fields."""
    return set(view.__dataclass_fields__)  # type: ignore[attr-defined]


def is_time_with_offset(text: str) -> bool:
    """Whether a text is an ISO 8601 time that says how far it is from UTC."""
    return datetime.fromisoformat(text).utcoffset() is not None


def test_help_names_every_command() -> None:
    shown = _help()
    listed = re.findall(r"^  ([a-z]+)  +\S", shown[shown.index("Commands:") :], re.MULTILINE)
    assert set(COMMANDS) <= set(listed)
    assert "--home" in shown
    assert "MOONTIDE_HOME" in shown
    assert "0 done, 1 it failed, 2 wrong usage, 3 no engine running" in shown


def _help(*command: str) -> str:
    done = subprocess.run(
        [MOONTIDE, *command, "--help"],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
        timeout=30,
    )
    return done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_each_command_has_an_example(command: str) -> None:
    assert re.search(rf"Example: moontide .*\b{command}\b", " ".join(_help(command).split()))


@pytest.mark.parametrize(
    "arguments",
    [
        *[["status"], ["jobs"], ["show", "a"], ["run", "a"], ["cancel", "1"], ["activate", "a"]],
        *[["deactivate", "a"], ["reload"], ["runs"], ["log", "a"], ["delete", "a", "--yes"]],
    ],
    ids=" ".join,
)
def test_without_an_engine_the_exit_code_is_3_and_the_message_says_how_to_start_one(
    home: Home, arguments: list[str]
) -> None:
    result = home.moontide(*arguments)
    assert (result.code, result.out) == (3, "")
    assert f"no engine is running in {home.path}; start one with `moontide up`" in result.err


def test_the_socket_left_by_a_killed_engine_is_no_engine(home: Home) -> None:
    with home.serving() as engine:
        engine.kill()
    assert socket_in(home.path).exists()
    assert home.moontide("jobs").code == 3
    with home.serving() as engine:
        assert engine.client.status().state == "Running"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"],
        ["show"],
        ["run"],
        ["cancel", "0"],
        ["runs", "--limit", "0"],
        ["runs", "--status", "odd"],
        ["jobs", "--no"],
    ],
    ids=" ".join,
)
def test_wrong_usage_has_exit_code_2(home: Home, arguments: list[str]) -> None:
    result = home.moontide(*arguments)
    assert (result.code, result.out) == (2, "")
    assert "Traceback" not in result.err


def test_status_tells_what_the_engine_does(shared: Served) -> None:
    shown = shared.home.moontide("status", "--json").json
    assert set(shown) == fields_of(EngineView)
    assert (shown["pid"], shown["state"], shown["home"]) == (
        shared.process.pid,
        "Running",
        str(shared.home.path),
    )
    assert set(shown["walls"].values()) == {"on"}
    assert is_time_with_offset(shown["started"])
    assert "Running" in shared.home.moontide("status").out


def test_jobs_are_listed_with_their_fields(shared: Served, name: str) -> None:
    shared.add(
        name, job("return job.OK", 'every = "1h", description = "Does nothing", tags = { team = "shop" }')
    )
    shared.run(name)
    shown = next(one for one in shared.home.moontide("jobs", "--json").json if one["name"] == name)
    assert set(shown) == fields_of(JobView) >= JOB_KEYS
    assert (shown["path"], shown["schedule"], shown["last_status"]) == (f"{name}.lua", "every 1h", "COMPLETE")
    assert is_time_with_offset(shown["next_run"])
    assert is_time_with_offset(shown["last_run"])
    assert shared.home.moontide("show", name, "--json").json == shown
    assert f"{name}\tWAITING\tidle\tevery 1h\t" in shared.home.moontide("jobs").out
    assert "description\tDoes nothing\n" in shared.home.moontide("show", name).out


def test_runs_are_listed_with_their_fields(shared: Served, name: str) -> None:
    shared.add(name, job("return job.OK, { sum = 3 }"))
    first, second = shared.run(name, {"shop": 3}), shared.run(name)
    shown = shared.home.moontide("runs", name, "--json").json
    assert [run["id"] for run in shown] == [second.id, first.id]
    assert set(shown[1]) == fields_of(RunView) >= RUN_KEYS
    assert (shown[1]["result"], shown[1]["data"], shown[1]["info"]) == ({"sum": 3}, {"shop": 3}, None)
    assert all(is_time_with_offset(shown[0][key]) for key in ("due", "started", "finished"))
    assert isinstance(shown[0]["duration_ms"], float)
    older = shared.home.moontide("runs", name, "--before", str(second.id), "--limit", "1", "--json").json
    assert [run["id"] for run in older] == [first.id]
    assert shared.home.moontide("runs", name, "--status", "error", "--json").json == []
    assert f"{first.id}\t{name}\tCOMPLETE\tOK\tmanual\t1\t" in shared.home.moontide("runs", name).out


def test_the_log_of_a_run_or_of_a_jobs_last_run_is_printed(shared: Served, name: str) -> None:
    shared.add(name, job('core.log("line", run.data.n) core.log.warn("careful") return job.OK'))
    first, second = shared.run(name, {"n": 1}), shared.run(name, {"n": 2})
    shown = shared.home.moontide("log", str(first.id), "--json").json
    assert set(shown[0]) == fields_of(LogLineView)
    assert [(line["number"], line["level"], line["text"]) for line in shown] == [
        (1, "info", "line 1"),
        (2, "warn", "careful"),
    ]
    assert "line 2" in shared.home.moontide("log", name).out
    assert shared.home.moontide("log", name, "--json").json != shown
    assert second.log_lines == 2


def test_a_log_is_followed_until_the_run_ends(shared: Served, name: str) -> None:
    shared.add(name, job('for i = 1, 5 do core.log("line", i) core.sleep(0.2) end return job.OK'))
    run = shared.client.run_job(name).id
    followed = shared.home.moontide("log", name, "--follow")
    assert followed.code == 0
    assert re.findall(r"line \d", followed.out) == [f"line {i}" for i in range(1, 6)]
    assert shared.client.run(run).status == "COMPLETE"


def test_run_starts_a_run_and_leaves(shared: Served, name: str) -> None:
    shared.add(name, job("return job.OK, run.data.shop + 1"))
    started = shared.home.moontide("run", name, "--data", '{"shop": 3}')
    assert started.code == 0
    run = int(re.findall(rf"run (\d+) of {name}", started.out)[0])
    assert shared.finished(run).result == 4


def test_run_wait_shows_log_end_and_result(shared: Served, name: str) -> None:
    shared.add(name, job('core.log("working") return job.OK, { sum = 3 }'))
    waited = shared.home.moontide("run", name, "--wait")
    assert waited.code == 0
    assert "working" in waited.out
    assert "COMPLETE (OK)" in waited.out
    assert waited.out.endswith('{"sum":3}\n')


@pytest.mark.parametrize(
    ("body", "words"),
    [('error("no toys")', "no toys"), ("return 5", "job.OK"), ("while true do end", "CPU time")],
    ids=["error", "bad return", "limit"],
)
def test_run_wait_fails_if_the_run_does_not_end_complete(
    shared: Served, name: str, body: str, words: str
) -> None:
    shared.add(name, job(body))
    waited = shared.home.moontide("run", name, "--wait")
    assert waited.code == 1
    assert words in waited.err


def test_jobs_are_switched_off_and_on(shared: Served, name: str) -> None:
    shared.add(name, job("return job.OK", 'every = "1h"'))
    assert shared.home.moontide("deactivate", name).code == 0
    assert shared.client.job(name).status == "INACTIVE"
    activated = shared.home.moontide("activate", name)
    assert activated.code == 0
    assert "reload" in activated.out
    assert shared.client.job(name).status == "INACTIVE"
    assert shared.home.moontide("reload", name).code == 0
    assert shared.client.job(name).status == "WAITING"


def test_reload_tells_what_changed(home: Home) -> None:
    for each in ("kept", "changed", "removed"):
        home.write(each, job("return job.OK"))
    with home.serving() as engine:
        home.write("changed", job("return job.OK, 2"))
        home.write("added/one", job("return job.OK"))
        home.write("bad", "local job = core.job {")
        (home.jobs / "removed.lua").unlink()
        told = home.moontide("reload", "--json").json
        assert set(told) == fields_of(ReloadView)
        assert (told["added"], told["changed"], told["removed"]) == (
            ["added/one", "bad"],
            ["changed"],
            ["removed"],
        )
        assert (list(told["invalid"]), told["unchanged"]) == (["bad"], 1)
        assert {view.name for view in engine.client.jobs() if view.path} == {
            "kept",
            "changed",
            "added/one",
            "bad",
        }
        assert home.moontide("reload").out == "invalid\tbad: " + told["invalid"]["bad"] + "\nunchanged\t4\n"


def test_a_run_is_cancelled_once(shared: Served, name: str) -> None:
    shared.add(name, job("core.sleep(600)"))
    run = str(shared.client.run_job(name).id)
    cancelled = shared.home.moontide("cancel", run)
    assert (cancelled.code, cancelled.out) == (0, f"run {run} of {name} is CANCELLED\n")
    again = shared.home.moontide("cancel", run)
    assert again.code == 1
    assert "has ended already" in again.err
    assert shared.home.moontide("cancel", "999999").code == 1


def test_a_new_job_is_there_and_runs_and_is_deleted(shared: Served, name: str) -> None:
    made = shared.home.moontide("new", f"fresh/{name}")
    assert made.code == 0
    assert (shared.home.jobs / "fresh" / f"{name}.lua").is_file()
    assert shared.home.moontide("run", f"fresh/{name}", "--wait").code == 0
    assert shared.home.moontide("new", f"fresh/{name}").code == 1
    assert shared.home.moontide("delete", f"fresh/{name}").code == 2
    assert shared.home.moontide("delete", f"fresh/{name}", "--yes").code == 0
    assert not (shared.home.jobs / "fresh" / f"{name}.lua").exists()
    assert shared.home.moontide("show", f"fresh/{name}").code == 1
    assert len(shared.client.runs(job=f"fresh/{name}")) == 1


@pytest.mark.parametrize("bad", ["../out", "/etc/x", "a b", "lib/x", ".hidden", "a//b", "-x", "x" * 300, ""])
def test_no_job_is_made_outside_of_the_jobs_folder(shared: Served, bad: str) -> None:
    before = sorted(shared.home.path.rglob("*.lua"))
    refused = shared.home.moontide("new", "--", bad)
    assert refused.code in (1, 2)
    assert refused.err
    assert sorted(shared.home.path.rglob("*.lua")) == before


def test_plugins_are_listed_with_and_without_an_engine(shared: Served, home: Home) -> None:
    shown = shared.home.moontide("plugins", "--json").json
    assert set(shown[0]) == fields_of(PluginView)
    assert {"data", "log"} <= {plugin["name"] for plugin in shown if plugin["status"] == "loaded"}
    assert home.moontide("plugins", "--json").json == shown


def test_named_files_are_checked_wherever_they_lie(shared: Served, name: str, tmp_path: Path) -> None:
    good = shared.home.write(name, job("return job.OK"))
    bad = tmp_path / "bad.lua"
    bad.write_text("local job = core.job {}\n\nfunction job.run(")
    assert shared.home.moontide("check", str(good)).code == 0
    assert shared.home.moontide("check", f"jobs/{name}.lua", cwd=shared.home.path).code == 0
    checked = shared.home.moontide("check", str(good), "bad.lua", cwd=tmp_path)
    assert checked.code == 1
    assert checked.out.startswith(f"{bad}:3: ")
    assert len(checked.out.splitlines()) == 1
    assert shared.home.moontide("check", str(tmp_path / "none.lua")).code == 1


def test_the_engine_checks_files_named_by_their_whole_path(shared: Served, name: str) -> None:
    path = shared.home.write(name, "local job = core.job {")
    [problem] = shared.client.check([str(path)])
    assert (problem.path, problem.line) == (f"{name}.lua", 1)


def test_a_file_runs_once_without_an_engine(home: Home) -> None:
    home.write("lib/money", 'return { words = function(n) return n .. " coins" end }')
    path = home.write(
        "alone",
        job(
            'core.log("here") local id = core.data("x"):save({ n = 1 })\n'
            'return job.OK, { text = require("lib.money").words(run.data.n), saved = id ~= nil }'
        ),
    )
    ran = home.moontide("run", str(path), "--data", '{"n": 2}')
    assert ran.code == 0, ran.err
    assert "here" in ran.out
    assert ran.out.endswith('{"text":"2 coins","saved":true}\n') or '"text":"2 coins"' in ran.out
    assert sorted(entry.name for entry in home.path.iterdir()) == ["jobs"]


@pytest.mark.parametrize(
    ("text", "words"),
    [(job('error("no toys")'), "no toys"), ("local job = core.job {", "alone.lua:1"), ("", "empty")],
    ids=["error", "syntax", "empty"],
)
def test_a_file_that_fails_without_an_engine_says_why(home: Home, text: str, words: str) -> None:
    ran = home.moontide("run", str(home.write("alone", text)))
    assert ran.code == 1
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_ctrl_c_ends_a_file_that_runs_without_an_engine(home: Home) -> None:
    path = home.write("alone", job('core.log("here") core.sleep(600) return job.OK'))
    with subprocess.Popen(
        [MOONTIDE, "--home", str(home.path), "run", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert b"here" in process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.returncode not in (0, 2, 3)
    assert b"Traceback" not in err


def test_a_home_made_by_init_works_out_of_the_box(tmp_path: Path) -> None:
    made = tmp_path / "made"
    done = subprocess.run(
        [MOONTIDE, "init", str(made)], capture_output=True, text=True, env=environment(), timeout=30
    )
    assert done.returncode == 0, done.stderr
    assert (made / "moontide.toml").read_text().count("#") > 10
    assert (made / ".editorconfig").is_file()
    home = Home(tmp_path / "other")
    home.path, home.jobs = made, made / "jobs"
    assert home.moontide("check").code == 0
    again = home.moontide("init", str(made))
    assert again.code == 1
    assert "moontide.toml" in again.err
    with home.serving("up") as engine:
        engine.ends("heartbeat", 2)
        engine.ends("setup", 1)
        views = engine.client.jobs()
        assert 6 <= len(views) <= 12
        assert {view.status for view in views} <= {"WAITING", "ONCE", "ONCE DONE"}


# The API as other programs see it


@pytest.fixture
def api(shared: Served) -> Any:
    """A plain HTTP client on the engine's socket."""
    transport = httpx.HTTPTransport(uds=str(socket_in(shared.home.path)))
    with httpx.Client(transport=transport, base_url="http://moontide", timeout=20) as client:
        yield client


def test_the_socket_is_for_its_owner_alone(shared: Served) -> None:
    status = socket_in(shared.home.path).stat()
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600


def test_openapi_is_served_and_tells_every_route(api: httpx.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    wanted = [
        "status",
        "jobs",
        "runs",
        "runs/{run_id}",
        "runs/{run_id}/log",
        "runs/{run_id}/cancel",
        "reload",
    ]
    assert {f"/v1/{path}" for path in [*wanted, "events", "activate/{name}", "deactivate/{name}"]} <= set(
        paths
    )


def test_plain_http_gets_plain_json(api: httpx.Client, shared: Served, name: str) -> None:
    shared.add(name, job("return job.OK, 5"))
    accepted = api.post("/v1/runs", json={"job": name})
    assert accepted.status_code == 202
    run = accepted.json()["id"]
    shared.finished(run)
    assert api.get(f"/v1/runs/{run}").json()["result"] == 5
    missing = api.get("/v1/jobs/nothing")
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "job_not_found"


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "/v1/runs", b"{"),
        ("POST", "/v1/runs", b'{"job": 5}'),
        ("POST", "/v1/runs", b'{"job": "x", "more": 1}'),
        ("POST", "/v1/runs", b'{"job": "x", "data": NaN}'),
        ("GET", "/v1/runs?limit=0", b""),
        ("GET", "/v1/runs/abc", b""),
        ("GET", "/v1/runs/99999999999999999999999", b""),
        ("GET", "/v1/nothing", b""),
        ("PUT", "/v1/sources/..%2f..%2fx", b'{"text": "x", "create": true}'),
        ("PUT", "/v1/jobs", b""),
    ],
)
def test_a_bad_request_is_refused_in_words(api: httpx.Client, method: str, path: str, content: bytes) -> None:
    answer = api.request(method, path, content=content, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]["message"]


def test_the_event_stream_tells_a_run_from_start_to_end(shared: Served, name: str) -> None:
    shared.add(name, job('core.log("hello") return job.OK'))
    with shared.client.events(job=name) as events:
        run = shared.client.run_job(name).id
        heard = []
        for event in events:
            heard.append(event)
            if isinstance(event, RunFinished):
                break
    told = [event for event in heard if getattr(event, "run", None) == run]
    assert [type(event) for event in told] == [RunStarted, RunLogged, RunFinished]


def test_the_dashboards_way_of_editing_a_job_takes_effect_at_once(shared: Served, name: str) -> None:
    shared.add(name, job("return job.OK", 'every = "1h"'))
    source = shared.client.job_source(name)
    text = source.text.replace("1h", "2h")
    assert shared.client.write_job(name, text, expected_hash=source.hash, create=False).schedule == "every 2h"
    until(lambda: (shared.home.jobs / f"{name}.lua").read_text() == text)
