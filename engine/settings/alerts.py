"""The tables [alerts] and [heartbeat] of moontide.toml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretStr, field_validator
from pydantic_settings import NoDecode

from engine.jobs.alertrules import (
    AlertRules,
    read_changes,
    read_failures,
    read_reminder,
    read_span,
    read_switch,
    read_threshold,
    read_times,
)
from engine.settings.types import DURATION, Duration, Section, setting
from engine.times.quiet import read_quiet

Flag = Annotated[bool, BeforeValidator(read_switch)]
Failures = Annotated[int, BeforeValidator(read_failures)]
Threshold = Annotated[float, BeforeValidator(read_threshold)]
Times = Annotated[float, BeforeValidator(read_times)]
Span = Annotated[float, BeforeValidator(read_span)]
Changes = Annotated[int, BeforeValidator(read_changes)]
Reminder = Annotated[float, BeforeValidator(read_reminder)]
Quiet = Annotated[list[str], NoDecode, BeforeValidator(read_quiet)]

THRESHOLD = 'a duration such as "30s" or "25h", or 0 to switch it off'

_HELP: dict[str, str] = {one.name: one.metadata["help"] for one in fields(AlertRules)}


def _rule(name: str, default: Any, allowed: str) -> Any:
    return setting(default, _HELP[name], allowed)


class AlertSettings(Section):
    """What people are told of all jobs; a job's own `alerts` wins."""

    enabled: Flag = _rule("enabled", True, "true or false")
    after_failures: Failures = _rule("after_failures", 1, "a whole number, 1 or more")
    recovered: Flag = _rule("recovered", True, "true or false")
    missed: Flag = _rule("missed", True, "true or false")
    inactive: Flag = _rule("inactive", True, "true or false")
    late_after: Threshold = _rule("late_after", 0, THRESHOLD)
    slow_after: Threshold = _rule("slow_after", 0, THRESHOLD)
    slow_times: Times = _rule("slow_times", 0, "a number above 1, or 0 to switch it off")
    fast_under: Threshold = _rule("fast_under", 0, THRESHOLD)
    expect_every: Threshold = _rule("expect_every", 0, THRESHOLD)
    missing_after: Threshold = _rule("missing_after", 0, THRESHOLD)
    flap_changes: Changes = _rule("flap_changes", 0, "a whole number, 3 or more, or 0 to switch it off")
    flap_within: Span = _rule("flap_within", "1h", DURATION)
    remind_every: Reminder = _rule("remind_every", 0, 'a duration of at least "1m", or 0 for none')
    quiet: Quiet = _rule("quiet", [], 'spans such as ["22:00-07:00", "SAT-SUN 00:00-24:00"]')

    def rules(self) -> AlertRules:
        """Return them as rules."""
        return AlertRules().overridden(self.model_dump())


def _web_address(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    parts = urlsplit(text) if text else None
    if parts is None or (parts.scheme in ("http", "https") and parts.hostname):
        return value
    raise ValueError("must be a web address")


def _suffix(value: object) -> str:
    if isinstance(value, str) and value.isascii() and value.isprintable() and " " not in value:
        return value
    raise ValueError("must be the end of a web address")


class HeartbeatSettings(Section):
    """Requests to an outside watcher that says when they stop: it knows that the engine is dead."""

    # Such an address is a secret: whoever knows it can speak for this engine.
    url: SecretStr = setting(
        SecretStr(""),
        "The address to ask for, as the watcher gives it; empty means none.",
        "a web address",
    )
    every: Duration = setting("1m", "The time between two requests.", DURATION)
    fail: Annotated[str, BeforeValidator(_suffix)] = setting(
        "/fail",
        "What is put behind the address while the engine is not well; empty: no request then.",
        "text",
    )
    timeout: Duration = setting("10s", "How long one request may take.", DURATION)

    _check_url: Callable[[Any], Any] = field_validator("url")(_web_address)
