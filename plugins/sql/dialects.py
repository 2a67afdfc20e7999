"""Where the SQL of the databases differs: quotes, values as text, lengths."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_MYSQL_ESCAPES = {
    "\\": "\\\\", "'": "\\'", '"': '\\"', "\0": "\\0", "\b": "\\b",
    "\n": "\\n", "\r": "\\r", "\t": "\\t", "\x1a": "\\Z",
}  # fmt: skip
_MYSQL_SPECIAL = re.compile("[\\\\'\"\\0\b\n\r\t\x1a]")


@dataclass(frozen=True, slots=True, eq=False)
class Dialect:
    """One kind of SQL.

    Attributes:
        quote: stands on both sides of a name.
        longest_name: how many bytes a name may have.
        escape: returns text as a literal of this SQL, quotes included.
        binary: returns bytes as a literal, given their hex digits.
        after_insert: what makes an INSERT tell the new row's id.
    """

    quote: str
    longest_name: int
    escape: Callable[[str], str]
    binary: Callable[[str], str]
    after_insert: str = ""

    def literal(self, value: str | bytes | int | float | bool | None) -> str:
        """Return a value as a literal of this SQL."""
        match value:
            case None:
                return "NULL"
            case bool():
                return "TRUE" if value else "FALSE"
            case str():
                return self.escape(value)
            case bytes():
                return self.binary(value.hex())
            case _:
                return repr(value)


def backslash_escape(text: str) -> str:
    """Return text as a string literal of MySQL."""
    return "'" + _MYSQL_SPECIAL.sub(lambda found: _MYSQL_ESCAPES[found[0]], text) + "'"


def standard_escape(text: str) -> str:
    """Return text as a string literal of standard SQL, where only the quote is special."""
    return "'" + text.replace("'", "''") + "'"


MYSQL = Dialect(
    quote="`",
    longest_name=64 * 4,
    escape=backslash_escape,
    binary=lambda digits: f"X'{digits}'",
)

#: PostgreSQL cuts longer names without a word.
POSTGRESQL = Dialect(
    quote='"',
    longest_name=63,
    escape=standard_escape,
    binary=lambda digits: f"'\\x{digits}'",
    after_insert=" RETURNING *",
)

#: In double quotes SQLite takes an unknown name for a string.
SQLITE = Dialect(
    quote="`",
    longest_name=255,
    escape=standard_escape,
    binary=lambda digits: f"X'{digits}'",
)
