"""The table [network] of moontide.toml."""

from __future__ import annotations

import msgspec

from moontide.quantities import parse_duration, parse_size
from plugins.network.addresses import parse_allowed

#: What fits into one answer to a job, with room for headers.
MOST_BODY_BYTES = 10 * 2**20

#: The longest time that a job may ask for, for one request with its redirects.
MOST_SECONDS = 600.0


class NetworkSettings(msgspec.Struct, forbid_unknown_fields=True):
    """What the operator says about requests of jobs.

    Attributes:
        allow: hosts and addresses that are not public and may be reached, such as "127.0.0.1:8080".
        timeout: how long a request may take in all, if the job does not say.
        max_body: the largest answer, unpacked.
        max_redirects: how many redirects are followed.
        user_agent: how requests name their sender.
        ca_file: a PEM file of authorities to trust besides the public ones.
    """

    allow: list[str] = msgspec.field(default_factory=list)
    timeout: float | str = "10s"
    max_body: int | str = "10MB"
    max_redirects: int = 5
    user_agent: str = "Moontide"
    ca_file: str | None = None

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
