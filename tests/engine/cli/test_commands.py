"""The command as people and scripts use it: real processes, the in-memory engine at the socket."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
from pathlib import Path

import pytest

from tests.commands import MOONTIDE
from tests.engine.cli.conftest import Moontide, ServedEngine, environment

pytestmark = pytest.mark.usefixtures("engine")

JOB_FIELDS = "name path status reason active activity schedule next_run last_run last_status"
RUN_FIELDS = "id job status returned trigger attempt due started finished duration_ms error result info"


def on_terminal(home: Path, *arguments: str, answer: str = "", **env: str) -> tuple[int, str]:
    """Run the command on a terminal of its own, and return its exit code and all that it showed."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [MOONTIDE, *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment(MOONTIDE_HOME=str(home), TERM="xterm-256color", COLUMNS="140", **env),
    )
    os.close(follower)
    os.write(leader, answer.encode())
    shown = read_all(leader)
    os.close(leader)
    return process.wait(timeout=10), shown


def read_all(leader: int) -> str:
    shown = b""
    while select.select([leader], [], [], 20)[0]:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # Linux's way to say that the other end is closed
            break
        shown += chunk
    return shown.decode()


def test_jobs_are_rows_with_tabs_in_a_pipe(moontide: Moontide) -> None:
    result = moontide("jobs")
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert (result.returncode, result.stderr) == (0, "")
    assert rows[0] == ["JOB", "STATUS", "NOW", "SCHEDULE", "NEXT RUN", "LAST RUN", "ENDED", "REASON"]
    assert rows[1] == ["admin/cleanup", "WAITING", "idle", "every 2m", "2026-03-01 12:00:00", "-", "-", ""]
    assert {len(row) for row in rows} == {8}


def test_times_are_shown_in_the_zone_of_the_reader(moontide: Moontide) -> None:
    assert "2026-03-01 13:00:00" in moontide("jobs", TZ="Europe/Berlin").stdout


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["jobs"], list),
        (["runs"], list),
        (["plugins"], list),
        (["next"], list),
        (["log", "report"], list),
        (["status"], dict),
        (["show", "report"], dict),
        (["reload"], dict),
        (["reload", "--dry-run"], dict),
    ],
)
def test_json_is_one_document_and_nothing_else(
    inside: Moontide, arguments: list[str], kind: type[object]
) -> None:
    inside("run", "report", "--wait")
    result = inside(*arguments, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    assert isinstance(json.loads(result.stdout), kind)


def test_json_has_the_promised_fields(moontide: Moontide) -> None:
    moontide("run", "report", "--wait")
    jobs = json.loads(moontide("jobs", "--json").stdout)
    runs = json.loads(moontide("runs", "--json").stdout)
    assert set(JOB_FIELDS.split()) <= set(jobs[0])
    assert set(RUN_FIELDS.split()) <= set(runs[0])
    assert runs[0]["due"] == "2026-03-01T12:00:00Z"


def test_an_error_leaves_standard_output_empty_also_with_json(moontide: Moontide) -> None:
    result = moontide("show", "reprot", "--json")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "moontide: no job named 'reprot'; did you mean report?\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "reprot"],
        ["run", "reprot"],
        ["runs", "reprot"],
        ["log", "reprot"],
        ["activate", "reprot"],
        ["deactivate", "reprot"],
        ["reload", "reprot"],
        ["delete", "reprot", "--yes"],
    ],
)
def test_an_unknown_job_is_answered_with_the_nearest_name(inside: Moontide, arguments: list[str]) -> None:
    result = inside(*arguments)
    assert result.returncode == 1
    assert "did you mean report?" in result.stderr


def test_a_run_is_started_with_data_and_leaves_at_once(moontide: Moontide) -> None:
    result = moontide("run", "endless", "--data", '{"shop": 3}')
    assert result.stdout == "run 1 of endless is QUEUED; `moontide log 1 --follow` shows it\n"
    assert json.loads(moontide("runs", "--json").stdout)[0]["data"] == {"shop": 3}


