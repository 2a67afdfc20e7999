"""Changing settings inside a job file: only what is changed is written anew, the rest stays byte for byte.

The settings are the table given to `core.job`. It is found by its tokens, not by running anything, so this
works on a file that is wrong elsewhere. A value that is computed (`every = 5 * MINUTE`) is left as it is
unless it is itself changed; a table that holds functions or values without names is for the editor.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import JobFileError
from engine.jobs.luatokens import Kind, Token, line_at, meaning_of_number, meaning_of_string, tokens

_OPENING = {"(": ")", "{": "}", "[": "]"}
#: What may stand behind a setting on its line and belong to it: nothing, or a remark to the end of the line.
_REMARK = re.compile(r"\s*(?:--(?!\[=*\[)[^\n]*)?")
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_KEYWORDS = frozenset(
    (
        *("and", "break", "do", "else", "elseif", "end", "false", "for", "function", "global", "goto", "if"),
        *("in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until", "while"),
    )
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting as it stands in the text.

    Attributes:
        start, end: from its name up to the end of its value, in characters.
        value_start: where its value begins.
        separator_end: behind its comma; `end` if it has none.
        text: its value as written.
        value: its value as plain data, if it is a literal.
        computed: whether it is anything but a literal.
    """

    name: str
    start: int
    value_start: int
    end: int
    separator_end: int
    text: str
    value: Any
    computed: bool


@dataclass(frozen=True, slots=True)
class SettingsTable:
    """Where the settings stand in a job file.

    Attributes:
        start, end: the table from its opening to its closing brace, or the `()` of a call without any.
        entries: in the order of the text; none has the name of another.
    """

    start: int
    end: int
    entries: tuple[Entry, ...]

    def entry(self, name: str) -> Entry | None:
        """Return the setting of this name, if the text has it."""
        return next((entry for entry in self.entries if entry.name == name), None)


def read_table(text: str) -> SettingsTable:
    """Find the settings of a job file.

    Raises:
        JobFileError: there are none, or they cannot be edited one by one; the message says why.
    """
    code = [token for token in tokens(text) if token.kind is not Kind.COMMENT]
    place = _call_of_core_job(code)
    if place is None:
        raise JobFileError("the file has no core.job { ... } whose settings could be changed")
    opening = code[place]
    parenthesis = opening.text == "("
    if parenthesis and _text_at(code, place + 1) == ")":
        return SettingsTable(code[place].start, code[place + 1].end, ())
    if parenthesis:
        place += 1
    if _text_at(code, place) != "{":
        raise _not_plain(text, opening, "what core.job is given is not written out as a table")
    entries, closing = _Reader(text, code).entries(place)
    if parenthesis and _text_at(code, closing + 1) != ")":
        raise _not_plain(text, code[closing], "what core.job is given is computed")
    return SettingsTable(code[place].start, code[closing].end, entries)


def change_settings(text: str, changes: Mapping[str, Any]) -> str:
    """Return a job file with other settings, all else of it unchanged.

    Args:
        text: the file.
        changes: new values by name, as plain data; None takes a setting out.

    Raises:
        JobFileError: its settings cannot be edited one by one, or a value cannot be written in Lua.
    """
    # What goes goes last, so that a table never loses its manner by being empty in between.
    for name, value in sorted(changes.items(), key=lambda change: change[1] is None):
        table = read_table(text)
        entry = table.entry(name)
        if value is None:
            text = text if entry is None else _without(text, table, entry)
        elif entry is not None:
            text = text[: entry.value_start] + lua_literal(value) + text[entry.end :]
        else:
            text = _with(text, table, f"{_key(name)} = {lua_literal(value)}")
    return text


def lua_literal(value: Any) -> str:
    """Return plain data as a job file would write it.

    Raises:
        JobFileError: it is nothing that settings hold.
    """
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if value == value and abs(value) != float("inf"):
            return repr(value)
        case str():
            return _quoted(value)
        case Mapping():
            return _braced([f"{_key(str(name))} = {lua_literal(one)}" for name, one in value.items()])
        case Sequence():
            return _braced([lua_literal(one) for one in value])
        case _:
            raise JobFileError(f"{value!r} cannot stand among the settings of a job")


