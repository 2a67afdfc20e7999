"""The table [network] of moontide.toml."""

from __future__ import annotations

import msgspec

from moontide.quantities import parse_duration, parse_size
from plugins.network.addresses import parse_allowed

#: What fits into one answer to a job, with room for headers.
MOST_BODY_BYTES = 10 * 2**20

#: The longest time that a job may ask for, for one request with its redirects.
MOST_SECONDS = 600.0

#: The longest time that one post of a notice may take.
MOST_HOOK_SECONDS = 50.0


class AlertHookSettings(msgspec.Struct, forbid_unknown_fields=True):
    """The table [network.alerts]: where notices of alerts are posted.

    Attributes:
        url: `${NAME}` in it stands for a secret of the operator's, as in the headers.
        headers: sent with each notice.
        only: where the receiver wants nothing but a text: the name under which it looks for it.
        timeout: how long one request may take.
    """

    url: str = ""
    headers: dict[str, str] = {}
    only: str = ""
    timeout: float | str = "10s"

    def __post_init__(self) -> None:
        """Check what types do not tell.

        Raises:
            ValueError: in words that name the key, and never its value.
        """
        if self.url and not self.url.startswith(("http://", "https://", "${")):
            raise ValueError("alerts.url must begin with http:// or https://, or with ${NAME} of a secret")
        if not 0 < checked_seconds("alerts.timeout", self.timeout) <= MOST_HOOK_SECONDS:
            raise ValueError(f"alerts.timeout must be at most {MOST_HOOK_SECONDS:g} s")

    def __repr__(self) -> str:
        return "AlertHookSettings(...)"


class NetworkSettings(msgspec.Struct, forbid_unknown_fields=True):
    """What the operator says about requests of jobs.

    Attributes:
        allow: hosts and addresses that are not public and may be reached, such as "127.0.0.1:8080".
        timeout: how long a request may take in all, if the job does not say.
        max_body: the largest answer, unpacked.
        max_redirects: how many redirects are followed.
        user_agent: how requests name their sender.
        ca_file: a PEM file of authorities to trust besides the public ones.
        alerts: where notices of alerts are posted.
        receivers: where those of jobs are posted that name such a receiver in their own alerts.
    """

    allow: list[str] = msgspec.field(default_factory=list)
    timeout: float | str = "10s"
    max_body: int | str = "10MB"
    max_redirects: int = 5
    user_agent: str = "Moontide"
    ca_file: str | None = None
    alerts: AlertHookSettings = msgspec.field(default_factory=AlertHookSettings)
    receivers: dict[str, AlertHookSettings] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what types do not tell.

        Raises:
            ValueError: in words that name the key.
        """
        for entry in self.allow:
            parse_allowed(entry)
        checked_seconds("timeout", self.timeout)
        if not 1 <= parse_size(self.max_body) <= MOST_BODY_BYTES:
            raise ValueError(f"max_body = {self.max_body!r}: must be between 1 byte and 10 MB")
        if not 0 <= self.max_redirects <= 20:
            raise ValueError(f"max_redirects = {self.max_redirects}: must be between 0 and 20")
        if not self.user_agent.isascii() or not self.user_agent.isprintable():
            raise ValueError("user_agent: must be plain ASCII text on one line")

    @property
    def timeout_seconds(self) -> float:
        """How long a request may take."""
        return parse_duration(self.timeout)

    @property
    def max_body_bytes(self) -> int:
        """How large an answer may be."""
        return parse_size(self.max_body)


def checked_seconds(name: str, value: float | str) -> float:
    """Return a time limit in seconds.

    Raises:
        ValueError: it is no duration, zero, or longer than a job may ask for.
    """
    seconds = parse_duration(value)
    if not 0 < seconds <= MOST_SECONDS:
        raise ValueError(f"{name} = {value!r}: must be more than 0 and at most {MOST_SECONDS:g} s")
    return seconds
