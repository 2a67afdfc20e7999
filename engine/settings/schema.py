"""Every setting with its default, its words and its checks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import (
    Field,
    PrivateAttr,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from engine.calls.permissions import PermissionMode
from engine.jobs.alertrules import AlertRules
from engine.run import Limits, Retention
from engine.settings.alerts import AlertSettings, HeartbeatSettings
from engine.settings.sections import (
    ApiSettings,
    EngineSettings,
    LimitSettings,
    LogSettings,
    NodeSettings,
    PluginSettings,
    PoolSettings,
    RetentionSettings,
    SandboxSettings,
    SshSettings,
)
from engine.settings.types import (
    DatabaseUrl,
    Folder,
    NamedBlackouts,
    NamedSchedules,
    OptionalFolder,
    Section,
    Switch,
    Zone,
    setting,
)

FILE_NAME = "moontide.toml"
PREFIX = "MOONTIDE_"
NESTING = "__"

#: Where values come from, beside the file.
ENVIRONMENT = "environment"
DEFAULT = "default"


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
    node: NodeSettings = Field(default_factory=NodeSettings)
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


def setting_fields() -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting as its dotted key and its declaration, in the order of the file."""
    sections = []
    for name, field in Settings.model_fields.items():
        if section_of(field):
            sections.append((name, field))
        else:
            yield name, field
    for table, field in sections:
        for name, inner in section_of(field).items():
            yield f"{table}.{name}", inner


def variable_of(key: str) -> str:
    """Return the environment variable of a dotted key: `pool.size` is MOONTIDE_POOL__SIZE."""
    return PREFIX + key.replace(".", NESTING).upper()


def allowed_of(field: FieldInfo) -> str:
    """Return what may stand in a setting, in words."""
    extra = field.json_schema_extra
    return str(extra["allowed"]) if isinstance(extra, dict) else ""


def section_of(field: FieldInfo) -> dict[str, FieldInfo]:
    """Return the settings of a table by name; empty for what is none."""
    kind = field.annotation
    return kind.model_fields if isinstance(kind, type) and issubclass(kind, Section) else {}
