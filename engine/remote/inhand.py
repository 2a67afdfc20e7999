"""The runs that a worker has in hand, and what is to be told of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from engine.calls.stopping import Stopping
from engine.remote.parcels import Answer, Line
from engine.run import Outcome

#: Seconds for which lines of a log are gathered, so that short runs send them with their end.
GATHER_SECONDS = 0.05

#: Seconds between two transactions of a kind while there is much to do: what comes meanwhile goes into one.
TOGETHER_SECONDS = 0.01


@dataclass(slots=True, eq=False)
class InHand:
    """A run that this worker carries out.

    Attributes:
        token: shown with each write.
        given_up: the engine wants nothing of it any more.
        lines: of its log, not sent yet.
        sent: how many parts of its log were sent.
        asked: how many questions it has asked.
        waiting: for answers, by the number of the question.
    """

    run_id: int
    token: str
    stopping: Stopping = field(default_factory=Stopping)
    given_up: bool = False
    lines: list[Line] = field(default_factory=list)
    sent: int = 0
    asked: int = 0
    waiting: dict[int, asyncio.Future[Answer]] = field(default_factory=dict)
    outcome: Outcome | None = None
    sending: asyncio.TimerHandle | None = None
