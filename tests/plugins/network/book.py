"""A resolver of names for tests."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address

from plugins.network.addresses import IPAddress


class Book:
    """A resolver that answers from a table, each time with the next of a name's answers."""

    def __init__(self, **names: list[list[str]]) -> None:
        self.asked: list[str] = []
        self._names = {name.replace("_", "."): answers for name, answers in names.items()}

    async def __call__(self, host: str, port: int) -> Sequence[IPAddress]:
        self.asked.append(host)
        if host not in self._names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self._names[host]
        return [ip_address(text) for text in (answers.pop(0) if len(answers) > 1 else answers[0])]
