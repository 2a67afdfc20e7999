"""The file of public keys that open the front door, each with a role and the name of its owner."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.roles import Role

#: What a line must be, as people are told.
FORM = "ROLE TYPE KEY NAME, such as: viewer ssh-ed25519 AAAA... anna"

#: Kinds of keys that prove who somebody is; ssh-dss does not.
KINDS = frozenset(
    {
        "ssh-ed25519",
        "sk-ssh-ed25519@openssh.com",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-rsa",
    }
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}", re.ASCII)

MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Key:
    """One public key.

    Attributes:
        blob: the key in the wire format of SSH (RFC 4253, section 6.6).
        name: whose it is, as the audit trail has it.
    """

    blob: bytes
    role: Role
    name: str

    @property
    def digest(self) -> str:
        """What tells the key from all others, in 32 characters that may stand in the name of a file."""
        return hashlib.sha256(self.blob).hexdigest()[:32]


class KeyFile:
    """The keys in a file; it is read again whenever it changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, ...] | None = None
        self._keys: dict[bytes, Key] = {}
        self._problems: list[str] = []

    def find(self, blob: bytes) -> Key | None:
        """Return the key of these bytes as the file has it now, or None."""
        self._refresh()
        return self._keys.get(blob)

    def problems(self) -> list[str]:
        """Return what is wrong with the file and its lines; the good lines count all the same."""
        self._refresh()
        return self._problems

    def _refresh(self) -> None:
        try:
            found = self.path.stat()
        except OSError as error:
            self._take(
                (), {}, [f"ssh.keys: {self.path} cannot be read, so nobody can log in: {error.strerror}"]
            )
            return
        seen = (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size)
        if seen != self._seen:
            self._read(found, seen)

    def _read(self, found: os.stat_result, seen: tuple[int, ...]) -> None:
        if reason := _not_ours(found):
            self._take(seen, {}, [f"ssh.keys: {self.path} {reason}, so nobody can log in"])
            return
        try:
            with self.path.open(encoding="utf-8", errors="replace") as file:
                lines = file.read(MOST_BYTES).splitlines()
        except OSError as error:
            self._take(
                (), {}, [f"ssh.keys: {self.path} cannot be read, so nobody can log in: {error.strerror}"]
            )
            return
        keys: dict[bytes, Key] = {}
        problems = []
        for number, line in _content(lines):
            try:
                key = read_key(line)
            except ValueError as error:
                problems.append(f"ssh.keys: {self.path}, line {number}: {error}")
                continue
            # The first line wins, as in the files of other SSH servers.
            keys.setdefault(key.blob, key)
        self._take(seen, keys, problems)

    def _take(self, seen: tuple[int, ...], keys: dict[bytes, Key], problems: list[str]) -> None:
        self._seen, self._keys, self._problems = seen, keys, problems


def _content(lines: list[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _not_ours(found: os.stat_result) -> str:
    """Say why others could have written the file, or ""."""
    if not stat.S_ISREG(found.st_mode):
        return "is no file"
    if found.st_uid not in (os.getuid(), 0):
        return "belongs to another user"
    return "can be written by others (chmod 600)" if found.st_mode & 0o022 else ""


def read_key(line: str) -> Key:
    """Return the key of one line.

    Raises:
        ValueError: says what is wrong with the line.
    """
    words = line.split()
    if len(words) != 4:
        raise ValueError(f"it must be {FORM}")
    role, kind, text, name = words
    if role not in tuple(Role):
        raise ValueError(f"{role!r} is no role; it must be {', '.join(Role)}")
    if kind not in KINDS:
        raise ValueError(f"keys of type {kind!r} are not taken; make one with `ssh-keygen -t ed25519`")
    if not _NAME.fullmatch(name):
        raise ValueError(f"the name {name!r} must be letters, digits and -_.@")
    return Key(_blob(kind, text), Role(role), name)


def _blob(kind: str, text: str) -> bytes:
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("the key is cut off, or not one") from error
    head = len(kind).to_bytes(4) + kind.encode()
    if not blob.startswith(head) or len(blob) <= len(head):
        raise ValueError(f"the key is not of type {kind}")
    return blob
