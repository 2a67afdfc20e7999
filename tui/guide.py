"""Which screen stands at which place, and how it is opened; each is loaded when it is opened first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Final

from textual import work

from tui.deeds.holddeeds import pause_engine
from tui.model.places import (
    EditorPlace,
    Everywhere,
    FormPlace,
    JobPlace,
    ModulePlace,
    Place,
    RunPlace,
)
from tui.page import Context, Page
from tui.screens.jobs import JobsScreen
from tui.typeahead import TypeAhead

#: Where the class of each screen is. It is made with the context and the fields of the place.
SCREENS: Final[Mapping[Everywhere | type[Place], str]] = {
    Everywhere.RUNS: "tui.screens.runs:RunsScreen",
    Everywhere.COMING: "tui.screens.coming:ComingScreen",
    Everywhere.ALERTS: "tui.screens.alerts:AlertsScreen",
    Everywhere.GROUPS: "tui.screens.groups:GroupsScreen",
    Everywhere.SCHEDULES: "tui.screens.schedules:SchedulesScreen",
    Everywhere.AUDIT: "tui.screens.audit:AuditScreen",
    Everywhere.CHARTS: "tui.screens.charts:ChartsScreen",
    Everywhere.WHY: "tui.screens.ledger:LedgerScreen",
    Everywhere.LIBRARY: "tui.screens.library:LibraryScreen",
    Everywhere.PLUGINS: "tui.screens.plugins:PluginsScreen",
    Everywhere.SETTINGS: "tui.screens.settings:SettingsScreen",
    Everywhere.ENGINE: "tui.screens.enginepage:EngineScreen",
    Everywhere.NODES: "tui.screens.nodes:NodesScreen",
    JobPlace: "tui.screens.job:JobScreen",
    RunPlace: "tui.screens.run:RunScreen",
    EditorPlace: "tui.screens.editor:EditorScreen",
    FormPlace: "tui.screens.form:FormScreen",
    ModulePlace: "tui.screens.module:ModuleScreen",
}


def screen_kind(place: Place) -> type[Page]:
    """Return the class of the screen that stands at a place."""
    module, _, name = SCREENS[place if isinstance(place, Everywhere) else type(place)].partition(":")
    kind: type[Page] = getattr(import_module(module), name)
    return kind


def screen_at(place: Place, context: Context) -> Page:
    """Make the screen that stands at a place."""
    named = () if isinstance(place, Everywhere) else fields(place)
    return screen_kind(place)(context, **{field.name: getattr(place, field.name) for field in named})


class Guided(TypeAhead):
    """The part of the dashboard that opens screens."""

    context: Context

    @property
    def page(self) -> Page | None:
        """The page on top, if it is one and no dialog."""
        return self.screen if isinstance(self.screen, Page) else None

    def go(self, place: Place) -> None:
        """Open the screen of a place on top of the others."""
        self.push_screen(screen_at(place, self.context))

    def go_instead(self, place: Place) -> None:
        """Open the screen of a place where the one on top was."""
        self.switch_screen(screen_at(place, self.context))

    def list_jobs(self, text: str) -> None:
        """Go back to the list of jobs, and show those that a filter fits."""
        home = next(screen for screen in self.screen_stack if isinstance(screen, JobsScreen))
        home.filter_by(text)
        for _ in self.screen_stack[self.screen_stack.index(home) + 1 :]:
            self.pop_screen()

    def action_place(self, name: str) -> None:
        """Open a screen that a key opens from everywhere, unless it is on top already."""
        place = Everywhere(name)
        if self.page is not None and not isinstance(self.page, screen_kind(place)):
            self.go(place)

    @work
    async def action_pause_engine(self) -> None:
        """Pause or resume the engine."""
        if self.page is not None:
            await pause_engine(self.page)
