"""Run the proofs: `python -m tests.prove [--only WORDS] [--seed N] [--minutes M] [--list]`.

Ends with 0 if everything that was tried held, else with 1.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.prove import api, commands, faults, files, frames, hostile, load
from tests.prove.proof import Effort, Finding, Proof, Verdict
from tests.prove.table import Row, table

#: Every module with proofs, in the order of the table.
MODULES = (hostile, frames, faults, api, commands, files, load)


def all_proofs() -> list[Proof]:
    """Return every proof."""
    return [proof for module in MODULES for proof in module.proofs()]


def carry_out(proof: Proof, effort: Effort) -> Row:
    """Carry one proof out; one that breaks down did not hold."""
    started = time.monotonic()
    try:
        finding = proof.run(effort)
    except Exception as error:  # the other proofs shall be carried out, and the table shall be printed
        finding = Finding("it broke down", (f"{type(error).__name__}: {error}", *_places(error)))
    return Row(proof, finding, time.monotonic() - started)


def _places(error: Exception) -> list[str]:
    """Return where in the tests it broke down, the outermost place first."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"in {frame.name}, {frame.filename}:{frame.lineno}: {frame.line}" for frame in frames]


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry the proofs out, print the table, and return the exit code."""
    options = _options(arguments)
    chosen = [proof for proof in all_proofs() if options.only in proof.name]
    if options.list or not chosen:
        print("\n".join(f"{proof.name}: {proof.promise}" for proof in chosen or all_proofs()))
        return 0 if options.list else 2
    print(f"seed {options.seed}", flush=True)
    rows = []
    with _ended_in_order():
        for proof in chosen:
            rows.append(carry_out(proof, Effort(options.seed, options.minutes)))
            print(rows[-1], flush=True)
    print(f"\n{table(rows)}")
    return int(any(row.finding.verdict is Verdict.FELL for row in rows))


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Leave no engine, mount or folder behind when told to end; nohup has its way."""
    numbers = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, _end) for one in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make prove", description="Try what Moontide promises, for long.")
    parser.add_argument("--only", default="", help="only the proofs with these words in their name")
    parser.add_argument(
        "--seed", type=int, default=secrets.randbelow(2**31), help="what all chance follows from"
    )
    parser.add_argument("--minutes", type=float, default=10, help="for what goes on as long as it is let")
    parser.add_argument("--list", action="store_true", help="name the proofs and end")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
