"""The `moontide` command of an engine whose walls are off."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import plugins.sqlite
from engine.calls import problems
from engine.calls.masking import Masking
from engine.cli import main
from engine.extensions import runlog
from engine.sandbox import nursery, words
from plugins.network.addresses import Addresses


def open_walls() -> None:
    """Take the engine's own checks away, and start workers that have none."""
    nursery.ZYGOTE = (str(Path(__file__).with_name("open_zygote.py")),)
    nursery.clean_environment = lambda: dict(os.environ)
    Addresses._check = lambda *_: None  # type: ignore[method-assign]
    Masking.text = lambda _masking, text: text  # type: ignore[method-assign]
    plugins.sqlite._authorize = lambda *_: sqlite3.SQLITE_OK
    for module in (problems, runlog, words):
        module.legible = str  # type: ignore[attr-defined]


if __name__ == "__main__":
    open_walls()
    main()
