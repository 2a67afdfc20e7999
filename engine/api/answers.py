"""Answers of the API that are no views of the engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """A job file as it stands on the disk.

    Attributes:
        hash: SHA-256 of the file in hexadecimal; give it back when you write, and nobody's change is lost.
    """

    text: str
    hash: str
