"""The zygote: a small process without secrets that forks the workers and reaps them.

Started as `python -I -m engine.sandbox.zygote CONTROL_FD ENGINE_PID`, with its Setup on standard input.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
from typing import NoReturn

from engine.errors import PluginError
from engine.sandbox import wire
from engine.sandbox.harden import close_all_but, die_with_parent
from engine.sandbox.lua import LuaError, build_prelude, lua_text
from engine.sandbox.worker import Worker
from engine.sandbox.worker import main as run_worker

#: Address space on top of the memory ceiling: the interpreter itself, its libraries, lupa's head-room.
_BASE_ADDRESS_SPACE_BYTES = 256 * 2**20


class Zygote:
    """Forks a worker for each socket that arrives on the control line."""

    def __init__(self, control: socket.socket, settings: wire.Setup, worker: Worker) -> None:
        self._control = control
        self._settings = settings
        self._worker = worker
        self._pid = os.getpid()
        self._children: dict[int, int] = {}
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def serve(self) -> None:
        """Fork and reap until the engine hangs up."""
        while True:
            for descriptor, _events in self._poll.poll():
                if descriptor != self._control.fileno():
                    self._reap(descriptor)
                elif not self._obey():
                    return

    def _obey(self) -> bool:
        ticket, descriptors, _flags, _address = socket.recv_fds(self._control, 64, 1)
        if not ticket:
            return False
        self._fork(int(ticket), descriptors[0])
        return True

    def _fork(self, ticket: int, descriptor: int) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            os.close(descriptor)
            self._control.send(wire.pack(wire.NotForked(ticket, error.strerror or "fork failed")))
            return
        if pid == 0:
            self._become_worker(descriptor)
        os.close(descriptor)
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = pid
        self._poll.register(pidfd, select.POLLIN)
        socket.send_fds(self._control, [wire.pack(wire.Forked(ticket, pid))], [pidfd])

    def _become_worker(self, descriptor: int) -> NoReturn:
        try:
            close_all_but(descriptor)
            ceiling = self._settings.cpu_ceiling_seconds
            run_worker(
                socket.socket(fileno=descriptor),
                self._worker,
                parent_pid=self._pid,
                address_space_bytes=self._settings.memory_ceiling_bytes + _BASE_ADDRESS_SPACE_BYTES,
                cpu_seconds=2 * int(ceiling) + 2,
            )
        finally:
            os._exit(1)

    def _reap(self, pidfd: int) -> None:
        pid = self._children.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        _pid, status, usage = os.wait4(pid, 0)
        cpu_seconds = usage.ru_utime + usage.ru_stime
        self._control.send(wire.pack(wire.Reaped(pid, status, cpu_seconds, usage.ru_maxrss * 1024)))


def _prepare(control: socket.socket) -> Zygote | None:
    settings = wire.unpack(wire.setup, sys.stdin.buffer.read())
    try:
        worker = Worker(build_prelude(settings.modules))
        worker.rehearse()
    except (PluginError, LuaError) as error:
        control.send(wire.pack(wire.Hatched(lua_text(error)[:4096])))
        return None
    gc.collect()
    gc.freeze()
    return Zygote(control, settings, worker)


def main() -> None:
    """Serve the engine that started this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(int(sys.argv[2]))
    control = socket.socket(fileno=int(sys.argv[1]))
    zygote = _prepare(control)
    if zygote is None:
        return
    control.send(wire.pack(wire.Hatched()))
    try:
        zygote.serve()
    except ConnectionError:
        return


if __name__ == "__main__":
    main()
