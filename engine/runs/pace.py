"""How much of a long work goes into one transaction, so that runs which wait for the journal wait little."""

from __future__ import annotations

#: A transaction is to take so much processor time at most; what runs write meanwhile waits for it. Not time
#: on the clock: on a busy machine less and less would be done at once, until more comes than goes.
MOST_SECONDS = 0.005

#: Nothing smaller: where each transaction takes long by itself, little ones would only be many.
LEAST = 10


class Pace:
    """Says how much to do at once, by how long the last parts took."""

    def __init__(self, most: int) -> None:
        """Begin with as little as there is at once.

        Args:
            most: however quick it is.
        """
        self._most = most
        self.size = min(LEAST, most)

    def took(self, seconds: float) -> None:
        """Note how much processor time a part of this size took."""
        if seconds > MOST_SECONDS:
            self.size = max(min(LEAST, self._most), self.size // 2)
        elif seconds < MOST_SECONDS / 2:
            # A part has a cost of its own too: twice as much takes less than twice as long.
            self.size = min(self._most, 2 * self.size)
