"""What somebody may do with an engine: three roles, each of which may do all that the one before may."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """How far somebody is trusted.

    A viewer sees everything and changes nothing. An operator decides when jobs run: starts and cancels runs,
    switches and pauses jobs, reloads, gives schedules. An admin also decides what jobs are: their files and
    settings.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def may(self, needed: Role) -> bool:
        """Return whether this role suffices where `needed` is."""
        order = tuple(Role)
        return order.index(self) >= order.index(needed)
