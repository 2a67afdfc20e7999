"""For the screens that plugins add to the dashboard, in the dashboard's own process."""

from tui.report import Line, ReportScreen

__all__ = ["Line", "ReportScreen"]
