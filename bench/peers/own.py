"""The virtual environment of the peers, which share nothing with Moontide's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_HERE = Path(__file__).parent
_REQUIREMENTS = _HERE / "requirements.txt"
_FOLDER = _HERE / ".venv"
_INSTALLED = _FOLDER / "installed.txt"

#: The interpreter that has the peers.
OWN_PYTHON = _FOLDER / "bin" / "python"


def make_own_environment() -> None:
    """Make the environment, or make it anew after the requirements have changed."""
    wanted = _REQUIREMENTS.read_text("utf-8")
    if _INSTALLED.exists() and _INSTALLED.read_text("utf-8") == wanted:
        return
    print("installing the peers ...", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(_FOLDER)], check=True)
    pip = [str(OWN_PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(_REQUIREMENTS)], check=True)
    _INSTALLED.write_text(wanted, "utf-8")
