"""Where an engine listens: the socket in its home folder, or a TCP address."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from engine.errors import SettingsError

SOCKET_NAME = "moontide.sock"

#: Linux takes 108 bytes for the path of a Unix socket, the closing NUL included (unix(7)).
MAX_SOCKET_PATH_BYTES = 107

_TOKEN = re.compile(r"[!-~]([ -~]*[!-~])?", re.ASCII)


def socket_in(home: Path) -> Path:
    """Return the path of the API socket of the engine that works in `home`."""
    return home / SOCKET_NAME


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Give a path to the same socket that fits into a socket address, valid inside the block.

    A path that is too long goes through a descriptor of its folder.

    Raises:
        FileNotFoundError: the folder of a long path does not exist.
    """
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def check_token(token: str) -> None:
    """See whether a token can be sent in the head of a request (RFC 9110, section 5.5).

    Raises:
        SettingsError: it holds what cannot stand there, such as a line end.
    """
    if not _TOKEN.fullmatch(token):
        raise SettingsError("the token for the engine must be one line of ASCII, without blanks around it")


def check_url(url: str) -> None:
    """See whether a token may be sent to a URL.

    Raises:
        SettingsError: it is none, or the token could be read on the way there.
    """
    try:
        parts = urlsplit(url)
        host, scheme = parts.hostname or "", parts.scheme
        # Raises for a port that is none, and for a name that no resolver takes.
        is_one = bool(host.encode("idna")) and parts.port != 0 and " " not in host
    except ValueError:
        is_one, host, scheme = False, "", ""
    if not is_one or scheme not in ("http", "https"):
        raise SettingsError(f"{url!r} is no address of an engine; write it such as https://nas.local:7424")
    if scheme == "http" and not _is_loopback(host):
        raise SettingsError(
            f"{url} is not encrypted, and everybody on the way could read the token: use https:// "
            "(`api.certificate` in the engine's settings), or an SSH tunnel to its port on 127.0.0.1"
        )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def split_tcp(address: str) -> tuple[str, int]:
    """Return host and port of "127.0.0.1:7424", "nas.local:7424" or "[::1]:7424".

    Raises:
        ValueError: it is none of these.
    """
    host, colon, port = address.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError(f"{address!r} must be a host and a port, such as 127.0.0.1:7424")
    return host.removeprefix("[").removesuffix("]"), int(port)
