"""Distributions of this repository, built and installed as users do, into an environment of their own."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "docs" / "examples"
INSTALL_SECONDS = 300


def install(folder: Path, *distributions: Path, also: tuple[str, ...] = ()) -> Path:
    """Build wheels, install them into a fresh environment, and return the folder of its programs.

    Args:
        folder: where wheels and environment go.
        distributions: folders, each with a pyproject.toml.
        also: what else is installed, as pip takes it.
    """
    pip = (sys.executable, "-m", "pip")
    build = ("wheel", "--no-deps", "--wheel-dir", str(folder))
    carry_out(*pip, *build, *map(str, distributions), cwd=folder)
    # By the pip that is here, and each file compiled when it is first imported: a pip of its own and
    # all files compiled take three times as long.
    venv.create(folder / "env", symlinks=True)
    programs = folder / "env" / "bin"
    into = ("--python", str(programs / "python"), "install", "--no-compile")
    carry_out(*pip, *into, *map(str, sorted(folder.glob("*.whl"))), *also, cwd=folder)
    return programs


def carry_out(*command: str, cwd: Path) -> str:
    """Run a command that has to end well, and return what it prints."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=INSTALL_SECONDS, cwd=cwd, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
