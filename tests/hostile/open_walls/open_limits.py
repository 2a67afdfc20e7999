"""No limits of what a run may use or leave, and no question about what a job file says of itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from taking import everywhere

from engine.calls import arguments, problems
from engine.errors import CoreError
from engine.extensions.runlog import RunLog
from engine.jobs import jobfile
from engine.run import Limits
from engine.runs import runcalls
from engine.sandbox import pool, stepwise, values
from engine.sandbox.conversation import Allowance
from engine.settings import Settings

#: A run, or the reading of a file, that has not ended by then is ended by this guard.
GUARD_SECONDS = 5.0

_ENDLESS = 2**40
_NAME_IN_ERROR = " is not known"

_run_limits = Settings.run_limits
_convert = arguments.convert
_parse_settings = jobfile.parse_settings
_guard = Allowance(
    wall_seconds=GUARD_SECONDS,
    wall_words="ended by the guard of this machine",
    cpu_words="ended by the guard of this machine: CPU",
    memory_words="ended by the guard of this machine: memory",
    calls=_ENDLESS,
    notify_bytes=_ENDLESS,
)


def open_limits() -> None:
    """Take the limits away."""
    Settings.run_limits = _no_limits  # type: ignore[method-assign]
    pool._allowance = lambda *_, **__: _guard  # type: ignore[assignment]
    pool._DECLARE_ALLOWANCE = _guard
    RunLog.write = lambda log, level, text: log._add(level, text)  # type: ignore[method-assign]
    problems.MOST = problems.MOST_CHARACTERS = _ENDLESS
    jobfile._excesses = lambda *_: []  # type: ignore[assignment]
    everywhere(_parse_settings, _known_settings)
    everywhere(_convert, _lenient)
    for module in (values, stepwise):
        for name in ("MAX_DEPTH", "MAX_NODES", "MAX_VALUE_BYTES", "MAX_LARGE_BYTES"):
            if hasattr(module, name):
                setattr(module, name, _ENDLESS if "BYTES" in name else 2**20)
    values._check_number = stepwise._finite = lambda number: number  # type: ignore[assignment]
    runcalls.MAX_DATA_BYTES = _ENDLESS


def _no_limits(settings: Settings) -> Limits:
    return replace(
        _run_limits(settings),
        log_bytes=_ENDLESS,
        log_line_bytes=_ENDLESS,
        calls=_ENDLESS,
        result_bytes=_ENDLESS,
    )


def _known_settings(raw: Any, **others: Any) -> Any:
    """Overlook what is no setting."""
    known = (
        {**jobfile._BY_NAME, **others["additions"].settings} if "additions" in others else jobfile._BY_NAME
    )
    return _parse_settings({key: value for key, value in raw.items() if key in known}, **others)


def _lenient(label: str, name: str, value: Any, wanted: Any) -> Any:
    """Overlook fields that a function does not know."""
    while True:
        try:
            return _convert(label, name, value, wanted)
        except CoreError as error:
            if not (isinstance(value, dict) and error.message.endswith(_NAME_IN_ERROR)):
                raise
            field = error.message.removesuffix(_NAME_IN_ERROR).rpartition(".")[2]
            if field not in value:
                raise
            value = {key: item for key, item in value.items() if key != field}
