"""What plugins add to job files: settings, kinds of schedules, values of `on_error`.

A plugin's own code is called here only through a guard: what it raises becomes words about the job file, or
a line in the engine's log that names the plugin, and stops nobody.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from engine.errors import PluginError, ScheduleError
from engine.jobs import policies
from engine.jobs.policies import DEACTIVATE, Failure, OutcomePolicy, Verdict
from engine.jobs.schedulekinds import ScheduleContext, ScheduleKind
from engine.times.quantities import parse_duration
from engine.times.schedule import Schedule

logger = logging.getLogger("moontide.plugins")

#: What a job file can hold, with the words for a value that is none of it.
_TYPES: Mapping[type, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "a table",
}

#: Each schedule of a plugin is asked once for what comes after this moment, to see whether it works.
PROBE = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Setting:
    """How one setting of job files is read, and how it is explained.

    Attributes:
        name: as it stands in the file.
        parse: turns the Lua value into the field's; raises ValueError that begins with "must".
        default: the field's value when the file says nothing.
        help: one sentence for the documentation.
        example: a value as it would be written in Lua.
        type: the field's type, for completion in editors.
    """

    name: str
    parse: Callable[[object], Any]
    default: Any
    help: str
    example: str
    type: Any = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSetting:
    """A setting that a plugin adds to job files.

    Attributes:
        name: as it stands in the file.
        type: bool, int, float, str, list or dict; what is kept is of it.
        default: what holds where the file says nothing.
        allowed: the only values that may be given; any without.
        parse: turns the Lua value into one of `type`, where more is to be checked than that; raises
            ValueError that begins with "must" and says what is allowed.
        help: one sentence for the documentation and for editors.
        example: a value as it would be written in Lua.
    """

    name: str
    type: type
    help: str
    example: str
    default: Any = None
    allowed: tuple[Any, ...] = ()
    parse: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        """Refuse a declaration that cannot be used.

        Raises:
            PluginError: says what is wrong with it.
        """
        check_name(self.name, "setting")
        if self.type not in _TYPES:
            kinds = ", ".join(kind.__name__ for kind in _TYPES)
            raise PluginError(f"setting {self.name}: type must be one of {kinds}")
        for value in (self.default, *self.allowed):
            if value is not None and not _is_of(value, self.type):
                raise PluginError(f"setting {self.name}: {value!r} is not {_TYPES[self.type]}")

    def read(self, value: Any) -> Any:
        """Return a value of a job file as it is kept.

        Raises:
            ValueError: it is not allowed; the text says what is.
        """
        if self.parse is not None:
            return self.parse(value)
        if self.type is float and _is_of(value, int):
            value = float(value)
        # An empty table of Lua may be meant as either.
        if value == {} and self.type is list:
            value = []
        if not _is_of(value, self.type) or (self.allowed and value not in self.allowed):
            words = " or ".join(json.dumps(one) for one in self.allowed) or _TYPES[self.type]
            raise ValueError(f"must be {words}")
        return value


def duration_setting(name: str, *, help: str, example: str, default: float | None = None) -> JobSetting:
    """Return a setting that is a duration, such as `"1h30m"` or a number; it is kept in seconds."""

    def parse(value: Any) -> float:
        seconds = parse_duration(value)
        if seconds < 0:
            raise ValueError("must be zero or longer")
        return float(seconds)

    return JobSetting(name=name, type=float, help=help, example=example, default=default, parse=parse)


def check_name(name: str, what: str) -> None:
    """Refuse a name that cannot stand in a job file.

    Raises:
        PluginError: it cannot.
    """
    if not (isinstance(name, str) and name.isascii() and name.isidentifier() and not name.startswith("_")):
        raise PluginError(f"{what} {name!r} must have a Lua name of ASCII letters and digits")


def _is_of(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


@dataclass(frozen=True, slots=True)
class Additions:
    """What plugins add to job files; without arguments, nothing.

    Attributes:
        settings: by name, those of the kinds of schedules as well.
        kinds: kinds of schedules by name.
        policies: values of `on_error` by name, the engine's own ones first.
    """

    settings: Mapping[str, Setting] = field(default_factory=dict)
    kinds: Mapping[str, ScheduleKind] = field(default_factory=dict)
    policies: Mapping[str, OutcomePolicy] = field(default_factory=lambda: policies.BUILT_IN)

    def with_setting(self, one: JobSetting, plugin: str) -> Additions:
        """Return these additions and a plugin's setting."""
        read = _guarded_reader(one.name, one.read, plugin, one.type)
        setting = Setting(one.name, read, one.default, one.help, one.example, one.type)
        return replace(self, settings={**self.settings, one.name: setting})

    def with_kind(self, kind: ScheduleKind, plugin: str) -> Additions:
        """Return these additions and a plugin's kind of schedules."""
        read = _guarded_reader(kind.name, kind.parse, plugin)
        setting = Setting(kind.name, read, None, kind.help, kind.example)
        guarded = replace(kind, schedules=_guarded_schedules(kind, plugin))
        return replace(
            self,
            settings={**self.settings, kind.name: setting},
            kinds={**self.kinds, kind.name: guarded},
        )

    def with_policy(self, policy: OutcomePolicy, plugin: str) -> Additions:
        """Return these additions and a plugin's value of `on_error`."""
        guarded = replace(policy, decide=_guarded_decision(policy, plugin))
        return replace(self, policies={**self.policies, policy.name: guarded})

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the value of each added setting, its default where none is given."""
        return {name: given.get(name, one.default) for name, one in self.settings.items()}


#: What a job file knows without any plugin.
NOTHING_ADDED = Additions()


def _guarded_reader(
    name: str, read: Callable[[Any], Any], plugin: str, kind: type | None = None
) -> Callable[[object], Any]:
    def guarded(value: object) -> Any:
        try:
            kept = read(value)
            if kind is not None and not _is_of(kept, kind):
                raise TypeError(f"its reader gave {type(kept).__name__}, not {kind.__name__}")
            # It goes into the database and to the API's clients. Read back, a tuple is the list that it
            # becomes there anyway, and nobody else can change it.
            return json.loads(json.dumps(kept, allow_nan=False))
        except (ValueError, ScheduleError) as error:
            raise ValueError(str(error)) from error
        except Exception as error:
            logger.exception("plugin %s failed to read the setting %s", plugin, name)
            words = (
                f"could not be read by plugin {plugin}: {type(error).__name__}; the engine's log says more"
            )
            raise ValueError(words) from error

    return guarded


def _guarded_schedules(
    kind: ScheduleKind, plugin: str
) -> Callable[[Any, ScheduleContext], Iterable[Schedule]]:
    def guarded(value: Any, context: ScheduleContext) -> Iterator[Schedule]:
        try:
            made = [GuardedSchedule(one, one.words(), plugin) for one in kind.schedules(value, context)]
            for one in made:
                # What never works is told where the file is read, not when the job should have run.
                _checked_moment(one.schedule.first(PROBE), PROBE)
        except ScheduleError:
            raise
        except Exception as error:
            logger.exception("plugin %s failed to make a schedule of %s", plugin, kind.name)
            raise ScheduleError(
                f"{kind.name}: plugin {plugin} could not make a schedule of it: {type(error).__name__}; "
                "the engine's log says more"
            ) from error
        yield from made

    return guarded


@dataclass(frozen=True, slots=True)
class GuardedSchedule:
    """A plugin's schedule. One that raises, or gives a moment that cannot be, is not due any more.

    Attributes:
        text: its words.
    """

    schedule: Schedule
    text: str
    plugin: str

    def first(self, now: datetime) -> datetime | None:
        return self._moment(now, lambda: self.schedule.first(now))

    def following(self, due: datetime, now: datetime) -> datetime | None:
        return self._moment(max(due, now), lambda: self.schedule.following(due, now))

    def missed(self, due: datetime, now: datetime) -> int:
        if now < due:
            return 0
        count = self._asked(lambda: int(self.schedule.missed(due, now)))
        return 1 if count is None else max(1, count)

    def latest(self, due: datetime, now: datetime) -> datetime:
        found = self._asked(lambda: self.schedule.latest(due, now))
        return due if found is None or not due <= found <= now else found

    def words(self) -> str:
        return self.text

    def _moment(self, after: datetime, ask: Callable[[], datetime | None]) -> datetime | None:
        found: datetime | None = self._asked(lambda: _checked_moment(ask(), after))
        return found

    def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Exception:
            logger.exception("plugin %s failed to tell when %r is due", self.plugin, self.text)
            return None


def _checked_moment(found: datetime | None, after: datetime) -> datetime | None:
    if found is not None and not found > after:
        raise ValueError(f"it is due at {found}, which is not after {after}")
    return found


def _guarded_decision(policy: OutcomePolicy, plugin: str) -> Callable[[Failure], Verdict]:
    def guarded(failure: Failure) -> Verdict:
        try:
            verdict = policy.decide(failure)
            if not isinstance(verdict, Verdict):
                raise TypeError(f"it gave {type(verdict).__name__}, not a Verdict")
            return verdict
        except Exception:
            logger.exception(
                "plugin %s failed to decide by on_error = %r; the job is deactivated", plugin, policy.name
            )
            return DEACTIVATE

    return guarded
