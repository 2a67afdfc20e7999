"""Commands that bring work over from elsewhere: import-crontab."""

from __future__ import annotations

import sys
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
    from engine.jobs.jobwrite import write_job_file
    from engine.times.crontab import read_crontab

    place = place_of(context)
    settings = place.settings()
    jobs = read_crontab(_read(file), system=system)
    folder = settings.jobs_folder(place.home)
    taken = [f"{into}/{job.name}" for job in jobs if (folder / into / f"{job.name}.lua").exists()]
    if taken:
        raise Refused(f"nothing was written, since these jobs exist already: {', '.join(taken)}")
    for job in jobs:
        write_job_file(
            folder,
            f"{into}/{job.name}",
            job.text,
            expected_hash=None,
            create=True,
            max_bytes=settings.source_bytes(),
        )
    if as_json:
        print_json(
            [{"job": f"{into}/{job.name}", "line": job.line, "problems": job.problems} for job in jobs]
        )
    else:
        rows = ((f"{into}/{job.name}", str(job.line), "; ".join(job.problems)) for job in jobs)
        print_table(("JOB", "LINE", "NOT CARRIED OVER"), rows, empty="the crontab has no lines with times")


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except FileNotFoundError as error:
        raise Refused(f"there is no file {file}") from error
    except UnicodeDecodeError as error:
        raise JobFileError(f"{file} is not UTF-8 text") from error
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}") from error
