"""Where an engine is, what it is told with each request, and what its answers mean: for both clients."""

from __future__ import annotations

import gc
import getpass
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from engine.api.address import check_token, short_path
from engine.api.calls import Call
from engine.api.failures import Failure, rebuild
from engine.errors import EngineUnreachable, MoontideError, SettingsError
from engine.roles import Role

T = TypeVar("T")

CONNECT_SECONDS = 5.0
#: A reload or check of many thousand files takes its time.
ANSWER_SECONDS = 120.0
#: The stream brings something every 15 s; silence for longer means that the engine is gone.
STREAM_SECONDS = 45.0

JSON = {b"content-type": b"application/json"}


class Target:
    """Where the engine is: the path of its Unix socket, or the URL of its TCP listener."""

    def __init__(
        self,
        place: Path | str,
        token: str | None,
        actor: str | None,
        ca_file: Path | None = None,
        role: Role | None = None,
    ) -> None:
        self._place = place
        self._ca_file = ca_file
        self._stack = ExitStack()
        self.headers = {b"x-moontide-actor": _as_field(actor or who_am_i())}
        if token:
            check_token(token)
            self.headers[b"authorization"] = f"Bearer {token}".encode()
        if role is not None:
            self.headers[b"x-moontide-role"] = role.value.encode()

    @property
    def base_url(self) -> str:
        return self._place if isinstance(self._place, str) else "http://moontide"

    def open_socket_path(self) -> str | None:
        """Return a short path of the socket, which stays good until `close`; None for a TCP listener."""
        if isinstance(self._place, str):
            return None
        try:
            return self._stack.enter_context(short_path(self._place))
        except OSError as error:
            raise self.not_there(error) from error

    def trusted(self) -> ssl.SSLContext | None:
        """Return what the certificate of an https URL is checked against; None where there is no TLS.

        Raises:
            SettingsError: the file of certificates cannot be used.
        """
        if isinstance(self._place, str) and self._place.startswith("https:"):
            return trusted(self._ca_file)
        return None

    def require_socket(self) -> None:
        """Raise `EngineUnreachable` if there is no socket; httpcore would leave one open when it fails."""
        if isinstance(self._place, Path) and not self._place.exists():
            raise self.not_there(FileNotFoundError(self._place))

    def close(self) -> None:
        """Let go of the socket's folder."""
        self._stack.close()

    def not_there(self, error: Exception) -> EngineUnreachable:
        """Return the error for a request for which there was no connection."""
        if isinstance(self._place, str):
            return EngineUnreachable(_untrusted(self._place, error) or _silent(self._place, error))
        return EngineUnreachable(
            _forbidden(self._place.parent, error)
            or f"no engine is running in {self._place.parent}; start one with `moontide up`"
        )

    def went_away(self, error: Exception) -> EngineUnreachable:
        """Return the error for a request that was not answered to its end."""
        if isinstance(self._place, str):
            words = _untrusted(self._place, error)
            return EngineUnreachable(words or f"the engine at {self._place} went away before it answered")
        return EngineUnreachable(
            _forbidden(self._place.parent, error)
            or f"the engine in {self._place.parent} went away before it answered"
        )


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Return what certificates are checked against: the machine's authorities, or those in a file.

    Raises:
        SettingsError: the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise SettingsError(f"cannot read certificates from {ca_file}: {error}") from error


def _untrusted(url: str, error: Exception) -> str | None:
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" not in text:
        return None
    reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or text
    return f"the certificate of {url} is not trusted ({reason}); name its authority with --ca-file"


def _silent(url: str, error: Exception) -> str:
    return f"no engine answers at {url}: {str(error) or 'no connection in time'}"


def _forbidden(home: Path, error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, PermissionError):
            return f"the engine in {home} belongs to another user"
        error = error.__cause__ or error.__context__
    return None


def _as_field(actor: str) -> bytes:
    """Return a name as the head of a request may have it, without what the engine would drop as well."""
    return "".join(char for char in actor if char.isprintable()).strip().encode()


def who_am_i() -> str:
    """Return user and host, for the engine's audit table."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return f"{user}@{socket.gethostname()}"


def value_of(call: Call[T], status: int, content: bytes) -> T:
    """Return what an answer says.

    Raises:
        MoontideError: the error that the operation raised in the engine, or the answer cannot be read.
    """
    if not 200 <= status < 300:
        raise failure_of(status, content)
    try:
        with _collector_at_rest():
            return call.decode(content)
    except msgspec.DecodeError as error:
        raise MoontideError(
            f"the engine's answer cannot be read; is it another version? ({error})"
        ) from error


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Keep Python's collector from going through a long answer again and again while it grows."""
    worked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if worked:
            gc.enable()


def failure_of(status: int, content: bytes) -> MoontideError:
    """Return the error that an answer tells of."""
    try:
        return rebuild(msgspec.json.decode(content, type=Failure))
    except msgspec.DecodeError:
        return MoontideError(f"the engine answered {status} without saying why")
