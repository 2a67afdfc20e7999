"""The `moontide` command.

Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 no engine running.
"""

from __future__ import annotations

import io
import os
import sys

from engine.cli.output import complain
from engine.cli.plain import plain_command, with_home_first
from engine.errors import EngineUnreachable, MoontideError

FAILED = 1
NO_ENGINE = 3
INTERRUPTED = 130


def main() -> None:
    """Carry out one command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show an icon gets a question mark instead of an error.
            stream.reconfigure(errors="replace")
    try:
        _carry_out(with_home_first(sys.argv[1:]))
    except EngineUnreachable as error:
        complain(error)
        sys.exit(NO_ENGINE)
    except MoontideError as error:
        complain(error)
        sys.exit(FAILED)


def _carry_out(arguments: list[str]) -> None:
    plain = plain_command(arguments, os.environ)
    if plain is None:
        # Not above: to load typer and all commands is what plain ones go without.
        from engine.cli.commands import make_app

        make_app()(arguments, prog_name="moontide")
        return
    try:
        code = plain()
        sys.stdout.flush()
        sys.exit(code or 0)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Whoever reads has gone, as `head` does; what is still to be written must not end in a traceback.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
