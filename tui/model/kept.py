"""What the dashboard remembers of how a person likes it: filter, sort and theme, in a small file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

#: Longer values are no filter that somebody typed.
LONGEST = 500


class Kept:
    """Names and their values. With a file, `save` writes those that changed, all or nothing.

    Attributes:
        when_changed: called after each change, which is not written yet.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read what was kept.

        Args:
            path: of the file; None to remember only until the end.
        """
        self._path = path
        self._values: dict[str, str] = {}
        self._is_written = True
        self.when_changed: Callable[[], None] = lambda: None
        #: What is wrong with the file, in words; "" if nothing is.
        self.trouble = ""
        if path is not None:
            self._read(path)

    def _read(self, path: Path) -> None:
        try:
            values = json.loads(path.read_text("utf-8"))
            if not isinstance(values, dict):
                raise ValueError("it holds no table")
        except FileNotFoundError:
            return
        except (OSError, ValueError, RecursionError) as error:
            self.trouble = f"{path} cannot be read, so filter, sort and theme start anew ({error})"
            return
        self._values = {
            name: value for name, value in values.items() if isinstance(value, str) and len(value) <= LONGEST
        }

    def get(self, name: str) -> str:
        """Return what was kept, "" for nothing."""
        return self._values.get(name, "")

    def put(self, name: str, value: str) -> None:
        """Keep a value, for good once `save` is called; "" keeps nothing."""
        if value == self.get(name) or len(value) > LONGEST:
            return
        self._values.pop(name, None)
        if value:
            self._values[name] = value
        self._is_written = False
        self.when_changed()

    def save(self) -> None:
        """Write what changed since the last time, if anything did."""
        if self._path is not None and not self._is_written:
            self._is_written = True
            self._write(self._path)

    def _write(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
                json.dump(self._values, file, indent=1, sort_keys=True)
            os.replace(file.name, path)
        except OSError as error:
            self.trouble = f"filter, sort and theme are not remembered: {error}"
            self._path = None


def kept_path(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return where a person's file is; None for somebody without a home."""
    base = environment.get("XDG_STATE_HOME", "")
    if base.startswith("/"):
        return Path(base) / "moontide" / "dashboard.json"
    home = environment.get("HOME", "")
    return Path(home) / ".local" / "state" / "moontide" / "dashboard.json" if home.startswith("/") else None
