"""Files that people and other programs write, damaged or made up, given to the commands that read them.

Whatever is in a file: the command ends in time, with a documented exit code and without a traceback, says in
which file something is wrong, and leaves nothing half done.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from engine.backup import DATABASE, END, MANIFEST
from engine.cli.files import samples_folder
from engine.door.keys import KINDS, KeyFile
from engine.jobs.jobfile import SETTINGS
from engine.settings import FILE_NAME, setting_fields, settings_template
from tests.e2e.conftest import environment, job
from tests.hostile.commandfuzz import wrong
from tests.progress import Progress

#: Done, failed, wrong usage, no engine.
CODES = frozenset({0, 1, 2, 3})

#: What stands in files where something else should, as text.
_ODD = (
    "", "0", "-1", "1e308", "-0.0", "nan", "inf", "9" * 30, "9" * 400, "9" * 5000, "true", "null", "''",
    '"x"', '"\\u0000"', '"\\u001b[2J"', '"' + "x" * 5000 + '"', "[]", "{}", "[" * 3000,
    "{ a = " * 500, "[[[1]]]", "{ a = { b = 1 } }", '["a", 1]', '"1h"', '"-5s"', '"99999999999d"', '"10GB"',
    '"Europe/Berlin"', '"../../etc/passwd"', '"* * * * *"', '"0 0 31 2 *"',
    '"2026-02-30"', "1979-05-27", "1979-05-27T00:32:00Z", "07:32:00", '"${HOME}"', "#", "=", "\x00",
    "\x1b[31m", "\u202e",
    "\ufeff", "\r", "\u2028", "caf\xe9",
)  # fmt: skip


class Shell:
    """Carries out commands in homes where no engine runs."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder = folder
        self._process = process
        self._numbers = count(1)
        self.progress = Progress()

    def new_home(self) -> Path:
        """Return a folder for a home that nothing else uses; only the last ones are kept."""
        number = next(self._numbers)
        shutil.rmtree(self.folder / f"home-{number - 3}", ignore_errors=True)
        home = self.folder / f"home-{number}"
        (home / "jobs" / "lib").mkdir(parents=True)
        return home

    def carry_out(self, home: Path, *arguments: str) -> dict[str, Any]:
        """Return exit code and output of one command line."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(["--home", str(home), *arguments]) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said


@contextmanager
def shell(folder: Path) -> Iterator[Shell]:
    """Start what carries out commands."""
    (folder / "work").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.commandfork", str(folder / "work")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=Path(__file__).parents[2],
    )
    shell = Shell(folder, process)
    try:
        yield shell
    finally:
        shell.progress.end()
        process.communicate()


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of file.

    Attributes:
        contents: what may be in it.
        read: has it read, and returns the exit code and what is wrong.
        codes: the exit codes that must all be seen; else what is behind a check is never tried.
    """

    name: str
    contents: st.SearchStrategy[bytes]
    read: Callable[[Shell, bytes], tuple[int, list[str]]]
    codes: frozenset[int] = frozenset({0, 1})


@dataclass
class Report:
    """What came of files: how many ended with each exit code, and the first with each complaint."""

    codes: Counter[int] = field(default_factory=Counter)
    complaints: dict[str, str] = field(default_factory=dict)


def try_case(case: Case, shell: Shell, examples: int, *, number: int | None = None) -> Report:
    """Have many files of one kind read.

    Args:
        number: what all chance follows from; None for what is always alike.
    """
    report = Report()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=number is None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(content=case.contents)
    def each(content: bytes) -> None:
        shell.progress.say(case.name, f"{report.codes.total()} of {examples} done")
        code, complaints = case.read(shell, content)
        report.codes[code] += 1
        for what in complaints:
            report.complaints.setdefault(what[:60], f"{case.name}: {what}\nfor {content[:1500]!r}")

    (each if number is None else seed(number)(each))()
    return report


def damaged(*examples: bytes) -> st.SearchStrategy[bytes]:
    """Return one of some good files, changed in a few places, or as it is."""
    pieces = st.sampled_from(_ODD).map(lambda text: text.encode()) | st.binary(max_size=8)
    change = st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 20), pieces)
    return st.builds(_changed, st.sampled_from(examples), st.lists(change, max_size=4))


def _changed(data: bytes, changes: Sequence[tuple[float, int, bytes]]) -> bytes:
    for part, length, piece in changes:
        at = int(part * len(data))
        data = data[:at] + piece + data[at + length :]
    return data


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _told(said: Mapping[str, Any], *names: str) -> list[str]:
    """Return what is wrong with how a command told of a file."""
    found = [what for what in wrong(dict(said)) if not (what == "it ended with 3" and 3 in CODES)]
    words = said["out"] + said["err"]
    if said["code"] == 1 and not any(name in words for name in names):
        found.append(f"it does not name the file: {words[:300]!r}")
    return found


