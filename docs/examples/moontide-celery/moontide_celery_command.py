"""`moontide celery worker`: carries runs out on this machine."""

import socket
from typing import Annotated

import typer

from moontide.cli import place_of


def make_command() -> typer.Typer:
    """Return the command."""
    app = typer.Typer(no_args_is_help=True, help="Runs carried by Celery.")
    app.callback()(lambda: None)
    app.command("worker")(worker)
    return app


def worker(
    context: typer.Context,
    tags: Annotated[str, typer.Option(help="What it offers, with commas between, such as gpu,eu.")] = "",
    slots: Annotated[int, typer.Option(min=1, help="How many runs it carries out at once.")] = 10,
    name: Annotated[str, typer.Option(help="What it is called; the machine's name without.")] = "",
) -> None:
    """Take runs from the broker of this home's moontide.toml, and carry them out here."""
    from moontide_celery_worker import work

    place = place_of(context)
    offered = sorted({tag.strip() for tag in tags.split(",")} - {""})
    if len(offered) > 4:
        raise typer.BadParameter("at most 4 tags: a worker serves a queue for each set of them")
    raise typer.Exit(
        work(
            place.home,
            name=name or socket.gethostname(),
            slots=slots,
            tags=offered,
            grace_seconds=place.settings().engine.stop_after,
        )
    )
