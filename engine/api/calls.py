"""Requests of the API as values, and as methods that both clients share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload
from urllib.parse import quote

import msgspec

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and what its answer is made into."""

    method: str
    path: str
    answer: type[T]
    params: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] | None = None

    def content(self) -> bytes | None:
        """Return the body as JSON."""
        return None if self.body is None else msgspec.json.encode(self.body)

    def decode(self, content: bytes) -> T:
        """Return the answer's value; an answer without content is None."""
        return msgspec.json.decode(content or b"null", type=self.answer)


def given(**params: Any) -> dict[str, Any]:
    """Return parameters without those that are None; times become text."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in params.items()
        if value is not None
    }


def named(kind: str, name: str) -> str:
    """Return the path of something that belongs to a job."""
    return f"/v1/{kind}/{quote(name, safe='')}"


class Send(Protocol):
    """Sends a request and returns its answer."""

    def __call__(self, call: Call[T], /) -> T:
        """Send it."""


class AsyncSend(Protocol):
    """Sends a request and returns its answer, on an event loop."""

    def __call__(self, call: Call[T], /) -> Coroutine[Any, Any, T]:
        """Send it."""


class Part(Generic[S]):
    """A part of a client: its methods that are `asked` go through `send`, a `Send` or an `AsyncSend`."""

    def __init__(self, send: S) -> None:
        self._send = send


class Asked(Generic[P, T]):
    """A method that makes a request: to call it on a part of a client sends that and gives the answer."""

    def __init__(self, make: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self.__doc__ = make.__doc__
        self.__wrapped__ = make
        self._make = make

    @overload
    def __get__(self, part: None, owner: type) -> Self: ...
    @overload
    def __get__(self, part: Part[Send], owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, part: Part[AsyncSend], owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, part: Part[Any] | None, owner: type) -> Any:
        """Return the method of a part."""
        if part is None:
            return self

        @functools.wraps(self._make)
        def ask(*args: P.args, **kwargs: P.kwargs) -> Any:
            return part._send(self._make(part, *args, **kwargs))

        return ask


def asked(make: Callable[Concatenate[Any, P], Call[T]]) -> Asked[P, T]:
    """Let a method of a part send the request that it makes, and return the answer: at once, or awaited."""
    return Asked(make)
