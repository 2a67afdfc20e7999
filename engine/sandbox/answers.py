"""What workers answer, read with suspicion and put into words."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from engine.errors import WireError
from engine.jobs.jobvalues import read_retry_delay
from engine.sandbox import wire, words
from engine.sandbox.program import Declaration, Ending, EndKind
from engine.sandbox.values import decode_value, json_ready
from engine.states import Returned

BROKEN_PROTOCOL = "worker crashed: it sent an answer that makes no sense"

_KINDS = {"bad_return": EndKind.BAD_RETURN, "error": EndKind.LUA_ERROR, "memory": EndKind.MEMORY}


def read_done(done: wire.Done, *, result_bytes: int, memory_words: str, seconds: float) -> Ending:
    """Return how a run ended.

    Args:
        done: the worker's last message of the run.
        result_bytes: a larger result is replaced by a note.
        memory_words: the error after a run that ended for want of memory.
        seconds: how long the run took.

    Raises:
        WireError: the message makes no sense.
    """
    numbers: dict[str, Any] = {
        "duration_seconds": seconds,
        "cpu_seconds": done.cpu_seconds,
        "peak_memory_bytes": done.memory_bytes,
        "dropped_lines": done.dropped,
    }
    if done.kind == "returned":
        code = _read_code(done.text)
        if code is Returned.RETRY:
            return _read_retry(done, numbers)
        result, note = _read_result(done, result_bytes)
        return Ending(EndKind.RETURNED, returned=code, result=result, result_note=note, **numbers)
    kind = _KINDS.get(done.kind)
    if kind is None:
        raise WireError("an end of an unknown kind")
    error = memory_words if kind is EndKind.MEMORY else words.from_worker(done.text)
    return Ending(kind, error=error, **numbers)


def _read_retry(done: wire.Done, numbers: dict[str, Any]) -> Ending:
    """Return the end of a run that wants to be tried again; its second value is the delay."""
    try:
        if done.note is not None:
            raise ValueError("write 30s, 15m, 1h30m or a number of seconds")
        delay = None if done.result is None else read_retry_delay(json_ready(decode_value(done.result)))
    except ValueError as error:
        problem = f"run() returned job.RETRY with a delay that cannot be used: {error}"
        return Ending(EndKind.BAD_RETURN, error=problem, **numbers)
    return Ending(EndKind.RETURNED, returned=Returned.RETRY, retry_seconds=delay, **numbers)


def _read_code(text: bytes) -> Returned:
    try:
        return Returned(text.decode("ascii"))
    except ValueError as error:
        raise WireError("an unknown code") from error


def _read_result(done: wire.Done, limit_bytes: int) -> tuple[Any, str | None]:
    if done.note is not None:
        return None, words.from_worker(done.note)
    if done.result is None:
        return None, None
    result = json_ready(decode_value(done.result))
    if len(msgspec.json.encode(result)) > limit_bytes:
        return None, f"the result was not kept: it is larger than {words.size(limit_bytes)}"
    return result, None


def read_declared(name: str, declared: wire.Declared) -> Declaration:
    """Return what a job file declares.

    Raises:
        WireError: the message makes no sense.
    """
    if declared.error is not None:
        error = words.from_worker(declared.error)
        return Declaration(None, error, _line_in(name, error))
    settings = decode_value(declared.settings or b"")
    if isinstance(settings, list):
        settings = dict(enumerate(settings, start=1))
    if not isinstance(settings, dict):
        raise WireError("settings that are no table")
    return Declaration(settings, varies=declared.varies)


def _line_in(name: str, error: str) -> int | None:
    # Of a long name Lua shows the end only.
    found = re.search(rf"(?:^|\n\s*)(?:{re.escape(name)}|\.\.\.[^:\n]+):(\d+):", error)
    return int(found.group(1)) if found else None
