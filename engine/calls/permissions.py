"""Which core modules, and what beyond them, one run may reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from engine.errors import CoreError

REFUSED = 801

_HOST_AND_PORT = re.compile(r"([^/]+):(\d{1,5})")
_USUAL_PORTS = frozenset({"80", "443"})


class PermissionMode(StrEnum):
    """How the operator wants permissions handled.

    `open`: every job may use every module. `declared`: a job gets only what its `allow` lists.
    """

    OPEN = "open"
    DECLARED = "declared"


class Permissions:
    """The permissions of one run."""

    def __init__(
        self,
        *,
        job: str,
        mode: PermissionMode,
        allow: Mapping[str, bool | Sequence[str]],
        refused: Callable[[str], None],
    ) -> None:
        """Make the permissions of a run.

        Args:
            allow: by module: true for everything, or patterns of what may be reached.
            refused: told the words of each refusal.
        """
        self._job = job
        self._mode = mode
        self._allow = allow
        self._refused = refused
        self.refusals = 0

    def check(self, module: str, resources: Sequence[str]) -> None:
        """Let a call pass, or refuse it.

        Args:
            resources: what the call wants to reach, in the module's own terms (a host with port, a database,
                a path); none if the module has nothing to tell apart.

        Raises:
            CoreError: the job's `allow` does not cover it.
        """
        if self._mode is PermissionMode.OPEN:
            return
        granted = self._allow.get(module, False)
        if granted is True:
            return
        patterns = [] if granted is False else granted
        if not patterns:
            self._refuse(f"job {self._job} may not use core.{module}; its allow does not list {module}")
        for resource in resources:
            if not any(matches(resource, pattern) for pattern in patterns):
                self._refuse(
                    f"job {self._job} may not reach {resource} by core.{module}; its allow does not list it"
                )

    def _refuse(self, words: str) -> None:
        self.refusals += 1
        self._refused(words)
        raise CoreError(words, REFUSED)


def matches(resource: str, pattern: str) -> bool:
    """Whether a pattern of `allow` covers a resource.

    `*` stands for any characters. For a path, a pattern that ends in `/` covers everything below it. For a
    host with its port, capitals do not count, and a pattern without a port covers the ports 80 and 443.
    """
    if (host := _HOST_AND_PORT.fullmatch(resource)) is not None:
        usual = host[2] in _USUAL_PORTS and _covers(pattern.lower(), host[1].lower())
        return usual or _covers(pattern.lower(), resource.lower())
    if pattern.endswith("/"):
        return resource.startswith(pattern) or resource == pattern.removesuffix("/")
    return _covers(pattern, resource)


def _covers(pattern: str, text: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def describe_allow(allow: Mapping[str, bool | Sequence[str]]) -> dict[str, Any]:
    """Return what a job may do, as plain data for its page."""
    return {
        module: True if granted is True else list(granted)
        for module, granted in sorted(allow.items())
        if granted is not False
    }


def permission_words(mode: str, allow: Mapping[str, bool | Sequence[str]]) -> str:
    """Return what a job may do, in words for people.

    Args:
        mode: a `PermissionMode` value.
        allow: what the job lists.
    """
    if mode == PermissionMode.OPEN:
        return "every core module"
    granted = describe_allow(allow)
    parts = [
        f"core.{module}" if patterns is True else f"core.{module} ({', '.join(patterns)})"
        for module, patterns in granted.items()
        if patterns
    ]
    return ", ".join(parts) or "only what reaches nothing, such as core.log"
