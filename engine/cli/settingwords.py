"""Values of a job's settings as a job file would say them, without the quotes."""

from __future__ import annotations

import re
from functools import cache

from engine.jobs.jobedit import lua_literal
from engine.jobs.jobfile import SETTINGS
from engine.times.quantities import compact_duration, format_size

_DURATION = re.compile(r'"\d+[smhd]"')
_SIZE = re.compile(r'"\d+[KMG]B"')


@cache
def _names(example: re.Pattern[str]) -> frozenset[str]:
    return frozenset(one.name for one in SETTINGS if example.fullmatch(one.example))


def setting_words(name: str, value: object) -> str:
    """Return the value of a setting in words; "-" for none."""
    if value in (None, "", [], {}):
        return "-"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name in _names(_DURATION):
            return compact_duration(value)
        if name in _names(_SIZE):
            return format_size(int(value))
        return f"{value:g}" if isinstance(value, float) else str(value)
    return lua_literal(value)
