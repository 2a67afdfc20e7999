"""TLS on the TCP listener: its certificate and key."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from engine.errors import SettingsError
from engine.settings.sections import ApiSettings


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of a certificate (with its chain) and of its private key, in PEM."""

    certificate: Path
    key: Path

    def check(self) -> None:
        """See whether the two can be used.

        Raises:
            SettingsError: says what is wrong with them.
        """
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
        except OSError as error:
            raise SettingsError(
                f"api.certificate {self.certificate} with its key {self.key} cannot be used: {error}"
            ) from error


def tls_of(api: ApiSettings, home: Path) -> Tls | None:
    """Return the certificate of the TCP listener with its key, or None without one."""
    if not api.certificate:
        return None
    return Tls(home / api.certificate, home / (api.key or api.certificate))
