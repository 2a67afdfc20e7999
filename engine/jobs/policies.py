"""What a failed run means for its job: the values of `on_error`. Pure.

The engine's own policies are `deactivate` and `continue`; plugins add others of the same shape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.states import RunStatus, Trigger


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that failed, and is not tried again.

    Attributes:
        status: ERROR, TIMEOUT or CRASHED.
        error: what went wrong, with a Lua traceback after the first line.
        started: when the run's code started, aware UTC like `finished`.
        settings: every setting of the job by name, those of plugins as well.
    """

    status: RunStatus
    error: str
    trigger: Trigger
    started: datetime
    finished: datetime
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a job after a failed run.

    Attributes:
        active: whether the job stays on; a job that does not is INACTIVE until a person activates it.
        sleep_until: the job is not due before this moment (aware); None leaves it to its schedule.
    """

    active: bool
    sleep_until: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a moment that means another one in each time zone.

        Raises:
            ValueError: `sleep_until` has no offset.
        """
        if self.sleep_until is not None and self.sleep_until.tzinfo is None:
            raise ValueError("sleep_until must be a moment with a time zone")


DEACTIVATE = Verdict(active=False)
GO_ON = Verdict(active=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomePolicy:
    """A value of `on_error`.

    Attributes:
        name: the value in job files.
        decide: a pure function, asked on the engine's loop.
        help: one sentence for the documentation.
    """

    name: str
    decide: Callable[[Failure], Verdict]
    help: str


BUILT_IN: Mapping[str, OutcomePolicy] = {
    policy.name: policy
    for policy in (
        OutcomePolicy(
            name="deactivate",
            decide=lambda failure: DEACTIVATE,
            help="The job is INACTIVE until a person activates it.",
        ),
        OutcomePolicy(
            name="continue",
            decide=lambda failure: GO_ON,
            help="The job stays on its schedule, with the error shown.",
        ),
    )
}
