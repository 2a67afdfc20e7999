"""Commands where no engine runs: those that need one say so, the others do their work."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from engine.cli.commands import COMMANDS
from engine.cli.files import samples_folder
from engine.cli.plain import with_home_first
from tests.engine.cli.conftest import Moontide

NEED_AN_ENGINE = [
    ["status"],
    ["jobs", "--json"],
    ["show", "report"],
    ["delete", "report", "--yes"],
    ["run", "report"],
    ["run", "report", "--wait"],
    ["activate", "report"],
    ["deactivate", "report"],
    ["reload"],
    ["cancel", "1"],
    ["runs"],
    ["log", "1"],
]

JOB = """
local job = core.job()
function job.run(run)
  core.log("shop", run.data.shop)
  return %s
end
return job
"""


@pytest.fixture
def job_file(home: Path) -> Path:
    (home / "jobs").mkdir()
    path = home / "jobs" / "one.lua"
    path.write_text(JOB % "job.OK, { seen = run.data.shop }")
    return path


@pytest.mark.parametrize("arguments", NEED_AN_ENGINE)
def test_a_command_that_needs_an_engine_exits_3_with_nothing_on_standard_output(
    inside: Moontide, home: Path, arguments: list[str]
) -> None:
    result = inside(*arguments)
    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == f"moontide: no engine is running in {home}; start one with `moontide up`\n"


#: As typer makes them of the functions.
COMMAND_NAMES = [function.__name__.replace("_", "-") for function, _ in COMMANDS]


@pytest.mark.parametrize("command", COMMAND_NAMES)
def test_every_command_has_help_that_ends_with_an_example_of_itself(inside: Moontide, command: str) -> None:
    result = inside(command, "--help")
    assert result.returncode == 0
    example = result.stdout.strip().rpartition("Example: ")[2]
    assert f" {command}" in example


def test_the_help_lists_every_command_and_the_exit_codes(moontide: Moontide) -> None:
    text = moontide("--help").stdout
    assert all(f"\n  {name} " in text for name in COMMAND_NAMES)
    assert "0 done, 1 it failed, 2 wrong usage, 3 no engine running" in text
    assert "..." not in text.partition("Commands:")[2]


def test_the_version_is_printed(moontide: Moontide) -> None:
    assert moontide("--version").stdout.startswith("moontide 0.")


def test_the_home_option_moves_to_the_front_and_nothing_else_does() -> None:
    assert with_home_first(["jobs", "-H", "x", "--json"]) == ["-H", "x", "jobs", "--json"]
    assert with_home_first(["run", "a", "--home=x"]) == ["--home=x", "run", "a"]
    assert with_home_first(["jobs", "--home"]) == ["--home", "jobs"]
    assert with_home_first(["show", "--", "-H", "x"]) == ["show", "--", "-H", "x"]


def test_init_makes_a_home_with_settings_samples_and_editor_files(moontide: Moontide, home: Path) -> None:
    result = moontide("init", "shop")
    shop = home / "shop"
    made = {str(path.relative_to(shop / "jobs")) for path in (shop / "jobs").rglob("*.lua")}
    assert result.returncode == 0
    assert made == {str(path.relative_to(samples_folder())) for path in samples_folder().rglob("*.lua")}
    assert len(made) >= 6
    assert (shop / ".editorconfig").is_file()
    assert json.loads((shop / ".luarc.json").read_text())["diagnostics.globals"] == ["core"]
    tomllib.loads((shop / "moontide.toml").read_text())


def test_init_without_a_folder_fills_the_home(moontide: Moontide, home: Path) -> None:
    assert moontide("init").returncode == 0
    assert (home / "moontide.toml").is_file()


def test_init_tells_of_a_folder_without_steering_the_terminal(moontide: Moontide, tmp_path: Path) -> None:
    done = moontide("init", str(tmp_path / "a\x8ab\x1b[31m"))
    assert "a\\x8ab\\x1b[31m is ready" in done.stdout


def test_init_writes_nothing_where_a_file_exists_and_names_it(moontide: Moontide, home: Path) -> None:
    (home / "moontide.toml").write_text("# mine\n")
    result = moontide("init")
    assert result.returncode == 1
    assert f"these exist already: {home / 'moontide.toml'}" in result.stderr
    assert [path.name for path in home.iterdir()] == ["moontide.toml"]
    assert (home / "moontide.toml").read_text() == "# mine\n"


def test_init_where_nothing_can_be_written_says_so(moontide: Moontide, home: Path) -> None:
    (home / "file").write_text("")
    result = moontide("init", "file/below")
    assert result.returncode == 1
    assert "cannot write" in result.stderr


def test_new_writes_the_template_once(moontide: Moontide, home: Path) -> None:
    path = home / "jobs" / "admin" / "fresh.lua"
    assert moontide("new", "admin/fresh").stdout == f"{path} is ready to be edited\n"
    path.write_text("mine")
    again = moontide("new", "admin/fresh")
    assert (again.returncode, path.read_text()) == (1, "mine")


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a b", ""])
def test_new_refuses_names_that_lead_elsewhere(inside: Moontide, home: Path, name: str) -> None:
    result = inside("new", name)
    assert result.returncode == 1
    assert not list(home.parent.rglob("*.lua"))


def test_the_template_passes_the_check(moontide: Moontide) -> None:
    moontide("new", "fresh")
    result = moontide("check")
    assert (result.returncode, result.stdout) == (0, "")


def test_check_names_file_line_and_reason(moontide: Moontide, home: Path, job_file: Path) -> None:
    (home / "jobs" / "broken.lua").write_text("local job = core.job()\n\nfunction job.run( return end\n")
    result = moontide("check")
    assert result.returncode == 1
    assert result.stdout.startswith("broken.lua:3: ")
    assert result.stdout.count("broken.lua") == 1
    assert len(result.stdout.splitlines()) == 1
    assert [problem["line"] for problem in json.loads(moontide("check", "--json").stdout)] == [3]


def test_check_of_chosen_files_leaves_the_others_alone(
    moontide: Moontide, home: Path, job_file: Path
) -> None:
    (home / "jobs" / "other.lua").write_text("return 3")
    broken = home / "broken.lua"
    broken.write_text("return 3")
    result = moontide("check", "jobs/one.lua", "broken.lua")
    assert result.returncode == 1
    assert result.stdout.startswith(str(broken))
    assert "other.lua" not in result.stdout


def test_check_of_good_files_says_nothing_in_a_pipe(moontide: Moontide, job_file: Path) -> None:
    result = moontide("check", str(job_file))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert moontide("check", "--json").stdout == "[]\n"


def test_a_file_runs_once_without_an_engine(moontide: Moontide, home: Path, job_file: Path) -> None:
    result = moontide("run", "jobs/one.lua", "--data", '{"shop": 3}')
    lines = result.stdout.splitlines()
    assert (result.returncode, result.stderr) == (0, "")
    assert lines[0].endswith("info  shop 3")
    assert lines[1].startswith("jobs/one.lua ✓ COMPLETE (OK) in ")
    assert lines[2] == '{"seen":3}'
    assert not (home / "moontide.db").exists()


def test_a_file_whose_run_fails_exits_1_with_the_error(moontide: Moontide, job_file: Path) -> None:
    job_file.write_text(JOB % "nothing.at_all")
    result = moontide("run", "jobs/one.lua")
    assert result.returncode == 1
    assert "one.lua:5: attempt to index a nil value" in result.stderr


def test_a_file_that_does_not_exist_is_taken_for_a_job(moontide: Moontide) -> None:
    assert moontide("run", "jobs/none.lua").returncode == 3


def test_plugins_are_listed_from_the_installation(moontide: Moontide, home: Path) -> None:
    (home / "moontide.toml").write_text('[plugins]\ndisable = ["sleep"]\n')
    plugins = {
        plugin["name"]: plugin["status"] for plugin in json.loads(moontide("plugins", "--json").stdout)
    }
    assert plugins["log"] == "loaded"
    assert plugins["sleep"] == "disabled"


def test_wrong_settings_are_named_where_a_command_needs_them(moontide: Moontide, home: Path) -> None:
    (home / "moontide.toml").write_text("polo = 3\n")
    for command in (["plugins"], ["check"], ["serve"], ["up"], ["new", "x"]):
        result = moontide(*command)
        assert (result.returncode, result.stdout) == (1, "")
        assert "polo" in result.stderr
        assert "Traceback" not in result.stderr


def test_a_crontab_becomes_job_files_that_pass_the_check(moontide: Moontide, home: Path) -> None:
    (home / "crontab").write_text("*/5 * * * * /usr/bin/backup --all\n@daily /usr/bin/tidy\n")
    (home / "jobs").mkdir(exist_ok=True)
    made = json.loads(moontide("import-crontab", str(home / "crontab"), "--json").stdout)
    assert [job["job"] for job in made] == ["crontab/backup", "crontab/tidy"]
    assert moontide("check").returncode == 0


def test_a_crontab_of_which_one_line_cannot_be_written_leaves_nothing(moontide: Moontide, home: Path) -> None:
    (home / "crontab").write_text(f"@daily /usr/bin/tidy\n@daily /usr/bin/long {'x' * 300_000}\n")
    (home / "jobs").mkdir(exist_ok=True)
    told = moontide("import-crontab", str(home / "crontab"))
    assert (told.returncode, list((home / "jobs").rglob("*.lua"))) == (1, [])
    assert "crontab/long.lua would have" in told.stderr


def test_check_tells_a_problem_in_a_library_module_by_its_own_place(moontide: Moontide, home: Path) -> None:
    (home / "jobs" / "lib").mkdir(parents=True)
    (home / "jobs" / "lib" / "money.lua").write_text("return -")
    (home / "jobs" / "asks.lua").write_text('local money = require("lib.money")\nreturn money\n')
    assert "lib/money.lua:1: unexpected symbol near" in moontide("check").stdout


@pytest.mark.parametrize("token", [b"", b"\n", b"a\tb", b"two\nlines", b"t\xc3\xb6ken", b"\xff", b"\x1b[2J"])
def test_a_file_without_a_token_is_told(moontide: Moontide, home: Path, token: bytes) -> None:
    (home / "token").write_bytes(token)
    told = moontide("tui", "--url", "http://127.0.0.1:1", "--token-file", str(home / "token"))
    assert told.returncode == 1
    assert f"cannot read the token from {home / 'token'}" in told.stderr


def test_importing_a_crontab_twice_writes_nothing_over(moontide: Moontide, home: Path) -> None:
    (home / "crontab").write_text("@daily /usr/bin/tidy\n")
    (home / "jobs").mkdir(exist_ok=True)
    moontide("import-crontab", str(home / "crontab"))
    (home / "jobs" / "crontab" / "tidy.lua").write_text("mine")
    again = moontide("import-crontab", str(home / "crontab"))
    assert (again.returncode, (home / "jobs" / "crontab" / "tidy.lua").read_text()) == (1, "mine")
    assert "nothing was written" in again.stderr


def test_a_home_is_backed_up_and_restored_by_commands(moontide: Moontide, home: Path, tmp_path: Path) -> None:
    (home / "jobs").mkdir(exist_ok=True)
    (home / "jobs" / "mine.lua").write_text("return 1")
    assert moontide("backup", str(tmp_path / "kept.tar.gz")).returncode == 0
    restored = moontide("--home", str(tmp_path / "new"), "restore", str(tmp_path / "kept.tar.gz"))
    assert restored.returncode == 0, restored.stderr
    assert (tmp_path / "new" / "jobs" / "mine.lua").read_text() == "return 1"