def test_run_wait_shows_the_log_the_outcome_and_the_result(moontide: Moontide) -> None:
    result = moontide("run", "report", "--wait")
    lines = result.stdout.splitlines()
    assert result.returncode == 0
    assert [line[20:] for line in lines[:3]] == ["info  line 1", "info  line 2", "info  line 3"]
    assert lines[3:] == ["run 1 of report ✓ COMPLETE (OK) in 12 ms", '{"sold":3}']


def test_run_wait_fails_if_the_run_does_not_end_complete(moontide: Moontide) -> None:
    result = moontide("run", "faulty", "--wait")
    assert (result.returncode, result.stderr) == (1, "it broke\n")
    assert "run 1 of faulty ✗ ERROR in 12 ms" in result.stdout


def test_no_line_of_a_long_log_is_lost_or_doubled_while_it_is_followed(moontide: Moontide) -> None:
    followed = moontide("run", "chatty", "--wait").stdout.splitlines()
    assert [line.split()[-1] for line in followed[:-2]] == [str(number) for number in range(1, 2501)]
    assert moontide("log", "chatty").stdout.splitlines() == followed[:-2]


def test_a_refused_run_says_why(moontide: Moontide) -> None:
    result = moontide("run", "torn")
    assert (result.returncode, result.stderr) == (1, "moontide: torn cannot run: line 3: broken\n")


@pytest.mark.parametrize("data", ["{x", "", "NaN", "'a'"])
def test_data_that_is_not_json_is_wrong_usage(inside: Moontide, data: str) -> None:
    result = inside("run", "report", "--data", data)
    assert result.returncode == 2
    assert "it is not JSON" in result.stderr
    assert inside("runs", "--json").stdout == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [[], ["moonwalk"], ["show"], ["jobs", "--xml"], ["cancel", "0"], ["runs", "--status", "LOST"],
     ["log", "1", "--follow", "--json"], ["runs", "--limit", "0"]],
)  # fmt: skip
def test_wrong_usage_exits_2_and_says_so_on_standard_error(inside: Moontide, arguments: list[str]) -> None:
    result = inside(*arguments)
    assert result.returncode == 2
    assert "Usage: moontide" in result.stdout + result.stderr


def test_a_run_is_cancelled_by_its_number_once(moontide: Moontide) -> None:
    moontide("run", "endless")
    assert moontide("cancel", "1").stdout == "run 1 of endless is CANCELLED\n"
    again = moontide("cancel", "1")
    assert (again.returncode, again.stderr) == (1, "moontide: run 1 has ended already\n")


