"""All commands of `moontide`, as typer knows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from engine.cli import (
    acting,
    alerting,
    auditing,
    browsing,
    dashboard,
    files,
    hindsight,
    history,
    holding,
    importing,
    keeping,
    listing,
    nodes,
    overriding,
    planning,
    reloading,
    schedules,
    serving,
    stating,
)
from engine.cli.place import Place
from engine.cli.plain import HOME
from engine.cli.plugincommands import Commands, own_commands

#: Every command in the order of the help, with the example that its own help ends with.
COMMANDS: tuple[tuple[Callable[..., None], str], ...] = (
    (files.init, "moontide init /srv/shop"),
    (serving.up, "moontide --home /srv/shop up"),
    (serving.serve, "moontide --home /srv/shop serve"),
    (serving.worker, "moontide --home /srv/shop worker --tags gpu,eu --slots 8"),
    (dashboard.tui, "moontide --home /srv/shop tui"),
    (browsing.web, "moontide --home /srv/shop web"),
    (listing.status, "moontide status --json"),
    (nodes.nodes, "moontide nodes drain web1"),
    (listing.jobs, "moontide jobs"),
    (listing.show, "moontide show admin/cleanup"),
    (alerting.alerts, 'moontide alerts ack 12 --note "disk ordered"'),
    (planning.next, "moontide next report --count 5"),
    (hindsight.why, "moontide why report 09:30"),
    (hindsight.slots, "moontide slots report --since -24h"),
    (files.new, "moontide new admin/cleanup"),
    (acting.delete, "moontide delete admin/cleanup --yes"),
    (acting.run, "moontide run report --data '{\"shop\": 3}' --wait"),
    (acting.activate, "moontide activate report"),
    (acting.deactivate, "moontide deactivate report"),
    (holding.group, 'moontide group disable night --note "moving house"'),
    (holding.pause, "moontide pause report --for 2h"),
    (holding.resume, "moontide resume report"),
    (overriding.set, "moontide set report every 5m timeout 30s"),
    (overriding.unset, "moontide unset report every"),
    (reloading.reload, "moontide reload"),
    (acting.cancel, "moontide cancel 42"),
    (stating.state, "moontide state show report"),
    (history.runs, "moontide runs report --status error --since -24h"),
    (history.source, "moontide source 1742"),
    (history.diff, "moontide diff 1742 1750"),
    (auditing.audit, "moontide audit --since -24h"),
    (listing.log, "moontide log report --follow"),
    (files.check, "moontide check jobs/report.lua"),
    (files.stubs, "moontide stubs"),
    (listing.plugins, "moontide plugins"),
    (importing.import_crontab, "crontab -l | moontide import-crontab -"),
    (keeping.backup, "moontide --home /srv/shop backup /backups/shop.tar.gz"),
    (keeping.restore, "moontide --home /srv/new restore /backups/shop.tar.gz"),
    (keeping.move_database, "moontide move-database moontide.db postgresql+psycopg://moontide@db/moontide"),
)

#: Commands with an argument such as -2h or -5, which must not be taken for options.
TAKES_MINUS = (hindsight.why, overriding.set)
WITH_MINUS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}

#: Commands that stand together under one word: that word, what they are about, each with name and example.
GROUPS: tuple[tuple[str, str, tuple[tuple[str, Callable[..., None], str], ...]], ...] = (
    (
        "schedule",
        "Schedules given at run time.",
        (
            ("add", schedules.add, "moontide schedule add report --cron '0 9 * * MON-FRI' --user-id 7"),
            ("list", schedules.list_schedules, "moontide schedule list --job report"),
            ("remove", schedules.remove, "moontide schedule remove 3"),
        ),
    ),
)


def _print_version(asked: bool) -> None:
    if asked:
        from engine.version import VERSION

        print(f"moontide {VERSION}")
        raise typer.Exit


def _moontide(
    context: typer.Context,
    home: Annotated[
        Path,
        typer.Option("--home", "-H", envvar=HOME, help="The engine's home folder.", metavar="DIR"),
    ] = Path(),
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Run Lua job files on their schedules, sandboxed and recorded."""
    context.obj = Place(home.absolute(), own_commands(context))


def make_app() -> typer.Typer:
    """Return the command line with all commands."""
    app = typer.Typer(
        cls=Commands,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["--help", "-h"]},
        epilog="Exit codes: 0 done, 1 it failed, 2 wrong usage, 3 no engine running.",
    )
    app.callback()(_moontide)
    for function, example in COMMANDS:
        settings = WITH_MINUS if function in TAKES_MINUS else None
        app.command(epilog=f"Example: {example}", context_settings=settings)(function)
    for word, about, commands in GROUPS:
        group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help=about)
        for name, function, example in commands:
            group.command(name, epilog=f"Example: {example}")(function)
        app.add_typer(group, name=word)
    return app
