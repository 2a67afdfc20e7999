"""How the parts of both clients send requests."""

from __future__ import annotations

from typing import Protocol, TypeVar

from engine.api.calls import Call

T = TypeVar("T")


class Send(Protocol):
    """Sends a request and returns its answer."""

    def __call__(self, call: Call[T], /) -> T:
        """Send it."""


class AsyncSend(Protocol):
    """Sends a request and returns its answer, on an event loop."""

    async def __call__(self, call: Call[T], /) -> T:
        """Send it."""
