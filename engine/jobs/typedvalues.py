"""Settings as people type them into a form: text without quotes, tables without their braces."""

from __future__ import annotations

from types import UnionType
from typing import Any, Union, get_args, get_origin

from engine.errors import JobFileError
from engine.jobs.additions import Setting
from engine.jobs.jobedit import Entry, lua_literal, read_table


def typed_value(setting: Setting, text: str) -> Any:
    """Return the value that somebody means who types a text for a setting; None for no value.

    A text that is a literal of Lua is that literal, unless the setting takes nothing but text. Any other is
    itself, or what stands between the braces of a table where the setting takes one.
    """
    text = text.strip()
    if not text:
        return None
    kinds = _kinds(setting.type)
    if kinds == {str} and text[0] not in "\"'[":
        return text
    value, known = _literal(text)
    if known:
        return value
    if kinds & {dict, list} and not kinds & {str}:
        value, known = _literal(f"{{ {text} }}")
        if known:
            return value
    return text


def typed_text(setting: Setting | None, entry: Entry) -> str:
    """Return a value of a job file as somebody would type it; `typed_value` takes it for the same value."""
    if setting is not None and isinstance(entry.value, str) and not entry.computed:
        plain = entry.value
        if plain.isprintable() and plain == plain.strip() and typed_value(setting, plain) == plain:
            return plain
        return lua_literal(plain)
    return (
        " ".join(line.strip() for line in entry.text.splitlines()) if "--" not in entry.text else entry.text
    )


def _kinds(annotation: Any) -> set[type]:
    """Return the types that a setting's value may be of, without what they hold."""
    if annotation is Any:
        return {str, float, dict}
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return {kind for one in get_args(annotation) for kind in _kinds(one)}
    kind = origin or annotation
    return {list} if kind is tuple else set() if kind is type(None) else {kind}


def _literal(text: str) -> tuple[Any, bool]:
    try:
        table = read_table(f"core.job {{ value = {text}\n}}")
    except JobFileError:
        return None, False
    entry = table.entry("value")
    if entry is None or len(table.entries) != 1 or entry.computed or entry.text != text:
        return None, False
    return entry.value, True
