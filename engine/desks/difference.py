"""What changed between the code of two runs, or of a run and the files of now. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from engine.views import DiffView, FileDiffView

#: Stands for a file that one side does not have.
NOTHING = "/dev/null"


@dataclass(frozen=True, slots=True)
class Code:
    """A job file and the library modules that went with it.

    Attributes:
        label: whose they are, such as "run 12" or "now".
        files: texts by path below the jobs folder.
    """

    label: str
    files: Mapping[str, str]


def compare(before: Code, after: Code) -> DiffView:
    """Return what changed, file by file, each as a unified diff."""
    paths = sorted({*before.files, *after.files})
    changed = [path for path in paths if before.files.get(path) != after.files.get(path)]
    return DiffView(before.label, after.label, [_file(path, before, after) for path in changed])


def _file(path: str, before: Code, after: Code) -> FileDiffView:
    lines = difflib.unified_diff(
        _lines(before.files.get(path, "")),
        _lines(after.files.get(path, "")),
        f"{path} ({before.label})" if path in before.files else NOTHING,
        f"{path} ({after.label})" if path in after.files else NOTHING,
    )
    return FileDiffView(path, "".join(lines))


def _lines(text: str) -> list[str]:
    """Return a text's lines, each with its end; one that has none gets it, and a line that says so."""
    lines = [f"{line}\n" for line in text.split("\n")]
    if not text or text.endswith("\n"):
        return lines[:-1]
    return [*lines[:-1], lines[-1] + "\\ No newline at end of file\n"]
