"""Programs that some tests drive, from Debian's packages."""

from __future__ import annotations

import os
import shutil

import pytest

#: Where servers are that people do not call themselves.
_SERVERS = "/usr/sbin:/sbin"


def needs(program: str, package: str) -> str:
    """Return where a program is; without it skip the test, or fail where nothing may be left out."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:{_SERVERS}")
    if found is None:
        words = f"{program} is missing: apt-get install {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(words)
        pytest.skip(words)
    return found
