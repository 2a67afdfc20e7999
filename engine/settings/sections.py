"""The tables of moontide.toml."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr, model_validator

from engine.roles import Role
from engine.settings.types import (
    DURATION,
    KEPT_FOR,
    NAMES,
    SIZE,
    Address,
    ApiTokens,
    Count,
    Duration,
    Folder,
    Grace,
    KeptFor,
    Names,
    NodeName,
    NodeUrl,
    OptionalFolder,
    Positive,
    Section,
    Size,
    SourceSize,
    TagLimits,
    setting,
)


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


class NodeSettings(Section):
    """This engine or worker among those that share a database."""

    name: NodeName = setting(
        "",
        "What it is called; empty means its host and home folder, such as web1:/srv/shop.",
        'a name of at most 100 characters, or ""',
    )
    address: NodeUrl = setting(
        "",
        "Where other engines reach this one's API; empty means where api.tcp listens, if with a certificate.",
        'a URL such as "https://web1.example:7424", or ""',
    )
    ca: OptionalFolder = setting(
        "",
        "The file of the authorities (PEM) by which other engines' certificates are checked; empty means the "
        "machine's.",
        'a path, or ""',
    )


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
