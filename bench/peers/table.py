"""The table of peers, as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.figures import Figure, number
from bench.peers.kinds import Peer

_HEAD = (
    "engine",
    "runs/s",
    "isolation of a run",
    "record of its start",
    "of its end",
    "killed under way",
    "set to",
)


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one peer.

    Attributes:
        missing: why there is no figure.
    """

    peer: Peer
    figure: Figure | None
    missing: str = ""


def table(rows: Sequence[Row]) -> str:
    """Return the rows, those with the most runs per second first and those without a figure last."""
    ordered = sorted(rows, key=lambda row: -row.figure.median if row.figure else 0)
    lines = [_HEAD, ("---",) * len(_HEAD), *map(_cells, ordered)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    peer = row.peer
    return (peer.name, _rate(row), peer.isolation, peer.start, peer.end, peer.killed, peer.setting)


def _rate(row: Row) -> str:
    if row.figure is None:
        return f"not measured: {row.missing}"
    least, most = min(row.figure.values), max(row.figure.values)
    return f"{number(row.figure.median)} ({number(least)}–{number(most)})"
