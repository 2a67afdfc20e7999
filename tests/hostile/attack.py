"""The corpus: hostile job files, each of which says in its first lines what it tries and how it may end.

A file begins with its class (its folder), what it tries, and a line for each acceptable end:

    -- class: cpu
    -- tries: an endless loop that catches every error
    -- holds: TIMEOUT "of CPU time: the limit"

An end is the run's status with words of its error, or COMPLETE with the very value that the run returns, as
JSON. INVALID stands for a file that is refused before any run. `-- needs: mysql` names a service without
which the file cannot be tried.

An attack that reaches something outside without seeing so itself leaves its mark there, `plain_loop.mark` for
instance: the name of a host or file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent / "corpus"

KINDS = (
    "environment",
    "bytecode",
    "metatables",
    "boundary",
    "cpu",
    "memory",
    "interpreter",
    "network",
    "mail",
    "sql",
    "data",
    "lifecycle",
)
SERVICES = ("mysql", "pg")

_WITH_WORDS = frozenset({"ERROR", "TIMEOUT", "CRASHED", "CANCELLED", "SKIPPED", "INVALID"})
_FIELD = re.compile(r"-- (class|tries|needs|holds): (\S.*)")


class BadHeader(ValueError):
    """The first lines of a hostile file do not say what they must."""


@dataclass(frozen=True, slots=True)
class End:
    """One acceptable end of an attack: a status with words of the error, or with the value returned."""

    status: str
    words: str | None = None
    result: Any = None

    def __str__(self) -> str:
        return f"{self.status} {json.dumps(self.result if self.words is None else self.words)}"


@dataclass(frozen=True, slots=True)
class Attack:
    """One hostile job file."""

    kind: str
    name: str
    tries: str
    needs: tuple[str, ...]
    ends: tuple[End, ...]
    source: bytes

    @property
    def job(self) -> str:
        """The name of its job."""
        return f"{self.kind}/{self.name}"

    @property
    def mark(self) -> str:
        """What it leaves where it reaches something that others find: in names of hosts and files."""
        return f"{self.name}.mark"


def read_corpus(folder: Path = CORPUS) -> list[Attack]:
    """Return all attacks, by class and name.

    Raises:
        BadHeader: a file's first lines are wrong; the text names it.
    """
    paths = sorted(folder.rglob("*.lua"), key=lambda path: (_place_of(path), path.name))
    return [read_attack(path) for path in paths]


def _place_of(path: Path) -> int:
    if path.parent.name not in KINDS:
        raise BadHeader(f"{path}: {path.parent.name!r} is no class of attacks")
    return KINDS.index(path.parent.name)


def read_attack(path: Path) -> Attack:
    """Return the attack in a file.

    Raises:
        BadHeader: its first lines are wrong.
    """
    source = path.read_bytes()
    fields = list(_fields(path, source.decode("utf-8", "replace")))
    kind, tries = _only(path, fields, "class"), _only(path, fields, "tries")
    if kind != path.parent.name:
        raise BadHeader(f"{path}: it lies among {path.parent.name}, and says that it is {kind}")
    ends = tuple(_end(path, text) for name, text in fields if name == "holds")
    if not ends:
        raise BadHeader(f"{path}: no line says how it may end")
    return Attack(kind, path.stem, tries, _needs(path, fields), ends, source)


def _fields(path: Path, text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        if not line.startswith("--"):
            break
        found = _FIELD.fullmatch(line)
        if found is None:
            raise BadHeader(f"{path}: cannot read {line!r}")
        yield found[1], found[2]
    if line:
        raise BadHeader(f"{path}: an empty line must follow its first lines")


def _only(path: Path, fields: list[tuple[str, str]], wanted: str) -> str:
    values = [text for name, text in fields if name == wanted]
    if len(values) != 1:
        raise BadHeader(f"{path}: it needs one line `{wanted}`, and has {len(values)}")
    return values[0]


def _needs(path: Path, fields: list[tuple[str, str]]) -> tuple[str, ...]:
    needs = tuple(text for name, text in fields if name == "needs")
    if not set(needs) <= set(SERVICES):
        raise BadHeader(f"{path}: a service must be one of {SERVICES}")
    return needs


def _end(path: Path, text: str) -> End:
    status, _, rest = text.partition(" ")
    try:
        value = json.loads(rest)
    except json.JSONDecodeError as error:
        raise BadHeader(f"{path}: {text!r} does not end in JSON: {error}") from error
    if status == "COMPLETE":
        return End(status, result=value)
    if status not in _WITH_WORDS or not isinstance(value, str) or len(value) < 4:
        raise BadHeader(f"{path}: {text!r} is no status with words of its error")
    return End(status, words=value)
