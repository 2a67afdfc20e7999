"""What was asked of an engine: each submission with the answer that came, and the schedules of its jobs."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self


class Answer(StrEnum):
    """What came back to whoever asked for a run."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Submission:
    """One run that was asked for.

    Attributes:
        token: stands in the run's data, and in no other's.
        run: the id that was answered, if it was accepted.
    """

    token: str
    job: str
    answer: Answer = Answer.NONE
    run: int | None = None


@dataclass
class Orders:
    """All that was asked for.

    Attributes:
        every: by the name of each scheduled job, after how many seconds it is due again.
        retries: by the name of each job, how often it is tried again.
        witnessed: jobs that tell the witness of each start and end.
    """

    every: dict[str, float] = field(default_factory=dict)
    retries: dict[str, int] = field(default_factory=dict)
    witnessed: list[str] = field(default_factory=list)
    submissions: dict[str, Submission] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, submission: Submission) -> None:
        """Keep a submission, in place of what was known of it before."""
        with self._lock:
            self.submissions[submission.token] = submission

    def copied(self) -> Self:
        """Return all that was asked for and answered up to now."""
        with self._lock:
            return type(self)(
                dict(self.every), dict(self.retries), list(self.witnessed), dict(self.submissions)
            )

    def write(self, path: Path) -> None:
        """Write it down for the checker."""
        now = self.copied()
        told = {"every": now.every, "retries": now.retries, "witnessed": now.witnessed}
        path.write_text(json.dumps(told | {"submissions": [asdict(one) for one in now.submissions.values()]}))


def read(path: Path) -> Orders:
    """Return what was written down."""
    told = json.loads(path.read_text())
    orders = Orders(told["every"], told["retries"], told["witnessed"])
    for one in told["submissions"]:
        orders.note(Submission(one["token"], one["job"], Answer(one["answer"]), one["run"]))
    return orders
