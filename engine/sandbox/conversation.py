"""One piece of business with one worker: opened with a message, ended by an answer, a limit or a death."""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass
from typing import Any

from engine.errors import CoreError, JobFileError, WireError
from engine.sandbox import wire, words
from engine.sandbox.channel import WorkerChannel
from engine.sandbox.large import Arrival, Hold, LargeCalls
from engine.sandbox.program import EndKind, Host
from engine.sandbox.readytasks import Begun, ReadyTasks, Work
from engine.sandbox.stepwise import decode_large_arguments
from engine.sandbox.values import MAX_LARGE_BYTES, decode_arguments, encode_value
from engine.sizes import is_large

_log = logging.getLogger(__name__)

_REAP_SECONDS = 5.0
_CANCEL_SECONDS = 1.0

#: Beyond its log limit a run may send this much in one-way calls; an honest worker cuts by itself.
_NOTIFY_SLACK_BYTES = 2**20

#: Arguments above this are read in a thread: so few bytes can become a million lists.
_STEPWISE_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class Stop:
    """An end that the worker did not come to by itself."""

    kind: EndKind
    error: str


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one conversation may use, with the words for when it is used up."""

    wall_seconds: float
    wall_words: str
    cpu_words: str
    memory_words: str
    calls: int
    notify_bytes: int


class Conversation:
    """Listens to a worker and answers its calls until the business is done."""

    def __init__(
        self,
        worker: WorkerChannel,
        host: Host,
        allowance: Allowance,
        tasks: ReadyTasks,
        large: LargeCalls | None = None,
    ) -> None:
        """Prepare it.

        Args:
            tasks: carry out what the worker asks for.
            large: which calls may have arguments above 1 MB; None if none may.
        """
        self._worker = worker
        self._tasks = tasks
        self._large = large or LargeCalls(frozenset())
        self._arrival: Arrival | None = None
        self._hold: Hold | None = None
        self._host = host
        self._allowance = allowance
        self._calls_left = allowance.calls + 1
        self._notify_bytes_left = allowance.notify_bytes + _NOTIFY_SLACK_BYTES
        self._loop = asyncio.get_running_loop()
        self._end: asyncio.Future[wire.Done | wire.Declared | Stop | None] = self._loop.create_future()
        self._answering: Begun | None = None

    async def hold(
        self, opening: wire.Message, cancel: asyncio.Future[str] | None
    ) -> wire.Done | wire.Declared | Stop:
        """Send `opening` and return how it ended. After a `Stop`, or an exception, the worker is dead."""
        deadline = self._loop.call_later(self._allowance.wall_seconds, self._out_of_time)
        if cancel is not None:
            cancel.add_done_callback(self._cancelled)
        self._worker.listener = self
        try:
            self._worker.send(opening)
            if not self._worker.alive:
                self.lost(None)
            end = await self._end
            if end is None:
                end = await self._find_out()
            return end
        except BaseException:
            self._worker.kill()
            raise
        finally:
            deadline.cancel()
            if cancel is not None:
                cancel.remove_done_callback(self._cancelled)
            self._worker.listener = None
            self._release()
            if self._answering is not None:
                await self._answering.cancel(_CANCEL_SECONDS)

    def received(self, message: wire.FromWorker) -> None:
        """Act on a message of the worker."""
        if self._end.done():
            return
        if self._arrival is not None and not isinstance(message, wire.Part | wire.Call | wire.Fatal):
            raise WireError("something else between the parts of a call")
        if isinstance(message, wire.Call):
            self._question(message)
        elif isinstance(message, wire.Notify):
            self._notify(message)
        elif isinstance(message, wire.Require):
            self._question(message)
        elif isinstance(message, wire.Part):
            self._part(message)
        elif isinstance(message, wire.Done | wire.Declared):
            self._end.set_result(message)
        elif isinstance(message, wire.Fatal):
            self._stop_with(self._explain_fatal(message))
        else:
            raise WireError(f"{type(message).__name__} in the middle of a run")

    def lost(self, why: str | None) -> None:
        """The worker is gone."""
        if self._end.done():
            return
        if why is None:
            self._end.set_result(None)
        else:
            self._end.set_result(Stop(EndKind.CRASHED, f"worker crashed: {why}"))

    def dismissed(self) -> None:
        """The engine stops."""
        self._stop(EndKind.CANCELLED, "the engine stopped")

    def _stop(self, kind: EndKind, error: str) -> None:
        if not self._end.done():
            self._stop_with(Stop(kind, error))

    def _stop_with(self, stop: Stop) -> None:
        self._end.set_result(stop)
        self._worker.kill()

    def _out_of_time(self) -> None:
        self._stop(EndKind.WALL, self._allowance.wall_words)

    def _cancelled(self, reason: asyncio.Future[str]) -> None:
        text = "cancelled" if reason.cancelled() else reason.result()
        self._stop(EndKind.CANCELLED, text)

    def _notify(self, message: wire.Notify) -> None:
        self._notify_bytes_left -= len(message.arguments) + 1
        if self._notify_bytes_left < 0:
            raise WireError("the worker sends more log than it may")
        arguments = decode_arguments(message.arguments)
        try:
            self._host.notify(message.method, arguments)
        except Exception:  # a host's bug must not end the run
            _log.exception("one-way call %s failed", message.method)

    def _part(self, part: wire.Part) -> None:
        if self._arrival is not None:
            self._arrival.add(part)
            return
        self._check_turn()
        self._large.check(part)
        self._arrival = Arrival(part)
        self._hold, granted = self._large.room.ask(part.total, self._worker.resume)
        if not granted:
            self._worker.pause()

    def _release(self) -> None:
        if self._hold is not None:
            self._hold.release()
            self._hold = None

    def _check_turn(self) -> None:
        if self._answering is not None and not self._answering.ended:
            raise WireError("the worker asks again before it has an answer")

    def _question(self, message: wire.Call | wire.Require) -> None:
        if self._answering is not None:
            self._check_turn()
        if self._worker.has_more:
            raise WireError("the worker asks again before it has an answer")
        self._calls_left -= 1
        if self._calls_left < 0:
            self._stop(EndKind.LIMIT, self._calls_words())
            return
        self._answering = self._tasks.begin(self._answer_to(message))

    def _answer_to(self, message: wire.Call | wire.Require) -> Work:
        if isinstance(message, wire.Require):
            return self._answer_require(message.module)
        if self._arrival is not None:
            pieces, self._arrival = self._arrival.finish(message), None
            return self._answer_large(message.method, pieces)
        if len(message.arguments) > _STEPWISE_BYTES:
            return self._answer_large(message.method, [message.arguments])
        return self._answer(message.method, decode_arguments(message.arguments))

    def _calls_words(self) -> str:
        return f"stopped: more than {self._allowance.calls} core calls: the limit"

    async def _answer_large(self, method: str, pieces: list[bytes]) -> None:
        try:
            arguments = await asyncio.to_thread(_decode_pieces, pieces)
        except WireError as error:
            self._worker.lose(str(error))
            return
        await self._answer(method, arguments)

    async def _answer(self, method: str, arguments: list[Any]) -> None:
        try:
            values = list(await self._host.call(method, arguments))
            if is_large(values):
                data = await asyncio.to_thread(encode_value, values, most_bytes=MAX_LARGE_BYTES)
            else:
                data = encode_value(values, most_bytes=MAX_LARGE_BYTES)
            reply: wire.Message = wire.Reply(data)
        except CoreError as error:
            reply = wire.Failure(error.message, error.code)
        except WireError as error:
            reply = wire.Failure(f"core.{method}: the answer cannot be given to Lua: {error}", 800)
        except Exception:  # a plugin's bug: the job gets an error, the log gets the traceback
            reply = wire.Failure(self._internal_error(method), 810)
        self._reply(reply)

    async def _answer_require(self, module: str) -> None:
        try:
            reply: wire.Message = wire.Source(await self._host.require(module))
        except JobFileError as error:
            reply = wire.Failure(str(error))
        except Exception:  # as for calls
            reply = wire.Failure(self._internal_error(f"require {module}"))
        self._reply(reply)

    def _internal_error(self, what: str) -> str:
        mark = uuid.uuid4().hex[:8]
        _log.exception("core call %s failed (mark %s)", what, mark)
        return f"internal error in {what}; the engine's log has it under {mark}"

    def _reply(self, reply: wire.Message) -> None:
        if self._end.done():
            return
        # The worker asks its next question only after this answer; nothing is left to do here then.
        self._answering = None
        if self._hold is not None:
            self._release()
        try:
            self._worker.send(reply)
        except WireError as error:
            self._worker.send(wire.Failure(f"the answer cannot be sent: {error}", 800))

    async def _find_out(self) -> Stop:
        await asyncio.wait([self._worker.exited], timeout=_REAP_SECONDS)
        if not self._worker.exited.done():
            return Stop(EndKind.CRASHED, "worker crashed: nothing has told how it ended")
        report = self._worker.exited.result()
        if report is None:
            return Stop(EndKind.LOST, "worker crashed: the process that all workers come from ended")
        if words.is_cpu_limit(report.status):
            return Stop(EndKind.CPU, self._allowance.cpu_words)
        return Stop(EndKind.CRASHED, words.crash(report.status))

    def _explain_fatal(self, fatal: wire.Fatal) -> Stop:
        if fatal.reason == "memory":
            return Stop(EndKind.MEMORY, self._allowance.memory_words)
        if fatal.reason == "calls":
            return Stop(EndKind.LIMIT, self._calls_words())
        _log.error("worker %s gave up: %s", self._worker.pid, words.from_worker(fatal.detail.encode()))
        return Stop(EndKind.CRASHED, "worker crashed: it gave up, the engine's log has the reason")


def _decode_pieces(pieces: list[bytes]) -> list[Any]:
    whole = b"".join(pieces)
    pieces.clear()
    return decode_large_arguments(whole)
