"""What a job file would be if it were saved: for forms and editors, before anything is written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from engine.calls.core import CoreModule
from engine.catalog.found import Found
from engine.catalog.jobfiles import JobFiles
from engine.errors import JobFileError
from engine.jobs.additions import Setting
from engine.jobs.jobedit import Entry, SettingsTable, change_settings, read_table
from engine.jobs.jobfile import SETTINGS
from engine.jobs.jobfolder import check_job_name
from engine.jobs.luatokens import line_at
from engine.jobs.typedvalues import typed_text, typed_value
from engine.luaclasses import lua_classes
from engine.rules.forecast import forecast
from engine.rules.lifecycle import ON_DEMAND, UNKNOWN, waiting
from engine.times.clock import Clock
from engine.views import ComingView, DraftView, EntryView, LuaClassView, ProblemView, SettingView

#: How many due times of a draft are told.
COMING = 5

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)


class DraftDesk:
    """Answers the API's requests about drafts (see `engine.api.operations.DraftOperations`)."""

    def __init__(
        self,
        *,
        clock: Clock,
        files: JobFiles,
        modules: Mapping[str, CoreModule],
        added: Collection[Setting] = (),
    ) -> None:
        """Make a desk.

        Args:
            modules: what stands below `core`.
            added: settings that plugins add to job files.
        """
        self._modules = modules
        self._added = added
        self._classes: list[LuaClassView] | None = None
        self._clock = clock
        self._files = files
        self._settings = {one.name: one for one in (*SETTINGS, *added)}

    def settings(self) -> list[SettingView]:
        """Return every setting that a job file may give."""
        return [SettingView(one.name, one.default, one.help, one.example) for one in self._settings.values()]

    def classes(self) -> list[LuaClassView]:
        """Return the tables that job files meet, with all that they hold."""
        if self._classes is None:
            self._classes = lua_classes(self._modules, self._added)
        return self._classes

    async def draft(
        self, name: str, text: str, changes: Mapping[str, Any], typed: Mapping[str, str]
    ) -> DraftView:
        """Return what a text would be as a job's file, after changes of its settings."""
        path = check_job_name(name)
        meant = {
            one: typed_value(self._settings[one], value)
            for one, value in typed.items()
            if one in self._settings
        }
        text = change_settings(text, {**changes, **meant})
        found = await self._files.declare_text(name, path, text.encode())
        table, fixed = _table_of(text)
        return DraftView(
            text=text,
            fixed=fixed,
            entries=[self._entry(one) for one in table.entries] if table else [],
            error=found.error,
            line=found.line,
            settings=found.settings.as_dict() if found.settings else None,
            schedule=found.schedule.words() if found.schedule else ON_DEMAND if found.settings else "",
            coming=self._coming(found),
            problems=list(_problems(found, text, table)),
        )

    def _entry(self, entry: Entry) -> EntryView:
        typed = typed_text(self._settings.get(entry.name), entry)
        return EntryView(entry.name, entry.text, entry.value, entry.computed, typed)

    def _coming(self, found: Found) -> list[ComingView]:
        if found.schedule is None:
            return []
        state = waiting(UNKNOWN, found.schedule, found.schedule.first(self._clock.now()))
        return forecast([(found.name, state, found.schedule, found.blackout)], since=None, count=COMING)


def _problems(found: Found, text: str, table: SettingsTable | None) -> Iterator[ProblemView]:
    """Yield what is wrong with a draft, each problem with its line if that is known."""
    if found.error is not None and not found.problems:
        yield ProblemView(found.path, found.line, found.error)
    for problem in found.problems:
        yield ProblemView(found.path, _line_of(problem, text, table), problem)


def _line_of(problem: str, text: str, table: SettingsTable | None) -> int | None:
    """Return the line of the first setting that a problem names, or that of the table."""
    if table is None:
        return None
    for word in _WORD.findall(problem):
        if (entry := table.entry(word)) is not None:
            return line_at(text, entry.start)
    return line_at(text, table.start)


def _table_of(text: str) -> tuple[SettingsTable | None, str]:
    try:
        return read_table(text), ""
    except JobFileError as error:
        return None, str(error)
