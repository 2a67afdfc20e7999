"""The walls hold even when a worker is taken over: arbitrary Python in a hardened child gets nowhere."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys

import pytest

from engine.sandbox.harden import WALLS, seccomp_program

_CHILD = r"""
import ctypes, json, mmap, os, resource, signal, socket, sys, errno
from engine.sandbox import harden

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p

def call(function, *arguments):
    if function(*arguments) == -1:
        raise OSError(ctypes.get_errno(), "refused")

def executable_memory():
    address = libc.mmap(None, ctypes.c_size_t(4096), 5, 0x22, -1, ctypes.c_long(0))
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "refused")

ATTACKS = {
    "nothing": lambda: None,
    "open": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "create": lambda: os.open("/tmp/moontide-breach", os.O_CREAT | os.O_WRONLY),
    "list": lambda: os.listdir("/"),
    "stat": lambda: os.stat("/etc/passwd"),
    "readlink": lambda: os.readlink("/proc/self/exe"),
    "unlink": lambda: os.unlink("/tmp/moontide-breach"),
    "chdir": lambda: os.chdir("/"),
    "tcp": lambda: socket.socket(socket.AF_INET),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "socketpair": lambda: socket.socketpair(),
    "fork": lambda: os.fork(),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "kill parent": lambda: os.kill(os.getppid(), 0),
    "kill by libc": lambda: call(libc.kill, 1, 0),
    "tgkill": lambda: call(libc.syscall, {"x86_64": 234, "aarch64": 131}[os.uname().machine], 1, 1, 0),
    "ptrace": lambda: call(libc.ptrace, 16, 1, None, None),
    "read other memory": lambda: call(libc.process_vm_readv, 1, None, 0, None, 0, 0),
    "memfd": lambda: os.memfd_create("x"),
    "pipe": lambda: os.pipe(),
    "dup": lambda: os.dup(0),
    "setrlimit": lambda: resource.setrlimit(resource.RLIMIT_CPU, (999, 999)),
    "prctl": lambda: call(libc.prctl, 4, 1, 0, 0, 0),
    "unshare": lambda: call(libc.unshare, 0x10000000),
    "mount": lambda: call(libc.mount, b"x", b"/tmp", b"tmpfs", 0, None),
    "bpf": lambda: call(libc.syscall, {"x86_64": 321, "aarch64": 280}[os.uname().machine], 0, 0, 0),
    "io_uring": lambda: call(libc.syscall, 425, 1, None),
    "landlock": lambda: call(libc.syscall, 444, None, 0, 1),
    "ioctl": lambda: call(libc.ioctl, 0, 0x5401, None),
    "set user": lambda: os.setuid(0),
    "executable memory": executable_memory,
    "make memory executable": lambda: call(libc.mprotect, ctypes.c_void_p(
        ctypes.addressof(ctypes.create_string_buffer(1)) & ~4095), ctypes.c_size_t(4096), 5),
    "much memory": lambda: bytearray(2**31),
    "a callback": lambda: ctypes.CFUNCTYPE(None)(lambda: None)(),
}

def attack(name, report):
    parent = os.getppid()
    harden.close_all_but(report)
    walls = harden.harden(parent_pid=parent, address_space_bytes=2**29, cpu_seconds=5)
    try:
        ATTACKS[name]()
        answer = "succeeded"
    except MemoryError:
        answer = "no memory"
    except OSError as error:
        answer = errno.errorcode[error.errno]
    os.write(report, json.dumps([answer, walls]).encode())

def child(name):
    out, report = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            attack(name, report)
        finally:
            os._exit(0)
    os.close(report)
    said = os.read(out, 65536)
    _pid, status = os.waitpid(pid, 0)
    os.close(out)
    if os.WIFSIGNALED(status):
        return [signal.Signals(os.WTERMSIG(status)).name, {}]
    return json.loads(said) if said else ["nothing said", {}]

