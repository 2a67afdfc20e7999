"""What a job file meets in the sandbox besides its own text, as one hash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from engine.calls.core import ModuleManifest
from engine.sandbox.pool import DECLARE_CPU_SECONDS, DECLARE_MEMORY_BYTES, DECLARE_WALL_SECONDS

_FOLDER = Path(__file__).parent


def sandbox_fingerprint(modules: Sequence[ModuleManifest]) -> str:
    """Return a hash that differs when a job file could declare something else.

    It covers Lua's version, the prelude, the core modules and the limits.

    Args:
        modules: the core modules that job files see.
    """
    limits = (DECLARE_CPU_SECONDS, DECLARE_MEMORY_BYTES, DECLARE_WALL_SECONDS)
    found = hashlib.sha256(msgspec.msgpack.encode([version("lupa"), limits, list(modules)]))
    for path in sorted(_FOLDER.glob("*.lua")):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()
