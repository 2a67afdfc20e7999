"""Frames led by coverage into the engine's reading of them.

`python -m tests.hostile.guided [options of libFuzzer] FOLDER`
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["engine.sandbox", "tests.hostile.frames"]):
    from engine.errors import WireError
    from engine.sandbox import wire
    from tests.hostile.frames import SEEDS, take


def try_one(data: bytes) -> None:
    """Read some bytes; anything but a message or the declared error ends the search."""
    with contextlib.suppress(WireError):
        take(data)
    payload = len(data).to_bytes(wire.HEADER_BYTES, "big") + data
    with contextlib.suppress(WireError):
        take(payload)


def main() -> None:
    """Search; the last argument is the folder of what was found worth keeping."""
    folder = Path(sys.argv[-1])
    for number, message in enumerate(SEEDS):
        (folder / f"seed-{number}").write_bytes(wire.frame(message))
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
