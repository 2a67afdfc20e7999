"""A worker: waits for a program, runs it in a fresh Lua state, tells how it ended; one after another."""

from __future__ import annotations

import os
import signal
import socket
import time
import traceback
from collections.abc import Callable
from typing import NoReturn

import msgspec

from engine.errors import PluginError, WireError
from engine.sandbox import wire
from engine.sandbox.harden import harden
from engine.sandbox.lua import LuaMemoryError, LuaState
from engine.sandbox.values import MAX_JSON_BYTES, MAX_LARGE_BYTES, MAX_VALUE_BYTES, encode_value

# What the C library takes from its heap. From 128 KB on it asks the kernel for fresh pages with each message,
# however short, and gives them back.
_RECEIVE_BYTES = 2**16
_UTC = encode_value([[0, 0]])
_json_encoder = msgspec.json.Encoder()
_json_decoder = msgspec.json.Decoder()
_value_decoder = msgspec.msgpack.Decoder()
_NO_ROOM = b"-there is no room for it in the job's memory; see the setting `memory`"

#: Builds every core module, so that a facade that is no good is found before any job needs it.
_REHEARSAL = b"""
local job = core.job()
function job.run()
  for _ in pairs(core) do end
  return job.OK, os.date()
end
return job
"""


class Line:
    """The worker's end of its socket: blocking, one frame at a time."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = wire.FrameBuffer(wire.MAX_REPLY_FRAME_BYTES)
        self._payloads: list[bytes] = []

    def send(self, message: wire.Message) -> None:
        """Send a message whole."""
        self._connection.sendall(wire.frame(message))

    def receive(self) -> wire.ToWorker:
        """Return the engine's next message; end the process when the engine has gone."""
        while not self._payloads:
            data = self._connection.recv(_RECEIVE_BYTES)
            if not data:
                os._exit(0)
            self._payloads.extend(self._buffer.feed(data))
        return wire.unpack(wire.to_worker, self._payloads.pop(0))


