"""Command lines of `moontide`, each in a process that is forked from one that has its code loaded.

A command has the arguments, environment, folder, input and output that it would have in a new process, runs
the real `main`, and ends as an interpreter does. What a new process does more is to import, which takes
longer than most commands. Tests of the process itself start one.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

from engine.cli import main

MOONTIDE = str(Path(sys.executable).with_name("moontide"))

#: No command line and environment is longer.
ORDER_BYTES = 256 * 1024

#: What most commands import once they are at work.
_IMPORTED_BEFORE = (
    "engine.api.syncclient",
    "engine.backup",
    "engine.cli.commands",
    "engine.cli.follow",
    "engine.cli.live",
    "engine.jobs.jobwrite",
    "engine.offline",
    "engine.stubs",
    "engine.times.crontab",
    "rich.console",
    "rich.table",
    "rich.text",
)

#: What an interpreter and libraries look at when they are loaded.
_READ_ONCE = (
    "PYTHON",
    "LC_",
    "LANG",
    "LD_",
    "TERM",
    "COLUMNS",
    "LINES",
    "NO_COLOR",
    "FORCE_COLOR",
    "TEXTUAL",
)

Result = subprocess.CompletedProcess[str]


def carry_out(
    arguments: Sequence[str],
    *,
    program: str = MOONTIDE,
    stdin: str,
    cwd: Path,
    env: Mapping[str, str],
    seconds: int,
) -> Result:
    """Carry out one command line of `moontide`, and return what it left.

    Args:
        program: the command; one that is installed elsewhere is started.
        stdin: what it may read.
        cwd: the folder in which it works.
        env: its whole environment.
        seconds: a command that has not ended by then is ended by the kernel, with SIGALRM.
    """
    if program == MOONTIDE and _read_once(env) == _read_once(_environment()):
        return _commands().carry_out(arguments, stdin=stdin, cwd=cwd, env=env, seconds=seconds)
    command = [program, *arguments]
    return subprocess.run(
        command, input=stdin, capture_output=True, text=True, cwd=cwd, env=env, timeout=seconds
    )


def _read_once(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_READ_ONCE)}


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TZ": "UTC", "LANG": "C.UTF-8"}


class Commands:
    """The process from which those of commands are forked."""

    def __init__(self) -> None:
        self._control, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.commands", str(its.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(its.fileno(),),
                cwd=Path(__file__).parents[1],
                env=_environment(),
            )

    def carry_out(
        self, arguments: Sequence[str], *, stdin: str, cwd: Path, env: Mapping[str, str], seconds: int
    ) -> Result:
        """Fork a process for a command, and wait for its end."""
        order = {"arguments": arguments, "cwd": str(cwd), "env": dict(env), "seconds": seconds}
        own, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        file = tempfile.TemporaryFile
        with own, file() as given, file() as out, file() as err:
            given.write(stdin.encode())
            given.seek(0)
            with its:
                descriptors = [one.fileno() for one in (given, out, err, its)]
                socket.send_fds(self._control, [json.dumps(order).encode()], descriptors)
            said = own.recv(16)
            assert said, "the process from which commands are forked has ended"
            return subprocess.CompletedProcess(arguments, int(said), _text(out), _text(err))

    def stop(self) -> None:
        """End the process."""
        self._control.close()
        self._process.wait(60)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    with open(file.fileno(), encoding="utf-8", closefd=False) as opened:
        return opened.read()


@cache
def _commands() -> Commands:
    commands = Commands()
    atexit.register(commands.stop)
    return commands


# In the process from which others are forked


def serve(control: socket.socket) -> None:
    """Fork a keeper for each order, until nobody is left to give one."""
    for name in _IMPORTED_BEFORE:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    while True:
        order, descriptors, _flags, _address = socket.recv_fds(control, ORDER_BYTES, 4)
        if not order:
            return
        if os.fork() == 0:
            control.close()
            _keep(json.loads(order), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        _reap()


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _keep(order: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Fork the command, wait for its end, and tell how it ended."""
    *streams, asked = descriptors
    command = os.fork()
    if command == 0:
        os.close(asked)
        _become(order, streams)
    _, status = os.waitpid(command, 0)
    with socket.socket(fileno=asked) as told:
        told.send(b"%d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(order: dict[str, Any], streams: list[int]) -> NoReturn:
    signal.alarm(order["seconds"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    time.tzset()
    sys.argv = [MOONTIDE, *order["arguments"]]
    main()
    sys.exit()


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as _control:
        serve(_control)