# Settings

_KEYS = [key for key, _ in setting_fields()] + [
    "mysql.shop.url",
    "network.allow",
    "nonsense",
    "pool.nonsense",
    "schedules.a",
]
_TOML = st.lists(st.tuples(st.sampled_from(_KEYS), st.sampled_from(_ODD)), max_size=5).map(
    lambda pairs: "\n".join(f"{key} = {value}" for key, value in pairs).encode("utf-8", "surrogatepass")
)
_GOOD_TOML = b"""pool.size = 4
limits.timeout = "1h"
timezone = "Europe/Berlin"
[schedules]
workhours = "*/15 9-17 * * MON-FRI"
[network]
allow = ["127.0.0.1:8080"]
"""


def _read_settings(shell: Shell, content: bytes) -> tuple[int, list[str]]:
    home = shell.new_home()
    (home / FILE_NAME).write_bytes(content)
    said = shell.carry_out(home, "check")
    return said["code"], _told(said, FILE_NAME)


# Job files and library modules

_LUA_VALUES = st.sampled_from(_ODD) | st.sampled_from(
    (
        "{ 1, x = 2 }",
        "print",
        "function() end",
        "1/0",
        "0/0",
        "{ [{}] = 1 }",
        "core",
        "-2^63",
        '"\\xff"',
        "('x'):rep(1e6)",
    )
)
_TABLES = st.lists(
    st.tuples(st.sampled_from([one.name for one in SETTINGS] + ["nonsense"]), _LUA_VALUES), max_size=4
).map(lambda pairs: job("return job.OK", ", ".join(f"{name} = {value}" for name, value in pairs)).encode())
_SAMPLES = [path.read_bytes() for path in sorted(samples_folder().rglob("*.lua"))]


def _read_job(shell: Shell, content: bytes) -> tuple[int, list[str]]:
    home = shell.new_home()
    (home / "jobs" / "tried.lua").write_bytes(content)
    said = shell.carry_out(home, "check")
    return said["code"], _told(said, "tried.lua")


def _read_library(shell: Shell, content: bytes) -> tuple[int, list[str]]:
    home = shell.new_home()
    (home / "jobs" / "lib" / "tried.lua").write_bytes(content)
    (home / "jobs" / "asks.lua").write_text('require("lib.tried")\n' + job("return job.OK"))
    said = shell.carry_out(home, "check")
    return said["code"], _told(said, "lib/tried.lua")


# Crontabs

_GOOD_CRONTAB = b"""# what runs here
MAILTO=ops@shop.example
CRON_TZ=Europe/Berlin
*/5 * * * * /usr/local/bin/poll --quiet
0 3 * * 1-5 cd /srv && ./backup.sh %input
@daily /usr/bin/python3 report.py
@reboot sh -c 'echo up'
"""


def _read_crontab(shell: Shell, content: bytes) -> tuple[int, list[str]]:
    home = shell.new_home()
    (home / "tried.cron").write_bytes(content)
    said = shell.carry_out(home, "import-crontab", str(home / "tried.cron"), "--json")
    made = sorted((home / "jobs" / "crontab").glob("*.lua"))
    found = _told(said, "tried.cron")
    if said["code"] != 0:
        return said["code"], found + [f"it failed and left {path.name}" for path in made]
    if len(json.loads(said["out"])) != len(made):
        found.append(f"it tells of {len(json.loads(said['out']))} jobs and made {len(made)}")
    checked = shell.carry_out(home, "check")
    if checked["code"] != 0:
        found.append(f"it made jobs that are no good: {checked['out'][:300]!r}")
    return 0, found


# Backups


def _archive(members: Sequence[tuple[str, bytes, bytes]]) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content), "/etc/passwd"
            archive.addfile(member, io.BytesIO(content))
    return raw.getvalue()


