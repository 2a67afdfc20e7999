"""The part of both clients that is about what jobs keep from one run to the next."""

from __future__ import annotations

from typing import Any

from engine.api.calls import Call, named
from engine.api.sending import AsyncSend, Send
from engine.views import StateView


class StateClient:
    """What `engine.api.operations.StateOperations` describes."""

    def __init__(self, send: Send) -> None:
        self._send = send

    def show(self, name: str, *, lasting: bool = False) -> StateView:
        return self._send(_show(name, lasting))

    def set(self, name: str, value: Any, *, lasting: bool = False) -> StateView:
        return self._send(_set(name, value, lasting))

    def clear(self, name: str, *, lasting: bool = False) -> StateView:
        return self._send(_clear(name, lasting))


class AsyncStateClient:
    """`StateClient` for programs with an event loop."""

    def __init__(self, send: AsyncSend) -> None:
        self._send = send

    async def show(self, name: str, *, lasting: bool = False) -> StateView:
        return await self._send(_show(name, lasting))

    async def set(self, name: str, value: Any, *, lasting: bool = False) -> StateView:
        return await self._send(_set(name, value, lasting))

    async def clear(self, name: str, *, lasting: bool = False) -> StateView:
        return await self._send(_clear(name, lasting))


def _show(name: str, lasting: bool) -> Call[StateView]:
    return Call("GET", named("state", name), StateView, {"lasting": lasting})


def _set(name: str, value: Any, lasting: bool) -> Call[StateView]:
    return Call("PUT", named("state", name), StateView, {"lasting": lasting}, body={"value": value})


def _clear(name: str, lasting: bool) -> Call[StateView]:
    return Call("DELETE", named("state", name), StateView, {"lasting": lasting})
