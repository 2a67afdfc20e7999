"""Starts worker pools as on a kernel that lacks a wall: a filter gives this process the kernel's own answer.

Run as `python -m tests.engine.sandbox.old_kernel WALL`; prints what a pool says that does not, and one that
does allow the wall to be missing.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import json
import os
import struct
import sys

from engine.errors import MissingWall

from .conftest import RememberingHost, job, make_pool, program

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_MDWE = 38, 22, 65
SECCOMP_MODE_FILTER = 2
LANDLOCK_CREATE_RULESET = 444
PRCTL = {"x86_64": 157, "aarch64": 167}

LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, FIRST_ARGUMENT = 0, 16
ALLOW, ANSWER = 0x7FFF0000, 0x00050000


def without_landlock(_prctl: int) -> list[tuple[int, int, int, int]]:
    """Answer as a kernel that was built without Landlock."""
    return [
        (LOAD, 0, 0, NUMBER),
        (JUMP_EQUAL, 0, 1, LANDLOCK_CREATE_RULESET),
        (RETURN, 0, 0, ANSWER | errno.ENOSYS),
        (RETURN, 0, 0, ALLOW),
    ]


def without_mdwe(prctl: int) -> list[tuple[int, int, int, int]]:
    """Answer as a kernel before 6.3, which knows no PR_SET_MDWE."""
    return [
        (LOAD, 0, 0, NUMBER),
        (JUMP_EQUAL, 0, 3, prctl),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (JUMP_EQUAL, 0, 1, PR_SET_MDWE),
        (RETURN, 0, 0, ANSWER | errno.EINVAL),
        (RETURN, 0, 0, ALLOW),
    ]


KERNELS = {"landlock": without_landlock, "mdwe": without_mdwe}


class FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def put_on(filter_lines: list[tuple[int, int, int, int]]) -> None:
    """Let the kernel answer this process and all that come of it by a filter."""
    libc = ctypes.CDLL(None, use_errno=True)
    code = b"".join(struct.pack("=HBBI", *line) for line in filter_lines)
    buffer = ctypes.create_string_buffer(code, len(code))
    filter_program = FilterProgram(len(filter_lines), ctypes.addressof(buffer))
    none = ctypes.c_ulong(0)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), none, none, none):
        raise OSError(ctypes.get_errno(), "no_new_privs")
    mode = ctypes.c_ulong(SECCOMP_MODE_FILTER)
    if libc.prctl(PR_SET_SECCOMP, mode, ctypes.byref(filter_program), none, none):
        raise OSError(ctypes.get_errno(), "seccomp")


async def tell(wall: str) -> dict[str, str]:
    """Start two pools and return what came of it."""
    refused = ""
    try:
        await make_pool().start()
    except MissingWall as error:
        refused = str(error)
    pool = make_pool(allow_missing=frozenset({wall}))
    await pool.start()
    ending = await pool.run(program(job("return job.OK")), RememberingHost())
    walls = dict(pool.walls)
    await pool.stop()
    told = {"refused": refused, "wall": walls.pop(wall), "returned": str(ending.returned)}
    return told | {"others": ", ".join(sorted(set(walls.values())))}


if __name__ == "__main__":
    put_on(KERNELS[sys.argv[1]](PRCTL[os.uname().machine]))
    print(json.dumps(asyncio.run(tell(sys.argv[1]))))
