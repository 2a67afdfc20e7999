"""The places that a screen may lead to, as data: a screen says where to go, and knows no other screen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Everywhere(StrEnum):
    """What a key opens from every screen."""

    RUNS = "runs"
    COMING = "coming"
    ALERTS = "alerts"
    GROUPS = "groups"
    SCHEDULES = "schedules"
    AUDIT = "audit"
    CHARTS = "charts"
    WHY = "why"
    LIBRARY = "library"
    PLUGINS = "plugins"
    SETTINGS = "settings"
    ENGINE = "engine"
    NODES = "nodes"


@dataclass(frozen=True, slots=True)
class JobPlace:
    """The page of a job."""

    name: str


@dataclass(frozen=True, slots=True)
class RunPlace:
    """The page of a run."""

    run_id: int


@dataclass(frozen=True, slots=True)
class EditorPlace:
    """A job's file in the editor; a new one does not exist yet."""

    name: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class FormPlace:
    """A job's settings as a form; the file of a new one does not exist yet."""

    name: str
    new: bool = False


@dataclass(frozen=True, slots=True)
class ModulePlace:
    """The code of a library module."""

    name: str


Place = Everywhere | JobPlace | RunPlace | EditorPlace | FormPlace | ModulePlace


class Guide(Protocol):
    """Leads to places."""

    def go(self, place: Place) -> None:
        """Open the screen of a place on top of the others."""

    def go_instead(self, place: Place) -> None:
        """Open the screen of a place where the one on top was."""

    def list_jobs(self, text: str) -> None:
        """Go back to the list of jobs, and show those that a filter fits."""
