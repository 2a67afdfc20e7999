"""What is wrong with a setting, in the words of the file."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Iterable

from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from engine.settings.schema import FILE_NAME, Settings, allowed_of, section_of, setting_fields, variable_of

_SECRET = re.compile(r"token|password|secret|database|heartbeat\.url", re.IGNORECASE)


def problem_of(detail: ErrorDetails) -> str:
    """Return one of pydantic's findings in the words of the file."""
    path = [str(part) for part in detail["loc"]]
    if detail["type"] == "extra_forbidden":
        return _unknown_key(path)
    top = Settings.model_fields[path[0]]
    inner = section_of(top)
    if not inner:
        return _wrong_value(path[0], top, detail["input"])
    if len(path) == 1:
        # The value is not told: a table may hold secrets.
        known = detail["type"] == "value_error"
        return (
            str(detail["ctx"]["error"]) if known else f"{FILE_NAME}: {path[0]} must be a table, [{path[0]}]"
        )
    return _wrong_value(f"{path[0]}.{path[1]}", inner[path[1]], detail["input"])


def _wrong_value(key: str, field: FieldInfo, value: object) -> str:
    return f"{_source_of(key)}{_told(key, value)}: allowed is {allowed_of(field)}"


def _unknown_key(path: list[str]) -> str:
    known = {key for key, _ in setting_fields()} | set(Settings.model_fields)
    key = ".".join(path)
    return f"{FILE_NAME}: unknown key {key}{nearest(key, known)}"


def _source_of(key: str) -> str:
    variable = variable_of(key)
    return f"{variable}: " if any(name.upper() == variable for name in os.environ) else f"{FILE_NAME}: "


def _told(key: str, value: object) -> str:
    if _SECRET.search(key):
        return key
    text = json.dumps(value, default=str)
    return f"{key} = {text if len(text) <= 60 else text[:57] + '...'}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the question whether somebody meant the known name that is like this one, or ""."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
