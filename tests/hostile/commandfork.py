"""Carries out command lines of `moontide` one after another, each in a fork of this process.

Each line of standard input is a JSON list of arguments; each line of standard output says as JSON what came
of one. Started with a folder to work in.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path

from engine.cli import main

#: A command that has not ended by then is ended by the kernel, which counts as a crash.
LONGEST_SECONDS = 120

#: What most commands import once they are at work; here once for all of them.
_IMPORTED_BEFORE = (
    "engine.cli.commands",
    "engine.api.syncclient",
    "engine.offline",
    "rich.console",
    "rich.table",
)


def carry_out(arguments: list[str], out: Path, err: Path) -> int:
    """Return the exit code of one command line; below zero for the signal that ended it."""
    child = os.fork()
    if child == 0:
        _become(arguments, out, err)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _become(arguments: list[str], out: Path, err: Path) -> None:
    signal.alarm(LONGEST_SECONDS)
    for number, opened in (
        (0, os.open(os.devnull, os.O_RDONLY)),
        (1, os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)),
        (2, os.open(err, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)),
    ):
        os.dup2(opened, number)
    sys.argv = ["moontide", *arguments]
    code: object = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else int(code is not None))


def serve(folder: Path) -> None:
    """Carry out what comes until there is no more."""
    for name in _IMPORTED_BEFORE:
        importlib.import_module(name)
    out, err = folder / "out", folder / "err"
    (folder / "a/b/c").mkdir(parents=True)
    os.chdir(folder / "a/b/c")
    for line in sys.stdin:
        code = carry_out(json.loads(line), out, err)
        said = {"code": code, "out": _read(out), "err": _read(err)}
        sys.__stdout__.write(json.dumps(said) + "\n")
        sys.__stdout__.flush()


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "surrogateescape")


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
