"""The `moontide` command of an engine whose walls are off.

What is left are *guards*: they protect the machine on which the tests run, are no part of any promise, and
speak in other words than the engine.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from open_limits import open_limits
from open_mail import open_mail
from open_network import open_network
from open_places import open_places
from open_sql import open_sql

from engine.calls import problems
from engine.calls.masking import Masking
from engine.cli import main
from engine.extensions import runlog
from engine.sandbox import nursery, words


def open_walls(home: Path) -> None:
    """Take the engine's own checks away, and start workers that have none."""
    nursery.ZYGOTE = (str(Path(__file__).with_name("open_zygote.py")),)
    nursery.clean_environment = lambda: dict(os.environ)
    Masking.text = lambda _masking, text: text  # type: ignore[method-assign]
    for module in (problems, runlog, words):
        module.legible = str  # type: ignore[attr-defined]
    open_limits()
    open_network()
    open_mail()
    open_sql()
    open_places(home)


if __name__ == "__main__":
    open_walls(Path(sys.argv[sys.argv.index("--home") + 1]))
    main()
