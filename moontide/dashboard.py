"""For the screens that plugins add to the dashboard, in the dashboard's own process."""

from tui.screens.report import Line, ReportScreen

__all__ = ["Line", "ReportScreen"]
