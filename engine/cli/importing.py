"""Commands that bring work over from elsewhere: import-crontab."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.listing import AsJson
from engine.cli.output import print_json, print_table
from engine.cli.place import place_of
from engine.errors import JobFileError, Refused


def import_crontab(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A crontab; - reads standard input.")],
    into: Annotated[str, typer.Option("--into", metavar="NAME", help="A folder for the jobs.")] = "crontab",
    system: Annotated[
        bool, typer.Option("--system", help="Lines have a user, as in /etc/crontab and /etc/cron.d.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a job file, switched off, of each line of a crontab.

    Times are carried over. Commands are not: a job cannot start programs. Each file says what is missing.
    """
    from engine.times.crontab import read_crontab

    place = place_of(context)
    settings = place.settings()
    jobs = read_crontab(_read(file), system=system)
    folder = settings.jobs_folder(place.home)
    taken = [f"{into}/{job.name}" for job in jobs if (folder / into / f"{job.name}.lua").exists()]
    if taken:
        raise Refused(f"nothing was written, since these jobs exist already: {', '.join(taken)}")
    _write_all(folder, {f"{into}/{job.name}": job.text for job in jobs}, settings.source_bytes())
    if as_json:
        print_json(
            [{"job": f"{into}/{job.name}", "line": job.line, "problems": job.problems} for job in jobs]
        )
    else:
        rows = ((f"{into}/{job.name}", str(job.line), "; ".join(job.problems)) for job in jobs)
        print_table(("JOB", "LINE", "NOT CARRIED OVER"), rows, empty="the crontab has no lines with times")


def _write_all(folder: Path, texts: Mapping[str, str], max_bytes: int) -> None:
    """Write job files: all, or none where one cannot be written."""
    from engine.jobs.jobwrite import delete_job_file, write_job_file

    written: list[str] = []
    try:
        for name, text in texts.items():
            written.append(
                write_job_file(folder, name, text, expected_hash=None, create=True, max_bytes=max_bytes)
            )
    except BaseException:
        for path in written:
            delete_job_file(folder, path)
        raise


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except FileNotFoundError as error:
        raise Refused(f"there is no file {file}") from error
    except UnicodeDecodeError as error:
        raise JobFileError(f"{file} is not UTF-8 text") from error
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}") from error
