"""The API: requests by the thousand that its own description suggests or forbids, by every way and role."""

from __future__ import annotations

import importlib.util
import tempfile
from collections import Counter
from pathlib import Path

from tests.prove.proof import Effort, Finding, Proof

#: For each route and way.
EXAMPLES = 60
EXAMPLES_OF_STRANGERS = 20


def proofs() -> list[Proof]:
    """Return the row about the API."""
    return [
        Proof("the API, against its description", "no request crashes it, and no role gets further", _asked)
    ]


def _asked(effort: Effort) -> Finding:
    if importlib.util.find_spec("schemathesis") is None:
        return Finding("", missing="schemathesis is not installed: pip install --group dev")
    from tests.hostile import apifuzz

    answers: Counter[int] = Counter()
    complaints: list[str] = []
    with tempfile.TemporaryDirectory(prefix="moontide-") as folder, apifuzz.serving(Path(folder)) as target:
        for way in apifuzz.WAYS:
            examples = EXAMPLES_OF_STRANGERS if way.role is None else EXAMPLES
            report = target.ask(way, examples, number=effort.seed)
            answers += report.asked
            complaints += [*report.complaints.values(), *target.harm()]
    kinds = ", ".join(f"{count} x {status}" for status, count in sorted(answers.items()))
    return Finding(f"{answers.total()} requests: {kinds}", tuple(complaints))
