"""Files below one folder that nothing leads out of, for plugins that keep or read files."""

from engine.confined import (
    TEMPORARY,
    ConfinedFolder,
    open_regular,
    place_new,
    place_over,
    read_chunks,
    split_path,
    write_whole,
)
from engine.errors import PathRefused

__all__ = [
    "TEMPORARY",
    "ConfinedFolder",
    "PathRefused",
    "open_regular",
    "place_new",
    "place_over",
    "read_chunks",
    "split_path",
    "write_whole",
]
