"""Job files from a crontab: the times are carried over, the commands are described for a person to rewrite.

A job cannot start programs, so every file comes switched off, with the command in a comment.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from engine.errors import ScheduleError
from engine.times.schedule import parse_cron, parse_timezone

_VARIABLE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$")
_WORD = re.compile(r"[^A-Za-z0-9_]+")
_NOT_IN_TIMES = re.compile(r"[A-Za-z]")

#: Programs whose first argument says more about a line than they do.
_WRAPPERS = frozenset(
    {"sh", "bash", "env", "nice", "ionice", "flock", "timeout", "sudo", "cd", "python3", "perl"}
)

#: The default sender's variables that mean something to cron alone.
_MAIL = "MAILTO"
_ZONES = ("CRON_TZ", "TZ")


@dataclass(frozen=True, slots=True)
class ImportedJob:
    """A job file made of one line.

    Attributes:
        name: of the job.
        text: of its file.
        line: the line's number in the crontab.
        problems: what could not be carried over, in words.
    """

    name: str
    text: str
    line: int
    problems: tuple[str, ...]


@dataclass(slots=True)
class _Entry:
    number: int
    times: str
    command: str
    user: str | None
    variables: dict[str, str]
    problems: list[str] = field(default_factory=list)


def read_crontab(text: str, *, system: bool = False) -> list[ImportedJob]:
    """Return a job file for each line of a crontab that has times.

    Args:
        system: lines have a user between times and command, as in /etc/crontab and /etc/cron.d.
    """
    taken: set[str] = set()
    return [_job(entry, taken) for entry in _entries(text, system)]


def _entries(text: str, system: bool) -> Iterator[_Entry]:
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if (assigned := _VARIABLE.match(line)) and line.lstrip()[0] not in "*@0123456789":
            variables[assigned[1]] = assigned[2].strip("\"'")
            continue
        yield _entry(number, line, system, dict(variables))


def _entry(number: int, line: str, system: bool, variables: dict[str, str]) -> _Entry:
    fields = 1 if line.lstrip().startswith("@") else 5
    parts = line.split(None, fields + (1 if system else 0))
    times = " ".join(parts[:fields])
    user = parts[fields] if system and len(parts) > fields else None
    command = parts[-1].strip() if len(parts) > fields + (1 if system else 0) else ""
    return _Entry(number, times, command, user, variables)


def _job(entry: _Entry, taken: set[str]) -> ImportedJob:
    settings = _settings(entry)
    _note_what_is_lost(entry)
    name = _name(entry, taken)
    return ImportedJob(name, _file(entry, settings), entry.number, tuple(entry.problems))


def _settings(entry: _Entry) -> dict[str, str]:
    settings = _schedule(entry)
    zone = next((entry.variables[name] for name in _ZONES if entry.variables.get(name)), None)
    if zone and "cron" in settings and _is_zone(entry, zone):
        settings["timezone"] = _quoted(zone)
    settings["description"] = _quoted(entry.command.splitlines()[0][:200] if entry.command else "")
    settings["active"] = "false"
    return settings


def _is_zone(entry: _Entry, zone: str) -> bool:
    try:
        parse_timezone(zone)
    except ScheduleError as error:
        entry.problems.append(f"the time zone: {error}")
        return False
    return True


def _schedule(entry: _Entry) -> dict[str, str]:
    if entry.times.lower() == "@reboot":
        return {"run_at_start": "true"}
    try:
        parse_cron(entry.times)
    except ScheduleError as error:
        entry.problems.append(f"the times {entry.times!r}: {error}")
        return {}
    return {"cron": _quoted(entry.times)}


def _note_what_is_lost(entry: _Entry) -> None:
    if not entry.command:
        entry.problems.append("the line has no command")
    else:
        entry.problems.append("the command: a job cannot start programs")
    if "%" in entry.command.replace("\\%", ""):
        entry.problems.append("the input after % that cron gives to the command")
    if entry.user:
        entry.problems.append(f"the user {entry.user}: all jobs run in the engine's sandbox")
    if entry.variables.get(_MAIL):
        entry.problems.append(f"the mail to {entry.variables[_MAIL]}: send one with core.email")
    others = sorted(set(entry.variables) - {_MAIL, "SHELL", "PATH", "HOME", "LOGNAME", *_ZONES})
    if others:
        entry.problems.append(f"the variables {', '.join(others)}: a job has no environment")


def _name(entry: _Entry, taken: set[str]) -> str:
    base = _word_of(entry.command) or f"line_{entry.number}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name


def _word_of(command: str) -> str:
    for word in command.split():
        stem = PurePosixPath(word).stem
        if "=" in word or word.startswith("-") or stem in _WRAPPERS or not _NOT_IN_TIMES.search(stem):
            continue
        return _WORD.sub("_", stem).strip("_").lower()[:60]
    return ""


def _file(entry: _Entry, settings: dict[str, str]) -> str:
    lines = [
        f"-- From line {entry.number} of a crontab:",
        *(f"--   {line}" for line in f"{entry.times} {entry.command}".splitlines()),
        "-- Not carried over:",
        *(f"--   {problem}" for problem in entry.problems),
        "-- The job is switched off: write what the command did, then set active = true.",
        "local job = core.job {",
        *(f"  {name} = {value}," for name, value in settings.items()),
        "}",
        "",
        "function job.run()",
        "  return job.OK",
        "end",
        "",
        "return job",
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as a Lua string; JSON's escapes are Lua's but for those of control characters."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return json.dumps(plain, ensure_ascii=False)
