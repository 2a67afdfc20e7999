"""Events on their way through the API, as server-sent events (HTML standard, section 9.2)."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

import engine.events
from engine.events import Event, as_dict


@dataclass(frozen=True, slots=True)
class Lagged(Event):
    """The reader was too slow, and events were dropped; what it shows must be fetched anew.

    Attributes:
        dropped: how many.
    """

    dropped: int


_KINDS: dict[str, type[Event]] = {
    name: value
    for name, value in vars(engine.events).items()
    if isinstance(value, type) and issubclass(value, Event)
} | {Lagged.__name__: Lagged}

#: A comment: keeps the connection alive and tells a reader that its engine is.
HEARTBEAT = b": heartbeat\n\n"


def encode_event(event: Event) -> bytes:
    """Return an event as one server-sent message: its kind, and its fields as JSON."""
    fields = msgspec.json.encode(as_dict(event))
    return b"event: %b\ndata: %b\n\n" % (type(event).__name__.encode(), fields)


class EventReader:
    """Puts server-sent messages together from their lines, and gives the events back."""

    def __init__(self) -> None:
        self._kind = ""
        self._data: list[str] = []

    def feed(self, line: str) -> Event | None:
        """Take one line without its end; return an event when the line completes one.

        Kinds that this version does not know are passed over, so that it can read a newer engine.
        """
        if line:
            self._keep(line)
            return None
        kind, data = _KINDS.get(self._kind), "\n".join(self._data)
        self._kind, self._data = "", []
        return msgspec.json.decode(data, type=kind) if kind and data else None

    def _keep(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name == "event":
            self._kind = value.strip()
        elif name == "data":
            self._data.append(value.removeprefix(" "))
