"""The wire: changed frames by the million, and some that are led by what the decoder's code does."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.hostile.frames import Hang, read_many
from tests.prove.proof import Effort, Finding, Proof

FRAMES = 1_000_000
_GUIDED = "tests.hostile.guided"


def proofs() -> list[Proof]:
    """Return the rows about the wire."""
    return [
        Proof("the wire, changed frames", "a worker that was taken over gets no further", _changed),
        Proof("the wire, guided by coverage", "the same, where code was not reached before", _guided),
    ]


def _changed(effort: Effort) -> Finding:
    try:
        read = read_many(FRAMES, effort.seed)
    except Hang as hang:
        return Finding(f"{FRAMES} frames", (str(hang),))
    except Exception as error:  # that nothing else is raised is the very thing that is tried
        return Finding(f"{FRAMES} frames", (f"{type(error).__name__}: {error}",))
    return Finding(
        f"{read.frames} frames, {read.messages} messages, slowest {read.slowest_seconds * 1000:.0f} ms"
    )


def _guided(effort: Effort) -> Finding:
    if importlib.util.find_spec("atheris") is None:
        return Finding("", missing="atheris is not installed: pip install --group prove")
    with tempfile.TemporaryDirectory(prefix="moontide-") as folder:
        return _run_guided(Path(folder), round(effort.minutes * 60), effort.seed)


def _run_guided(folder: Path, seconds: int, seed: int) -> Finding:
    command = [sys.executable, "-m", _GUIDED, f"-max_total_time={seconds}", f"-seed={seed}"]
    command += ["-timeout=60", "-rss_limit_mb=2048", f"-artifact_prefix={folder}/", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 600)
    said = (done.stdout + done.stderr).splitlines()
    last = next((line for line in reversed(said) if "DONE" in line), "")
    if done.returncode != 0:
        return Finding(f"{seconds} s", ("\n".join(said[-30:]),))
    return Finding(f"{seconds} s: {' '.join(last.split()[:8])}")
