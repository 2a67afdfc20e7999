"""What a job file would be if it were saved: for forms and editors, before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from engine.additions import Setting
from engine.catalog import Catalog, Found
from engine.clock import Clock
from engine.errors import JobFileError
from engine.forecast import forecast
from engine.jobedit import Entry, SettingsTable, change_settings, read_table
from engine.jobfile import SETTINGS
from engine.jobfolder import check_job_name
from engine.lifecycle import ON_DEMAND, UNKNOWN, waiting
from engine.typedvalues import typed_text, typed_value
from engine.views import ComingView, DraftView, EntryView, SettingView

#: How many due times of a draft are told.
COMING = 5


class DraftDesk:
    """Answers the API's requests about drafts (see `engine.api.operations.DraftOperations`)."""

    def __init__(self, *, clock: Clock, catalog: Catalog, added: Collection[Setting] = ()) -> None:
        """Make a desk.

        Args:
            added: settings that plugins add to job files.
        """
        self._clock = clock
        self._catalog = catalog
        self._settings = {one.name: one for one in (*SETTINGS, *added)}

    def settings(self) -> list[SettingView]:
        """Return every setting that a job file may give."""
        return [SettingView(one.name, one.default, one.help, one.example) for one in self._settings.values()]

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
        found = await self._catalog.declare_text(name, path, text.encode())
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
        )

    def _entry(self, entry: Entry) -> EntryView:
        typed = typed_text(self._settings.get(entry.name), entry)
        return EntryView(entry.name, entry.text, entry.value, entry.computed, typed)

    def _coming(self, found: Found) -> list[ComingView]:
        if found.schedule is None:
            return []
        state = waiting(UNKNOWN, found.schedule, found.schedule.first(self._clock.now()))
        return forecast([(found.name, state, found.schedule, found.blackout)], since=None, count=COMING)


def _table_of(text: str) -> tuple[SettingsTable | None, str]:
    try:
        return read_table(text), ""
    except JobFileError as error:
        return None, str(error)
