"""The wall clock is set by hours, forward and back, under load."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.scene import Scene, opened

_ENGINE = str(Path(__file__).with_name("turnedclock.py"))

#: Cron lines wait until the clock shows their next time again, when it is set back by less than this.
_REPEATED_SECONDS = 3 * 3600


class Hands:
    """The hands of an engine's clock."""

    def __init__(self, scene: Scene, file: Path) -> None:
        self._scene = scene
        self._file = file
        self._ahead = 0.0

    def turn(self, seconds: float) -> None:
        """Set the clock forward, or back."""
        self._ahead += seconds
        self._file.write_text(str(self._ahead))
        self._scene.served.process.send_signal(signal.SIGUSR1)


@contextmanager
def turnable(seed: int) -> Iterator[tuple[Scene, Hands]]:
    """Give a scene whose engine has a clock that can be set, with jobs that are due each second."""
    with TemporaryDirectory(prefix="mc-") as folder:
        file = Path(folder) / "ahead"
        file.write_text("0")
        prefix = (sys.executable, _ENGINE)
        with opened(seed, prefix=prefix, program=str(file), schedule='cron = "* * * * * *"') as scene:
            yield scene, Hands(scene, file)


def turn_clock(scene: Scene, hands: Hands, times: int) -> None:
    """Set the clock forward by hours, back by a part of that, and forward again; the engine must serve."""
    with scene.load():
        for _ in scene.progress.through("clock turned", range(times), times):
            forward = scene.chance.uniform(1.0, 8.0) * 3600
            back = min(forward, scene.chance.uniform(0.5, 0.99) * _REPEATED_SECONDS)
            for seconds in (forward, -back, back):
                scene.pass_time(scene.chance.uniform(0.5, 1.5))
                hands.turn(seconds)
                scene.serves()
        scene.pass_time(1.5)
