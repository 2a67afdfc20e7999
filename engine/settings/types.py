"""How settings of moontide.toml are declared, and the kinds of their values; wrong ones raise ValueError."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_settings import NoDecode

from engine.errors import ScheduleError
from engine.jobs.jobfolder import MOST_SOURCE_BYTES
from engine.roles import Role
from engine.times.blackout import read_window
from engine.times.quantities import format_size, parse_duration, parse_size
from engine.times.schedule import parse_cron, parse_timezone

_TOKEN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", re.ASCII)


def setting(default: Any, description: str, allowed: str) -> Any:
    """Declare one setting.

    Args:
        default: as a person would write it in the file.
        description: what it does, for the commented file.
        allowed: what may stand there, for error messages and the commented file.
    """
    return Field(
        default=default,
        description=description,
        json_schema_extra={"allowed": allowed},
        validate_default=True,
    )


class Section(BaseModel):
    """One table of the file; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ApiToken(Section):
    """One further token of the API."""

    role: Role
    token: SecretStr


def _tokens(tokens: dict[str, ApiToken]) -> dict[str, ApiToken]:
    if not all(_TOKEN_NAME.fullmatch(name) for name in tokens):
        raise ValueError("names are letters, digits and -_.@")
    given = [one.token.get_secret_value() for one in tokens.values()]
    if "" in given or len(set(given)) < len(given):
        raise ValueError("each needs a token of its own")
    return tokens


def _duration(value: object) -> float:
    seconds = parse_duration(value)
    if seconds <= 0:
        raise ValueError("must be longer than zero")
    return seconds


def _kept(value: object) -> float:
    seconds = 0.0 if value == "" else parse_duration(value)
    if seconds < 0:
        raise ValueError("must not be less than zero")
    return seconds


def _size(value: object) -> int:
    size = parse_size(value)
    if size <= 0:
        raise ValueError("must be more than zero")
    return size


def _source_size(value: object) -> int:
    size = _size(value)
    if size > MOST_SOURCE_BYTES:
        raise ValueError(f"must be at most {format_size(MOST_SOURCE_BYTES)}")
    return size


def _count(value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value.strip()):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**12:
        return value
    raise ValueError("must be a whole number")


def _switch(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ValueError("must be true or false")


def _names(value: object) -> list[str]:
    if isinstance(value, str):
        return [name for name in re.split(r"[,\s]+", value) if name]
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    raise ValueError("must be a list of names")


def _zone(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    try:
        return parse_timezone(value).key
    except ScheduleError as error:
        raise ValueError(str(error)) from error


def _database(value: object) -> str:
    if isinstance(value, str) and (not value or re.match(r"(sqlite|postgresql)(\+\w+)?://", value)):
        return value
    raise ValueError("must be a database URL")


def _address(value: object) -> str:
    if value == "":
        return ""
    match = re.fullmatch(r"(?:[^\s:\[\]]+|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})", str(value), re.ASCII)
    if not isinstance(value, str) or match is None or int(match[1]) > 65_535:
        raise ValueError("must be host:port")
    return value


def _schedules(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    for name, line in value.items():
        if not isinstance(line, str):
            raise ValueError(f"{name} must be a cron line")
        try:
            parse_cron(line)
        except ScheduleError as error:
            raise ValueError(str(error)) from error
    return value


def _blackouts(value: object) -> dict[str, list[str]]:
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    named = {name: given if isinstance(given, list) else [given] for name, given in value.items()}
    for windows in named.values():
        for window in windows:
            if not isinstance(window, str):
                raise ValueError("must be a table of windows")
            try:
                read_window(window)
            except ScheduleError as error:
                raise ValueError(str(error)) from error
    return named


def _tag_limits(value: object) -> dict[str, int]:
    if isinstance(value, dict) and all(_count(limit) >= 1 for limit in value.values()):
        return {tag: _count(limit) for tag, limit in value.items()}
    raise ValueError("must be a table of whole numbers")


def _node_url(value: object) -> str:
    if value == "" or (isinstance(value, str) and re.fullmatch(r"https://[^\s/?#@]+", value)):
        return str(value)
    raise ValueError("not an address")


def _node_name(value: object) -> str:
    if not isinstance(value, str) or len(value) > 100 or not value.isprintable() or value != value.strip():
        raise ValueError("not a name")
    return value


def _folder(value: object) -> str:
    if isinstance(value, str) and value.strip() and "\0" not in value:
        return value
    raise ValueError("must be a path")


Duration = Annotated[float, BeforeValidator(_duration)]
KeptFor = Annotated[float, BeforeValidator(_kept)]
Grace = Annotated[Duration, Field(le=60)]
Size = Annotated[int, BeforeValidator(_size)]
SourceSize = Annotated[int, BeforeValidator(_source_size)]
Count = Annotated[int, BeforeValidator(_count)]
Positive = Annotated[Count, Field(ge=1)]
Switch = Annotated[bool | None, BeforeValidator(_switch)]
Names = Annotated[list[str], NoDecode, BeforeValidator(_names)]
Zone = Annotated[str, BeforeValidator(_zone)]
DatabaseUrl = Annotated[str, BeforeValidator(_database)]
Address = Annotated[str, BeforeValidator(_address)]
ApiTokens = Annotated[dict[str, ApiToken], AfterValidator(_tokens)]
TagLimits = Annotated[dict[str, int], BeforeValidator(_tag_limits)]
NamedBlackouts = Annotated[dict[str, list[str]], BeforeValidator(_blackouts)]
NamedSchedules = Annotated[dict[str, str], BeforeValidator(_schedules)]
Folder = Annotated[str, BeforeValidator(_folder)]
NodeUrl = Annotated[str, BeforeValidator(_node_url)]
NodeName = Annotated[str, BeforeValidator(_node_name)]
OptionalFolder = Annotated[str, BeforeValidator(lambda value: value if value == "" else _folder(value))]

DURATION = 'a duration such as "30s", "1h30m" or a number of seconds, longer than zero'
KEPT_FOR = 'a duration such as "90d" or "12h"; 0 for ever'
SIZE = 'a size such as "64MB", "256KB" or a number of bytes, more than zero'
NAMES = 'a list of names such as ["one", "two"]; one,two in a variable'
