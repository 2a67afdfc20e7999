"""`python -m bench.peers`: measure the peers and Moontide by turns, and print a table in Markdown."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.figures import Figure
from bench.machine import machine
from bench.peers.kinds import PEERS, Peer
from bench.peers.own import OWN_PYTHON, make_own_environment
from bench.peers.servers import MissingServer, Servers
from bench.peers.table import Row, table

PROGRAMS = Path(__file__).parent / "programs"

#: A round that takes longer has lost runs.
ROUND_SECONDS = 600


def main() -> int:
    """Measure who was asked for; 1 if one of them could not be measured."""
    asked = _arguments()
    make_own_environment()
    about = machine()
    chosen = [peer for peer in PEERS if not asked.only or peer.program in asked.only]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="moontide-peers-")))
        folder.chmod(0o755)
        servers = stack.enter_context(Servers(folder / "servers"))
        rows = [_row(peer, servers, folder, asked.runs, asked.rounds) for peer in chosen]
    print(about, f"{asked.runs} runs a round, {asked.rounds} rounds", table(rows), sep="\n\n")
    return int(any(row.missing for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description="Measure other job engines.")
    parser.add_argument("--runs", type=int, default=2000, help="runs in a round (2000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (3)")
    parser.add_argument(
        "--only", action="append", choices=[peer.program for peer in PEERS], help="may be given again"
    )
    return parser.parse_args()


def _row(peer: Peer, servers: Servers, folder: Path, runs: int, rounds: int) -> Row:
    print(f"{peer.name} ...", file=sys.stderr, flush=True)
    try:
        place = folder / peer.program
        place.mkdir()
        environment = servers.environment(peer.needs)
        rates = _measured(peer, place, environment, runs, rounds)
    except (MissingServer, RuntimeError) as error:
        print(f"{peer.name}: {error}", file=sys.stderr, flush=True)
        return Row(peer, None, str(error).partition("\n")[0])
    return Row(peer, Figure(peer.name, "runs/s", rates))


def _measured(peer: Peer, place: Path, environment: dict[str, str], runs: int, rounds: int) -> list[float]:
    """Return runs per second of each round, which the peer's program prints as its last line."""
    python = sys.executable if peer.own_interpreter else str(OWN_PYTHON)
    done = subprocess.run(
        [python, str(PROGRAMS / "compete.py"), peer.program, str(runs), str(rounds)],
        env=environment | {"PEER_PLACE": str(place), "PYTHONPATH": _python_path(peer)},
        cwd=place,
        capture_output=True,
        text=True,
        timeout=ROUND_SECONDS * (rounds + 1),
    )
    if done.returncode != 0:
        raise RuntimeError(f"the program failed\n{done.stderr.strip() or 'no words'}")
    rates: list[float] = json.loads(done.stdout.splitlines()[-1])
    return rates


def _python_path(peer: Peer) -> str:
    root = Path(__file__).parents[2]
    return f"{PROGRAMS}:{root}" if peer.own_interpreter else str(PROGRAMS)


if __name__ == "__main__":
    sys.exit(main())
