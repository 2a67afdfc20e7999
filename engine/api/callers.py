"""Who calls the API, as far as the engine knows for certain: by the way a request came, and its token."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import quote, unquote

from engine.roles import Role


class Way(StrEnum):
    """How a request reached the engine."""

    SOCKET = "socket"
    TCP = "tcp"
    SSH = "ssh"


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who may call the API.

    Attributes:
        name: of the token or key; "" for those who say themselves who they are.
    """

    role: Role
    way: Way
    name: str = ""

    def at_most(self, role: Role) -> Caller:
        """Return the same caller with no more than a role."""
        return replace(self, role=role) if self.role.may(role) else self

    def actor(self, said: str) -> str:
        """Return who this is for the audit trail; what a client says of itself counts without a name only."""
        # Without " via ", which begins the way.
        return f"{self.name or ' '.join(said.split(' via ')) or 'api'} via {self.way}"

    def told(self) -> str:
        """Return this as the value of a header (see `Callers.forwarded`)."""
        return f"{self.role}/{self.way}/{quote(self.name, safe='')}"


#: Whoever may open the socket in the home folder is the engine's own user, or root.
OWNER = Caller(Role.ADMIN, Way.SOCKET)


class Callers:
    """The tokens that open the API, and whose they are. Tokens themselves are not kept, only their hashes."""

    def __init__(self, tokens: Mapping[str, Caller] | None = None) -> None:
        self._trusted: bytes | None = None
        self._known = {_digest(token): caller for token, caller in (tokens or {}).items()}

    def issue(self, caller: Caller) -> str:
        """Return a new token of a caller, good until it is revoked."""
        token = secrets.token_urlsafe(32)
        self._known[_digest(token)] = caller
        return token

    def revoke(self, token: str) -> None:
        """Let a token open nothing any more."""
        self._known.pop(_digest(token), None)

    def trust(self, secret: str) -> None:
        """Let requests with this secret say in whose name they come; another one opens nothing any more."""
        self._trusted = _digest(secret)

    def forwarded(self, secret: str, told: str) -> Caller | None:
        """Return for whom another engine forwards a request, or None if it is not to be believed.

        Args:
            secret: what the request brings.
            told: what `Caller.told` made.
        """
        if self._trusted is None or not secrets.compare_digest(_digest(secret), self._trusted):
            return None
        role, _, rest = told.partition("/")
        way, _, name = rest.partition("/")
        try:
            return Caller(Role(role), Way(way), unquote(name))
        except ValueError:
            return None

    def of(self, token: str) -> Caller | None:
        """Return whose a token is, or None for one that nobody has."""
        # Looked up by its hash, so that the time it takes tells nothing of the tokens there are.
        return self._known.get(_digest(token)) if token else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
