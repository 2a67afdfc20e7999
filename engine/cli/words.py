"""States and times in the words, icons and colours that people see."""

from __future__ import annotations

import re
from datetime import datetime

#: Icon and colour of each status and activity. The word always stands beside them.
LOOKS: dict[str, tuple[str, str]] = {
    "WAITING": ("○", "green"),
    "SLEEPING": ("☾", "blue"),
    "STOPPED": ("■", "yellow"),
    "INACTIVE": ("◌", "red"),
    "ONCE": ("◇", "green"),
    "ONCE DONE": ("◆", "cyan"),
    "DISABLED": ("⊘", "dim"),
    "EXPIRED": ("†", "dim"),
    "INVALID": ("✗", "bold red"),
    "PLANNED": ("◔", "blue"),
    "QUEUED": ("…", "cyan"),
    "RUNNING": ("▶", "bold cyan"),
    "COMPLETE": ("✓", "green"),
    "ERROR": ("✗", "red"),
    "TIMEOUT": ("◷", "red"),
    "CRASHED": ("✖", "bold red"),
    "CANCELLED": ("⊘", "yellow"),
    "SKIPPED": ("»", "dim"),
    "idle": ("·", "dim"),
    "queued": ("…", "cyan"),
    "running": ("▶", "bold cyan"),
    "loaded": ("✓", "green"),
    "failed": ("✗", "red"),
    "disabled": ("⊘", "dim"),
    "enabled": ("✓", "green"),
    "paused": ("⏸", "yellow"),
    "debug": ("·", "dim"),
    "info": ("·", ""),
    "warn": ("!", "yellow"),
    "error": ("✗", "red"),
}

#: Control characters but for newline and tab, and those that turn the direction of writing.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def icon(word: str) -> str:
    """Return the icon that goes with a status, or nothing."""
    return LOOKS.get(word, ("", ""))[0]


def colour(word: str) -> str:
    """Return the rich style that goes with a status, or none."""
    return LOOKS.get(word, ("", ""))[1]


def clean(text: str) -> str:
    """Return text with control characters made visible: a job's words must not steer the terminal."""
    if text.isprintable():  # as nearly all is, and told in a moment
        return text
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def json_clean(document: str) -> str:
    """Return a JSON document that says the same without control characters."""
    # JSON's own escapes are for those below 0x20 alone; all others can only stand inside of strings.
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def one_line(text: str | None) -> str:
    """Return the first line of a text."""
    return (text or "").strip().partition("\n")[0]


def local_time(when: datetime | None) -> str:
    """Return a time in the zone of the person who reads it, or a dash."""
    return "-" if when is None else when.astimezone().isoformat(" ", "seconds")[:19]


def short_time(when: datetime | None, now: datetime) -> str:
    """Return a time as `local_time` does, without the date of today and without seconds on another day."""
    if when is None:
        return "-"
    local = when.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == now.astimezone().date() else "%Y-%m-%d %H:%M")


def duration(milliseconds: float | None) -> str:
    """Return a duration such as "12 ms", "3.4 s" or "2m 05s", or a dash."""
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes}m {seconds:02}s"


def ending(status: str, returned: str | None, milliseconds: float | None) -> str:
    """Return how a run ended: "COMPLETE (OK) in 12 ms"."""
    code = f" ({returned})" if returned else ""
    return f"{status}{code}" if milliseconds is None else f"{status}{code} in {duration(milliseconds)}"