_MANIFEST = (
    MANIFEST,
    tarfile.REGTYPE,
    b'{"moontide": "0.1.0", "made": "2026-01-01T00:00:00+00:00", "sealed": "yes"}',
)
_END = (END, tarfile.REGTYPE, b'{"files": 3}')
_GOOD_MEMBERS = [
    _MANIFEST,
    (DATABASE, tarfile.REGTYPE, b"SQLite format 3\x00" + bytes(4080)),
    (f"home/{FILE_NAME}", tarfile.REGTYPE, b"pool.size = 4\n"),
    ("jobs/admin/cleanup.lua", tarfile.REGTYPE, job("return job.OK").encode()),
    ("home/files/report.txt", tarfile.REGTYPE, b"x" * 5000),
    _END,
]
_MEMBER = st.tuples(
    st.sampled_from(
        ("jobs/a.lua", "jobs/../../a", "/etc/a", "home", "home/", "home/.", "jobs/a.lua/b", "home/jobs",
         "home/moontide.db", "", "x",
         "jobs/\x1b[2J", "jobs/" + "d/" * 100 + "x", "jobs/" + "n" * 300, "home/moontide.toml", DATABASE,
         MANIFEST, "jobs/\udcff")
    ),
    st.sampled_from((tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE,
    tarfile.FIFOTYPE)),
    st.binary(max_size=50),
)  # fmt: skip
_MANIFESTS = st.sampled_from(
    [
        b"",
        b"{}",
        b"[]",
        b"1",
        b"null",
        b"[" * 100_000,
        b'{"made": [], "moontide": 1}',
        b'{"made": 1',
        b"\xff",
        _MANIFEST[2],
    ]
)
_MEMBERS = st.builds(
    lambda manifest, more: _archive([(MANIFEST, tarfile.REGTYPE, manifest), *_GOOD_MEMBERS[1:], *more]),
    _MANIFESTS,
    st.lists(_MEMBER, max_size=3),
)
_BROKEN_TARS = damaged(gzip.decompress(_archive(_GOOD_MEMBERS))).map(gzip.compress)


def _read_backup(shell: Shell, content: bytes) -> tuple[int, list[str]]:
    home = shell.new_home()
    shutil.rmtree(home)
    source = shell.folder / "tried.tar.gz"
    source.write_bytes(content)
    around = _names(shell.folder, home)
    said = shell.carry_out(home, "restore", str(source))
    found = _told(said, "tried.tar.gz")
    left = sorted({str(path.relative_to(home)) for path in home.rglob("*")} - {"engine.lock"})
    if said["code"] != 0 and left:
        found.append(f"it failed and left {left[:5]}")
    if said["code"] == 0 and not {"moontide.db", FILE_NAME, "jobs/admin/cleanup.lua"} <= {*left}:
        found.append(f"it did not fail and restored only {left[:5]}")
    if _names(shell.folder, home) != around:
        found.append("it wrote outside of the home")
    return said["code"], found


def _names(folder: Path, home: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if home not in path.parents and path != home}


# Keys of the front door and tokens


def _key(kind: str) -> str:
    return base64.b64encode(len(kind).to_bytes(4) + kind.encode() + b"\x00\x00\x00\x20" + bytes(32)).decode()


_GOOD_KEYS = "".join(
    f"{role} {kind} {_key(kind)} anna\n"
    for role, kind in zip(("viewer", "operator", "admin"), sorted(KINDS), strict=False)
).encode()


def _read_keys(shell: Shell, content: bytes) -> tuple[int, list[str]]:
    path = shell.new_home() / "keys"
    path.write_bytes(content)
    path.chmod(0o600)
    try:
        problems = KeyFile(path).problems()
    except Exception as error:  # that nothing is raised is what is tried
        return -1, [f"reading keys raised {type(error).__name__}: {error}"]
    unplaced = [one for one in problems if f"{path}, line " not in one]
    return int(bool(problems)), [f"it does not name the line: {one[:200]!r}" for one in unplaced]


def _read_token(shell: Shell, content: bytes) -> tuple[int, list[str]]:
    path = shell.new_home() / "tried.token"
    path.write_bytes(content)
    # Without a terminal there is no dashboard, which is wrong usage; but the token is read before.
    said = shell.carry_out(path.parent, "tui", "--url", "http://127.0.0.1:1", "--token-file", str(path))
    return said["code"], _told(said, "tried.token")


CASES = (
    Case("settings", damaged(_GOOD_TOML, settings_template().encode()) | _TOML, _read_settings),
    Case("a job file", damaged(*_SAMPLES) | _TABLES, _read_job),
    Case(
        "a library module",
        damaged(b"return { good = true }\n", *_SAMPLES) | st.binary(max_size=50),
        _read_library,
    ),
    Case("a crontab", damaged(_GOOD_CRONTAB) | st.text(max_size=60).map(_encoded), _read_crontab),
    Case("a backup", damaged(_archive(_GOOD_MEMBERS)) | _BROKEN_TARS | _MEMBERS, _read_backup),
    Case("keys of the front door", damaged(_GOOD_KEYS), _read_keys),
    Case("a token", damaged(b"a-long-random-token-0123456789\n"), _read_token, frozenset({1, 2})),
)
