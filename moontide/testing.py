"""Tests of job files, in the real sandbox: a pytest plugin with the fixture `job`.

    def test_report(job):
        run = job("report.lua", mysql=FakeRows({"id": 4, "name": "bear"}))
        assert run.returned == "OK"

The file runs as it would in the engine: the same Lua, the same limits, the same checks of arguments.
Modules that reach out of it (network, databases, mail, files) answer only what the test gives them.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import pytest

from engine.calls.core import CoreCall, CoreFunction, CoreModule
from engine.errors import CoreError, MoontideError
from engine.extensions.plugins import Plugins, load_plugins
from engine.offline import run_file
from engine.run import LogLine, Outcome
from engine.settings import Settings, settings_from

__all__ = ["Call", "CoreError", "FakeRows", "JobRun", "JobTester", "StandIn", "job"]

T = TypeVar("T")

#: Modules that are the real ones in every test, besides those that reach nothing at all.
HARMLESS = frozenset({"data"})

JOBS_OPTION = "moontide_jobs"

_ABSENT = object()


@runtime_checkable
class StandIn(Protocol):
    """Answers the calls of one core module in a test."""

    def answer(self, function: str, args: list[Any]) -> Any:
        """Return what Lua gets.

        Args:
            function: its name below the module, such as "selectOne".
            args: what the job passed.

        Returns:
            plain data; a tuple becomes several values.

        Raises:
            CoreError: for `nil, message, code` in Lua.
        """


class FakeRows:
    """Stands in for a database that has the same rows whatever it is asked."""

    def __init__(self, *rows: Mapping[str, Any], changed: int = 1) -> None:
        """Make a database.

        Args:
            rows: what each query finds.
            changed: how many rows each update or delete changes, and the id that each insert gives.
        """
        self.rows = [dict(row) for row in rows]
        self.changed = changed

    def answer(self, function: str, args: list[Any]) -> Any:
        """Return rows, one row, or a number, as the function of this name does."""
        match function:
            case "selectOne":
                return self.rows[0] if self.rows else None
            case "selectCount":
                return len(self.rows)
            case "select":
                return self.rows
            case "query" | "q" | "dbQuery":
                return self.rows if _reads(args) else self.changed
            case "insert" | "update" | "delete":
                return self.changed
            case "dbConnect":
                return 1
            case "dbClose":
                return True
        raise CoreError(
            f"FakeRows knows no answer to {function}; give a dict or a class with answer(function, args)"
        )


def _reads(args: list[Any]) -> bool:
    words = str(args[-1] if args else "").split()
    return bool(words) and words[0].upper() in ("SELECT", "SHOW", "WITH", "PRAGMA", "DESCRIBE", "EXPLAIN")


@dataclass(frozen=True, slots=True)
class Call:
    """One core call of a run, as Lua made it.

    Attributes:
        function: such as "mysql.update".
        args: what Lua passed.
        answer: what Lua got; None after an error.
        error: the error's message, or None.
    """

    function: str
    args: list[Any]
    answer: Any = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class JobRun:
    """How a run in a test ended.

    Attributes:
        status: "COMPLETE", "ERROR", "TIMEOUT" or "CRASHED".
        returned: "OK", "SLEEP", "STOP", "EXIT" or "RETRY"; None when the run did not come to its return.
        result: the second value returned.
        error: what went wrong, with the Lua traceback.
        log: the texts that the run logged.
        lines: the same with number, time and level.
        calls: every core call that gets an answer, in order.
        problems: what the run told by `job.warn` and `job.err`, each with level, code and text.
    """

    status: str
    returned: str | None
    result: Any
    error: str | None
    lines: list[LogLine] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    problems: list[dict[str, str]] = field(default_factory=list)

    @property
    def log(self) -> list[str]:
        return [line.text for line in self.lines]

    def called(self, function: str) -> list[list[Any]]:
        """Return the arguments of each call of a function such as "mysql.update"."""
        return [call.args for call in self.calls if call.function == function]


class JobTester:
    """What the fixture `job` gives: called with a job file, it runs it once."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Make a tester.

        Args:
            folders: where job files are looked for, the jobs folder first.
        """
        self._folders = folders

    def __call__(
        self,
        file: str | Path,
        run_data: Any = None,
        /,
        *,
        real: Collection[str] = (),
        settings: Mapping[str, Any] | None = None,
        **stand_ins: Any,
    ) -> JobRun:
        """Run a job file once.

        Args:
            file: its path: absolute, or below the jobs folder or the folder of the test.
            run_data: what the job finds in `run.data`.
            real: names of modules that are used as they are, with all that they do.
            settings: the content of moontide.toml for this run.
            stand_ins: by the name of a core module, what answers its calls: a dict from the function's name
                to the answer (or to a callable that gets the arguments), or an object with
                `answer(function, args)`.

        Raises:
            ValueError: a stand-in for a module or a function that does not exist.
            MoontideError: the file or the settings cannot be used.
        """
        checked = settings_from(settings or {})
        calls: list[Call] = []
        lines: list[LogLine] = []
        path = self._find(Path(file))
        with _home() as home:
            plugins = load_plugins(checked.plugins.disable, folder=checked.plugins_folder(home))
            watched = _watch(plugins, stand_ins, real, calls, tables=checked.module_tables)
            work = run_file(
                path,
                data=run_data,
                settings=self._in_folder(checked),
                home=home,
                on_log=lines.append,
                plugins=watched,
            )
            outcome = _carry_out(work)
        return _job_run(outcome, lines, calls)

    def _find(self, file: Path) -> Path:
        places = [file] if file.is_absolute() else [folder / file for folder in self._folders]
        for place in places:
            if place.is_file():
                return place
        raise MoontideError(f"no job file {file}: looked at {', '.join(map(str, places))}")

    def _in_folder(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"jobs": str(self._folders[0])})


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting that names the jobs folder."""
    parser.addini(JOBS_OPTION, "The jobs folder, from the root folder of the tests.", default="jobs")