class Worker:
    """Serves one run at a time on its line."""

    def __init__(self, prelude: bytes) -> None:
        self._line: Line
        self._prelude = prelude
        self._state = LuaState(prelude, self._rpc)
        self._begin(calls=0, log_bytes=0)

    def serve(self, line: Line) -> NoReturn:
        """Carry out what the engine sends until it hangs up.

        The next state is made ready after the answer has gone, off the path of the run.
        """
        self._line = line
        while True:
            line.send(self._carry_out(line.receive()))
            self._state = LuaState(self._prelude, self._rpc)

    def rehearse(self) -> None:
        """Run and drop a small program, so that all it needs is in memory before the walls rise."""
        source = _REHEARSAL
        done = self._run(
            wire.Run(
                name="rehearsal",
                source=source,
                context=encode_value({}),
                zone=_UTC,
                memory_bytes=2**24,
                cpu_seconds=10.0,
                calls=10,
                log_bytes=10,
                log_line_bytes=10,
            )
        )
        if done.kind != "returned":
            raise PluginError(done.text.decode("utf-8", "replace").partition("\n")[0])
        self._state = LuaState(self._prelude, self._rpc)

    def _carry_out(self, message: wire.ToWorker) -> wire.Message:
        if isinstance(message, wire.Run):
            return self._run(message)
        if isinstance(message, wire.Declare):
            return self._declare(message)
        raise WireError(f"a worker without a run got {type(message).__name__}")

    def _begin(self, *, calls: int, log_bytes: int) -> None:
        self._calls_left = calls
        self._log_bytes_left = log_bytes
        self._dropped = 0
        self._peak_memory = 0

    def _run(self, message: wire.Run) -> wire.Done:
        self._begin(calls=message.calls, log_bytes=message.log_bytes)
        self._state.limit_memory(message.memory_bytes)
        cpu_start = _start_cpu_timer(message.cpu_seconds)
        try:
            ended = self._state.run(
                message.name.encode(), message.source, message.context, message.zone, message.log_line_bytes
            )
        except LuaMemoryError:
            self._stop_for("memory")
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._check_memory()
        kind, text, result, note = (*ended, None, None)[:4]
        return wire.Done(
            kind=kind.decode(),
            text=text,
            result=result,
            note=note,
            cpu_seconds=time.thread_time() - cpu_start,
            memory_bytes=self._peak_memory,
            dropped=self._dropped,
        )

    def _declare(self, message: wire.Declare) -> wire.Declared:
        self._begin(calls=message.calls, log_bytes=0)
        self._state.limit_memory(message.memory_bytes)
        cpu_start = _start_cpu_timer(message.cpu_seconds)
        try:
            kind, text, *varied = self._state.declare(message.name.encode(), message.source, _UTC)
        except LuaMemoryError:
            self._stop_for("memory")
        signal.setitimer(signal.ITIMER_PROF, 0)
        self._check_memory()
        if kind == b"memory":
            self._stop_for("memory")
        cpu_seconds = time.thread_time() - cpu_start
        if kind == b"declared":
            return wire.Declared(settings=text, cpu_seconds=cpu_seconds, varies=varied == [True])
        return wire.Declared(settings=None, error=text, cpu_seconds=cpu_seconds)

    def _stop_for(self, reason: str, detail: str = "") -> NoReturn:
        """Tell the engine why, and end: the state may be in any condition."""
        self._line.send(wire.Fatal(reason, detail))
        os._exit(0)

    def _check_memory(self) -> None:
        used = self._state.memory_bytes()
        if used > self._peak_memory:
            self._peak_memory = used
        if self._state.is_too_much(used):
            self._stop_for("memory")

    # The one function that Lua can call. An exception would become a Python object inside Lua: none leaves.
    def _rpc(self, operation: bytes, first: bytes = b"", second: bytes = b"") -> bytes | None:
        try:
            self._check_memory()
            return self._answer(operation, first, second)
        except BaseException:
            self._stop_for("bug", traceback.format_exc())

    def _answer(self, operation: bytes, first: bytes, second: bytes) -> bytes | None:
        if operation == b"call":
            self._count_call()
            return self._ask(self._call_with(first.decode(), second))
        if operation == b"notify":
            self._notify(wire.Notify(first.decode(), second))
            return None
        if operation == b"require":
            self._count_call()
            return self._ask(wire.Require(first.decode()))
        if operation == b"room":
            return b"+" if self._state.has_room(int(first)) else b"-"
        if operation == b"random":
            return os.urandom(16)
        if operation == b"json_encode":
            return self._converted(_json_encode, first)
        return self._converted(_json_decode, first)

    # Large arguments go ahead in parts; the call has the last one.
    def _call_with(self, method: str, arguments: bytes) -> wire.Call:
        at, total = 0, len(arguments)
        while total - at > wire.PART_BYTES:
            self._line.send(wire.Part(method, total, arguments[at : at + wire.PART_BYTES]))
            at += wire.PART_BYTES
        return wire.Call(method, arguments[at:] if at else arguments)

    def _count_call(self) -> None:
        if self._calls_left <= 0:
            self._stop_for("calls")
        self._calls_left -= 1

    def _notify(self, message: wire.Notify) -> None:
        self._log_bytes_left -= len(message.arguments)
        if self._log_bytes_left >= 0:
            self._line.send(message)
            return
        if self._dropped == 0:
            self._line.send(wire.Notify("log.cut", b"\x90"))
        self._dropped += 1

    def _ask(self, question: wire.Call | wire.Require) -> bytes:
        self._line.send(question)
        reply = self._line.receive()
        if isinstance(reply, wire.Reply):
            if not self._has_room(reply.values):
                return self._too_large_for_memory(question, reply)
            return b"+" + reply.values
        if isinstance(reply, wire.Source):
            return b"+" + reply.text
        if not isinstance(reply, wire.Failure):
            raise WireError(f"{type(reply).__name__} in answer to a call")
        if isinstance(question, wire.Require):
            return b"-" + reply.message.encode()
        return b"-" + encode_value([reply.message, reply.code])

    # Lua holds the reply twice for a moment, as bytes and as values. Running out of memory while a reply
    # crosses the border cannot be survived; a small one fits into the head-room.
    def _has_room(self, values: bytes) -> bool:
        return len(values) <= MAX_VALUE_BYTES or self._state.has_room(2 * len(values))

    def _converted(self, convert: Callable[[bytes], bytes], given: bytes) -> bytes:
        answer = _answered(convert, given)
        return answer if self._has_room(answer) else _NO_ROOM

    def _too_large_for_memory(self, question: wire.Call | wire.Require, reply: wire.Reply) -> bytes:
        name = f"core.{question.method}: " if isinstance(question, wire.Call) else ""
        size = f"{len(reply.values) / 2**20:.1f} MB"
        words = f"{name}the answer of {size} does not fit into the job's memory"
        return b"-" + encode_value([words, 800])


def _start_cpu_timer(seconds: float) -> float:
    # Zero would mean no timer. The thread's clock, because the process's is coarse while the timer runs.
    signal.setitimer(signal.ITIMER_PROF, max(seconds, 0.01))
    return time.thread_time()


def _json_encode(value: bytes) -> bytes:
    text = _json_encoder.encode(_value_decoder.decode(value))
    return text if len(text) <= MAX_JSON_BYTES else _too_large()


def _json_decode(text: bytes) -> bytes:
    if len(text) > MAX_JSON_BYTES:
        _too_large()
    return encode_value(_json_decoder.decode(text), most_bytes=MAX_LARGE_BYTES)


def _too_large() -> NoReturn:
    raise ValueError(f"the text is larger than {MAX_JSON_BYTES // 2**20} MB")


def _answered(convert: Callable[[bytes], bytes], given: bytes) -> bytes:
    try:
        return b"+" + convert(given)
    except RecursionError:
        return b"-the text is nested too deep"
    except MemoryError:  # millions of small values need far more room than their text
        return _NO_ROOM
    except (msgspec.MsgspecError, WireError, ValueError) as error:
        return b"-" + str(error).removeprefix("JSON is malformed: ").encode("utf-8", "replace")


def main(
    connection: socket.socket, worker: Worker, *, parent_pid: int, address_space_bytes: int, cpu_seconds: int
) -> NoReturn:
    """Put up the walls and serve; called in the process that the zygote has just forked."""
    walls = harden(parent_pid=parent_pid, address_space_bytes=address_space_bytes, cpu_seconds=cpu_seconds)
    line = Line(connection)
    try:
        line.send(wire.Ready(walls))
        worker.serve(line)
    except ConnectionError:
        os._exit(0)
    except BaseException:
        line.send(wire.Fatal("bug", traceback.format_exc()))
        raise
