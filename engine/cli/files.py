"""Commands about files: init, new, check. They need no engine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

import engine
from engine.calls.permissions import permission_words
from engine.cli.listing import AsJson
from engine.cli.output import on_terminal, print_json
from engine.cli.place import Place, place_of
from engine.cli.words import clean
from engine.errors import EngineUnreachable, JobFileError, Refused
from engine.views import ProblemView

EDITOR_CONFIG = """\
root = true

[*]
charset = utf-8
end_of_line = lf
insert_final_newline = true
trim_trailing_whitespace = true

[*.lua]
indent_style = space
indent_size = 2
"""

#: For the Lua language server: the engine's global, where `moontide stubs` puts its definitions, and the
#: libraries that the sandbox leaves out.
LUA_SETTINGS = """\
{
  "runtime.version": "Lua 5.4",
  "runtime.path": ["jobs/?.lua"],
  "runtime.builtin": { "debug": "disable", "io": "disable", "package": "disable" },
  "workspace.library": ["jobs/.luals"],
  "diagnostics.globals": ["core"]
}
"""


def init(
    context: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The new home folder; --home without it.")
    ] = None,
) -> None:
    """Make a home folder with settings and sample jobs.

    Files that exist are never written over.
    """
    target = folder or place_of(context).home
    files = dict(_new_home())
    taken = [str(target / path) for path in files if (target / path).exists()]
    if taken:
        raise Refused(f"nothing was written, since these exist already: {', '.join(taken)}")
    try:
        _write_all(target, files)
    except OSError as error:
        raise Refused(f"cannot write {error.filename}: {error.strerror}") from error
    print(clean(f"{target} is ready; start the engine with `moontide --home {target} up`"))


def _new_home() -> Iterator[tuple[Path, str]]:
    from engine.settings import settings_template

    yield Path("moontide.toml"), settings_template()
    yield Path(".editorconfig"), EDITOR_CONFIG
    yield Path(".luarc.json"), LUA_SETTINGS
    samples = samples_folder()
    for path in sorted(samples.rglob("*.lua")):
        yield Path("jobs") / path.relative_to(samples), path.read_text(encoding="utf-8")


def samples_folder() -> Path:
    """Return the folder of sample jobs: inside the installed package, or the one of the source tree."""
    root = Path(engine.__file__).parent.parent
    packaged = root / "moontide" / "samples"
    return packaged if packaged.is_dir() else root / "jobs"


def _write_all(target: Path, files: dict[Path, str]) -> None:
    (target / "jobs").mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text, encoding="utf-8")


def new(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The job's name, such as admin/cleanup.")],
) -> None:
    """Make a new job file from the template."""
    from engine.jobs.jobwrite import TEMPLATE

    place = place_of(context)
    try:
        with place.client() as client:
            path = client.write_job(name, TEMPLATE, expected_hash=None, create=True).path
    except EngineUnreachable:
        path = _write_new(place, name, TEMPLATE)
    print(f"{clean(path)} is ready to be edited")


def _write_new(place: Place, name: str, text: str) -> str:
    from engine.jobs.jobwrite import write_job_file

    settings = place.settings()
    folder = settings.jobs_folder(place.home)
    try:
        folder.mkdir(exist_ok=True)
        path = write_job_file(
            folder, name, text, expected_hash=None, create=True, max_bytes=settings.source_bytes()
        )
    except OSError as error:
        raise JobFileError(f"cannot write into {folder}: {error.strerror}") from error
    return str(folder / path)


def stubs(context: typer.Context) -> None:
    """Write the files for completion in editors.

    They go into the folder .luals of the jobs folder. A running engine keeps them up to date from then on.
    """
    from engine.extensions.plugins import load_plugins
    from engine.jobs.jobfolder import scan_jobs
    from engine.stubs import FOLDER, write_stubs

    place = place_of(context)
    settings = place.settings()
    folder = settings.jobs_folder(place.home)
    names, _ = scan_jobs(folder)
    plugins = load_plugins(settings.plugins.disable, folder=settings.plugins_folder(place.home))
    try:
        changed = write_stubs(folder, plugins.modules, names, plugins.additions.settings.values())
    except OSError as error:
        raise Refused(f"cannot write {error.filename}: {error.strerror}") from error
    print(f"{clean(str(folder / FOLDER))}: {len(changed)} files changed" if changed else "up to date")


def check(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE...", help="Job files; the whole jobs folder without."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find what is wrong with job files.

    The files are read as at a reload; no job runs. With permissions = "declared", what each job may use is
    told too. Exit code 1 if there is any problem.
    """
    problems, grants = _checked(place_of(context), files or [])
    if as_json:
        print_json(problems)
    else:
        _print_problems(problems)
        for path, words in grants:
            print(clean(f"{path} may use {words}"))
    if problems:
        raise typer.Exit(1)


#: What is wrong with some files, and by path what the jobs in the others may use.
_Checked = tuple[list[ProblemView], list[tuple[str, str]]]


def _checked(place: Place, files: list[Path]) -> _Checked:
    if files:
        # Read with the rights of the person who asks, and from anywhere: no business of an engine's.
        return _checked_here(place, [path.absolute() for path in files])
    try:
        with place.client() as client:
            problems, views = client.check(), client.jobs()
    except EngineUnreachable:
        return _checked_here(place, None)
    wrong = {problem.path for problem in problems}
    good = [view for view in views if view.permissions == "declared" and view.path not in wrong]
    return problems, [(view.path, permission_words(view.permissions, view.allow)) for view in good]


def _checked_here(place: Place, paths: list[Path] | None) -> _Checked:
    import asyncio

    from engine.offline import look_at_files, problems_of

    settings = place.settings()
    found = asyncio.run(look_at_files(paths, settings=settings, home=place.home))
    mode = settings.permissions.value
    good = [(one.path, one.settings.allow) for one in found if one.settings and mode == "declared"]
    return problems_of(found), [(path, permission_words(mode, allow)) for path, allow in good]


def _sentence(problem: ProblemView) -> str:
    if problem.line is None:
        return f"{problem.path}: {problem.reason}"
    # Lua's own messages begin with the place, too; one in a library module is another.
    place = rf"(?:{re.escape(problem.path)}|\.\.\.[^:\n]+):{problem.line}: "
    reason = re.sub(rf"\A{place}", "", problem.reason)
    return f"{problem.path}:{problem.line}: {reason}"


def _print_problems(problems: list[ProblemView]) -> None:
    for problem in problems:
        print(clean(_sentence(problem)))
    if not problems and on_terminal():
        print("no problems found")