def _quoted(text: str) -> str:
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return (
        '"' + "".join(escapes.get(c, c if c >= " " and c != "\x7f" else f"\\{ord(c):03}") for c in text) + '"'
    )


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) and name not in _KEYWORDS else f"[{_quoted(name)}]"


def _braced(parts: list[str]) -> str:
    return "{ " + ", ".join(parts) + " }" if parts else "{}"


# Reading


def _text_at(code: list[Token], place: int) -> str:
    return code[place].text if place < len(code) else ""


def _call_of_core_job(code: list[Token]) -> int | None:
    """Return the place behind `core.job` of the token that begins what it is given."""
    for place in range(len(code) - 3):
        words = [token.text for token in code[place : place + 3]]
        before = code[place - 1].text if place else ""
        if words == ["core", ".", "job"] and before not in (".", ":") and code[place + 3].text in ("{", "("):
            return place + 3
    return None


def _not_plain(text: str, token: Token, reason: str) -> JobFileError:
    return JobFileError(f"line {line_at(text, token.start)}: {reason}; change it in the editor")


class _Reader:
    """Reads a table constructor."""

    def __init__(self, text: str, code: list[Token]) -> None:
        self._text = text
        self._code = code

    def entries(self, opening: int) -> tuple[tuple[Entry, ...], int]:
        """Return the named values of the table that opens at a place, and the place where it closes."""
        found: dict[str, Entry] = {}
        place = opening + 1
        while _text_at(self._code, place) != "}":
            entry, place = self._entry(place)
            if entry.name in found:
                raise _not_plain(self._text, self._code[place - 1], f"{entry.name} is set twice")
            found[entry.name] = entry
        return tuple(found.values()), place

    def _entry(self, place: int) -> tuple[Entry, int]:
        name, value = self._name(place)
        end = self._end_of_value(value)
        last = self._code[end - 1]
        separated = _text_at(self._code, end) in (",", ";")
        try:
            meaning, computed = self._literal(value, end), False
        except ValueError:
            meaning, computed = None, True
        entry = Entry(
            name=name,
            start=self._code[place].start,
            value_start=self._code[value].start,
            end=last.end,
            separator_end=self._code[end].end if separated else last.end,
            text=self._text[self._code[value].start : last.end],
            value=meaning,
            computed=computed,
        )
        return entry, end + 1 if separated else end

    def _name(self, place: int) -> tuple[str, int]:
        first = self._at(place)
        if first.kind is Kind.NAME and _text_at(self._code, place + 1) == "=":
            return first.text, place + 2
        if first.text == "[" and [_text_at(self._code, place + 2), _text_at(self._code, place + 3)] == [
            "]",
            "=",
        ]:
            inner = self._at(place + 1)
            if inner.kind is Kind.STRING:
                return meaning_of_string(inner.text), place + 4
        raise _not_plain(self._text, first, "a value stands without a name")

    def _end_of_value(self, place: int) -> int:
        """Return the place behind a value: of the comma or brace that follows it."""
        open_ones: list[str] = []
        first = place
        while True:
            token = self._at(place)
            if token.text == "function":
                raise _not_plain(self._text, token, "a function stands among the settings")
            if not open_ones and token.text in (",", ";", "}"):
                if place == first:
                    raise _not_plain(self._text, token, "a name stands without a value")
                return place
            if token.kind is Kind.SIGN:
                if token.text in _OPENING:
                    open_ones.append(_OPENING[token.text])
                elif open_ones and token.text == open_ones[-1]:
                    open_ones.pop()
                elif token.text in _OPENING.values():
                    raise _not_plain(self._text, token, f"{token.text} closes nothing")
            place += 1

    def _at(self, place: int) -> Token:
        if place < len(self._code):
            return self._code[place]
        raise JobFileError("the settings have no closing brace; mend that in the editor first")

    def _literal(self, place: int, end: int) -> Any:
        """Return the value of the tokens from a place up to another; raises ValueError if it is computed."""
        value, behind = self._literal_at(place)
        if behind != end:
            raise ValueError
        return value

    def _literal_at(self, place: int) -> tuple[Any, int]:
        token = self._code[place]
        if token.kind is Kind.STRING:
            return meaning_of_string(token.text), place + 1
        if token.kind is Kind.NUMBER:
            return meaning_of_number(token.text), place + 1
        if token.text == "-" and self._code[place + 1].kind is Kind.NUMBER:
            return -meaning_of_number(self._code[place + 1].text), place + 2
        if token.text in ("true", "false", "nil"):
            return {"true": True, "false": False, "nil": None}[token.text], place + 1
        if token.text == "{":
            return self._table_at(place + 1)
        raise ValueError

    def _table_at(self, place: int) -> tuple[Any, int]:
        listed: list[Any] = []
        named: dict[str, Any] = {}
        while _text_at(self._code, place) != "}":
            try:
                name, place = self._name(place)
            except JobFileError:
                value, place = self._literal_at(place)
                listed.append(value)
            else:
                named[name], place = self._literal_at(place)
            if _text_at(self._code, place) in (",", ";"):
                place += 1
            elif _text_at(self._code, place) != "}":
                raise ValueError
        if listed and named:
            # A word without a value beside words with one, as tags may be.
            named = {str(word): "" for word in listed} | named
        return named or listed, place + 1


