"""Durations, sizes, signals and texts from workers, in the words that people read."""

from __future__ import annotations

import signal

from engine.legible import legible

#: Text of an error that is kept; a worker cuts at 8 KiB by itself.
MAX_ERROR_CHARACTERS = 16_384

_SIGNAL_MEANINGS = {
    signal.SIGSEGV: "the Lua interpreter failed",
    signal.SIGABRT: "the Lua interpreter gave up",
    signal.SIGBUS: "the Lua interpreter failed",
    signal.SIGSYS: "it tried something that the sandbox forbids",
    signal.SIGKILL: "something outside killed it; the kernel does so when the machine has no memory left",
    signal.SIGTERM: "something outside ended it",
}


def duration(seconds: float) -> str:
    """Return "0.5 s", "30 s", "5 min" or "1 h 30 min"."""
    if seconds < 60 or seconds % 60:
        return f"{seconds:g} s"
    hours, minutes = divmod(int(seconds) // 60, 60)
    parts = [f"{hours} h"] if hours else []
    if minutes:
        parts.append(f"{minutes} min")
    return " ".join(parts)


def size(count: int) -> str:
    """Return bytes as "512 bytes", "16 KB" or "64 MB" (units of 1024)."""
    if count >= 2**20:
        return f"{count / 2**20:.4g} MB"
    if count >= 2**10:
        return f"{count / 2**10:.4g} KB"
    return f"{count} bytes"


def crash(status: int) -> str:
    """Return what a worker's wait status says, such as "worker crashed (SIGSEGV): ..."."""
    number = status & 0x7F
    if number == 0:
        return f"worker crashed (exit code {status >> 8}): it ended without an answer"
    try:
        name = signal.Signals(number)
    except ValueError:
        return f"worker crashed (signal {number})"
    meaning = _SIGNAL_MEANINGS.get(name)
    return f"worker crashed ({name.name})" + (f": {meaning}" if meaning else "")


def from_worker(data: bytes) -> str:
    """Return a worker's text, bounded, with control characters made visible."""
    text = data[: 4 * MAX_ERROR_CHARACTERS].decode("utf-8", "replace")[:MAX_ERROR_CHARACTERS]
    return legible(text)


def is_cpu_limit(status: int) -> bool:
    """Whether a wait status says that the kernel's processor timer ended the process."""
    return status & 0x7F in (signal.SIGPROF, signal.SIGXCPU)
