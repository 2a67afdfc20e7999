"""Time zones for workers, which have no zone files: the offsets that hold while a run may last."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = 86_400
_HOUR = 3_600
_MAX_DAYS = 400


def transitions(zone: str, now_seconds: float, span_seconds: float) -> list[list[int]]:
    """Return `[[from, offset], ...]`, oldest first: the offset from UTC at `now` and each change after it.

    Args:
        zone: an IANA name such as "Europe/Berlin".
        now_seconds: Unix time; all of the answer is in seconds, too.
        span_seconds: how far ahead to look; at most 400 days are looked at.

    Raises:
        KeyError: there is no such zone (`zoneinfo.ZoneInfoNotFoundError`).
        ValueError: the name cannot be one.
    """
    if zone == "UTC":
        return [[0, 0]]
    days = min(int(span_seconds // _DAY) + 2, _MAX_DAYS)
    return [list(pair) for pair in _transitions(zone, int(now_seconds // _HOUR), days)]


@lru_cache(maxsize=256)
def _transitions(zone: str, hour: int, days: int) -> tuple[tuple[int, int], ...]:
    info = ZoneInfo(zone)
    start = hour * _HOUR
    found = [(start - _DAY, _offset(info, start))]
    for day in range(days):
        early, late = start + day * _DAY, start + (day + 1) * _DAY
        if _offset(info, early) != _offset(info, late):
            found.append(_change(info, early, late))
    return tuple(found)


def _change(info: ZoneInfo, early: int, late: int) -> tuple[int, int]:
    before = _offset(info, early)
    while late - early > 1:
        middle = (early + late) // 2
        if _offset(info, middle) == before:
            early = middle
        else:
            late = middle
    return late, _offset(info, late)


def _offset(info: ZoneInfo, seconds: int) -> int:
    offset = datetime.fromtimestamp(seconds, UTC).astimezone(info).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
