"""The table of peers."""

from __future__ import annotations

from bench.figures import Figure
from bench.peers.__main__ import PROGRAMS
from bench.peers.kinds import PEERS
from bench.peers.table import Row, table


def test_the_table_has_the_fastest_first_and_says_who_was_not_measured() -> None:
    slow, fast, absent = PEERS[:3]
    rows = [
        Row(slow, Figure("", "runs/s", [10.0, 12.0, 11.0])),
        Row(absent, None, "apt-get install redis-server"),
        Row(fast, Figure("", "runs/s", [900.0])),
    ]
    cells = [line.split(" | ")[:2] for line in table(rows).splitlines()[2:]]
    assert cells == [
        [f"| {fast.name}", "900 (900–900)"],
        [f"| {slow.name}", "11.0 (10.0–12.0)"],
        [f"| {absent.name}", "not measured: apt-get install redis-server"],
    ]


def test_every_peer_has_its_program() -> None:
    programs = {path.stem for path in PROGRAMS.glob("with_*.py")}
    assert programs == {peer.program for peer in PEERS}
