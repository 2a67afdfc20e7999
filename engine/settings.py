"""What the operator sets: moontide.toml, and the same keys as MOONTIDE_... variables."""

from __future__ import annotations

import difflib
import json
import os
import re
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from engine.calls.permissions import PermissionMode
from engine.errors import SettingsError
from engine.jobs.alertrules import AlertRules
from engine.roles import Role
from engine.run import Limits, Retention
from engine.settingalerts import AlertSettings, HeartbeatSettings
from engine.settingtypes import (
    DURATION,
    KEPT_FOR,
    NAMES,
    SIZE,
    Address,
    ApiTokens,
    Count,
    DatabaseUrl,
    Duration,
    Folder,
    Grace,
    KeptFor,
    NamedBlackouts,
    NamedSchedules,
    Names,
    OptionalFolder,
    Positive,
    Section,
    Size,
    SourceSize,
    Switch,
    TagLimits,
    Zone,
    setting,
)

FILE_NAME = "moontide.toml"
PREFIX = "MOONTIDE_"
NESTING = "__"

#: Where values come from, beside the file.
ENVIRONMENT = "environment"
DEFAULT = "default"

#: Variables of the same family that are not settings.
_OTHER_VARIABLES = frozenset({"MOONTIDE_HOME"})
#: Variables that hold secrets of jobs; with two underscores it is the settings of the module `secret`.
_OF_SECRETS = re.compile(r"MOONTIDE_SECRET_[A-Za-z]")
_SECRET = re.compile(r"token|password|secret|database|heartbeat\.url", re.IGNORECASE)


class PluginSettings(Section):
    """Python packages that add to the engine."""

    disable: Names = setting([], "Plugins that are not loaded, by name.", NAMES)


class PoolSettings(Section):
    """How much goes on at once."""

    size: Count = setting(
        10, "Runs at once; further ones wait. 0 means no limit.", "a whole number, 0 or more"
    )


class LimitSettings(Section):
    """What one run may use. A job's own settings may ask for less, never for more."""

    timeout: Duration = setting("1h", "Time from a run's start to its end.", DURATION)
    cpu: Duration = setting("60s", "Processor time of a run.", DURATION)
    memory: Size = setting("64MB", "Memory of a run's Lua state.", SIZE)
    # Longer ones take the compiler too long: its time can grow with the square of the length.
    source: SourceSize = setting(
        "256KB", "Size of a job file or library module.", 'a size such as "64KB", at most 256KB'
    )
    log: Size = setting(
        "1MB", "Text that a run's log keeps; the rest is dropped, with a line that says so.", SIZE
    )
    log_line: Size = setting("4KB", "Length at which one line of a log is cut.", SIZE)
    calls: Positive = setting(100_000, "Calls of core functions in one run.", "a whole number, 1 or more")
    result: Size = setting("1MB", "Size of a run's result, as JSON.", SIZE)
    tags: TagLimits = setting(
        {},
        "Runs at once of jobs with a tag, by the tag's name or value: tags.shop = 2.",
        "a table of tags with whole numbers, 1 or more",
    )
    groups: TagLimits = setting(
        {},
        "Runs at once of jobs in a group: groups.shop = 2.",
        "a table of groups with whole numbers, 1 or more",
    )


class SandboxSettings(Section):
    """The worker processes that execute Lua."""

    allow_missing: Names = setting(
        [], "Walls of the sandbox that this machine may lack; the engine refuses to start otherwise.", NAMES
    )
    worker_runs: Positive = setting(
        200, "Runs after which a worker process is replaced.", "a whole number, 1 or more"
    )
    worker_idle: Duration = setting("60s", "Time after which an idle worker process ends.", DURATION)
    warm: Count = setting(2, "Worker processes kept ready.", "a whole number, 0 or more")


