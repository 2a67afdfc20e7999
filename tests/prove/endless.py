"""A row of `make prove` that goes on until it is ended, and cleans up."""

from __future__ import annotations

import signal

from tests.prove import __main__ as prove
from tests.prove.proof import Effort, Finding, Proof


def _endless(_effort: Effort) -> Finding:
    try:
        print("an engine was started", flush=True)
        while True:
            signal.pause()
    finally:
        print("the engine was stopped", flush=True)


class Rows:
    """A module with that row alone."""

    def proofs(self) -> list[Proof]:
        """Return it."""
        return [Proof("endless", "it cleans up", _endless)]


if __name__ == "__main__":
    prove.MODULES = (Rows(),)  # type: ignore[assignment]
    prove.main(["--seed", "7"])
