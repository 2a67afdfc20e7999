"""The screens that a key opens from everywhere; each is loaded when it is opened first."""

from __future__ import annotations

from textual import work

from tui.page import Context, Page
from tui.typeahead import TypeAhead


class Places(TypeAhead):
    """The part of the dashboard that opens screens."""

    context: Context

    @property
    def page(self) -> Page | None:
        """The page on top, if it is one and no dialog."""
        return self.screen if isinstance(self.screen, Page) else None

    def _open(self, kind: type[Page]) -> None:
        """Open a screen, unless it is on top already."""
        if self.page is not None and not isinstance(self.page, kind):
            self.push_screen(kind(self.context))

    def action_runs(self) -> None:
        """Open the list of runs."""
        from tui.runs import RunsScreen

        self._open(RunsScreen)

    def action_coming(self) -> None:
        """Open the list of what runs next."""
        from tui.coming import ComingScreen

        self._open(ComingScreen)

    def action_alerts(self) -> None:
        """Open the list of what is wrong with jobs."""
        from tui.alerts import AlertsScreen

        self._open(AlertsScreen)

    def action_groups(self) -> None:
        """Open the list of groups."""
        from tui.groups import GroupsScreen

        self._open(GroupsScreen)

    def action_schedules(self) -> None:
        """Open the list of schedules given at run time."""
        from tui.schedules import SchedulesScreen

        self._open(SchedulesScreen)

    def action_audit(self) -> None:
        """Open the list of what operators did."""
        from tui.audit import AuditScreen

        self._open(AuditScreen)

    def action_plugins(self) -> None:
        """Open the list of plugins."""
        from tui.plugins import PluginsScreen

        self._open(PluginsScreen)

    def action_library(self) -> None:
        """Open the list of library modules."""
        from tui.library import LibraryScreen

        self._open(LibraryScreen)

    def action_settings(self) -> None:
        """Open the list of the engine's settings."""
        from tui.settings import SettingsScreen

        self._open(SettingsScreen)

    def action_charts(self) -> None:
        """Open the charts of all jobs."""
        from tui.charts import ChartsScreen

        self._open(ChartsScreen)

    def action_why(self) -> None:
        """Open the slot ledger of all jobs."""
        from tui.ledger import LedgerScreen

        self._open(LedgerScreen)

    def action_engine(self) -> None:
        """Open the page about the engine."""
        from tui.enginepage import EngineScreen

        self._open(EngineScreen)

    @work
    async def action_pause_engine(self) -> None:
        """Pause or resume the engine."""
        from tui.holddeeds import pause_engine

        if self.page is not None:
            await pause_engine(self.page)
