"""Says of a finished attack whether every wall held, as far as the run itself can tell."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from engine.calls.problems import MOST as MOST_PROBLEMS
from engine.sandbox.words import MAX_ERROR_CHARACTERS
from tests.hostile.attack import Attack, End

#: What the engine of a campaign lets one run use.
CPU_SECONDS = 0.5
MEMORY_BYTES = 16 * 2**20
LOG_BYTES = 64 * 2**10
LOG_LINE_BYTES = 4096
RESULT_BYTES = 64 * 2**10

#: A worker is an interpreter with libraries (its peak counts these), the head-room of Lua, and the run's own.
_PEAK_BYTES = MEMORY_BYTES + 44 * 2**20
#: The timer of the kernel is as coarse as its clock, and the end of a run costs something too.
_CPU_MS = 1000 * CPU_SECONDS + 500
_LOG_SLACK_BYTES = 8 * 2**10

_ADDRESS = re.compile(r"0x[0-9a-f]{9,16}\b")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Observed:
    """What became of an attack: its status, and all that it left for people to read."""

    status: str
    error: str = ""
    result: Any = None
    texts: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    cpu_ms: float | None = None
    peak_memory_bytes: int | None = None
    info_bytes: int = 0
    problems: int = 0


def complaints(attack: Attack, seen: Observed, secrets: tuple[str, ...]) -> list[str]:
    """Return what is wrong with the end of an attack; nothing if the walls held.

    Args:
        attack: what was tried.
        seen: what became of it.
        secrets: what no job may ever get to see.
    """
    found = [] if any(_fits(end, seen) for end in attack.ends) else [_unexpected(attack, seen)]
    found += _leaks(seen, secrets)
    found += _excesses(seen)
    return [f"{attack.job}: {one}" for one in found]


def _fits(end: End, seen: Observed) -> bool:
    if end.status != seen.status:
        return False
    if end.words is None:
        return bool(end.result == seen.result)
    return end.words in seen.error


def _unexpected(attack: Attack, seen: Observed) -> str:
    allowed = " or ".join(str(end) for end in attack.ends)
    return (
        f"it ended {seen.status} {seen.error[:300]!r} {json.dumps(seen.result)[:300]}, allowed is {allowed}"
    )


def _leaks(seen: Observed, secrets: tuple[str, ...]) -> list[str]:
    everything = [seen.error, json.dumps(seen.result, ensure_ascii=False), *seen.texts, *seen.log]
    found = ["a secret was found in what it left" for text in everything if _any_in(secrets, text)]
    found += [
        f"an address of memory was found in {text[:100]!r}" for text in everything if _ADDRESS.search(text)
    ]
    found += [
        f"control characters were found in {text[:100]!r}"
        for text in (seen.error, *seen.log)
        if _CONTROL.search(text)
    ]
    return found


def _any_in(secrets: tuple[str, ...], text: str) -> bool:
    return any(secret in text for secret in secrets)


def _excesses(seen: Observed) -> list[str]:
    found = []
    if (seen.peak_memory_bytes or 0) > _PEAK_BYTES:
        found.append(f"its worker took {seen.peak_memory_bytes} bytes")
    if (seen.cpu_ms or 0) > _CPU_MS:
        found.append(f"it used {seen.cpu_ms} ms of processor time")
    if sum(len(line.encode()) for line in seen.log) > LOG_BYTES + _LOG_SLACK_BYTES:
        found.append("its log is larger than the limit")
    if any(len(line.encode()) > LOG_LINE_BYTES + 64 for line in seen.log):
        found.append("a line of its log is longer than the limit")
    if len(json.dumps(seen.result)) > 2 * RESULT_BYTES:
        found.append("its result is larger than the limit")
    if seen.info_bytes > 2 * RESULT_BYTES:
        found.append("its info is larger than the limit")
    if len(seen.error) > 4 * MAX_ERROR_CHARACTERS:
        found.append("its error is longer than the limit")
    if seen.problems > MOST_PROBLEMS:
        found.append(f"{seen.problems} problems are listed with it")
    return found
