"""The walls around a worker, by ctypes alone: what has passed `harden` keeps one socket and no way out.

Each wall is named; what the kernel does not offer is reported, never skipped in silence.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import signal
import struct
from collections.abc import Callable, Iterable

WALLS = (
    "no_new_privs",
    "seccomp",
    "landlock",
    "rlimits",
    "mdwe",
    "pdeathsig",
    "clean_environment",
    "not_dumpable",
)

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_MDWE = 65
_MDWE_REFUSE_EXEC_GAIN = 1
_SECCOMP_MODE_FILTER = 2
_SYS_LANDLOCK_CREATE_RULESET = 444
_SYS_LANDLOCK_RESTRICT_SELF = 446
_PROT_EXEC = 4

#: What the clean environment may hold: nothing here is a secret.
ENVIRONMENT_NAMES = frozenset({"LC_ALL", "LC_CTYPE", "TZ", "GLIBC_TUNABLES", "LD_LIBRARY_PATH"})

_ALLOW = [
    "read",
    "write",
    "close",
    "poll",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "brk",
    "madvise",
    "futex",
    "rt_sigreturn",
    "rt_sigprocmask",
    "sendto",
    "recvfrom",
    "sendmsg",
    "recvmsg",
    "clock_gettime",
    "getrandom",
    "sched_yield",
    "getpid",
    "exit",
    "exit_group",
    "restart_syscall",
    "setitimer",
]

# Refused, not deadly: the C library opens zone files and the like inside harmless functions.
_REFUSE = [
    "open",
    "openat",
    "openat2",
    "stat",
    "fstat",
    "lstat",
    "newfstatat",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "ioctl",
    "lseek",
]

_NUMBERS: dict[str, tuple[int, dict[str, int]]] = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7,
            "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigprocmask": 14,
            "rt_sigreturn": 15, "ioctl": 16, "access": 21, "sched_yield": 24, "mremap": 25, "madvise": 28,
            "setitimer": 38, "getpid": 39, "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47,
            "exit": 60, "readlink": 89, "futex": 202, "restart_syscall": 219, "clock_gettime": 228,
            "exit_group": 231, "openat": 257, "newfstatat": 262, "readlinkat": 267, "faccessat": 269,
            "getrandom": 318, "statx": 332, "openat2": 437, "faccessat2": 439,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "ioctl": 29, "faccessat": 48, "openat": 56, "close": 57, "lseek": 62, "read": 63, "write": 64,
            "poll": 73, "readlinkat": 78, "newfstatat": 79, "fstat": 80, "exit": 93, "exit_group": 94,
            "futex": 98, "setitimer": 103, "clock_gettime": 113, "sched_yield": 124, "restart_syscall": 128,
            "rt_sigprocmask": 135, "rt_sigreturn": 139, "getpid": 172, "sendto": 206, "recvfrom": 207,
            "sendmsg": 211, "recvmsg": 212, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222,
            "mprotect": 226, "madvise": 233, "getrandom": 278, "statx": 291, "openat2": 437,
            "faccessat2": 439,
        },
    ),
}  # fmt: skip

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class _FilterProgram(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _fail_on_error(result: int, what: str) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _prctl(option: int, argument: int, what: str) -> None:
    zero = ctypes.c_ulong(0)
    _fail_on_error(_libc.prctl(option, ctypes.c_ulong(argument), zero, zero, zero), what)


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel to kill this process when its parent ends; end now if that happened already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, "PR_SET_PDEATHSIG")
    if os.getppid() != parent_pid:
        os._exit(0)


def _forbid_new_privileges() -> None:
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS")


def _forbid_dumps() -> None:
    _prctl(_PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE")


def _forbid_executable_memory() -> None:
    _prctl(_PR_SET_MDWE, _MDWE_REFUSE_EXEC_GAIN, "PR_SET_MDWE (Linux 6.3)")


def _check_environment() -> None:
    extra = set(os.environ) - ENVIRONMENT_NAMES
    if extra:
        raise OSError(errno.EPERM, f"{len(extra)} more environment variables than expected")


def _limit_resources(address_space_bytes: int, cpu_seconds: int) -> None:
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_AS: address_space_bytes,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: 16,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for name, value in limits.items():
        resource.setrlimit(name, (value, value))


def _landlock_rights(abi: int) -> bytes:
    files = (1 << 13) - 1
    for since, bit in ((2, 13), (3, 14), (5, 15)):
        if abi >= since:
            files |= 1 << bit
    if abi < 4:
        return struct.pack("=Q", files)
    connections = 0b11
    if abi < 6:
        return struct.pack("=QQ", files, connections)
    abstract_sockets_and_signals = 0b11
    return struct.pack("=QQQ", files, connections, abstract_sockets_and_signals)


def _landlock_everything() -> None:
    abi = _libc.syscall(_SYS_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    _fail_on_error(abi, "Landlock")
    rights = _landlock_rights(abi)
    ruleset = _libc.syscall(_SYS_LANDLOCK_CREATE_RULESET, rights, ctypes.c_size_t(len(rights)), 0)
    _fail_on_error(ruleset, "Landlock rules")
    try:
        _fail_on_error(_libc.syscall(_SYS_LANDLOCK_RESTRICT_SELF, ruleset, 0), "Landlock")
    finally:
        os.close(ruleset)


def _instruction(code: int, true: int, false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)


_LOAD, _JUMP_EQUAL, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_ARCH_OFFSET, _NUMBER_OFFSET, _THIRD_ARGUMENT_OFFSET = 4, 0, 32
_KILL_PROCESS, _ERRNO, _ALLOWED = 0x80000000, 0x00050000, 0x7FFF0000


def seccomp_program(machine: str) -> bytes:
    """Return the filter as BPF: an allow list, a list that answers EPERM, and death for the rest.

    Raises:
        OSError: the machine's system call numbers are not known here.
    """
    if machine not in _NUMBERS:
        raise OSError(errno.ENOSYS, f"no list of system calls for {machine}")
    architecture, numbers = _NUMBERS[machine]
    program = [
        _instruction(_LOAD, 0, 0, _ARCH_OFFSET),
        _instruction(_JUMP_EQUAL, 1, 0, architecture),
        _instruction(_RETURN, 0, 0, _KILL_PROCESS),
        _instruction(_LOAD, 0, 0, _NUMBER_OFFSET),
    ]
    for name in ("mmap", "mprotect"):
        program += _refuse_executable(numbers[name])
    program += _answer_each((numbers[name] for name in _ALLOW if name in numbers), _ALLOWED)
    program += _answer_each((numbers[name] for name in _REFUSE if name in numbers), _ERRNO | errno.EPERM)
    program.append(_instruction(_RETURN, 0, 0, _KILL_PROCESS))
    return b"".join(program)


def _refuse_executable(number: int) -> list[bytes]:
    return [
        _instruction(_JUMP_EQUAL, 0, 4, number),
        _instruction(_LOAD, 0, 0, _THIRD_ARGUMENT_OFFSET),
        _instruction(_JUMP_ANY_BIT, 0, 1, _PROT_EXEC),
        _instruction(_RETURN, 0, 0, _ERRNO | errno.EPERM),
        _instruction(_LOAD, 0, 0, _NUMBER_OFFSET),
    ]


def _answer_each(numbers: Iterable[int], answer: int) -> list[bytes]:
    program: list[bytes] = []
    for number in numbers:
        program.append(_instruction(_JUMP_EQUAL, 0, 1, number))
        program.append(_instruction(_RETURN, 0, 0, answer))
    return program


def _filter_system_calls() -> None:
    code = seccomp_program(os.uname().machine)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _FilterProgram(len(code) // 8, ctypes.addressof(buffer))
    result = _libc.prctl(
        _PR_SET_SECCOMP,
        ctypes.c_ulong(_SECCOMP_MODE_FILTER),
        ctypes.byref(program),
        ctypes.c_ulong(0),
        ctypes.c_ulong(0),
    )
    _fail_on_error(result, "seccomp")


def close_all_but(descriptor: int) -> None:
    """Close every file descriptor of this process except one."""
    os.closerange(0, descriptor)
    os.closerange(descriptor + 1, 2**20)


def _raise_wall(build: Callable[[], None]) -> str:
    try:
        build()
    except (OSError, ValueError) as error:
        return f"missing: {error.strerror if isinstance(error, OSError) else error}"
    return "on"


def harden(*, parent_pid: int, address_space_bytes: int, cpu_seconds: int) -> dict[str, str]:
    """Put up all walls around this process, for good.

    The system call filter comes last: nothing but the worker's few calls works after it.

    Args:
        parent_pid: the process to die with.
        address_space_bytes: for RLIMIT_AS.
        cpu_seconds: for RLIMIT_CPU, over the life of the process.

    Returns:
        Each name of `WALLS` with "on" or "missing: why".
    """
    return {
        "pdeathsig": _raise_wall(lambda: die_with_parent(parent_pid)),
        "clean_environment": _raise_wall(_check_environment),
        "rlimits": _raise_wall(lambda: _limit_resources(address_space_bytes, cpu_seconds)),
        "not_dumpable": _raise_wall(_forbid_dumps),
        "no_new_privs": _raise_wall(_forbid_new_privileges),
        "mdwe": _raise_wall(_forbid_executable_memory),
        "landlock": _raise_wall(_landlock_everything),
        "seccomp": _raise_wall(_filter_system_calls),
    }
