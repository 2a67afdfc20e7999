"""Command lines made from what the commands declare, given to the real command beside a running engine.

A new command is tried without being named here. Whatever comes: no traceback, a documented exit code, and
no control character that a terminal would obey.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import typer.main
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from engine.cli.commands import make_app
from tests.e2e.conftest import Home, environment, job
from tests.progress import Progress

#: They go on until somebody ends them; of them only wrong usage is tried.
ENDLESS = {("up",), ("serve",), ("worker",), ("tui",), ("web",)}

#: Options with which a command goes on until something happens.
WAITING = {"follow", "wait", "watch"}

#: Done, failed, wrong usage; an engine runs, so that 3 is wrong.
CODES = {0, 1, 2}

#: Control characters but for newline and tab, and those that turn the direction of writing.
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

_JOBS = {
    "ticker": job(
        'core.log("\\27[31mred") return job.OK, run.data', 'every = "1h", tags = { team = "shop" }'
    ),
    "admin/cleanup": job("return job.OK", 'cron = "0 3 * * *"'),
    "broken": 'local job = core.job { every = "\\27]0;title\\7" }\n',
}

#: What commands take, what looks like it, and what would steer a terminal.
_WORDS = (
    *_JOBS, "admin/*", "*", "", " ", "-", "--", "1", "0", "-1", "99999999999999999999", "1e308", "nan",
    "-2h", "+30m", "18:00", "25:61", "2026-02-30", "0001-01-01T00:00", "9999-12-31T23:59:59+14:00", "5m",
    "1h30m", "Europe/Berlin", "Mars", "error", "timeout", "every", "show", "set", "ack", "enable",
    "team=shop", "{}", "[1,", "null", "\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\u202eabc", "\udcff", "a\nb",
    "a\tb", "x" * 5000, "caf\xe9", "\U0001f319",
)  # fmt: skip


def _harmless(text: str) -> bool:
    """Whether a text, taken as a path, stays in the folder where the commands work."""
    return not text.startswith(("/", "~", "-")) and ".." not in text and "\0" not in text


_TEXTS = st.sampled_from(_WORDS) | st.text(max_size=30).filter(_harmless).filter(
    lambda text: text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") == text
)


@dataclass
class Report:
    """What came of command lines.

    Attributes:
        codes: how many ended with each exit code.
        complaints: the first of each command that was wrong, and what was wrong with it.
    """

    codes: Counter[int] = field(default_factory=Counter)
    complaints: dict[tuple[tuple[str, ...], str], str] = field(default_factory=dict)


class Shell:
    """Carries out command lines in a home whose engine runs."""

    def __init__(self, home: Path, process: subprocess.Popen[str]) -> None:
        self._home = home
        self._process = process
        self.progress = Progress()
        self._commands = dict(_commands(typer.main.get_command(make_app()), ()))

    @property
    def commands(self) -> set[tuple[str, ...]]:
        """The words of each command."""
        return set(self._commands)

    def carry_out(self, *arguments: str) -> dict[str, Any]:
        """Return exit code and output of one command line."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(["--home", str(self._home), *arguments]) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said

    def try_all(self, examples: int, *, number: int | None = None) -> Report:
        """Try every command.

        Args:
            examples: command lines for each.
            number: what all chance follows from; None for what is always alike.
        """
        report = Report()
        for words, command in sorted(self._commands.items()):
            self._try(words, _lines(words, command), examples, number, report)
        return report

    def _try(
        self,
        words: tuple[str, ...],
        lines: st.SearchStrategy[list[str]],
        examples: int,
        number: int | None,
        report: Report,
    ) -> None:
        tried = count()

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=number is None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(line=lines)
        def each(line: list[str]) -> None:
            self.progress.say(" ".join(words), f"{next(tried)} of {examples} done")
            said = self.carry_out(*words, *line)
            report.codes[said["code"]] += 1
            for what in wrong(said):
                told = f"{[*words, *line]!r}: {what}\n{said['out'][:1500]!r}\n{said['err'][-3000:]!r}"
                report.complaints.setdefault((words, what), told)

        (each if number is None else seed(number)(each))()


@contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    """Start an engine, and what carries out command lines beside it."""
    home = Home(folder / "home")
    for name, text in _JOBS.items():
        home.write(name, text)
    home.start_seconds = 180
    (folder / "work").mkdir()
    command = [sys.executable, "-m", "tests.hostile.commandfork", str(folder / "work")]
    with home.serving() as served:
        served.run("ticker")
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
            cwd=Path(__file__).parents[2],
        )
        shell = Shell(home.path, process)
        try:
            yield shell
        finally:
            shell.progress.end()
            process.communicate()
        assert served.client.status().state == "Running"


def _commands(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield each command with its words, those of groups too."""
    below = getattr(command, "commands", None)
    if below is None:
        yield words, command
        return
    for name, found in below.items():
        yield from _commands(found, (*words, name))


def _lines(words: tuple[str, ...], command: Any) -> st.SearchStrategy[list[str]]:
    """Return arguments for a command: of those that it declares each given or not, and sometimes too many."""
    if words in ENDLESS:
        return _TEXTS.map(lambda text: ["--no-such-option", text])
    options = [one for one in command.params if one.param_type_name == "option" and one.name not in WAITING]
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    count = sum(3 if one.nargs == -1 else one.nargs for one in arguments)
    parts = [st.just([]) | _option(one) for one in options]
    given_arguments = st.lists(_TEXTS, min_size=max(count - 2, 0), max_size=count + 1)
    return st.tuples(*parts, given_arguments).map(lambda found: [word for part in found for word in part])


def _option(option: Any) -> st.SearchStrategy[list[str]]:
    name = option.opts[0]
    return st.just([name]) if option.is_flag else _TEXTS.map(lambda text: [name, text])


def wrong(said: dict[str, Any]) -> list[str]:
    """Return what is wrong with how a command ended."""
    return [
        *([f"it ended with {said['code']}"] if said["code"] not in CODES else []),
        *(["it ended with a traceback"] if "Traceback (most recent" in said["out"] + said["err"] else []),
        *(["it printed control characters"] if RAW.search(said["out"] + said["err"]) else []),
    ]
