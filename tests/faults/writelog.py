"""The `moontide` command of an engine whose writes to its database are written down in their order.

`python writelog.py LOG ...` is `moontide ...`. SQLite's layer above the operating system (its VFS)
passes each write, truncation and sync of a database file on to the kernel and then, before SQLite hears that
it is done, to LOG. So LOG says at any instant what a disk holds that keeps what was synced and nothing else.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p

WRITE, TRUNCATE, SYNC, DELETE = b"WTSD"
#: kind, length of the name, offset, length of the data.
HEADER = struct.Struct("<BHqq")

_OK = 0
#: What SQLite opens with a name of its own: databases, their journals and WALs.
_KEPT = 0x100 | 0x800 | 0x80000

_XWRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_XTRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
_XSYNC = CFUNCTYPE(c_int, c_void_p, c_int)
_XCLOSE = CFUNCTYPE(c_int, c_void_p)
_XOPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_XDELETE = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)


class _Methods(ctypes.Structure):
    """`sqlite3_io_methods`, of which the first five are looked into."""

    _fields_ = (
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", c_void_p),
        ("truncate", c_void_p),
        ("sync", c_void_p),
        ("rest", c_void_p * 13),
    )


class _File(ctypes.Structure):
    """`sqlite3_file`."""

    _fields_ = (("methods", POINTER(_Methods)),)


class _Vfs(ctypes.Structure):
    """The beginning of `sqlite3_vfs`."""

    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("longest_path", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", c_void_p),
        ("delete", c_void_p),
    )


class WriteLog:
    """Stands between SQLite and its layer for this operating system; it must live as long as the process."""

    def __init__(self, path: str) -> None:
        self._log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._names: dict[int, bytes] = {}
        self._tables: dict[int, _Methods] = {}
        self._kept: list[object] = []

    def install(self) -> None:
        """Take the place of what SQLite uses by default, in this process."""
        library = ctypes.CDLL("libsqlite3.so.0")
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        vfs = library.sqlite3_vfs_find(None).contents
        self._open_below = _XOPEN(vfs.open)
        self._delete_below = _XDELETE(vfs.delete)
        vfs.open = self._pointer(_XOPEN(self._open))
        vfs.delete = self._pointer(_XDELETE(self._delete))

    def _pointer(self, function: object) -> int | None:
        self._kept.append(function)
        return ctypes.cast(function, c_void_p).value  # type: ignore[arg-type]

    def _open(self, vfs: int, name: int | None, file: int, flags: int, out: object) -> int:
        result = self._open_below(vfs, name, file, flags, out)
        if result == _OK and name and flags & _KEPT:
            opened = _File.from_address(file)
            self._names[file] = os.path.basename(ctypes.string_at(name))
            opened.methods = ctypes.pointer(self._table(opened.methods))
        return int(result)

    def _table(self, below: object) -> _Methods:
        """Return the methods of a file with ours among them; SQLite has a few tables for all files."""
        place = ctypes.cast(below, c_void_p).value or 0
        if place not in self._tables:
            table = _Methods.from_buffer_copy(below.contents)  # type: ignore[attr-defined]
            self._wrap(table)
            self._tables[place] = table
        return self._tables[place]

    def _wrap(self, table: _Methods) -> None:
        write, truncate = _XWRITE(table.write), _XTRUNCATE(table.truncate)
        sync, close = _XSYNC(table.sync), _XCLOSE(table.close)

        def write_and_tell(file: int, data: int, size: int, offset: int) -> int:
            result = write(file, data, size, offset)
            if result == _OK:
                self._note(WRITE, self._names[file], offset, ctypes.string_at(data, size))
            return int(result)

        def truncate_and_tell(file: int, size: int) -> int:
            result = truncate(file, size)
            if result == _OK:
                self._note(TRUNCATE, self._names[file], size)
            return int(result)

        def sync_and_tell(file: int, flags: int) -> int:
            result = sync(file, flags)
            if result == _OK:
                self._note(SYNC, self._names[file])
            return int(result)

        def close_and_forget(file: int) -> int:
            self._names.pop(file, None)
            return int(close(file))

        table.write = self._pointer(_XWRITE(write_and_tell))
        table.truncate = self._pointer(_XTRUNCATE(truncate_and_tell))
        table.sync = self._pointer(_XSYNC(sync_and_tell))
        table.close = self._pointer(_XCLOSE(close_and_forget))

    def _delete(self, vfs: int, name: bytes, sync_folder: int) -> int:
        result = self._delete_below(vfs, name, sync_folder)
        if result == _OK:
            self._note(DELETE, os.path.basename(name))
        return int(result)

    def _note(self, kind: int, name: bytes, offset: int = 0, data: bytes = b"") -> None:
        # One call, so that no entry is ever among the parts of another.
        os.write(self._log, HEADER.pack(kind, len(name), offset, len(data)) + name + data)


if __name__ == "__main__":
    writes = WriteLog(sys.argv.pop(1))
    writes.install()
    from engine.cli import main

    main()
