"""The key by which clients know this door again: made once, kept where only the engine's user can read it."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile

import asyncssh

from engine.errors import SettingsError


def host_key(path: Path) -> asyncssh.SSHKey:
    """Return the key in a file, which is made if it is not there.

    Raises:
        SettingsError: the file cannot be used, or others can read it.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return _make(path)
    except OSError as error:
        raise SettingsError(f"ssh.host_key: {path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise SettingsError(
            f"ssh.host_key: {path} can be read by others; make it yours alone: chmod 600 {path}"
        )
    try:
        return asyncssh.read_private_key(path)
    except (OSError, asyncssh.KeyImportError) as error:
        raise SettingsError(f"ssh.host_key: {path} holds no usable private key: {error}") from error


def _make(path: Path) -> asyncssh.SSHKey:
    key = asyncssh.generate_private_key("ssh-ed25519", comment="moontide")
    try:
        # Written aside with mode 0600, and put in its place whole.
        with NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(key.export_private_key())
            file.flush()
            os.fsync(file.fileno())
        os.rename(file.name, path)
    except OSError as error:
        raise SettingsError(f"ssh.host_key: {path} cannot be written: {error.strerror}") from error
    return key
