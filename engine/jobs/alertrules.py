"""What alerts are wanted: the keys of `[alerts]` in moontide.toml, and of `alerts` in a job file.

Each key is one field of `AlertRules`. A job's keys win over the engine's.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from engine.errors import JobFileError
from engine.times.quantities import format_duration, parse_duration
from engine.times.quiet import read_quiet

LONGEST_SECONDS = 400 * 86_400.0
SHORTEST_REMINDER_SECONDS = 60.0
MOST_CHANGES = 100
MOST_FAILURES = 1000
MOST_TIMES = 1000.0

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}", re.ASCII)


def read_switch(value: object) -> bool:
    """Return a switch."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ValueError("must be true or false")


def read_threshold(value: object) -> float:
    """Return a time in seconds; 0 switches it off."""
    try:
        seconds = parse_duration(value)
    except ValueError:
        seconds = -1.0
    if 0 <= seconds <= LONGEST_SECONDS:
        return seconds
    raise ValueError('must be a duration such as "30s" or "25h", or 0 to switch it off')


def read_reminder(value: object) -> float:
    """Return the time between reminders in seconds; 0 switches them off."""
    seconds = read_threshold(value)
    if 0 < seconds < SHORTEST_REMINDER_SECONDS:
        raise ValueError(f"must be {format_duration(SHORTEST_REMINDER_SECONDS)} or longer, or 0 for none")
    return seconds


def read_span(value: object) -> float:
    """Return a time in seconds, longer than zero."""
    seconds = read_threshold(value)
    if seconds == 0:
        raise ValueError('must be a duration such as "1h", longer than zero')
    return seconds


def read_failures(value: object) -> int:
    """Return how many failures in a row it takes."""
    return _whole(value, 1, MOST_FAILURES)


def read_changes(value: object) -> int:
    """Return how many changes are too many; 0 switches it off."""
    number = _whole(value, 0, MOST_CHANGES)
    if number in (1, 2):
        raise ValueError("must be 3 or more, or 0 to switch it off")
    return number


def read_times(value: object) -> float:
    """Return how many times longer than usual is too slow; 0 switches it off."""
    number = _number(value)
    if number is not None and (number == 0 or 1 < number <= MOST_TIMES):
        return number
    raise ValueError("must be a number above 1, such as 3, or 0 to switch it off")


def read_receiver(value: object) -> str:
    """Return the name of a receiver; whether there is such a one is checked elsewhere."""
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    raise ValueError('must be the name of a receiver in moontide.toml, such as "shop"; no address')


def check_receiver(alerts: Mapping[str, Any], receivers: Collection[str]) -> None:
    """Refuse a job whose alerts go to a receiver that the operator has not defined.

    Raises:
        JobFileError: it names the receiver, and those that there are.
    """
    name = alerts.get("to")
    if not name or name in receivers:
        return
    near = difflib.get_close_matches(name, receivers, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(receivers)) or 'none'}"
    raise JobFileError(
        f'alerts = {{ to = "{name}" }}: moontide.toml has no such receiver in [email.receivers] or '
        f"[network.receivers]; {hint}"
    )


def _whole(value: object, least: int, most: int) -> int:
    number = _number(value)
    if number is None or not number.is_integer() or not least <= number <= most:
        raise ValueError(f"must be a whole number from {least} to {most}")
    return int(number)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def rule(read: Callable[[object], Any], default: Any, help: str) -> Any:
    """Declare a field of `AlertRules`; `read` raises ValueError that begins with "must"."""
    return field(default=default, metadata={"read": read, "help": help})


@dataclass(frozen=True, slots=True)
class AlertRules:
    """What alerts of one job are wanted. Times are seconds, and 0 switches a rule off."""

    enabled: bool = rule(read_switch, True, "Whether there are alerts at all.")
    after_failures: int = rule(read_failures, 1, "Failed runs in a row that it takes for an alert.")
    recovered: bool = rule(read_switch, True, "Also tell that an alert is over, and how long it lasted.")
    missed: bool = rule(read_switch, True, "Alert when due times passed while no engine ran.")
    inactive: bool = rule(
        read_switch, True, "Alert when a job goes INACTIVE by itself, or its file turns INVALID."
    )
    late_after: float = rule(read_threshold, 0.0, "Alert when a run starts so much later than it was due.")
    slow_after: float = rule(read_threshold, 0.0, "Alert when a run takes longer, as soon as it does.")
    slow_times: float = rule(
        read_times, 0.0, "Alert when a run takes so many times longer than the job's runs usually do."
    )
    fast_under: float = rule(read_threshold, 0.0, "Alert when a run is COMPLETE sooner than that.")
    expect_every: float = rule(
        read_threshold, 0.0, "Alert when no run was COMPLETE for so long, whatever the reason."
    )
    missing_after: float = rule(
        read_threshold, 0.0, "Alert when a job has not run so long after it was due by its schedule."
    )
    flap_changes: int = rule(
        read_changes, 0, "Alert once when a job changed so often between failing and working."
    )
    flap_within: float = rule(read_span, 3600.0, "The time in which those changes are counted.")
    remind_every: float = rule(
        read_reminder, 0.0, "Tell again of an alert that goes on and that nobody acknowledged."
    )
    quiet: tuple[str, ...] = rule(
        read_quiet, (), "Hours in which nothing is told; what happened is told when they are over."
    )

    to: str = rule(
        read_receiver, "", "Who is told in the place of all others: a receiver of moontide.toml, by its name."
    )

    def overridden(self, overrides: Mapping[str, Any]) -> AlertRules:
        """Return these rules with those that a job gives itself (see `read_alerts`)."""
        if not overrides:
            return self
        given = dict(overrides)
        if "quiet" in given:
            given["quiet"] = tuple(given["quiet"])
        return dataclasses.replace(self, **given)


_READERS: dict[str, Callable[[object], Any]] = {one.name: one.metadata["read"] for one in fields(AlertRules)}


def read_alerts(value: object) -> dict[str, Any]:
    """Return the rules that a job file gives, by name; `false` stands for no alerts.

    Raises:
        ValueError: names the key and what is allowed.
    """
    if isinstance(value, bool):
        return {"enabled": value}
    if not isinstance(value, Mapping):
        if value == []:
            return {}
        raise ValueError('must be a table such as { slow_after = "5m", expect_every = "25h" }, or false')
    return {_known(key): _read(str(key), given) for key, given in value.items()}


def _known(key: object) -> str:
    if isinstance(key, str) and key in _READERS:
        return key
    near = difflib.get_close_matches(str(key), _READERS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_READERS)}"
    raise ValueError(f"must hold only what alerts know, not {str(key)[:40]!r}; {hint}")


def _read(key: str, value: object) -> Any:
    try:
        return _READERS[_known(key)](value)
    except ValueError as error:
        words = str(error)
        raise ValueError(words if key not in _READERS else f"{key} {words}") from error