@pytest.fixture
def job(request: pytest.FixtureRequest) -> JobTester:
    """Run job files: `job("report.lua", mysql=FakeRows({"id": 4}))`."""
    root = request.config.rootpath
    return JobTester([root / request.config.getini(JOBS_OPTION), request.path.parent, root])


def _carry_out(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end, also from inside a running loop."""
    with ThreadPoolExecutor(1, "moontide-test") as threads:
        return threads.submit(asyncio.run, work).result()


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="moontide-test-") as folder:
        yield Path(folder)


def _job_run(outcome: Outcome, lines: list[LogLine], calls: list[Call]) -> JobRun:
    returned = outcome.returned.value if outcome.returned else None
    return JobRun(
        outcome.status.value,
        returned,
        outcome.result,
        outcome.error,
        lines,
        calls,
        outcome.problems or [],
    )


# Modules that are watched


def _watch(
    plugins: Plugins,
    stand_ins: Mapping[str, Any],
    real: Collection[str],
    calls: list[Call],
    *,
    tables: Collection[str],
) -> Plugins:
    """Return the plugins with modules that record their calls, and answer them as the test wants."""
    _check_names([*stand_ins, *real], plugins)
    modules = {}
    for name, module in plugins.modules.items():
        genuine = name not in stand_ins and (module.free or name in HARMLESS or name in real)
        answer = None if genuine else _answerer(module, stand_ins.get(name, _ABSENT))
        modules[name] = _watched(module, answer, calls, configured=genuine or name in tables)
    return Plugins(modules=modules, additions=plugins.additions, views=plugins.views)


def _check_names(names: Collection[str], plugins: Plugins) -> None:
    unknown = sorted(set(names) - plugins.modules.keys())
    if unknown:
        raise ValueError(
            f"there is no core module {', '.join(unknown)}; there are {', '.join(sorted(plugins.modules))}"
        )


Answer = Callable[[str, list[Any]], Any]


def _answerer(module: CoreModule, stand_in: Any) -> Answer:
    if stand_in is _ABSENT:
        return lambda function, _: _refuse(module.name, function)
    if isinstance(stand_in, Mapping):
        return _from_mapping(module, stand_in)
    if isinstance(stand_in, StandIn):
        return stand_in.answer
    raise ValueError(f"{module.name} must be a dict of answers or have answer(function, args): {stand_in!r}")


def _refuse(module: str, function: str) -> Any:
    raise CoreError(f"core.{module}.{function} has no answer in this test; give job(..., {module}=...)")


def _from_mapping(module: CoreModule, answers: Mapping[str, Any]) -> Answer:
    unknown = sorted(answers.keys() - module.functions.keys())
    if unknown:
        raise ValueError(
            f"core.{module.name} has no function {', '.join(unknown)}; "
            f"there are {', '.join(sorted(module.functions))}"
        )

    def answer(function: str, args: list[Any]) -> Any:
        if function not in answers:
            return _refuse(module.name, function)
        given = answers[function]
        if isinstance(given, Exception):
            raise given
        return given(*args) if callable(given) else given

    return answer


def _watched(module: CoreModule, answer: Answer | None, calls: list[Call], *, configured: bool) -> CoreModule:
    """Return a module of the same shape; without an answer it is the real one.

    Args:
        configured: whether it takes a table of the settings; one that nobody needs may lack what is required.
    """
    twin = CoreModule(
        module.name,
        summary=module.summary,
        facade=module.facade,
        settings=module.settings if configured else None,
        free=module.free,
    )
    twin.open_service = module.open_service if answer is None else None
    twin.functions = {
        name: _one_way(function, answer) if function.one_way else _WatchedFunction.of(function, answer, calls)
        for name, function in module.functions.items()
    }
    return twin


def _one_way(function: CoreFunction, answer: Answer | None) -> CoreFunction:
    """Return a function that nobody waits for: the real one, or one that does nothing."""
    return function if answer is None else replace(function, call=lambda core, *arguments: None)


class _WatchedFunction(CoreFunction):
    """A core function whose arguments are checked as ever, and that records its calls."""

    @classmethod
    def of(cls, function: CoreFunction, answer: Answer | None, calls: list[Call]) -> _WatchedFunction:
        real_needs = function.needs

        async def call(core: CoreCall, *arguments: Any) -> Any:
            *bound, given = arguments
            try:
                value = await _real(function, core, bound) if answer is None else answer(function.name, given)
            except CoreError as error:
                calls.append(Call(function.path, given, error=error.message))
                raise
            calls.append(Call(function.path, given, value))
            return value

        declared = {one.name: getattr(function, one.name) for one in fields(function) if one.init}
        needs = None if real_needs is None else lambda *arguments: real_needs(*arguments[:-1])
        return cls(**declared | {"call": call, "is_async": True, "needs": needs})

    def bind(self, values: list[Any]) -> list[Any]:
        """Check what Lua passed, and hand it on as it is behind the checked arguments."""
        return [*CoreFunction.bind(self, values), list(values)]


async def _real(function: CoreFunction, core: CoreCall, bound: list[Any]) -> Any:
    if function.is_async:
        return await function.call(core, *bound)
    return await asyncio.to_thread(function.call, core, *bound)