def test_follow_goes_on_until_another_command_ends_the_run(moontide: Moontide, home: Path) -> None:
    moontide("run", "endless")
    command = [MOONTIDE, "log", "endless", "--follow"]
    with subprocess.Popen(
        command,
        env=environment(MOONTIDE_HOME=str(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().endswith("line 1\n")
        moontide("cancel", "1")
        rest, outcome = process.communicate(timeout=10)
    assert (process.returncode, rest, outcome) == (0, "", "run 1 CANCELLED in 12 ms\n")


def test_ctrl_c_while_waiting_leaves_the_run_alone_and_says_how_to_end_it(
    moontide: Moontide, home: Path
) -> None:
    command = [MOONTIDE, "run", "endless", "--wait"]
    with subprocess.Popen(
        command,
        env=environment(MOONTIDE_HOME=str(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=10)
    assert (process.returncode, words) == (1, "moontide: run 1 goes on; `moontide cancel 1` ends it\n")
    assert json.loads(moontide("runs", "--json").stdout)[0]["status"] == "RUNNING"


def test_the_engine_stopping_under_a_followed_run_is_no_engine(
    moontide: Moontide, home: Path, engine: ServedEngine
) -> None:
    moontide("run", "endless")
    command = [MOONTIDE, "log", "1", "--follow"]
    with subprocess.Popen(
        command,
        env=environment(MOONTIDE_HOME=str(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        engine.stop()
        _, words = process.communicate(timeout=10)
    assert (process.returncode, words) == (3, "moontide: the engine stopped before run 1 ended\n")


def test_runs_are_chosen_by_job_and_status(moontide: Moontide) -> None:
    for job in ("report", "faulty", "report"):
        moontide("run", job, "--wait")
    failed = json.loads(moontide("runs", "--status", "error", "--json").stdout)
    latest = json.loads(moontide("runs", "report", "-n", "1", "--json").stdout)
    assert [run["job"] for run in failed] == ["faulty"]
    assert [run["id"] for run in latest] == [3]


def test_a_job_is_switched_off_and_on(moontide: Moontide) -> None:
    off = moontide("deactivate", "admin/cleanup")
    assert off.stdout.startswith("admin/cleanup is not active any more, status INACTIVE (by ")
    assert "via socket" in off.stdout
    assert "is active, status WAITING" in moontide("activate", "admin/cleanup").stdout


def test_reload_tells_what_changed(moontide: Moontide) -> None:
    assert moontide("reload", "report").stdout == "changed\treport\nunchanged\t6\n"


def test_reload_can_tell_what_it_would_change(moontide: Moontide) -> None:
    told = moontide("reload", "report", "--dry-run").stdout
    assert told.startswith(
        "changed\treport: settings every; next 2026-03-01 12:00:00 to none\ninvalid\ttorn:"
    )
    assert "added\tnew: next none to 2026-03-01" in moontide("reload", "--dry-run").stdout


def test_check_prints_each_problem_and_fails(moontide: Moontide) -> None:
    result = moontide("check")
    assert (result.returncode, result.stdout) == (1, "torn.lua:3: broken\n")
    listed = moontide("check", "--json")
    assert (listed.returncode, len(json.loads(listed.stdout))) == (1, 1)


def test_a_log_that_does_not_exist_yet_says_how_to_get_one(moontide: Moontide) -> None:
    result = moontide("log", "report")
    assert result.returncode == 1
    assert "`moontide run report` runs it now" in result.stderr


def test_new_goes_through_the_engine_and_never_over_a_job(moontide: Moontide) -> None:
    assert moontide("new", "fresh/one").stdout == "jobs/fresh/one.lua is ready to be edited\n"
    again = moontide("new", "fresh/one")
    assert (again.returncode, again.stderr) == (1, "moontide: fresh/one exists already\n")


def test_delete_without_a_terminal_needs_yes(moontide: Moontide) -> None:
    result = moontide("delete", "report")
    assert result.returncode == 2
    assert "--yes" in result.stderr
    assert moontide("show", "report").returncode == 0
    assert moontide("delete", "report", "--yes").stdout == "report is deleted\n"
    assert moontide("show", "report").returncode == 1


def test_delete_on_a_terminal_asks_and_takes_no_for_an_answer(moontide: Moontide, home: Path) -> None:
    code, shown = on_terminal(home, "delete", "report", answer="n\n")
    assert (code, "Delete jobs/report.lua?" in shown) == (1, True)
    assert moontide("show", "report").returncode == 0
    assert on_terminal(home, "delete", "report", answer="y\n")[0] == 0
    assert moontide("show", "report").returncode == 1


def test_a_terminal_gets_icons_colours_and_words(home: Path) -> None:
    code, shown = on_terminal(home, "jobs")
    assert code == 0
    assert "○ WAITING" in shown
    assert "✗ INVALID" in shown
    assert "\x1b[" in shown


def test_no_color_leaves_no_escape_sequence_on_a_terminal(home: Path) -> None:
    for command in (["jobs"], ["show", "torn"], ["run", "faulty", "--wait"], ["runs"], ["--help"]):
        _, shown = on_terminal(home, *command, NO_COLOR="1")
        assert "\x1b" not in shown
        assert shown.strip()


def test_json_on_a_terminal_is_still_json(home: Path) -> None:
    _, shown = on_terminal(home, "jobs", "--json")
    assert len(json.loads(shown)) == 6


def test_the_home_can_be_named_before_and_after_the_command(moontide: Moontide, home: Path) -> None:
    for arguments in (
        ["--home", str(home), "jobs", "--json"],
        ["jobs", "--json", "--home", str(home)],
        ["jobs", f"--home={home}", "--json"],
        ["-H", str(home), "jobs", "--json"],
    ):
        result = moontide(*arguments, MOONTIDE_HOME="/nonexistent")
        assert (result.returncode, len(json.loads(result.stdout))) == (0, 6)


def test_the_current_folder_is_the_home_without_another(home: Path) -> None:
    result = subprocess.run([MOONTIDE, "jobs"], cwd=home, env=environment(), capture_output=True, text=True)
    assert result.returncode == 0


def test_a_reader_that_leaves_early_gets_no_traceback(moontide: Moontide, home: Path) -> None:
    moontide("run", "chatty", "--wait")
    result = subprocess.run(
        f"{MOONTIDE} log 1 | head -1",
        shell=True,
        env=environment(MOONTIDE_HOME=str(home)),
        capture_output=True,
        text=True,
    )
    assert result.stdout.endswith("line 1\n")
    assert result.stderr == ""


def test_a_stopped_engine_is_no_engine(moontide: Moontide, home: Path, engine: ServedEngine) -> None:
    engine.stop()
    result = moontide("jobs")
    assert result.returncode == 3
    assert result.stderr == f"moontide: no engine is running in {home}; start one with `moontide up`\n"


def test_next_shows_due_times_in_the_zone_that_is_asked_for(moontide: Moontide) -> None:
    rows = [line.split("\t") for line in moontide("next", "--tz", "Europe/Berlin").stdout.splitlines()]
    assert rows[0] == ["DUE", "JOB", "NOTES"]
    assert rows[1] == ["2026-03-01 13:00:00 CET", "admin/cleanup", "the last date"]


def test_next_begins_where_it_is_told_to(moontide: Moontide) -> None:
    assert json.loads(moontide("next", "--from", "2026-03-01T13:00", "--tz", "UTC", "--json").stdout) == []
    early = moontide("next", "--from", "2026-03-01T13:00", "--tz", "Europe/Berlin", "--json")
    assert "admin/cleanup" in [view["job"] for view in json.loads(early.stdout)]


@pytest.mark.parametrize("wrong", [["--from", "soon"], ["--tz", "Mars/Olympus"], ["--count", "0"]])
def test_next_with_a_wrong_word_is_wrong_usage(moontide: Moontide, wrong: list[str]) -> None:
    assert moontide("next", *wrong).returncode == 2


def test_alerts_are_listed_and_acknowledged(moontide: Moontide) -> None:
    ongoing = moontide("alerts")
    assert "faulty\tfailing" in ongoing.stdout
    assert "report" not in ongoing.stdout
    assert [one["id"] for one in json.loads(moontide("alerts", "--all", "--json").stdout)] == [2, 1]
    assert moontide("alerts", "--job", "nothing").returncode == 1
    acked = moontide("alerts", "ack", "2", "--note", "disk ordered")
    assert acked.stdout.startswith("alert 2 (faulty failing) is acknowledged by ")
    assert json.loads(moontide("alerts", "--json").stdout)[0]["note"] == "disk ordered"


def test_an_alert_that_is_over_or_none_cannot_be_acknowledged(moontide: Moontide) -> None:
    assert "is over already" in moontide("alerts", "ack", "1").stderr
    unknown = moontide("alerts", "ack", "99")
    assert (unknown.returncode, "no alert 99" in unknown.stderr) == (1, True)


def test_show_with_a_number_shows_that_run(inside: Moontide) -> None:
    inside("run", "report", "--wait", "--data", '{"shop": 3}')
    fields = inside("show", "1").stdout
    assert [word in fields for word in ("report", "COMPLETE", "manual, attempt 1", '{"shop": 3}')] == [
        True
    ] * 4
    assert json.loads(inside("show", "1", "--json").stdout)["id"] == 1
    assert inside("show", "99").stderr == "moontide: no run 99; `moontide runs` lists them\n"
