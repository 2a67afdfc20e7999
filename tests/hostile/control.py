"""The same campaign against a build whose walls are off: most attacks must be seen to succeed.

An attack *falls* there by the same judge that lets it hold in the real engine: it comes to an end that is
not acceptable, leaves what no run may leave, or its mark is found outside. What nothing else stops is
stopped by a guard of the machine that the tests run on, in words of its own.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.attack import KINDS, Attack
from tests.hostile.campaign import opened

_OPEN_ENGINE = str(Path(__file__).parent / "open_walls" / "open_engine.py")

#: Of all attacks, what must fall. Against the others stands what no build of ours can take down: the Lua
#: interpreter itself, servers of others, and guards of this machine.
LEAST_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class Control:
    """What a campaign saw in a build without walls: which attacks fell through, and which did not."""

    fallen: tuple[str, ...]
    held: tuple[str, ...]
    harmed: int

    @property
    def share(self) -> float:
        """The part of the attacks that were seen to succeed."""
        return len(self.fallen) / max(1, len(self.fallen) + len(self.held))

    def __str__(self) -> str:
        fallen, held = Counter(map(_kind, self.fallen)), Counter(map(_kind, self.held))
        parts = [f"{kind} {fallen[kind]}/{fallen[kind] + held[kind]}" for kind in KINDS]
        return f"{self.share:.0%} of {len(self.fallen) + len(self.held)} attacks fell: {', '.join(parts)}"

    @property
    def complaints(self) -> list[str]:
        """What is wrong with the campaign that saw this; empty if it sees what it must."""
        found = []
        if self.share < LEAST_SHARE:
            found.append(f"only {self}; these held: {', '.join(self.held)}")
        silent = [kind for kind in KINDS if not any(_kind(job) == kind for job in self.fallen)]
        found += [f"not one attack of the class {kind} was seen to succeed" for kind in silent]
        if not self.harmed:
            found.append("no touched canary was seen")
        return found


def _kind(job: str) -> str:
    return job.partition("/")[0]


def run_control(attacks: Sequence[Attack], seed: int) -> Control:
    """Run attacks against the build without walls, eight at a time."""
    with opened(attacks, program=_OPEN_ENGINE, prefix=(sys.executable,), mighty=True) as campaign:
        campaign.many_at_a_time(seed)
        report = campaign.conclude()
    jobs = [attack.job for attack in campaign.attacks]
    return Control(
        fallen=tuple(job for job in jobs if job in report.fallen),
        held=tuple(job for job in jobs if job not in report.fallen),
        harmed=len(report.harmed),
    )