print(json.dumps({name: child(name) for name in ATTACKS}))
"""


@pytest.fixture(scope="module")
def breach() -> dict[str, list[object]]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", _CHILD],
        env={"LC_ALL": "C.UTF-8", "TZ": "UTC0"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    found: dict[str, list[object]] = json.loads(done.stdout)
    return found


def test_the_harmless_child_sees_all_walls(breach: dict[str, list[object]]) -> None:
    answer, walls = breach["nothing"]
    assert answer == "succeeded"
    assert walls == dict.fromkeys(WALLS, "on")


@pytest.mark.parametrize("attack", ["open", "create", "list", "stat", "readlink", "ioctl"])
def test_files_are_refused_without_ending_the_worker(breach: dict[str, list[object]], attack: str) -> None:
    assert breach[attack][0] == "EPERM"


@pytest.mark.parametrize("attack", ["executable memory", "make memory executable"])
def test_no_memory_becomes_executable(breach: dict[str, list[object]], attack: str) -> None:
    assert breach[attack][0] in {"EPERM", "EACCES"}


def test_memory_is_bounded(breach: dict[str, list[object]]) -> None:
    assert breach["much memory"][0] == "no memory"


@pytest.mark.parametrize(
    "attack",
    [
        "unlink",
        "chdir",
        "tcp",
        "unix",
        "socketpair",
        "fork",
        "exec",
        "kill parent",
        "kill by libc",
        "tgkill",
        "ptrace",
        "read other memory",
        "memfd",
        "pipe",
        "dup",
        "setrlimit",
        "prctl",
        "unshare",
        "mount",
        "bpf",
        "io_uring",
        "landlock",
        "set user",
    ],
)
def test_every_other_way_out_is_deadly(breach: dict[str, list[object]], attack: str) -> None:
    assert breach[attack][0] == "SIGSYS"


def test_no_attack_succeeds(breach: dict[str, list[object]]) -> None:
    assert [name for name, (answer, _walls) in breach.items() if answer == "succeeded"] == ["nothing"]
    assert not os.path.exists("/tmp/moontide-breach")


def _judge(program: bytes, architecture: int, number: int, third_argument: int = 0) -> int:
    """Run a filter as the kernel would and return its verdict."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, 0, 0, third_argument, 0, 0, 0)
    accumulator, at = 0, 0
    while True:
        code, true, false, value = struct.unpack_from("=HBBI", program, at * 8)
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return int(value)
        else:
            taken = accumulator == value if code == 0x15 else accumulator & value
            at += true if taken else false


ALLOWED, REFUSED, DEADLY = 0x7FFF0000, 0x00050001, 0x80000000


@pytest.mark.parametrize(
    ("machine", "architecture", "calls"),
    [
        ("x86_64", 0xC000003E, {"recvfrom": 45, "open": 2, "mmap": 9, "socket": 41, "clone": 56}),
        ("aarch64", 0xC00000B7, {"recvfrom": 207, "openat": 56, "mmap": 222, "socket": 198, "clone": 220}),
    ],
)
def test_the_filter_judges_by_architecture_call_and_argument(
    machine: str, architecture: int, calls: dict[str, int]
) -> None:
    program = seccomp_program(machine)
    assert _judge(program, architecture, calls["recvfrom"]) == ALLOWED
    assert _judge(program, architecture, calls.get("open", calls.get("openat", 0))) == REFUSED
    assert _judge(program, architecture, calls["mmap"], 3) == ALLOWED
    assert _judge(program, architecture, calls["mmap"], 7) == REFUSED
    assert _judge(program, architecture, calls["socket"]) == DEADLY
    assert _judge(program, architecture, calls["clone"]) == DEADLY
    assert _judge(program, 0x40000003, calls["recvfrom"]) == DEADLY
    assert _judge(program, architecture, calls["recvfrom"] | 0x40000000) == DEADLY


def test_an_unknown_machine_has_no_filter() -> None:
    with pytest.raises(OSError, match="no list of system calls for riscv64"):
        seccomp_program("riscv64")
