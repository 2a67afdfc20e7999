"""The same campaign against a build whose walls are off: most attacks must be seen to succeed."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.attack import KINDS, Attack
from tests.hostile.campaign import opened

_OPEN_ENGINE = str(Path(__file__).parent / "open_walls" / "open_engine.py")

#: Classes whose walls this build takes down. In the others Lua itself holds, or a server, or checks without
#: which the attacks would hurt the machine that this runs on: paths of files, sizes of answers.
OPENED = ("environment", "bytecode", "cpu", "memory", "network")


@dataclass(frozen=True, slots=True)
class Control:
    """What a campaign saw in a build without walls: how many attacks fell through, of how many, by class."""

    tried: Counter[str]
    fallen: Counter[str]
    harmed: int

    def share(self, kinds: Sequence[str] = OPENED) -> float:
        """Return the part of the attacks of these classes that were seen to succeed."""
        return sum(self.fallen[kind] for kind in kinds) / max(1, sum(self.tried[kind] for kind in kinds))

    def __str__(self) -> str:
        parts = [f"{kind} {self.fallen[kind]}/{self.tried[kind]}" for kind in KINDS if self.tried[kind]]
        return (
            f"{self.share():.0%} of the attacks on what is open were seen, "
            f"{self.share(KINDS):.0%} of all ({', '.join(parts)})"
        )


def run_control(attacks: Sequence[Attack], seed: int) -> Control:
    """Run attacks against the build without walls, eight at a time."""
    with opened(attacks, timeout="3s", program=_OPEN_ENGINE, prefix=(sys.executable,)) as campaign:
        campaign.many_at_a_time(seed)
        report = campaign.conclude()
    tried = Counter(attack.kind for attack in campaign.attacks)
    fallen = Counter(job.partition("/")[0] for job in report.fallen)
    return Control(tried, fallen, len(report.harmed))
