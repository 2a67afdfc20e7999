"""What may be asked about groups and pauses: the contract between the API's routes and the service."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from engine.rules.holds import HoldScope
from engine.views import GroupView, HoldView


class HoldOperations(Protocol):
    """Groups and pauses as the API sees them (`Operations.holds`)."""

    def groups(self) -> list[GroupView]:
        """Return all groups, in the order of their names."""

    def group(self, name: str) -> GroupView:
        """Return one group.

        Raises:
            NotFound: no job is in such a group.
        """

    async def enable_group(self, name: str, *, note: str = "", actor: str) -> GroupView:
        """Let the jobs of a group run again; due times that passed meanwhile are not made up for.

        Raises:
            NotFound: no job is in such a group.
            Refused: it is enabled already.
        """

    async def disable_group(self, name: str, *, note: str = "", actor: str) -> GroupView:
        """Let no job of a group run; their waiting runs end SKIPPED, those under way go on.

        Raises:
            NotFound: no job is in such a group.
        """

    def holds(self) -> list[HoldView]:
        """Return all disabled groups and all pauses."""

    async def pause(
        self, scope: HoldScope, target: str, *, until: datetime | None, note: str = "", actor: str
    ) -> HoldView:
        """Let nothing of a job, a group or the engine start; runs under way go on.

        Args:
            target: the name of the job or group; "" for the engine.
            until: when that ends by itself (aware), or None.

        Raises:
            NotFound: there is no such job or group.
            Refused: `until` has passed.
        """

    async def resume(self, scope: HoldScope, target: str, *, note: str = "", actor: str) -> HoldView:
        """End a pause, and return what it was.

        Raises:
            NotFound: there is no such job or group.
            Refused: it is not paused.
        """
