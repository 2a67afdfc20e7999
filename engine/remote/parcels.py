"""What travels between engines and workers, as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from engine.errors import UnreadableParcel
from engine.run import Outcome, RunRequest

T = TypeVar("T")

#: A line of a run's log: its level and its text.
Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Request:
    """What a worker is asked to carry out.

    Attributes:
        run: without its source, unless the database cannot keep that as it is.
        version: that of the engine.
        modules: the core modules that the engine's jobs have.
        memory: what an engine has to know that takes the run over; nothing for workers.
    """

    run: RunRequest
    version: str
    modules: tuple[str, ...]
    memory: bytes = b""


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended on a worker, and the lines of its log that were not sent before."""

    outcome: Outcome
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a run asks of the engine: a method with its arguments."""

    method: str
    arguments: list[Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What it came to: a value, or an error for the job with its code."""

    value: Any = None
    error: str | None = None
    code: int | None = None


def request_bytes(request: RunRequest, version: str, modules: Sequence[str], memory: bytes = b"") -> bytes:
    """Return a request as it travels: its source stands in the table of sources, where it is the same."""
    text = request.source.decode("utf-8", "replace")
    if text.encode() == request.source and "\0" not in text:
        request = replace(request, source=b"")
    return msgspec.msgpack.encode(Request(request, version, tuple(modules), memory))


def read_request(data: bytes) -> Request:
    """Return a request."""
    return _read(data, Request)


def end_bytes(end: End) -> bytes:
    """Return an end as it travels."""
    return msgspec.msgpack.encode(end)


def read_end(data: bytes) -> End:
    """Return an end."""
    return _read(data, End)


def lines_bytes(lines: Sequence[Line]) -> bytes:
    """Return lines of a log as they travel."""
    return msgspec.msgpack.encode(lines)


def read_lines(data: bytes) -> list[Line]:
    """Return lines of a log."""
    return _read(data, list[Line])


def question_bytes(method: str, arguments: Sequence[Any]) -> bytes:
    """Return a question as it travels."""
    return msgspec.msgpack.encode(Question(method, list(arguments)))


def read_question(data: bytes) -> Question:
    """Return a question."""
    return _read(data, Question)


def answer_bytes(answer: Answer) -> bytes:
    """Return an answer as it travels."""
    return msgspec.msgpack.encode(answer)


def read_answer(data: bytes) -> Answer:
    """Return an answer."""
    return _read(data, Answer)


def _read(data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise UnreadableParcel(
            f"what stands in the database of a run elsewhere cannot be read: {error}"
        ) from error