class RetentionSettings(Section):
    """How long runs and other records are kept; the job moontide/cleanup removes the others."""

    every: Duration = setting("1h", "How often that job runs.", DURATION)
    age: KeptFor = setting("90d", "Runs that ended longer ago are removed.", KEPT_FOR)
    failed_age: KeptFor = setting("365d", "The same for those that failed.", KEPT_FOR)
    runs: Count = setting(
        10_000, "So many ended runs of each job are kept at most; 0 for all.", "a whole number, 0 or more"
    )
    failed_runs: Count = setting(
        10_000, "The same for those that failed, counted apart.", "a whole number, 0 or more"
    )
    alerts: KeptFor = setting("365d", "Alerts that ended longer ago are removed.", KEPT_FOR)
    slots: KeptFor = setting("365d", "The same for entries of the slot ledger.", KEPT_FOR)
    schedules: KeptFor = setting("90d", "The same for schedules given at run time.", KEPT_FOR)
    audit: KeptFor = setting("730d", "Entries of the audit trail that are older are removed.", KEPT_FOR)


class EngineSettings(Section):
    """The engine process."""

    stop_after: Duration = setting(
        "10s", "How long a stop waits for runs under way before it cancels them.", DURATION
    )
    stop_grace: Grace = setting(
        "5s",
        "How long a cancelled run that asks for it has to come to its end by itself.",
        "a duration of at most 60s",
    )


class ApiSettings(Section):
    """How other programs reach the engine, besides the socket in the home folder."""

    tcp: Address = setting(
        "", "Also listen on this TCP address; needs a token.", '"host:port" such as "127.0.0.1:7424", or ""'
    )
    token: SecretStr = setting(
        SecretStr(""), "What TCP clients send as a bearer token; it may do everything.", "text"
    )
    tokens: ApiTokens = setting(
        {},
        'Further tokens by name: tokens.wall = { role = "viewer", token = "..." }.',
        "a table of names, each with a role (viewer, operator or admin) and a token that no other has",
    )
    certificate: OptionalFolder = setting(
        "", "The file of the certificate for TLS on TCP (PEM); empty means no TLS.", 'a path, or ""'
    )
    key: OptionalFolder = setting(
        "", "The file of its private key; empty if both are one file.", 'a path, or ""'
    )

    @model_validator(mode="after")
    def _tcp_needs_a_token(self) -> ApiSettings:
        if self.tcp and not self.bearers():
            raise ValueError("api.tcp is set without api.token: set a long random token, or leave tcp empty")
        tokens = [token for _, token, _ in self.bearers()]
        if len(set(tokens)) < len(tokens):
            raise ValueError("api.tokens has the token of api.token once more: give each a token of its own")
        return self

    def bearers(self) -> list[tuple[str, str, Role]]:
        """Return each token as a name, the token itself and its role; the first one has no name."""
        alone = self.token.get_secret_value()
        named = [(name, one.token.get_secret_value(), one.role) for name, one in self.tokens.items()]
        return [("", alone, Role.ADMIN), *named] if alone else named


class SshSettings(Section):
    """The front door: the dashboard over SSH, by public key, without accounts on this machine."""

    listen: Address = setting(
        "",
        "Listen for SSH on this address; empty means no door.",
        '"host:port" such as "127.0.0.1:8022", or ""',
    )
    keys: Folder = setting(
        "ssh_keys", "The file of public keys with their roles, from the home folder.", "a path"
    )
    host_key: Folder = setting(
        "ssh_host_key", "The file of the door's own key, which is made at the first start.", "a path"
    )
    sessions: Positive = setting(20, "Sessions at once.", "a whole number, 1 or more")
    sessions_per_key: Positive = setting(4, "Sessions at once of one key.", "a whole number, 1 or more")
    idle: KeptFor = setting(
        "1h",
        "A session in which nothing is typed for so long ends; 0 for never.",
        'a duration such as "1h", or 0',
    )


