"""How programs without an event loop talk to an engine: the command line uses this and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Self, TypeVar

from engine.api.calls import Call, Send
from engine.api.events import EventReader
from engine.api.exchange import Exchange
from engine.api.requests import Requests, events
from engine.api.target import Target, failure_of, value_of
from engine.events import Event
from engine.roles import Role

T = TypeVar("T")


class Client(Requests[Send]):
    """Asks an engine, and waits for each answer.

    Every method raises the error that the operation raised in the engine, `EngineUnreachable` without an
    engine, and is described in `engine.api.operations`.
    """

    def __init__(
        self,
        place: Path | str,
        *,
        token: str | None = None,
        actor: str | None = None,
        ca_file: Path | None = None,
        role: Role | None = None,
    ) -> None:
        """Prepare a client; nothing is sent yet.

        Args:
            place: the engine's socket (`engine.api.address.socket_in(home)`), or the URL of its TCP listener.
            token: what the TCP listener asks for.
            actor: who asks, for the audit table; user and host by default.
            ca_file: certificates (PEM) of the authorities to trust at an https URL; the machine's by default.
            role: be no more than this to the engine, whatever socket or token allow.

        Raises:
            SettingsError: the file of certificates cannot be used, or the token cannot be sent.
        """
        self._target = Target(place, token, actor, ca_file, role)
        self._exchange = Exchange(self._target)
        super().__init__(self._ask)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the engine's socket."""
        self._target.close()

    @contextmanager
    def events(self, *, job: str | None = None, run: int | None = None) -> Iterator[Iterator[Event]]:
        """Give an iterator of what happens from now on; it ends when the engine stops.

        `engine.api.events.Lagged` among the events says that some were dropped.

        Args:
            job: only events of this job.
            run: only events of this run.
        """
        with self._exchange.lines(events(job, run)) as (answer, lines):
            if answer.status != HTTPStatus.OK:
                raise failure_of(answer.status, answer.content)
            reader = EventReader()
            yield (event for line in lines if (event := reader.feed(line)) is not None)

    def _ask(self, call: Call[T]) -> T:
        answer = self._exchange.ask(call)
        return value_of(call, answer.status, answer.content)
