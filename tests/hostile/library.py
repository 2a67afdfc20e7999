"""Library modules in jobs/lib that hostile jobs ask for: compiled Lua in disguise, and slow programs."""

from __future__ import annotations

from lupa.lua55 import LuaRuntime

_DUMP = b'return string.dump(load("return \\"compiled code ran\\""))'


def modules() -> dict[str, bytes]:
    """Return the text of each module by its name."""
    compiled = bytes(LuaRuntime(encoding=None).execute(_DUMP))
    return {
        "good": b"return { good = true }",
        "compiled": compiled,
        "marked": b"\xef\xbb\xbf" + compiled,
        "shell": b"#!/usr/bin/lua\n" + compiled,
        "zero": b"return 1\0",
        "slow": b"local x = ...\nif x == 0 then\n" + b"elseif x == 1 then\n" * 13_000 + b"end\nreturn 1\n",
        "nested": b"return " + b"(" * 100_000 + b"1" + b")" * 100_000,
        "braces": b"return " + b"{" * 100_000 + b"}" * 100_000,
        "locals": b"local a\n" * 20_000 + b"return 1\n",
        "constants": b"return {" + b"".join(b'"s%d",' % number for number in range(25_000)) + b"}",
        "itself": b'return require("lib.itself")',
        "first": b'return require("lib.second")',
        "second": b'return require("lib.first")',
        "loop": b"while true do end",
    }
