"""The frame of `make prove`: what fell is told and counts, whatever came before."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.processes import hearing_hangups
from tests.prove import __main__ as prove
from tests.prove.proof import Effort, Finding, Proof, Verdict
from tests.prove.table import table


def _broken(_effort: Effort) -> Finding:
    raise RuntimeError("no engine")


HELD = Proof("held", "it holds", lambda effort: Finding(f"seed {effort.seed}"))
FELL = Proof("fell", "it holds", lambda _: Finding("one", tuple(f"reason {n}" for n in range(30))))
MISSING = Proof("missing", "it holds", lambda _: Finding("", missing="no server"))
BROKEN = Proof("broken", "it holds", _broken)


class Rows:
    """A module with proofs."""

    def __init__(self, *proofs: Proof) -> None:
        self._proofs = list(proofs)

    def proofs(self) -> list[Proof]:
        return self._proofs


@pytest.mark.parametrize(
    ("proofs", "code"),
    [((HELD,), 0), ((HELD, MISSING), 0), ((FELL, HELD), 1), ((BROKEN, HELD), 1)],
)
def test_the_exit_code_says_whether_anything_fell(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], proofs: tuple[Proof, ...], code: int
) -> None:
    monkeypatch.setattr(prove, "MODULES", (Rows(*proofs),))
    assert prove.main(["--seed", "7"]) == code
    said = capsys.readouterr().out
    assert said.startswith("seed 7\n")
    assert all(proof.name in said for proof in proofs)


def test_what_fell_is_told_with_its_reasons() -> None:
    rows = [prove.carry_out(proof, Effort(1, 1)) for proof in (FELL, BROKEN, MISSING)]
    assert [row.finding.verdict for row in rows] == [Verdict.FELL, Verdict.FELL, Verdict.NOT_TRIED]
    said = table(rows)
    assert "reason 0" in said
    assert "and 10 more" in said
    assert "RuntimeError: no engine" in said
    assert "in _broken, " in said
    assert "no server" in said


def test_names_of_proofs_are_told_apart_and_wrong_ones_are_refused() -> None:
    names = [proof.name for proof in prove.all_proofs()]
    assert len(set(names)) == len(names)
    assert prove.main(["--only", "no such proof"]) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_it_leaves_nothing_behind(number: signal.Signals) -> None:
    program = Path(__file__).with_name("endless.py")
    with hearing_hangups():
        process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "seed 7\n"
    assert process.stdout.readline() == "an engine was started\n"
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert said == "the engine was stopped\n"
    assert process.returncode