class LogSettings(Section):
    """What the engine writes about itself."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "The least serious messages that are written.", '"debug", "info", "warning" or "error"'
    )


class Settings(BaseSettings):
    """Every setting of an engine, checked."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix=PREFIX,
        env_nested_delimiter=NESTING,
        env_ignore_empty=True,
        nested_model_default_partial_update=False,
    )

    jobs: Folder = setting("jobs", "The folder of job files, from the home folder.", "a path")
    database: DatabaseUrl = Field(
        default="",
        description="Where runs are kept; empty means the SQLite file moontide.db in the home folder.",
        json_schema_extra={"allowed": 'a database URL such as "postgresql+psycopg://host/name", or ""'},
        repr=False,
    )
    timezone: Zone = setting(
        "UTC",
        "The time zone of cron lines, where a job names no other.",
        "an IANA name such as Europe/Berlin",
    )
    watch: Switch = setting(
        None,
        "Reload job files when they are saved. Unset: `moontide up` does, `moontide serve` does not.",
        "true or false",
    )
    schedules: NamedSchedules = setting(
        {},
        'Cron lines that job files may name: workhours = "*/15 9-17 * * MON-FRI" is cron = "cron.workhours".',
        "a table of names with cron lines, [schedules]",
    )
    blackouts: NamedBlackouts = setting(
        {},
        'Windows without runs that job files may name: inventory = "2026-12-30..2027-01-02" is '
        'blackout = "blackout.inventory".',
        "a table of names with windows, or with lists of them, [blackouts]",
    )
    plugins_dir: OptionalFolder = setting(
        "",
        "A folder of plugins that are one Python file each, from the home folder; empty means none.",
        'a path, or ""',
    )
    stubs: Switch = setting(
        None,
        "Keep the files for completion in editors up to date. Unset: where the folder jobs/.luals is.",
        "true or false",
    )
    permissions: PermissionMode = setting(
        "open",
        "What core modules a job may use: every one, or only what its own `allow` lists.",
        '"open" or "declared"',
    )
    executor: str = setting(
        "local",
        "What carries runs out: this engine's own workers, or what a plugin adds.",
        'the name of an executor, such as "local"',
    )
    plugins: PluginSettings = Field(default_factory=PluginSettings)
    pool: PoolSettings = Field(default_factory=PoolSettings)
    limits: LimitSettings = Field(default_factory=LimitSettings)
    sandbox: SandboxSettings = Field(default_factory=SandboxSettings)
    retention: RetentionSettings = Field(default_factory=RetentionSettings)
    engine: EngineSettings = Field(default_factory=EngineSettings)
    api: ApiSettings = Field(default_factory=ApiSettings)
    ssh: SshSettings = Field(default_factory=SshSettings)
    log: LogSettings = Field(default_factory=LogSettings)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    heartbeat: HeartbeatSettings = Field(default_factory=HeartbeatSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, which is handed to the constructor."""
        return env_settings, init_settings

    _module_tables: dict[str, Any] = PrivateAttr(default_factory=dict)
    _in_file: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def module_tables(self) -> dict[str, Any]:
        """The tables of core modules, unchecked, by the module's name (see `engine.extensions.modules`)."""
        return self._module_tables

    def origin(self, key: str) -> str:
        """Return where the value of a setting comes from: environment, moontide.toml or default.

        Args:
            key: dotted, such as `pool.size`.
        """
        variable = variable_of(key)
        set_by = (name.upper() for name, value in os.environ.items() if value)
        if any(name == variable or name.startswith(variable + NESTING) for name in set_by):
            return ENVIRONMENT
        return FILE_NAME if key in self._in_file else DEFAULT

    def run_limits(self) -> Limits:
        """Return what one run may use at most."""
        limits = self.limits
        return Limits(
            wall_seconds=limits.timeout,
            cpu_seconds=limits.cpu,
            memory_bytes=limits.memory,
            log_bytes=limits.log,
            log_line_bytes=limits.log_line,
            calls=limits.calls,
            result_bytes=limits.result,
        )

    def receivers(self) -> frozenset[str]:
        """Return the names by which job files may say who is told of their alerts.

        They are the keys of the table `receivers` of any core module that sends notices.
        """
        tables = [table.get("receivers") for table in self._module_tables.values() if isinstance(table, dict)]
        return frozenset(name for table in tables if isinstance(table, dict) for name in table)

    def alert_rules(self) -> AlertRules:
        """Return what alerts are wanted where a job says nothing else."""
        return self.alerts.rules()

    def kept_runs(self) -> Retention:
        """Return which runs are kept."""
        kept = self.retention
        return Retention(
            age_seconds=kept.age,
            failed_age_seconds=kept.failed_age,
            runs=kept.runs,
            failed_runs=kept.failed_runs,
        )

    def kept_seconds(self) -> dict[str, float]:
        """Return how long what else is over is kept, by the names of `engine.store.aging`; 0: for ever."""
        kept = self.retention
        return {
            "alerts": kept.alerts,
            "slots": kept.slots,
            "schedules": kept.schedules,
            "audit": kept.audit,
        }

    def source_bytes(self) -> int:
        """Return the size up to which a job file or library module is taken."""
        return self.limits.source

    def jobs_folder(self, home: Path) -> Path:
        """Return the folder of job files of an engine at `home`."""
        return home / self.jobs

    def plugins_folder(self, home: Path) -> Path | None:
        """Return the folder of one-file plugins of an engine at `home`, or None without one."""
        return home / self.plugins_dir if self.plugins_dir else None

    def without_plugins(self, names: Iterable[str]) -> Settings:
        """Return these settings with more plugins disabled."""
        plugins = self.plugins.model_copy(update={"disable": [*self.plugins.disable, *names]})
        return self.model_copy(update={"plugins": plugins})

    def database_url(self, home: Path) -> str:
        """Return the SQLAlchemy URL of the database of an engine at `home`."""
        return self.database or f"sqlite:///{(home / 'moontide.db').absolute()}"


def load_settings(home: Path) -> Settings:
    """Read moontide.toml in `home` and the MOONTIDE_... variables, which win over it.

    Without a file the defaults serve.

    Raises:
        SettingsError: names every wrong key, its value (unless it may be secret) and what is allowed.
    """
    return settings_from(_read_file(home / FILE_NAME))


def settings_from(content: Mapping[str, Any]) -> Settings:
    """Return the settings of a moontide.toml with this content, and of the variables, which win over it.

    Raises:
        SettingsError: as `load_settings`.
    """
    tables, given = _check_variables(), dict(content)
    for name in [name for name, value in given.items() if isinstance(value, dict)]:
        if name not in Settings.model_fields:
            tables[name] = _merged(given.pop(name), tables.get(name, {}))
    try:
        settings = Settings(**given)
        settings._module_tables = tables
        settings._in_file = frozenset(_keys_in(content, ""))
        return settings
    except ValidationError as error:
        problems = [_problem(detail) for detail in error.errors()]
    # Raised out here so that no traceback shows pydantic's own text, which holds the values.
    raise SettingsError("; ".join(dict.fromkeys(problems)))


def _keys_in(table: Mapping[str, Any], above: str) -> Iterator[str]:
    """Yield the dotted keys of a file, those of tables too."""
    for name, value in table.items():
        yield above + name
        if isinstance(value, Mapping):
            yield from _keys_in(value, f"{above}{name}.")


def settings_template() -> str:
    """Return a moontide.toml that sets nothing and explains every key, for a new home folder."""
    lines = [
        "# Settings of this Moontide engine. What is commented out shows the default.",
        f"# Each key can also be set as a variable, which wins: pool.size is {variable_of('pool.size')}.",
        "",
    ]
    section = ""
    for key, field in setting_fields():
        table, _, name = key.rpartition(".")
        if table != section:
            section = table
            lines += [f"[{table}]", *_comment(_section_words(table)), ""]
        default = "" if field.default is None else _toml(field.default)
        lines += [*_comment(field.description or ""), *_comment(f"Allowed: {allowed_of(field)}.")]
        lines += [f"#{name} = {default}" if default else f"#{name} = true", ""]
    return "\n".join(lines)


def setting_fields() -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting as its dotted key and its declaration, in the order of the file."""
    sections = []
    for name, field in Settings.model_fields.items():
        if _section_of(field):
            sections.append((name, field))
        else:
            yield name, field
    for table, field in sections:
        for name, inner in _section_of(field).items():
            yield f"{table}.{name}", inner


def variable_of(key: str) -> str:
    """Return the environment variable of a dotted key: `pool.size` is MOONTIDE_POOL__SIZE."""
    return PREFIX + key.replace(".", NESTING).upper()


def allowed_of(field: FieldInfo) -> str:
    """Return what may stand in a setting, in words."""
    extra = field.json_schema_extra
    return str(extra["allowed"]) if isinstance(extra, dict) else ""


def _section_of(field: FieldInfo) -> dict[str, FieldInfo]:
    kind = field.annotation
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, Section) else {}


def _section_words(table: str) -> str:
    return (Settings.model_fields[table].annotation.__doc__ or "").strip()


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent="# ", subsequent_indent="# ")


def _toml(value: object) -> str:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    return json.dumps(plain)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return two tables as one; where both have a value, `above` wins."""
    merged = dict(below)
    for key, value in above.items():
        inner = merged.get(key)
        if isinstance(inner, dict) and isinstance(value, dict):
            value = _merged(inner, value)
        merged[key] = value
    return merged


def _module_variables(known: Set[str]) -> dict[str, Any]:
    """Return the tables that variables such as MOONTIDE_MYSQL__SHOP__URL set for core modules."""
    tables: dict[str, Any] = {}
    own = {name.upper() for name in Settings.model_fields}
    for name, value in os.environ.items():
        if _OF_SECRETS.match(name):
            continue
        path = name.upper().removeprefix(PREFIX).split(NESTING)
        if name.upper().startswith(PREFIX) and len(path) > 1 and path[0] not in own and name not in known:
            table: Any = value
            for key in reversed(path):
                table = {key.lower(): table}
            tables = _merged(tables, table)
    return tables


def _check_variables() -> dict[str, Any]:
    """Refuse MOONTIDE_... variables that are no setting; their values are not told, they may be secret.

    Returns:
        the tables for core modules, which are checked when those are known.
    """
    known = {variable_of(key) for key, _ in setting_fields()}
    tables = _module_variables(known)
    problems = [
        f"unknown variable {name}{_nearest(name.upper(), known)}"
        for name in sorted(os.environ)
        if name.upper().startswith(PREFIX)
        and not _OF_SECRETS.match(name)
        and name.upper() not in known | _OTHER_VARIABLES
        and name.upper().removeprefix(PREFIX).partition(NESTING)[0].lower() not in tables
    ]
    if problems:
        raise SettingsError("; ".join(problems))
    return tables


def _problem(detail: ErrorDetails) -> str:
    """Return one of pydantic's findings in the words of the file."""
    path = [str(part) for part in detail["loc"]]
    if detail["type"] == "extra_forbidden":
        return _unknown_key(path)
    top = Settings.model_fields[path[0]]
    inner = _section_of(top)
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
    return f"{FILE_NAME}: unknown key {key}{_nearest(key, known)}"


def _source_of(key: str) -> str:
    variable = variable_of(key)
    return f"{variable}: " if any(name.upper() == variable for name in os.environ) else f"{FILE_NAME}: "


def _told(key: str, value: object) -> str:
    if _SECRET.search(key):
        return key
    text = json.dumps(value, default=str)
    return f"{key} = {text if len(text) <= 60 else text[:57] + '...'}"


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
