"""Puts one function in the place of another wherever the engine has a name for it."""

from __future__ import annotations

import sys
from typing import Any

_OURS = ("engine", "plugins", "moontide")


def everywhere(old: Any, new: Any) -> None:
    """Let every module of the engine that knows `old` use `new` from now on.

    Raises:
        LookupError: none does.
    """
    found = 0
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in _OURS:
            for key in [key for key, value in vars(module).items() if value is old]:
                setattr(module, key, new)
                found += 1
    if not found:
        raise LookupError(f"nobody uses {old!r}")
