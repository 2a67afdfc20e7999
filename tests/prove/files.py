"""Files by the thousand, damaged or made up, given to the commands that read them."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from tests.hostile import filefuzz
from tests.prove.proof import Effort, Finding, Proof

#: For each kind of file.
EXAMPLES = 400


def proofs() -> list[Proof]:
    """Return the row about files."""
    return [Proof("files, any content", "words that name the file, and nothing half done", _tried)]


def _tried(effort: Effort) -> Finding:
    codes: Counter[int] = Counter()
    complaints: list[str] = []
    with tempfile.TemporaryDirectory(prefix="moontide-") as folder, filefuzz.shell(Path(folder)) as shell:
        for case in filefuzz.CASES:
            report = filefuzz.try_case(case, shell, EXAMPLES, number=effort.seed)
            codes += report.codes
            complaints += report.complaints.values()
    kinds = ", ".join(f"{count} x {code}" for code, count in sorted(codes.items()))
    return Finding(
        f"{codes.total()} files of {len(filefuzz.CASES)} kinds, by exit code: {kinds}", tuple(complaints)
    )
