"""A forked command leaves what one in a new process leaves."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.commands import MOONTIDE, Result, carry_out

JOB = "local job = core.job()\nfunction job.run(run) return job.OK, run.data end\nreturn job\n"


def environment(home: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TZ": "UTC", "LANG": "C.UTF-8", "MOONTIDE_HOME": str(home), **more}


def made(home: Path) -> Path:
    (home / "jobs").mkdir(parents=True)
    (home / "jobs" / "one.lua").write_text(JOB)
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return made(tmp_path / "home")


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (["--version"], "", 0),
        (["check", "one.lua"], "", 0),
        (["no-such-command"], "", 2),
        (["jobs"], "", 3),
        (["import-crontab", "-", "--json"], "0 3 * * * echo caf\xe9\n", 0),
    ],
)
def test_it_leaves_what_a_new_process_leaves(
    tmp_path: Path, arguments: list[str], stdin: str, code: int
) -> None:
    of_fork, of_new = made(tmp_path / "fork"), made(tmp_path / "new")
    forked = carry_out(arguments, stdin=stdin, cwd=of_fork / "jobs", env=environment(of_fork), seconds=60)
    new = subprocess.run(
        [MOONTIDE, *arguments],
        input=stdin,
        cwd=of_new / "jobs",
        env=environment(of_new),
        capture_output=True,
        text=True,
        check=False,
    )
    assert forked.returncode == code
    assert left(forked, of_fork) == left(new, of_new)


def left(result: Result, home: Path) -> tuple[int, str, str]:
    out, err = (text.replace(str(home), "HOME") for text in (result.stdout, result.stderr))
    return result.returncode, out, err


def test_no_command_sees_the_environment_of_another(home: Path) -> None:
    def asked(**more: str) -> str:
        env = environment(home, **more)
        return carry_out(["jobs"], stdin="", cwd=home, env=env, seconds=60).stderr

    other = str(home / "other")
    assert other in asked(MOONTIDE_HOME=other)
    assert other not in asked()


def test_one_that_does_not_end_is_ended(home: Path) -> None:
    result = carry_out(["serve"], stdin="", cwd=home, env=environment(home), seconds=1)
    assert result.returncode < 0
