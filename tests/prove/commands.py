"""The command line: arguments by the thousand, made from what each command declares."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.hostile import commandfuzz
from tests.prove.proof import Effort, Finding, Proof

#: For each command.
EXAMPLES = 100


def proofs() -> list[Proof]:
    """Return the row about the command line."""
    return [Proof("the commands, any arguments", "words and an exit code, whatever was typed", _tried)]


def _tried(effort: Effort) -> Finding:
    with tempfile.TemporaryDirectory(prefix="moontide-") as folder, commandfuzz.shell(Path(folder)) as shell:
        report = shell.try_all(EXAMPLES, number=effort.seed)
        kinds = ", ".join(f"{count} x {code}" for code, count in sorted(report.codes.items()))
        tried = f"{report.codes.total()} lines for {len(shell.commands)} commands, by exit code: {kinds}"
    return Finding(tried, tuple(report.complaints.values()))
