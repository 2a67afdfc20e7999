"""Fresh Lua states for the worker. The only module that imports lupa."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from lupa.lua55 import LuaError, LuaMemoryError, LuaRuntime

from engine.errors import PluginError
from engine.sandbox.wire import Manifest

__all__ = ["LuaError", "LuaMemoryError", "LuaState", "build_prelude", "lua_text"]

#: Parts of the prelude that each state has from its beginning, in the order in which they need each other.
_FIRST = ("stack", "codec", "sources", "environment", "job")

#: Parts that are loaded when something first asks for them.
_LATE = ("text", "encoder", "methods", "calls", "libraries", "corelib", "md5")

#: Room above a run's limit: lupa cannot survive running out of memory while a value crosses the border, so
#: the crossing checks the lower limit and the allocator keeps the upper one.
HEAD_ROOM_BYTES = 4 * 2**20

#: What the state's random numbers begin with.
_SEED_BYTES = 16

_COMPILE = b"""
local source, name = ...
local chunk, problem = load(source, name, "t")
if not chunk then return nil, problem end
return string.dump(chunk, true)
"""

Rpc = Callable[..., bytes | None]


def _deny(*_: object) -> NoReturn:
    raise AttributeError("no attributes across the border")


def _new_runtime() -> LuaRuntime:
    return LuaRuntime(
        encoding=None,
        register_eval=False,
        register_builtins=False,
        unpack_returned_tuples=False,
        attribute_handlers=(_deny, _deny),
        max_memory=2**40,
    )


def _compile(source: str, name: str) -> bytes:
    result = _new_runtime().execute(_COMPILE, source.encode(), f"={name}".encode())
    if isinstance(result, bytes):
        return result
    raise PluginError(result[1].decode("utf-8", "replace"))


def build_prelude(manifests: Iterable[Manifest]) -> bytes:
    """Return the program that prepares a state, compiled.

    Raises:
        PluginError: a facade is no Lua program; the text has the module and the line.
    """
    return _compile(_bundle(list(manifests)), "moontide")


# What few jobs use stands there as compiled text, which costs a state next to nothing until it is loaded.
def _bundle(modules: list[Manifest]) -> str:
    late = {name: _text_of(_read(name), "moontide") for name in _LATE}
    manifests = {_name(module.name): _text_of(_manifest(module), "moontide") for module in modules}
    facades = {
        _name(module.name): _text_of(module.facade, f"core.{module.name}")
        for module in modules
        if module.facade is not None
    }
    given = ", ".join(map(_table, (late, facades, manifests)))
    parts = [f"local modules = (function(...)\n{_read('parts')}\nend)(..., {given})\n"]
    parts.extend(f"modules.{name} = (function(...)\n{_read(name)}\nend)(modules)\n" for name in _FIRST)
    parts.append(f"return (function(...)\n{_read('prelude')}\nend)(modules)\n")
    return "".join(parts)


def _table(entries: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{name} = {value}" for name, value in entries.items()) + " }"


def _manifest(module: Manifest) -> str:
    functions = ", ".join(map(_quoted, module.functions))
    one_way = ", ".join(map(_quoted, module.one_way))
    large = ", ".join(f"[{_quoted(name)}] = true" for name in module.large)
    return f"return {{ functions = {{{functions}}}, one_way = {{{one_way}}}, large = {{{large}}} }}"


def _text_of(source: str, name: str) -> str:
    """Return a program, compiled, as a Lua literal."""
    return '"' + "".join(f"\\{byte:03}" for byte in _compile(source, name)) + '"'


def _quoted(name: str) -> str:
    return f'"{_name(name)}"'


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise PluginError(f"{name!r} is no Lua name")
    return name


def _read(name: str) -> str:
    return Path(__file__).with_name(f"{name}.lua").read_text("utf-8")


class LuaState:
    """One fresh state with the prelude loaded; good for one run."""

    def __init__(self, prelude: bytes, rpc: Rpc) -> None:
        """Prepare a state.

        Args:
            prelude: what `build_prelude` returned.
            rpc: called by trusted Lua code with an operation and byte strings; must never raise.
        """
        self._runtime = _new_runtime()
        self._limit_bytes = 2**40
        # "B": the state uses the program where it stands, in place of a copy of its own; so it must stay.
        self._prelude = prelude
        self._run, self._declare = self._runtime.compile(prelude, name=b"=moontide", mode="B")(rpc)

    def limit_memory(self, limit_bytes: int) -> None:
        """Set what the state may use; checked at each crossing, with head-room above."""
        self._limit_bytes = limit_bytes
        self._runtime.set_max_memory(limit_bytes + HEAD_ROOM_BYTES, total=True)

    def memory_bytes(self) -> int:
        """Return what the state uses now."""
        return int(self._runtime.get_memory_used(total=True))

    def is_too_much(self, used: int) -> bool:
        """Whether the state, which uses so many bytes now, is over its limit with all garbage gone."""
        return used > self._limit_bytes and not self.has_room(0)

    def has_room(self, size: int) -> bool:
        """Whether the state may take so many bytes more, with all garbage gone if need be."""
        if self.memory_bytes() + size <= self._limit_bytes:
            return True
        self._runtime.gccollect()
        return self.memory_bytes() + size <= self._limit_bytes

    def run(self, *arguments: Any) -> tuple[Any, ...]:
        """Call the prelude's `driver.run`: see prelude.lua."""
        return _several(self._run(os.urandom(_SEED_BYTES), *arguments))

    def declare(self, *arguments: Any) -> tuple[Any, ...]:
        """Call the prelude's `driver.declare`: see prelude.lua."""
        return _several(self._declare(os.urandom(_SEED_BYTES), *arguments))


def _several(result: Any) -> tuple[Any, ...]:
    return result if isinstance(result, tuple) else (result,)


def lua_text(error: Exception) -> str:
    """Return the message of an error; Lua's come as bytes."""
    message = error.args[0] if error.args else ""
    return message.decode("utf-8", "replace") if isinstance(message, bytes) else str(message)
