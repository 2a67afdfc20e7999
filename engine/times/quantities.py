"""Durations and sizes as people write and read them."""

from __future__ import annotations

import math
import re
from fractions import Fraction
from functools import lru_cache

#: Seconds of each unit, in the order in which a duration names them.
_SECONDS = {
    "w": Fraction(604_800),
    "d": Fraction(86_400),
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1000),
}
_ORDER = list(_SECONDS)
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
_PLAIN = re.compile(_NUMBER)
_PART = re.compile(rf"({_NUMBER}) *(ms|min|[wdhms])(?![a-z]) *")

_BYTES = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE = re.compile(rf"({_NUMBER}) *(?:([kmgt])(?:i?b)?|b)?", re.IGNORECASE)


def parse_duration(value: object) -> float:
    """Return the seconds of a duration as a file or variable gives it.

    Args:
        value: a number of seconds, or text: `"30s"`, `"1h30m"`, `"500ms"`, `"2d"`, `"90"`. Units are w, d,
            h, m (or min), s and ms, each at most once, the longest first.

    Returns:
        seconds; zero is possible, a negative number only where a number was given.

    Raises:
        ValueError: in words for the person who wrote it.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite_seconds(value)
    if isinstance(value, str):
        seconds = _duration_of_text(value.strip().lower())
        if seconds is not None:
            return float(seconds)
    raise ValueError(f"{_shown(value)} is not a duration; write 30s, 15m, 1h30m or a number of seconds")


def _finite_seconds(value: int | float) -> float:
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise ValueError("a duration must be a finite number of seconds")
    return seconds


@lru_cache(maxsize=1024)
def _duration_of_text(text: str) -> Fraction | None:
    if _PLAIN.fullmatch(text):
        return Fraction(text)
    total, position, last_unit = Fraction(0), 0, -1
    while part := _PART.match(text, position):
        unit = "m" if part[2] == "min" else part[2]
        if _ORDER.index(unit) <= last_unit:
            return None
        total += Fraction(part[1]) * _SECONDS[unit]
        position, last_unit = part.end(), _ORDER.index(unit)
    return total if position == len(text) and last_unit >= 0 else None


#: The largest size that workers and databases have a number for.
MOST_BYTES = 2**63 - 1


def parse_size(value: object) -> int:
    """Return the bytes of a size as a file or variable gives it.

    Args:
        value: a whole number of bytes, or text: `"64MB"`, `"256KB"`, `"1.5 GB"`, `"4096"`. 1 KB is 1024
            bytes; KiB and K say the same.

    Raises:
        ValueError: in words for the person who wrote it.
    """
    size = _bytes_of(value)
    if size is None:
        raise ValueError(f"{_shown(value)} is not a size; write 64MB, 256KB or a number of bytes")
    if size > MOST_BYTES:
        raise ValueError(
            f"{_shown(value)} is more than any machine has; write 64MB, 256KB or a number of bytes"
        )
    return size


def _bytes_of(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        return int(Fraction(match[1]) * _BYTES[(match[2] or "").lower()])
    return None


def format_duration(seconds: float) -> str:
    """Return a duration for a sentence: `"30 s"`, `"1 h 30 min"`, `"250 ms"`.

    From one minute on it is rounded to seconds, below to milliseconds.
    """
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if 0 < seconds < 0.9995:
        return f"{_trimmed(seconds * 1000)} ms"
    if seconds < 59.9995:
        return f"{_trimmed(seconds)} s"
    return _joined(round(seconds), _SPOKEN, " ")


def compact_duration(seconds: float) -> str:
    """Return a duration as a job file would write it: `"2m"`, `"1h30m"`, `"1.5s"`.

    `parse_duration` gives the same seconds back, exact to a microsecond.
    """
    whole = math.floor(seconds)
    microseconds = round((seconds - whole) * 1_000_000)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    front = f"{days}d" if days else ""
    if hours:
        front += f"{hours}h"
    if minutes:
        front += f"{minutes}m"
    if microseconds:
        return f"{front}{_trimmed(rest + microseconds / 1_000_000, 6)}s"
    return f"{front}{rest}s" if rest or not front else front


def format_size(size: int) -> str:
    """Return a number of bytes for a sentence: `"64 MB"`, `"1.5 KB"`, `"123 B"`."""
    for unit, scale in (("TB", 2**40), ("GB", 2**30), ("MB", 2**20), ("KB", 2**10)):
        if size >= scale:
            return f"{_trimmed(size / scale, 1)} {unit}"
    return f"{size} B"


_SPOKEN = ((86_400, " d"), (3600, " h"), (60, " min"), (1, " s"))


def _joined(seconds: int, units: tuple[tuple[int, str], ...], separator: str) -> str:
    parts = []
    for unit_seconds, word in units:
        count, seconds = divmod(seconds, unit_seconds)
        if count:
            parts.append(f"{count}{word}")
    return separator.join(parts)


def _trimmed(number: float, digits: int = 3) -> str:
    text = f"{number:.{digits}f}"
    return text.rstrip("0").rstrip(".")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
