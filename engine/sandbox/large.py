"""Arguments above 1 MB: in parts, for the core functions that take them, with a bound over all workers.

A worker announces the size with the first part; from then until the call is answered it counts as held. When
the workers together hold as much as they may, the next one is not read from until another call is through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from engine.errors import WireError
from engine.sandbox import wire
from engine.sandbox.values import MAX_LARGE_BYTES

#: What the large arguments of all workers may have together.
MAX_HELD_BYTES = 256 * 2**20


class Hold:
    """One call's claim on the room; released once, whether it was granted or still waited."""

    def __init__(self, room: Room, size: int, granted: Callable[[], None]) -> None:
        self.size = size
        self.granted = granted
        self._room = room

    def release(self) -> None:
        """Give the room back."""
        self._room.release(self)


class Room:
    """Bytes that large arguments may fill, granted in the order of asking."""

    def __init__(self, most_bytes: int) -> None:
        self._free = most_bytes
        self._holding: set[Hold] = set()
        self._waiting: deque[Hold] = deque()

    def ask(self, size: int, granted: Callable[[], None]) -> tuple[Hold, bool]:
        """Claim room; return the claim, and whether it is granted now. If not, `granted` is called later."""
        hold = Hold(self, size, granted)
        if not self._waiting and size <= self._free:
            self._grant(hold)
            return hold, True
        self._waiting.append(hold)
        return hold, False

    @property
    def free(self) -> int:
        """Bytes that nobody claims."""
        return self._free

    @property
    def waiting(self) -> int:
        """Claims that are not granted yet."""
        return len(self._waiting)

    def release(self, hold: Hold) -> None:
        """End a claim and grant those that wait, as far as there is room for them."""
        if hold in self._holding:
            self._holding.remove(hold)
            self._free += hold.size
        elif hold in self._waiting:
            self._waiting.remove(hold)
        while self._waiting and self._waiting[0].size <= self._free:
            first = self._waiting.popleft()
            self._grant(first)
            first.granted()

    def _grant(self, hold: Hold) -> None:
        self._free -= hold.size
        self._holding.add(hold)


class LargeCalls:
    """What all workers of a pool share: which functions take large arguments, and the room for these."""

    def __init__(self, methods: frozenset[str], *, most_bytes: int = MAX_HELD_BYTES) -> None:
        """Prepare the room.

        Args:
            methods: functions that take large arguments, such as "data.save".
            most_bytes: what the arguments of all calls may have together; one call always fits.
        """
        self._methods = methods
        self.room = Room(max(most_bytes, MAX_LARGE_BYTES))

    def check(self, part: wire.Part) -> None:
        """Refuse an announcement that no honest worker makes.

        Raises:
            WireError: the function takes no large arguments, or not so large ones.
        """
        if part.method not in self._methods:
            raise WireError("large arguments for a function that takes none")
        if not wire.PART_BYTES < part.total <= MAX_LARGE_BYTES:
            raise WireError(f"arguments of {part.total} bytes are announced")


class Arrival:
    """The arguments of one large call, as far as they have come."""

    def __init__(self, first: wire.Part) -> None:
        self._method = first.method
        self._missing = self.total = first.total
        self._pieces: list[bytes] = []
        self.add(first)

    def add(self, part: wire.Part) -> None:
        """Take the next part.

        Raises:
            WireError: it does not belong to the others, or has another size than parts have.
        """
        if (part.method, part.total) != (self._method, self.total) or len(part.data) != wire.PART_BYTES:
            raise WireError("parts that do not belong together")
        self._take(part.data)

    def finish(self, call: wire.Call) -> list[bytes]:
        """Take the last piece, which is in the call itself, and return them all.

        Raises:
            WireError: it does not belong to the others, or something is missing.
        """
        self._take(call.arguments)
        if call.method != self._method or self._missing:
            raise WireError("parts that do not belong together")
        return self._pieces

    def _take(self, data: bytes) -> None:
        self._missing -= len(data)
        if self._missing < 0:
            raise WireError("more parts than were announced")
        self._pieces.append(data)
