"""Events as lines of text, written by a thread: a reader that stops reading never stops the engine."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress
from datetime import datetime
from typing import Self, TextIO

from engine.cli.eventwords import event_lines
from engine.cli.words import clean, local_time
from engine.events import Event

#: Lines that may wait for a slow reader; what comes after is dropped and counted.
WAITING_LINES = 10_000


class EventLines:
    """Writes one line for each event, with its local time."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: queue.Queue[tuple[datetime, str] | None] = queue.Queue(WAITING_LINES)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write_all, name="event-lines", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Write what waits, for at most a second: the reader may be gone."""
        try:
            self._waiting.put(None, timeout=1)
        except queue.Full:
            return
        self._thread.join(timeout=1)

    def put(self, event: Event) -> None:
        """Take an event; never blocks."""
        for line in event_lines(event):
            try:
                self._waiting.put_nowait((event.at, line))
            except queue.Full:
                self._dropped += 1

    def _write_all(self) -> None:
        try:
            while (item := self._waiting.get()) is not None:
                at, line = item
                self._write(at, line)
                if self._dropped and self._waiting.empty():
                    dropped, self._dropped = self._dropped, 0
                    self._write(at, f"{dropped} lines were dropped here: nobody read fast enough")
        except (OSError, ValueError):
            # Nobody reads any more; the engine goes on, and keeps its records in the database.
            self._forget_stream()
            while self._waiting.get() is not None:
                pass

    def _forget_stream(self) -> None:
        """Lead the stream nowhere, so that Python does not fail over what it still holds when it ends."""
        with suppress(OSError, ValueError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), self._stream.fileno())

    def _write(self, at: datetime, line: str) -> None:
        self._stream.write(f"{local_time(at)} {clean(line)}\n")
        if self._waiting.empty():
            self._stream.flush()
