"""What is shown of job files and library modules as texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.views.planned import ComingView


@dataclass(frozen=True, slots=True)
class ProblemView:
    """One thing that is wrong with a job file, as `moontide check` prints it."""

    path: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class SettingView:
    """A setting that job files may give.

    Attributes:
        default: its value where a file says nothing.
        help: one sentence about it.
        example: a value as a job file would write it.
    """

    name: str
    default: Any
    help: str
    example: str


@dataclass(frozen=True, slots=True)
class ModuleView:
    """A library module of the jobs folder.

    Attributes:
        name: as `require` takes it, such as `lib.money`; `path` is below the jobs folder.
        hash: SHA-256 of its text; None if it cannot be read, and `problem` says why.
        size: of its text, in bytes.
        changed: when its file was last written.
        jobs: that are known to use it.
        stale: those of them that knew another text when they were last looked at; a reload tells of it.
    """

    name: str
    path: str
    hash: str | None
    size: int
    changed: datetime | None
    jobs: list[str]
    stale: list[str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EntryView:
    """A setting as a job file's text has it.

    Attributes:
        text: the value as written.
        value: the same as plain data; None if it is computed.
        computed: whether it is more than a literal, such as `5 * MINUTE`.
        typed: the value as somebody would type it into a form: text without quotes.
    """

    name: str
    text: str
    value: Any
    computed: bool
    typed: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """What a text would be as a job's file.

    Attributes:
        text: the file's text, with the settings that were asked for.
        entries: the settings as they are written, in the order of the text.
        fixed: why the settings can be changed in the editor only; empty if they can be changed one by one.
        error: what is wrong with the file, or None; `line` is where, if that is known.
        problems: the same one by one, each with its line if that is known; empty if nothing is wrong.
        settings: all settings with defaults filled in; None while the file is wrong.
        schedule: the schedule in words.
        coming: the next due times if the job were armed now.
    """

    text: str
    entries: list[EntryView]
    fixed: str
    error: str | None
    line: int | None
    settings: dict[str, Any] | None
    schedule: str
    coming: list[ComingView]
    problems: list[ProblemView] = field(default_factory=list)