# Writing


def _with(text: str, table: SettingsTable, added: str) -> str:
    """Return the text with one more setting, in the manner of those that are there."""
    if not table.entries:
        return text[: table.start] + _first(text, table, added) + text[table.end :]
    last = table.entries[-1]
    end_of_line = _end_of_line(text, last.separator_end)
    separated = last.separator_end > last.end
    on_lines = "\n" in text[table.start : last.start] and end_of_line < table.end
    if not on_lines or not _REMARK.fullmatch(text, last.separator_end, end_of_line):
        comma = " " if separated else ", "
        return text[: last.separator_end] + comma + added + text[last.separator_end :]
    head = text[:end_of_line] if separated else f"{text[: last.end]},{text[last.end : end_of_line]}"
    returned = "\r" if head.endswith("\r") else ""
    return f"{head}\n{_indent(text, last.start)}{added},{returned}{text[end_of_line:]}"


def _first(text: str, table: SettingsTable, added: str) -> str:
    """Return a table with its first setting, in place of one without any."""
    inner = text[table.start + 1 : table.end - 1]
    if text[table.start] == "(":
        before = "" if text[table.start - 1].isspace() else " "
        return f"{before}{{ {added} }}"
    if not inner.strip() and "\n" not in inner:
        return f"{{ {added} }}"
    # At most comments; the last of them may reach to the end of its line.
    indent = _indent(text, table.start)
    return f"{{{inner.rstrip()}\n{indent}  {added},\n{indent}}}"


def _without(text: str, table: SettingsTable, entry: Entry) -> str:
    """Return the text without a setting, and without its line if nothing else stands on it."""
    line_start = text.rfind("\n", 0, entry.start) + 1
    line_end = _end_of_line(text, entry.separator_end)
    alone = not text[line_start : entry.start].strip() and _REMARK.fullmatch(
        text, entry.separator_end, line_end
    )
    if alone and line_start > table.start and line_end < table.end:
        return text[:line_start] + text[line_end + 1 :]
    place = table.entries.index(entry)
    following = table.entries[place + 1].start if place + 1 < len(table.entries) else None
    if following is not None and not text[entry.separator_end : following].strip(" "):
        return text[: entry.start] + text[following:]
    if following is None and place > 0:
        earlier = table.entries[place - 1]
        if not text[earlier.separator_end : entry.start].strip(" "):
            return text[: earlier.end] + text[entry.separator_end :]
    return text[: entry.start].rstrip(" ") + text[entry.separator_end :]


def _end_of_line(text: str, place: int) -> int:
    end = text.find("\n", place)
    return len(text) if end < 0 else end


def _indent(text: str, place: int) -> str:
    start = text.rfind("\n", 0, place) + 1
    line = text[start:place]
    return line[: len(line) - len(line.lstrip(" \t"))]
