"""The table that `make prove` prints."""

from __future__ import annotations

from dataclasses import dataclass

from tests.prove.proof import Finding, Proof

MOST_COMPLAINTS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A proof with what came of it."""

    proof: Proof
    finding: Finding
    seconds: float

    def __str__(self) -> str:
        finding = self.finding
        told = finding.missing or finding.tried
        return f"{finding.verdict:<9} {self.proof.name:<34} {self.seconds:>6.0f} s  {told}"

    @property
    def details(self) -> list[str]:
        """What did not hold, cut after some lines."""
        complaints = self.finding.complaints
        more = len(complaints) - MOST_COMPLAINTS
        shown = [f"  - {one}" for one in complaints[:MOST_COMPLAINTS]]
        return shown + ([f"  and {more} more"] if more > 0 else [])


def table(rows: list[Row]) -> str:
    """Return all rows, and below each that fell why."""
    lines = []
    for row in rows:
        lines += [str(row), f"{'':9} ({row.proof.promise})", *row.details]
    return "\n".join(lines)
